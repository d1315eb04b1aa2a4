from __future__ import annotations

import json

import numpy as np
import pytest

from indexer.errors import UserError
from indexer.evaluation import main
from indexer.evaluation.datasets import read_sets
from indexer.evaluation.metrics import mean_reciprocal_rank, ndcg, ranks_of_relevant, recall
from indexer.evaluation.run import evaluate, plot, table
from indexer.evaluation.scorers import Bm25, DraftModel, Glossed, OurModel
from indexer.evaluation.sentences import draws


def test_ranks_count_ties_against_the_answer():
    scores = np.array([[0.9, 0.5, 0.5], [0.1, 0.1, 0.1]], dtype=np.float32)
    assert ranks_of_relevant(scores, [(1,), (0, 2)]) == [[3], [3, 3]]


def test_metrics_agree_with_their_definitions():
    ranks = [[1], [2], [11]]
    assert mean_reciprocal_rank(ranks) == pytest.approx((1 + 1 / 2 + 1 / 11) / 3)
    assert ndcg(ranks) == pytest.approx((1 + 1 / np.log2(3) + 0) / 3)
    assert ndcg([[1, 2]]) == pytest.approx(1.0)
    assert ndcg([[1, 12]]) == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert recall(ranks, 5) == pytest.approx(2 / 3)


@pytest.fixture
def data(tmp_path):
    def write(name, rows):
        (tmp_path / name).write_text("\n".join(json.dumps(row) for row in rows))

    code = [f"def {word}_file(path): return {word}(path)" for word in ("open", "close", "upload")]
    write(
        "cosqa_corpus.jsonl", [{"id": f"c{n}", "code_without_docstring": text} for n, text in enumerate(code)]
    )
    write("cosqa_dev.jsonl", [{"query": "close a file", "corpus_id": "c1"}])
    write(
        "humaneval_xl_code.jsonl",
        [{"language": "go", "task": f"t{n}", "code": c} for n, c in enumerate(code)],
    )
    questions = [("English", "upload the file"), ("German", "open die Datei")]
    rows = [
        {"natural_language": n, "task": f"t{2 - 2 * i}", "query": q} for i, (n, q) in enumerate(questions)
    ]
    write("humaneval_xl_queries.jsonl", rows)
    write(
        "rust.jsonl",
        [{"query": "parse the header", "code": "fn parse_header()"}, {"query": "x", "code": "y()"}],
    )
    write_natural(write)
    return tmp_path


def write_natural(write):
    places = [{"text": f"The {p} is large.", "queries": [f"large {p}", f"is the {p} large"]} for p in PLACES]
    write("retrieval_en_faq.jsonl", places)
    write("retrieval_en-de_faq.jsonl", [{**row, "text": f"{row['text']} Groß."} for row in places])
    pairs = [("open it", "open it", 5), ("open a file", "open it", 4), ("the sea", "open it", 0.5)]
    rows = [{"first": one, "second": two, "score": score} for one, two, score in pairs]
    write("sts_en_pairs.jsonl", rows)
    write("sts_de_pairs.jsonl", [{**row, "first": f"die {row['first']}"} for row in rows])
    labelled = [
        {"split": split, "text": f"{word} {word} {number} {split}", "label": word}
        for split, count in (("train", 12), ("test", 3))
        for number in range(count)
        for word in ("open", "close")
    ]
    write("classification_en_intents.jsonl", labelled)


PLACES = ("park", "harbour", "station")


