"""What a model is trained on: recipes, pairs, how they are asked, and batches of them."""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import islice

import pytest

from indexer.errors import UserError
from indexer.training.data import Pair, ask, batches, code_text, read_pairs, split_name
from indexer.training.loss import false_negatives
from indexer.training.prune import read_backbone
from indexer.training.recipe import Recipe, Source
from tests.tiny import pair


def test_a_language_with_one_pair_is_left_out():
    pairs = [Pair(**_fields(pair(n, "go"))) for n in range(2)]
    alone = Pair(**_fields(pair(9, "lua")))
    drawn = islice(batches([(Source("x", "pairs"), [alone, *pairs])], 8, 3), 20)
    assert {len(batch.codes) for batch in drawn} == {2}
    with pytest.raises(UserError, match="no language has two training pairs"):
        next(batches([(Source("x", "pairs"), [alone])], 8, 3))


def test_solutions_of_one_task_are_pairs_and_no_negatives_of_each_other(tmp_path):
    rows = [
        {**pair(n), "query": f"task {n % 2}", "language": language}
        for n, language in enumerate(("go", "c") * 3)
    ]
    (tmp_path / "tasks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = read_pairs(tmp_path / "tasks.jsonl", "similar")
    assert len(found) == 4 and all(row.symbol in ("task 0", "task 1") for row in found)
    batch = next(batches([(Source("x", "similar"), found)], 4, 1))
    assert batch.roles == ("code", "code")
    assert false_negatives(batch.keys, batch.codes).sum() >= 4


def test_batches_hold_one_language_and_repeat_from_their_seed():
    pairs = [Pair(**_fields(pair(n, language))) for language in ("python", "go") for n in range(40)]
    source = (Source("x", "pairs"), pairs)
    code = {row.code: row.language for row in pairs}
    drawn = list(islice(batches([source], 8, 3), 30))
    for batch in drawn:
        languages = {code[text.split("\n")[-1]] for text in batch.codes}
        assert len(languages) == 1
    assert {code[batch.codes[0].split("\n")[-1]] for batch in drawn} == {"python", "go"}
    assert drawn == list(islice(batches([source], 8, 3), 30))


def _fields(row: dict) -> dict:
    return {"rest" if name == "doc_rest" else name: value for name, value in row.items()}


def test_queries_are_asked_in_several_ways_and_code_is_shown_in_several():
    row = Pair(**_fields(pair(1)))
    rng = random.Random(0)
    asked = Counter(ask(row, rng) for _ in range(300))
    assert asked.most_common(1)[0][0] == row.query and len(asked) > 5
    shown = {code_text(row, rng) for _ in range(100)}
    assert shown == {
        row.code,
        f"python {row.symbol}\n{row.code}",
        f"python {row.symbol}\nMore is said here.\n{row.code}",
    }
    foreign = Pair("关闭文件", "close()", "python", "zh", "r")
    assert {ask(foreign, rng) for _ in range(50)} == {"关闭文件"}


def test_texts_in_other_languages_are_read_with_their_english_before_them(tmp_path):
    row = {"a": "Close the file", "b": "Datei schließen", "lang": "de", "gloss": "file close"}
    foreign = {**pair(1), "query": "关闭文件", "natural": "zh", "gloss": "close file"}
    (tmp_path / "parallel.jsonl").write_text(2 * f"{json.dumps(row)}\n")
    (tmp_path / "pairs.jsonl").write_text(2 * f"{json.dumps(foreign)}\n")
    translations = batches(
        [(Source("x", "parallel"), read_pairs(tmp_path / "parallel.jsonl", "parallel"))], 1, 1
    )
    drawn = list(islice(translations, 40))
    assert {batch.codes[0] for batch in drawn} == {"file close Datei schließen", "Datei schließen"}
    assert all(batch.taught == (["Close the file"], ["Close the file"]) for batch in drawn)
    asked = list(
        islice(batches([(Source("x", "pairs"), read_pairs(tmp_path / "pairs.jsonl", "pairs"))], 1, 1), 40)
    )
    assert {"关闭文件", "close file 关闭文件"} <= {batch.queries[0] for batch in asked}
    assert all("close file" not in batch.taught[0][0] for batch in asked), "a teacher reads what was asked"


def test_what_is_asked_for_in_full_does_not_stand_beside_the_code():
    row = Pair(**_fields(pair(1)))
    drawn = list(islice(batches([(Source("x", "pairs"), [row, row])], 1, 1), 300))
    full = [batch for batch in drawn if row.rest in batch.queries[0]]
    assert 15 < len(full) < 90 and not any(row.rest in batch.codes[0] for batch in full)
    assert any(row.rest in batch.codes[0] for batch in drawn)
    assert {batch.taught[1][0] for batch in drawn} == {f"python {row.symbol}\n{row.code}"}


@pytest.mark.parametrize(
    ("symbol", "words"),
    [("HTTPServer.openFile2", ["open", "file", "2"]), ("a::parse_URL", ["parse", "url"]), ("", [])],
)
def test_names_are_split_into_words(symbol, words):
    assert split_name(symbol) == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "backbone section is incomplete"),
        ("[backbone]\nfolder='x'", "sources"),
        ("[backbone]\nfolder='x'\n[[sources]]\nfile='x'\nkind='pairs'\n[tuning]\nstepz=3", "stepz"),
        ("[backbone]\nfolder='x'\n[[sources]]\nkind='pairs'", "incomplete"),
        ("= 3", "cannot read"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path, text, message):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(UserError, match=message):
        Recipe.read(tmp_path / "r.toml")


def test_wrong_files_are_named(tmp_path):
    (tmp_path / "pairs.jsonl").write_text("no json")
    with pytest.raises(UserError, match=r"pairs\.jsonl"):
        read_pairs(tmp_path / "pairs.jsonl", "pairs")
    with pytest.raises(UserError, match="no backbone"):
        read_backbone(tmp_path, 2, 8)
