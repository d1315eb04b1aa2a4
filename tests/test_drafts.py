"""Drafts: what is found by meaning before its vector is there, and how what guesses them is taught."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import HashEmbedder
from safetensors.torch import save_file
from tokenizers import Tokenizer

from indexer.config import Config
from indexer.embedding import load_embedder
from indexer.embedding.draft import DraftEncoder
from indexer.embedding.quick import quick_embedder
from indexer.embedding.spec import DRAFT_FILE, ModelSpec
from indexer.embedding.weights import read_weights
from indexer.engine import Index, open_index
from indexer.errors import UserError
from indexer.store import Store
from indexer.training import draft as training
from indexer.types import Progress, Vectors
from tests import tiny
from tests.rows import EMBEDDER, embed, function, nearest, write
from tests.rows import folder as folder
from tests.rows import root as root
from tests.rows import store as store
from tests.trees import write_files

TRUST = 0.5
MIT = "MIT License\n\nPermission is hereby granted, free of charge"


class Drafting(HashEmbedder):
    """With drafts that are what the vectors will be, and half trusted."""

    def __init__(self, fingerprint: str = "") -> None:
        super().__init__(fingerprint=fingerprint)
        self.draft = self
        self.drafted = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.drafted += len(texts)
        return TRUST * self._encode(texts)

    def release(self) -> None:
        self.released = self.drafted


def draft(store: Store, root_id: int) -> int:
    """Draft what has no vector; the number of contents that were."""
    model = store.use_model(root_id, EMBEDDER.fingerprint, EMBEDDER.name, EMBEDDER.dim)
    contents = store.without_drafts(model, store.missing(root_id, model))
    texts = store.texts(model, contents)
    store.add_drafts(model, list(texts), TRUST * EMBEDDER.encode_code(list(texts.values())))
    return len(texts)


def n_drafts(store: Store) -> int:
    with store._database.reading() as db:
        return int(db.execute("SELECT count(*) FROM drafts").fetchone()[0])


# In the store


def test_a_draft_is_found_until_the_vector_is_there(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"), function("a.py", "beta"))
    assert draft(store, root) == 2
    assert draft(store, root) == 0
    assert nearest(store, root, "beta") == ["beta", "alpha"]
    query = EMBEDDER.encode_queries(["beta"])[0]
    guessed = store.dense(root, EMBEDDER.fingerprint, query, 1)[0].score
    assert store.coverage(root, EMBEDDER.fingerprint) == (0, 2), "a draft is no vector"
    assert embed(store, root) == 2
    assert nearest(store, root, "beta") == ["beta", "alpha"]
    assert store.dense(root, EMBEDDER.fingerprint, query, 1)[0].score == pytest.approx(
        guessed / TRUST, rel=1e-2
    )
    assert n_drafts(store) == 0


def test_drafts_and_vectors_are_searched_together(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    assert nearest(store, root, "beta") == ["alpha"]
    write(store, root, function("b.py", "beta"))
    draft(store, root)
    assert nearest(store, root, "beta") == ["beta", "alpha"]
    (hits,) = [store.dense(root, EMBEDDER.fingerprint, EMBEDDER.encode_queries(["beta"])[0], 5)]
    assert len({hit.id for hit in hits}) == len(hits) == 2
    write(store, root, function("c.py", "gamma"))
    embed(store, root)
    assert nearest(store, root, "gamma")[0] == "gamma"
    assert sorted(nearest(store, root, "beta")) == ["alpha", "beta", "gamma"]


def test_drafts_that_come_after_a_question_are_found_by_the_next(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    store.use_model(root, EMBEDDER.fingerprint, EMBEDDER.name, EMBEDDER.dim)
    assert nearest(store, root, "alpha") == []
    draft(store, root)
    assert nearest(store, root, "alpha") == ["alpha"]
    write(store, root, function("b.py", "beta"))
    draft(store, root)
    assert nearest(store, root, "beta") == ["beta", "alpha"]


def test_a_draft_that_comes_late_is_not_kept_beside_its_vector(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    model = store.use_model(root, EMBEDDER.fingerprint, EMBEDDER.name, EMBEDDER.dim)
    contents = store.missing(root, model)
    embed(store, root)
    store.add_drafts(model, contents, np.ones((1, EMBEDDER.dim), np.float32))
    assert n_drafts(store) == 0
    with store._database.writing() as db:  # as a process does that knows of no drafts
        db.execute("INSERT INTO drafts (model_id, content_id, vector) VALUES (?, ?, x'')", (model, *contents))
    store.gc()
    assert n_drafts(store) == 0


def test_drafts_of_a_model_that_is_not_used_any_more_are_freed(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    draft(store, root)
    other = HashEmbedder(dim=32, fingerprint="other")
    embed(store, root, other)
    assert n_drafts(store) == 1
    for _ in range(2):  # the first time it is only noticed
        store.gc(grace_days=0)
    assert n_drafts(store) == 0
    assert store.coverage(root, "other") == (1, 1)


def test_a_function_that_moves_or_goes_takes_its_draft_along(store: Store, root: int) -> None:
    write(store, root, function("old.py", "moved"), function("old.py", "gone"))
    draft(store, root)
    assert nearest(store, root, "moved") == ["moved", "gone"]
    store.write_batch(root, removed=[store.files(root)["old.py"]])
    write(store, root, function("new.py", "moved"))
    assert draft(store, root) == 0
    assert nearest(store, root, "moved") == ["moved"]
    store.gc(grace_days=0)
    assert n_drafts(store) == 1
    store.forget(store.roots()[0].path)
    store.gc(grace_days=0)
    assert n_drafts(store) == 0


def test_who_asks_while_a_folder_is_embedded_finds_each_function_once(store: Store, root: int) -> None:
    names = [f"name{number}" for number in range(40)]
    write(store, root, *(function("a.py", name) for name in names))
    draft(store, root)
    assert sorted(nearest(store, root, "name3", limit=50)) == sorted(names)
    model = store.use_model(root, EMBEDDER.fingerprint, EMBEDDER.name, EMBEDDER.dim)
    missing = store.missing(root, model)
    for start in range(0, 40, 4):
        texts = store.texts(model, missing[start : start + 4])
        store.add_vectors(model, [(id_, EMBEDDER.encode_code([text])) for id_, text in texts.items()])
        assert sorted(nearest(store, root, "name3", limit=50)) == sorted(names)
    (snapshot,) = store._snapshots.values()
    assert not len(snapshot.drafted.ids), "those left over do not stay"
    assert n_drafts(store) == 0


# In the engine

FILES = {
    f"m{number}.py": f"def {word}_it(thing):\n    return {word}({number}, thing)\n"
    for number, word in enumerate(tiny.WORDS)
}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setattr("indexer.update._WORTH_DRAFTS", 3)
    write_files(tmp_path / "project", FILES)
    return open_index(tmp_path / "project", config=Config(home=tmp_path / "home"), embedder=Drafting())


def test_a_question_finds_by_meaning_before_anything_is_embedded(index: Index) -> None:
    stages: list[Progress] = []
    index.update(on_progress=stages.append, cancelled=lambda: bool(stages) and stages[-1].stage == "embed")
    embedder = index.load_embedder()
    assert isinstance(embedder, Drafting)
    assert (embedder.drafted, embedder.released, embedder.encoded) == (len(FILES), len(FILES), 0)
    answer = index.search("thing (7, return thing) def", limit=20)
    assert answer.coverage == 0
    assert not answer.notes
    assert len(answer.results) == len(FILES)
    assert all(result.why.dense_rank for result in answer.results)
    index.update()
    assert index.search("thing", limit=20).coverage == 1
    assert embedder.drafted == len(FILES), "what has a vector is not drafted"
    assert n_drafts(index._store) == 0


def test_what_drafts_find_is_embedded_next(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.search.LACKING", 2)
    stages: list[Progress] = []
    index.update(on_progress=stages.append, cancelled=lambda: bool(stages) and stages[-1].stage == "embed")
    embedder = index.load_embedder()
    assert isinstance(embedder, Drafting)
    found = {stored.symbol: stored for path in FILES for stored in index.functions_of(path)}
    guess = embedder.encode_queries(["upload"])[0].astype(np.float16).tobytes()
    with index._store._database.writing() as db:
        chosen = "SELECT id FROM contents WHERE hash = ?"
        key = bytes.fromhex(found["sort_it"].content_hash)
        db.execute(f"UPDATE drafts SET vector = ? WHERE content_id = ({chosen})", (guess, key))
    # One by words, one by drafts; a function that has a draft counts as compared.
    answer = index.search("upload", limit=20, explain=True)
    assert {result.why.dense_rank is not None for result in answer.results} == {True}
    asked = index._store.functions(index._last_asked())
    assert [asked[id_].function.symbol for id_ in index._last_asked()] == ["upload_it", "sort_it"]


def test_whoever_stops_an_update_need_not_wait_for_all_drafts(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.update._DRAFTS_AT_ONCE", 2)
    stages: list[Progress] = []
    waits: list[int] = []
    index.update(
        on_progress=stages.append,
        cancelled=lambda: any((progress.stage, progress.done) == ("draft", 4) for progress in stages),
        yield_to=lambda: waits.append(len(stages)),
    )
    assert n_drafts(index._store) == 4
    assert len(waits) == 4, "before each batch, and before what would have been embedded"


def test_similar_functions_are_told_by_vectors_alone(index: Index) -> None:
    stages: list[Progress] = []
    index.update(on_progress=stages.append, cancelled=lambda: bool(stages) and stages[-1].stage == "embed")
    assert not index.similar("m1.py", 1).results
    index.update()
    assert len(index.similar("m1.py", 1, limit=20).results) == len(FILES) - 1


def test_few_functions_and_those_for_a_gpu_are_not_drafted(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = index.load_embedder()
    assert isinstance(embedder, Drafting)
    embedder.device = "cuda"
    index.update()
    assert embedder.drafted == 0
    (index.root / "m1.py").write_text("def another(): pass\n")
    embedder.device = "cpu"
    index.update()
    assert embedder.drafted == 0


# What guesses them


@pytest.fixture(scope="module")
def drafting_model(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a draft encoder that was taught its vectors."""
    folder = tmp_path_factory.mktemp("drafting") / "model"
    shutil.copytree(model_folder, folder)
    pairs = folder.parent / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(tiny.pair(number)) + "\n" for number in range(144)))
    source = write_files(folder.parent / "source", {**FILES, "LICENSE": MIT})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "WIDTH": 16,
            "HIDDEN": 32,
            "BATCH": 24,
            "EPOCHS": 40,
            "RATE": 1e-2,
            "WARM_UP": 5,
        }.items():
            patch.setattr(training, name, value)
        argv = ["draft", folder, "--pairs", pairs, "--folders", source, "--work", folder.parent / "work"]
        patch.setattr("sys.argv", list(map(str, argv)))
        training.main()
    shutil.copy(folder.parent / "work" / DRAFT_FILE, folder)
    spec = ModelSpec.read(folder)
    spec.write(folder)
    return folder