class Letters(Bm25):
    """Counts letters: an embedder whose vectors are known."""

    name = "letters"

    def vectors(self, texts, side="query"):
        counts = np.array([[text.count(chr(97 + n)) for n in range(26)] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_every_kind_of_data_is_read_and_grouped(data):
    sets = {task.name: task for task in read_sets(data)}
    code = {"cosqa", "English to go", "German to go", "rust"}
    assert set(sets) == code | {"faq en", "faq en-de", "pairs en", "pairs de", "intents en"}
    assert sets["German to go"].group == "humaneval-xl other" and sets["German to go"].relevant == ((0,),)
    assert sets["cosqa"].relevant == ((1,),)
    assert sets["faq en"].relevant == ((0,), (0,), (1,), (1,), (2,), (2,))
    assert {name: sets[name].group for name in ("faq en", "faq en-de", "pairs en", "pairs de")} == {
        "faq en": "retrieval english",
        "faq en-de": "retrieval across languages",
        "pairs en": "sts english",
        "pairs de": "sts other",
    }
    assert sets["pairs de"].first[0] == "die open it" and sets["pairs de"].scores == (5.0, 4.0, 0.5)
    intents = sets["intents en"]
    assert len(intents.train) == 24 and intents.test_labels == (1, 0) * 3, "labels are numbered by name"


def test_a_string_may_hold_signs_that_end_lines_elsewhere(tmp_path):
    path = tmp_path / "go.jsonl"
    path.write_text('{"query": "one\u2028two", "code": "func f() {}"}\n', "utf-8")
    assert read_sets(tmp_path)[0].queries == ("one\u2028two",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{oops", r"go\.jsonl, line 2: no JSON"),
        ('{"query": "f"}', "line 2: the row has no 'code'; docs/embedder.md"),
        ('{"query": 7, "code": "c"}', "line 2: 'query' cannot be 7"),
        ("[1]", "line 2: a row is a JSON object"),
    ],
)
def test_data_that_is_not_as_it_should_be_is_named(tmp_path, line, message):
    (tmp_path / "go.jsonl").write_text('{"query": "q", "code": "c"}\n' + line + "\n", "utf-8")
    with pytest.raises(UserError, match=message):
        read_sets(tmp_path)


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("go.jsonl", [], r"go\.jsonl has no rows"),
        ("sts_en_one.jsonl", [{"first": "a", "second": "b", "score": 3}], "no order to compare"),
        ("classification_en_one.jsonl", [{"split": "train", "text": "a", "label": "x"}], "needs two labels"),
    ],
)
def test_files_that_nothing_can_be_measured_by_are_named(tmp_path, name, rows, message):
    (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with pytest.raises(UserError, match=message):
        read_sets(tmp_path)


def test_bm25_alone_over_pairs_of_sentences_is_an_error(tmp_path):
    rows = [{"first": "a", "second": "b", "score": score} for score in (1, 4)]
    (tmp_path / "sts_en_two.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with pytest.raises(UserError, match="BM25 has no vectors"):
        main([str(tmp_path), "--no-model", "--bm25"])


def test_sentences_are_measured_by_vectors(data):
    result = evaluate(Letters(), read_sets(data))
    assert result["groups"]["sts english"] == {"spearman": 1.0}
    assert result["groups"]["classification english"] == {"accuracy": 1.0}
    words = evaluate(Bm25(), read_sets(data))
    assert "retrieval english" in words["groups"] and "sts english" not in words["groups"]
    lines = table([result, words]).splitlines()
    assert "sts english (Spearman)" in lines[0] and "classification english (accuracy)" in lines[0]
    assert "–" not in lines[2] and lines[3].count("| – ") == 3
    assert len(list(plot([result, words]))) == 2
    alone = {**result, "groups": {"sts english": {"spearman": 1.0}}}
    assert not list(plot([alone, words])), "nothing to compare"


def test_labels_are_drawn_evenly_and_anew():
    labels = [0] * 30 + [1] * 9
    found = list(draws(labels))
    assert len(found) == 10 and len({tuple(sorted(drawn)) for drawn in found}) > 1
    assert all([labels[place] for place in sorted(drawn)] == [0] * 8 + [1] * 8 for drawn in found)


def test_bm25_finds_what_shares_words(data):
    result = evaluate(Bm25(), read_sets(data))
    assert result["groups"]["cosqa"]["ndcg@10"] == 1.0
    assert result["groups"]["humaneval-xl english"]["mrr"] == 1.0
    assert 0 < result["groups"]["doc to function"]["mrr"] < 1, "a query without a known word earns nothing"
    assert "| BM25 | 1.000 |" in table([result])


def test_the_glossary_is_measured_beside_each(data, capsys):
    assert main([str(data), "--bm25", "--no-model", "--glossary", "--json"]) == 0
    plain, glossed = json.loads(capsys.readouterr().out)
    assert glossed["name"] == "BM25, with the glossary"
    english = plain["groups"]["humaneval-xl english"]
    assert glossed["groups"]["humaneval-xl english"] == english
    codes = ["def open_window(w): w.open()", "def close_file(f): f.close()"]
    scores = Glossed(Bm25()).scores(["Wo wird die Datei geschlossen?"], codes)
    assert scores[0, 1] > scores[0, 0] and not Bm25().scores(["Wo wird die Datei geschlossen?"], codes).any()


def test_drafts_are_measured_beside_the_model_that_has_them(data, capsys):
    assert main([str(data), "--model", "small", "--device", "cpu", "--drafts", "--json"]) == 0
    model, drafts = json.loads(capsys.readouterr().out)
    assert (model["name"], drafts["name"]) == ("small, 512 dimensions", "small, drafts")
    assert drafts["groups"]["cosqa"]["ndcg@10"] == 1.0
    full = OurModel("small", "cpu")
    both = full, DraftModel(full)
    asked, found = ([scorer.vectors(["close a file"], side) for scorer in both] for side in ("query", "code"))
    assert np.array_equal(*asked)
    assert 0.3 < (found[0] * found[1]).sum() < 0.99, "near, and not the same"


def test_drafts_of_a_model_without_any_are_refused(data, model_folder):
    with pytest.raises(UserError, match="has none"):
        main([str(data), "--model", str(model_folder), "--device", "cpu", "--drafts"])


def test_the_command_prints_and_writes(data, tmp_path, capsys):
    out = tmp_path / "out.json"
    assert main([str(data), "--bm25", "--no-model", "--out", str(out)]) == 0
    assert "BM25" in capsys.readouterr().out
    assert json.loads(out.read_text())["results"][0]["name"] == "BM25"
    with pytest.raises(UserError, match="no evaluation data"):
        main([str(tmp_path / "nowhere"), "--bm25", "--no-model"])


def test_mteb_finds_what_our_own_runner_finds(data, model_folder, capsys):
    pytest.importorskip("mteb")
    assert main([str(data), "--model", str(model_folder), "--device", "cpu", "--json"]) == 0
    ours = json.loads(capsys.readouterr().out)[0]
    assert main([str(data), "--model", str(model_folder), "--device", "cpu", "--json", "--mteb"]) == 0
    assert ours.pop("functions_a_second") > 0
    theirs = json.loads(capsys.readouterr().out.splitlines()[-1])[0]
    assert theirs["sets"] == ours["sets"] and theirs["groups"] == ours["groups"]
    with pytest.raises(UserError, match="leave them out"):
        main([str(data), "--mteb", "--bm25"])


def test_quality_is_plotted_against_speed():
    groups = {"cosqa": {"mrr": 0.1, "ndcg@10": 0.5}, "doc to function": {"mrr": 0.7, "ndcg@10": 0.1}}
    model = {"name": "a", "groups": groups, "functions_a_second": 1234.5}
    lines = list(plot([model, {"name": "bm25", "groups": groups}]))
    assert lines[0].startswith("a     ████") and lines[0].endswith("0.600, 1,234.5 functions/s")
    assert lines[1].endswith("0.600") and lines[0].count("█") == 24
