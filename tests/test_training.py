from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from indexer.embedding import load_embedder
from indexer.embedding.export import export
from indexer.errors import UserError
from indexer.training.data import Pair, ask, batches, code_text, read_pairs, split_name
from indexer.training.head import ridge_head
from indexer.training.loop import Trainer
from indexer.training.loss import false_negatives, geometry, info_nce, matryoshka_info_nce
from indexer.training.optimiser import schedule
from indexer.training.prune import read_backbone, with_vocabulary
from indexer.training.recipe import Backbone, Recipe, Source, Tuning
from indexer.training.refit import prune_width
from indexer.training.run import make_trainer, prepare, train
from indexer.training.teacher import procrustes
from indexer.training.vocabulary import MARKERS, count_tokens, cut_vocabulary
from tests import tiny

WORDS = "upload download parse render close open merge split sort hash retry cache".split()


def pair(number: int, language: str = "python") -> dict:
    word, other = WORDS[number % 12], WORDS[number // 12 % 12]
    return {
        "query": f"{word} the {other} of number {number}",
        "code": f"def {word}_{other}_{number}(): return {other}({number})  # {language}",
        "language": language,
        "natural": "en",
        "repo": f"repo{number % 3}",
        "symbol": f"{word}_{other}",
        "doc_rest": "More is said here.",
    }


@pytest.fixture
def recipe(tmp_path):
    rows = [pair(n) for n in range(96)] + [pair(n, "go") for n in range(48)]
    return Recipe.read(tiny.make_recipe(tmp_path, rows, "steps = 24\nwarm_up = 2\nlearning_rate = 3e-3"))


def test_a_run_learns_resumes_and_gives_a_model_that_loads(recipe, tmp_path):
    spec = train(recipe, tmp_path / "work", tmp_path / "out")
    log = [json.loads(line) for line in (tmp_path / "work" / "log.jsonl").read_text().splitlines()]
    assert len(log) == 24
    losses = [row["loss"] for row in log]
    assert sum(losses[-4:]) < sum(losses[:4]) * 0.9
    embedder = load_embedder(str(tmp_path / "out"), device="cpu")
    assert embedder.encode_queries(["retry the upload"]).shape == (1, 16)
    assert spec.files and spec.dims == (16, 8)
    train(recipe, tmp_path / "work", tmp_path / "out")
    assert len((tmp_path / "work" / "log.jsonl").read_text().splitlines()) == 24, (
        "a finished run is not run again"
    )


def test_a_model_is_tuned_further_from_where_it_was(recipe, tmp_path):
    train(recipe, tmp_path / "work", tmp_path / "model")
    first = load_embedder(str(tmp_path / "model"), device="cpu").encode_queries(["retry the upload"])
    rates = dict.fromkeys(("learning_rate", "head_learning_rate", "embedding_learning_rate"), 1e-6)
    again = replace(
        recipe,
        backbone=Backbone(str(tmp_path / "model")),
        tuning=replace(recipe.tuning, steps=3, **rates),
    )
    train(again, tmp_path / "again", tmp_path / "further")
    second = load_embedder(str(tmp_path / "further"), device="cpu").encode_queries(["retry the upload"])
    assert (first * second).sum() > 0.98
    assert (tmp_path / "further" / "tokenizer.json").read_bytes() == (
        tmp_path / "model" / "tokenizer.json"
    ).read_bytes()


def test_procrustes_finds_the_rotation_between_two_sets_of_vectors():
    torch.manual_seed(0)
    vectors = torch.randn(40, 6)
    turn = torch.linalg.qr(torch.randn(6, 6)).Q
    torch.testing.assert_close(procrustes(vectors, torch.cat((vectors @ turn, torch.ones(40, 2)), 1)), turn)


def test_a_stopped_run_goes_on_where_it_was(recipe, tmp_path):
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    first = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    stream = batches(data, 16, 1)
    for _ in range(5):
        first.train_step(next(stream))
    first.save()
    second = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    assert second.resume() and second.step == 5
    for name, value in first.optimiser.state().items():
        torch.testing.assert_close(value, second.optimiser.state()[name])
    batch = next(stream)
    assert first.train_step(batch)["loss"] == pytest.approx(second.train_step(batch)["loss"], abs=1e-3)


def _with_adapter(recipe, **changes):
    return replace(
        recipe,
        backbone=replace(
            recipe.backbone, layers=0, mlp_width=0, vocabulary=0, output_dim=32, name="tiny/backbone"
        ),
        tuning=replace(
            recipe.tuning,
            method="lora",
            rank=4,
            dims=(32, 16),
            learning_rate=2e-2,
            embedding_learning_rate=1e-2,
            **changes,
        ),
    )


def test_an_adapter_beside_its_backbone_is_the_model_that_was_trained(recipe, tmp_path, monkeypatch):
    adapted = _with_adapter(recipe, steps=60)
    spec = train(adapted, tmp_path / "work", tmp_path / "out")
    log = [json.loads(line) for line in (tmp_path / "work" / "log.jsonl").read_text().splitlines()]
    assert sum(row["loss"] for row in log[-4:]) < sum(row["loss"] for row in log[:4]) * 0.9
    assert spec.adapter and not list((tmp_path / "out").glob("model-*"))
    monkeypatch.setenv("CODEWHERE_BACKBONE", recipe.backbone.folder)
    embedder = load_embedder(str(tmp_path / "out"), device="cpu", dtype="fp32")
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    trainer = make_trainer(adapted, data, tmp_path / "work", torch.device("cpu"))
    assert trainer.resume() and trainer.step == 60
    trainer.model.float()
    for role, encode in (("query", embedder.encode_queries), ("code", embedder.encode_code)):
        found = torch.from_numpy(encode(WORDS))
        torch.testing.assert_close(found, trainer.encode(WORDS, role), atol=2e-2, rtol=0)
    with pytest.raises(UserError, match="int8 needs the model small"):
        load_embedder(str(tmp_path / "out"), device="cpu", dtype="int8")
    export(str(tmp_path / "out"), tmp_path / "exported")
    exported = SentenceTransformer(str(tmp_path / "exported"), device="cpu")
    theirs = torch.from_numpy(exported.encode_query(WORDS))
    torch.testing.assert_close(theirs, torch.from_numpy(embedder.encode_queries(WORDS)), atol=1e-4, rtol=0)


def test_an_adapter_may_keep_only_the_first_layers_of_its_backbone(recipe, tmp_path, monkeypatch):
    short = _with_adapter(recipe, steps=2)
    short = replace(short, backbone=replace(short.backbone, layers=2))
    spec = train(short, tmp_path / "work", tmp_path / "out")
    assert spec.config["num_hidden_layers"] == 2
    monkeypatch.setenv("CODEWHERE_BACKBONE", recipe.backbone.folder)
    embedder = load_embedder(str(tmp_path / "out"), device="cpu")
    assert embedder.encode_code(WORDS).shape == (12, 32)
    # Vectors of another backbone of the same shapes are other vectors.
    tiny.make_backbone(tmp_path / "other", seed=7)
    monkeypatch.setenv("CODEWHERE_BACKBONE", str(tmp_path / "other"))
    assert load_embedder(str(tmp_path / "out"), device="cpu").fingerprint != embedder.fingerprint


def test_an_adapter_leaves_the_backbone_as_it_is(recipe, tmp_path):
    adapted = _with_adapter(recipe)
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(adapted, data, tmp_path / "work")
    trainer = make_trainer(adapted, data, tmp_path / "work", torch.device("cpu"))
    before = trainer.model.embed_tokens.weight.detach().clone()
    for batch in islice(batches(data, 16, 1), 3):
        trainer.train_step(batch)
    after = trainer.model.embed_tokens.weight.detach()
    assert torch.equal(after[:-4], before[:-4]) and not torch.equal(after[-4:], before[-4:])
    name = "layers.1.mlp.up_proj.weight"
    matrix = trainer.model.get_parameter(name).detach().float()
    change = matrix - trainer.optimiser.low_rank[name].matrix.float()
    assert change.abs().max() > 0
    factors = trainer.optimiser.low_rank[name]
    assert torch.linalg.matrix_rank(factors.b @ factors.a) <= 4


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "which is not a folder"),
        ("empty", "tokenizer"),
        ("bare", "lacks embed_tokens"),
        ("other", "another model"),
    ],
)
def test_an_adapter_without_its_backbone_says_what_to_do(recipe, tmp_path, monkeypatch, found, message):
    train(_with_adapter(recipe, steps=1), tmp_path / "work", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare").mkdir()
    tiny.make_tokenizer().save(str(tmp_path / "bare" / "tokenizer.json"))
    tiny.make_backbone(tmp_path / "other", intermediate_size=40)
    monkeypatch.setenv("CODEWHERE_BACKBONE", str(tmp_path / (found or "nowhere")))
    with pytest.raises(UserError, match=message):
        load_embedder(str(tmp_path / "out"), device="cpu")


def test_a_model_of_ours_teaches_both_sides(recipe, tmp_path):
    train(recipe, tmp_path / "work", tmp_path / "model")
    student = replace(
        recipe,
        tuning=replace(recipe.tuning, teacher=str(tmp_path / "model"), teacher_weight=5.0, refit_head=()),
    )
    train(student, tmp_path / "again", tmp_path / "student")
    log = [json.loads(line) for line in (tmp_path / "again" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["loss"] < log[0]["loss"]


def test_a_step_that_memory_does_not_hold_is_done_in_parts(recipe, tmp_path, monkeypatch):
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    trainer = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    forward, sizes = trainer._forward, []

    def small_memory(side):
        sizes.append(len(side))
        if len(side) > 4:
            raise torch.OutOfMemoryError("out of memory")
        return forward(side)

    monkeypatch.setattr(trainer, "_forward", small_memory)
    row = trainer.train_step(next(batches(data, 16, 1)))
    assert row["step"] == 1 and max(sizes) == 16 and sizes.count(4) == 16


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


@pytest.mark.parametrize("method", ["full", "bitfit"])
def test_only_what_the_method_names_is_trained(recipe, tmp_path, method):
    recipe = replace(recipe, tuning=replace(recipe.tuning, method=method))
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    trainer = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.train_step(next(batches(data, 16, 1)))
    moved = {
        name for name, value in trainer.model.state_dict().items() if not torch.equal(value, before[name])
    }
    if method == "full":
        assert "layers.0.mlp.up_proj.weight" in moved and "embed_tokens.weight" in moved
    else:
        assert moved and all("norm" in n or n.endswith("bias") or n.startswith("head") for n in moved)


def test_gradcache_gives_the_gradients_of_the_whole_batch(recipe, tmp_path):
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    batch = next(batches(data, 16, 1))
    found = []
    for minibatch in (0, 5):
        tuned = replace(recipe, tuning=replace(recipe.tuning, minibatch=minibatch))
        trainer: Trainer = make_trainer(tuned, data, tmp_path / "work", torch.device("cpu"))
        trainer.model.float()
        trainer.optimiser.step = lambda step: None  # type: ignore[method-assign]
        loss = trainer.train_step(batch)["loss"]
        found.append((loss, trainer.model.head.weight.grad.clone()))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-4)
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-4, rtol=1e-3)


def test_a_cut_vocabulary_writes_every_text_and_keeps_the_frequent_tokens():
    full = tiny.make_tokenizer()
    counts = count_tokens(full.to_str(), ["retry upload"] * 50)
    text, old_ids = cut_vocabulary(full.to_str(), counts, 256 + 20 + len(MARKERS))
    small = Tokenizer.from_str(text)
    assert small.get_vocab_size() == len(old_ids) < full.get_vocab_size()
    for line in [*tiny.CORPUS, "ünïcödé 😀 \x00"]:
        assert small.decode(small.encode(line).ids) == line
    assert small.encode("retry upload").tokens == full.encode("retry upload").tokens
    for place, old in enumerate(old_ids[: -len(MARKERS)]):
        assert small.id_to_token(place) == full.id_to_token(old)
    assert [small.token_to_id(marker) for marker in MARKERS] == list(range(len(old_ids) - 4, len(old_ids)))


def _narrowed(tmp_path, width):
    tiny.make_backbone(tmp_path)
    model = read_backbone(tmp_path, layers=2, output_dim=8)
    for layer in model.blocks():
        layer.mlp.up_proj.weight.data[20:] = 0
    generator = torch.Generator().manual_seed(0)
    batches = [(torch.randint(1, 250, (240,), generator=generator), torch.full((20,), 12)) for _ in range(4)]
    small = prune_width(model, batches, width)
    with torch.no_grad():
        wanted, found = model(*batches[0]), small(*batches[0])
    return small, torch.nn.functional.cosine_similarity(wanted, found).mean().item()


def test_neurons_that_do_nothing_are_cut_without_loss(tmp_path):
    small, similarity = _narrowed(tmp_path, 20)
    assert small.config.intermediate_size == 20
    assert small.layers[0].mlp.up_proj.weight.abs().sum(1).min() > 0, "those that do something stay"
    assert similarity > 0.999


def test_what_is_left_is_refitted_to_what_the_whole_did(tmp_path, monkeypatch):
    similarity = _narrowed(tmp_path / "fitted", 10)[1]
    monkeypatch.setattr("indexer.training.refit._solve", lambda inputs, targets, weights: torch.zeros(10, 32))
    assert similarity > _narrowed(tmp_path / "dropped", 10)[1]


def test_a_smaller_vocabulary_keeps_the_rows_of_its_tokens(tmp_path):
    tiny.make_backbone(tmp_path)
    model = read_backbone(tmp_path, layers=1, output_dim=8)
    rows = model.embed_tokens.weight.detach().clone()
    small = with_vocabulary(model, [5, 3, 9])
    assert torch.equal(small.embed_tokens.weight, rows[[5, 3, 9]]) and small.config.vocab_size == 3
    assert small.embed_tokens.weight.requires_grad


def test_info_nce_is_cross_entropy_over_cosines():
    torch.manual_seed(0)
    queries, codes = torch.randn(3, 8), torch.randn(4, 8)
    cosines = torch.nn.functional.cosine_similarity(queries[:, None], codes[None], dim=-1) / 0.05
    target = torch.arange(3)
    expected = torch.nn.functional.cross_entropy(cosines, target)
    expected = (expected + torch.nn.functional.cross_entropy(cosines[:, :3].T, target)) / 2
    torch.testing.assert_close(info_nce(queries, codes, 0.05), expected)
    whole = matryoshka_info_nce(queries, codes, (8, 4), 0.05)
    torch.testing.assert_close(whole, (expected + info_nce(queries[:, :4], codes[:, :4], 0.05)) / 2)


def test_equal_texts_are_no_negatives():
    ignore = false_negatives(["a", "b", " A"], ["x", "y", "z"])
    assert ignore.tolist() == [[False, False, True], [False, False, False], [True, False, False]]
    near = torch.tensor([[1.0, 0.95], [0.95, 1.0]])
    assert false_negatives(["a", "b"], ["x", "y"], near).tolist() == [[False, True], [True, False]]


def test_geometry_is_nothing_where_the_teacher_is_matched_or_absent():
    teacher = torch.nn.functional.normalize(torch.randn(4, 6), dim=-1)
    vectors = torch.cat((teacher * 3, torch.randn(4, 2)), dim=1)
    known = torch.tensor([True, True, False, True])
    assert geometry(vectors, teacher, known) == pytest.approx(0.0, abs=1e-6)
    assert geometry(vectors, teacher, torch.zeros(4, dtype=torch.bool)) == 0.0
    assert geometry(-vectors, teacher, known) == pytest.approx(2.0, abs=1e-5)


def test_the_fitted_head_reaches_a_linear_teacher():
    torch.manual_seed(0)
    hidden = torch.randn(400, 24) + 2.0
    targets = torch.nn.functional.normalize(hidden @ torch.randn(24, 6), dim=-1)
    head = ridge_head(hidden, targets, torch.randn(8, 24))
    known = torch.ones(400, dtype=torch.bool)
    assert geometry(hidden @ head.T, targets, known) < 0.1
    assert (hidden @ head[6:].T).mean(0).abs().max() < 0.1, "what all texts share is left out"


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


@pytest.mark.parametrize(
    ("symbol", "words"),
    [("HTTPServer.openFile2", ["open", "file", "2"]), ("a::parse_URL", ["parse", "url"]), ("", [])],
)
def test_names_are_split_into_words(symbol, words):
    assert split_name(symbol) == words


def test_the_rate_warms_up_stays_and_falls():
    tuning = Tuning(steps=100, warm_up=10, decay=0.2)
    values = [schedule(step, tuning) for step in range(100)]
    assert values[0] == pytest.approx(0.1) and values[9] == values[79] == 1.0
    assert values[-1] == pytest.approx(0.1) and values[90] == pytest.approx(0.5)


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


def test_a_teacher_turns_the_same_way_after_its_data_changed(tmp_path, monkeypatch):
    from indexer.training import teacher

    class Fake:
        def __init__(self, name, device):
            self.matrix = torch.randn(256, 6, generator=torch.Generator().manual_seed(3))

        def encode(self, texts, **_):
            rows = [sum(self.matrix[ord(letter) % 256] for letter in text) for text in texts]
            return torch.nn.functional.normalize(torch.stack(rows), dim=-1)

    monkeypatch.setattr("sentence_transformers.SentenceTransformer", Fake)
    rotation = tmp_path / "t.pt"
    first = teacher.Teacher("x", WORDS, rotation, Tuning(), "cpu").encode(WORDS, "query")
    others = ["quite", "other", "words"]
    second = teacher.Teacher("x", others, rotation, Tuning(), "cpu").encode(WORDS, "query")
    torch.testing.assert_close(first, second)
    plain = Fake("x", "cpu").encode(WORDS)
    torch.testing.assert_close(first @ first.T, plain @ plain.T, atol=1e-5, rtol=1e-5)
    assert (first**2).mean(0)[0] > (first**2).mean(0)[-1], "the first dimensions carry the most"