def test_drafts_are_near_to_the_vectors_they_were_taught(drafting_model: Path) -> None:
    embedder = load_embedder(str(drafting_model), device="cpu")
    texts = [f"python {row['symbol']}\n{row['code']}" for row in map(tiny.pair, range(144))]
    vectors, drafts = embedder.encode_code(texts), embedder.draft.encode(texts)
    lengths = np.linalg.norm(drafts, axis=1)
    assert np.ptp(lengths) < 1e-3
    assert 0.8 < lengths[0] < 1.3
    centred = vectors - vectors.mean(0), drafts / lengths[:, None] - vectors.mean(0)
    near = (
        (centred[0] * centred[1]).sum(1)
        / np.linalg.norm(centred[0], axis=1)
        / np.linalg.norm(centred[1], axis=1)
    )
    assert near.mean() > 0.5


def test_the_encoder_computes_what_the_network_learnt(model_folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    folder = Path(shutil.copytree(model_folder, tmp_path / "model"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    table = read_weights(folder, torch.float32)["embed_tokens.weight"]
    axes = training.Axes.of(table)
    network = training.DraftNetwork(axes(table), 16).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    save_file(network.tensors(axes, 0.8), folder / DRAFT_FILE)
    texts = ["def f(): return 1", "", "retry " * 300, "日本語 \udcff", "x"] * 60
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    rows = [tokenizer.encode(text).ids[: training.TOKENS] or [0] for text in clean]
    with torch.inference_mode():
        expected = network(rows).numpy()
    drafts = DraftEncoder(folder, tokenizer, 16).encode(texts)
    assert np.linalg.norm(drafts, axis=1) == pytest.approx(0.8, abs=1e-3)
    assert (drafts / 0.8 * expected).sum(1).min() > 0.999
    half = DraftEncoder(folder, tokenizer, 8).encode(texts)
    assert np.linalg.norm(half, axis=1) == pytest.approx(0.8, abs=1e-3)
    assert DraftEncoder(folder, tokenizer, 16).encode([]).shape == (0, 16)


def test_a_model_is_the_same_with_drafts_and_without(drafting_model: Path, model_folder: Path) -> None:
    spec, plain = ModelSpec.read(drafting_model), ModelSpec.read(model_folder)
    assert spec.has_drafts and not plain.has_drafts
    assert spec.fingerprint() == plain.fingerprint()
    assert load_embedder(str(model_folder), device="cpu").draft is None
    changed = replace(spec, files={**spec.files, "tokenizer.json": "another"})
    assert changed.fingerprint() != spec.fingerprint()


def test_drafts_need_no_model(drafting_model: Path) -> None:
    def load() -> HashEmbedder:
        raise AssertionError("PyTorch is not needed")

    quick = quick_embedder(str(drafting_model), None, load)
    assert quick is not None
    drafts = quick.draft.encode(["def retry(): pass"])
    quick.draft.release()
    expected = load_embedder(str(drafting_model), device="cpu").draft.encode(["def retry(): pass"])
    assert np.allclose(drafts, expected)
    assert np.allclose(quick.draft.encode(["def retry(): pass"]), expected)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_who_may_have_a_gpu_learns_of_it_before_anything_is_drafted(
    drafting_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr("indexer.update._WORTH_DRAFTS", 3)
    monkeypatch.setattr("indexer.embedding.quick.may_have_gpu", lambda: True)
    write_files(tmp_path / "project", FILES)

    def load() -> Drafting:
        real = Drafting()
        real.device, real.dim, real.fingerprint = device, quick.dim, quick.fingerprint
        real._embed = lambda text: np.eye(quick.dim, dtype=np.float32)[len(text) % quick.dim]  # type: ignore[method-assign]
        return real

    quick = quick_embedder(str(drafting_model), None, load)
    assert quick is not None
    stages: list[Progress] = []
    with open_index(tmp_path / "project", config=Config(home=tmp_path / "home"), embedder=quick) as index:
        report = index.update(on_progress=stages.append)
    assert report.embedded == len(FILES)
    assert ("draft" in {progress.stage for progress in stages}) == (device == "cpu")


def test_a_broken_file_of_drafts_is_named(drafting_model: Path, tmp_path: Path) -> None:
    (tmp_path / DRAFT_FILE).write_bytes((drafting_model / DRAFT_FILE).read_bytes()[:100])
    tokenizer = Tokenizer.from_file(str(drafting_model / "tokenizer.json"))
    with pytest.raises(UserError, match=r"draft\.safetensors is broken"):
        DraftEncoder(tmp_path, tokenizer, 16).encode(["x"])


def test_other_examples_do_not_mix_with_vectors_that_are_kept(model_folder: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps(tiny.pair(1)))
    examples = training.examples([pairs], [], seed=0)
    embedder = HashEmbedder()
    first = training.learn(embedder, examples, tmp_path / "work", seed=0)
    encoded = embedder.encoded
    again = training.learn(embedder, examples, tmp_path / "work", seed=0)
    assert embedder.encoded == encoded
    assert np.array_equal(first.vectors, again.vectors)
    pairs.write_text(json.dumps(tiny.pair(2)))
    with pytest.raises(UserError, match="other examples"):
        training.learn(embedder, training.examples([pairs], [], seed=0), tmp_path / "work", seed=0)
    pairs.write_text("")
    with pytest.raises(UserError, match="nothing to learn"):
        training.examples([pairs], [], seed=0)
    few = training.Learnt(["x"] * 9, np.eye(9, dtype=np.float32), np.eye(9, dtype=np.float32), list(range(9)))
    with pytest.raises(UserError, match="too few to learn from"):
        training.teach(model_folder, few)
    with pytest.raises(UserError, match="No permissive licence"):
        training.examples([pairs], [write_files(tmp_path / "source", FILES)], seed=0)


ASKED = {
    "how often is a failed upload tried again": "def send(blob, attempts=5):\n    for turn in range(attempts):\n"
    "        try:\n            return client.put(blob)\n        except ConnectionError:\n"
    "            time.sleep(2 ** turn)",
    "turn a colour into hexadecimal": 'def to_hex(r, g, b):\n    return f"#{r:02x}{g:02x}{b:02x}"',
    "remove what was not used for a long time": "def evict(self):\n    while len(self.entries) > self.capacity:\n"
    "        self.entries.popitem(last=False)",
    "check the password of a user": "def login(name, secret):\n    row = users.find(name)\n"
    "    return row is not None and bcrypt.verify(secret, row.digest)",
    "distance between two points on the earth": "def haversine(a, b):\n    d = sin((b.lat - a.lat) / 2) ** 2\n"
    "    return 2 * EARTH_RADIUS * asin(sqrt(d + cos(a.lat) * cos(b.lat) * sin((b.lon - a.lon) / 2) ** 2))",
    "read the settings from a file": 'def load(path):\n    with open(path, "rb") as stream:\n'
    "        return tomllib.load(stream)",
}


def test_questions_find_their_answers_by_the_drafts_that_ship() -> None:
    embedder = quick_embedder("small", None, HashEmbedder)
    assert embedder is not None
    queries, drafts = embedder.encode_queries(list(ASKED)), embedder.draft.encode(list(ASKED.values()))
    first = (queries @ drafts.T).argmax(axis=1)
    assert (first == np.arange(len(ASKED))).sum() >= len(ASKED) - 1
