"""The second stage: how near tokens come, and what it changes in the order."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.embedding import load_embedder
from indexer.embedding.nearness import nearness
from indexer.embedding.quick import quick_embedder
from indexer.rank import weights
from indexer.rank.candidates import Entry
from indexer.rank.order import second_stage
from indexer.types import Nearness
from tests.rows import function

TEXTS = ["def open_file(path): return open(path)", "x", "def add(a, b): return a + b", ""]


def test_a_text_that_has_the_query_s_tokens_is_nearest() -> None:
    found = load_embedder("small", device="cpu").nearness("open file", TEXTS)
    assert found.cosines.argmax() == 0 and found.cosines[0] > 0.5 > 3 * found.cosines[1:].max()
    assert found.tokens.tolist() == [9, 1, 10, 1]


def test_without_pytorch_it_is_the_same() -> None:
    real = load_embedder("small", device="cpu")
    quick = quick_embedder("small", None, lambda: real)
    assert quick is not None
    many = [" ".join(f"word{number + at}" for number in range(60)) for at in range(0, 300, 60)]
    for texts in (TEXTS, many):
        ours, theirs = quick.nearness("open a file", texts), real.nearness("open a file", texts)
        np.testing.assert_allclose(ours.cosines, theirs.cosines, atol=1e-4)
        assert ours.tokens.tolist() == theirs.tokens.tolist()
    assert not quick.is_loaded


def test_nothing_to_compare_is_near_nothing() -> None:
    model = load_embedder("small", device="cpu")
    assert model.nearness("", TEXTS).cosines.tolist() == [0.0] * 4
    assert model.nearness("file", []).cosines.shape == (0,)
    found = nearness(
        model._tokenizer, lambda ids: np.zeros((len(ids), 3), np.float32), "a \udc80", ["b \udc80"]
    )
    assert found.cosines.tolist() == [0.0]


def _entries(n: int) -> list[Entry]:
    return [Entry(at, function("a.py", f"f{at}", body=f"text {at}"), "") for at in range(n)]


def test_only_the_best_are_compared_and_length_alone_gives_nothing() -> None:
    entries = _entries(weights.RESCORED + 5)
    scores = -np.arange(len(entries), dtype=np.float64)
    asked: list[str] = []

    def by_length(texts: list[str]) -> Nearness:
        asked.extend(texts)
        tokens = np.arange(1, len(texts) + 1)
        return Nearness(np.log(tokens + 8.0).astype(np.float32), tokens)

    added = second_stage(entries, scores, by_length)
    assert asked == [entry.function.text for entry in entries[: weights.RESCORED]]
    assert added.tolist() == [0.0] * len(entries)


def test_of_equally_long_texts_the_nearer_gains() -> None:
    def first_is_near(texts: list[str]) -> Nearness:
        return Nearness(np.array([0.9, 0.5, 0.5, 0.5], np.float32), np.full(len(texts), 7))

    added = second_stage(_entries(4), np.zeros(4), first_is_near)
    assert added[0] > 0 > added[1] and added.sum() == pytest.approx(0.0, abs=1e-9)
    assert second_stage(_entries(4), np.zeros(4), lambda texts: None).tolist() == [0.0] * 4
