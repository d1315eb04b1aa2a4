from __future__ import annotations

import functools
import threading

import pytest

from indexer.ahead import run_ahead
from indexer.config import Config
from indexer.engine import open_index
from tests.fakes import HashEmbedder


def test_without_threads_each_call_is_made_when_it_is_asked_for():
    made = []
    results = run_ahead((functools.partial(made.append, n) for n in range(3)), 0)
    assert made == []
    next(results)
    assert made == [0]


def test_results_come_in_order_and_later_calls_run_meanwhile():
    second_runs = threading.Event()
    calls = [lambda: second_runs.wait(10), lambda: second_runs.set() or "second"]
    assert list(run_ahead(calls, 1)) == [True, "second"]


def test_no_more_calls_are_taken_than_run_ahead():
    taken = []

    def calls():
        for n in range(10):
            taken.append(n)
            yield functools.partial(int, n)

    results = run_ahead(calls(), 1)
    next(results)
    assert taken == [0, 1]
    assert list(results) == list(range(1, 10))


def test_an_error_of_a_call_is_raised_in_its_place():
    def fail():
        raise ValueError("broken")

    results = run_ahead([lambda: 1, fail, lambda: 3], 1)
    assert next(results) == 1
    with pytest.raises(ValueError, match="broken"):
        next(results)


def test_a_gpu_has_the_next_batch_before_the_last_one_is_done(tmp_path):
    both = threading.Barrier(2, timeout=20)

    class Gpu(HashEmbedder):
        def __init__(self):
            super().__init__()
            self.device = "cuda"

        def encode_code(self, texts):
            both.wait()  # passes only while two batches are computed at once
            return super().encode_code(texts)

    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("\n\n".join(f"def name_{n}():\n    return {n}" for n in range(8)), "utf-8")
    with open_index(root, config=Config(home=tmp_path / "home"), embedder=Gpu()) as index:
        report = index.update(batch_size=4)
        assert (report.embedded, index.status().coverage) == (8, 1.0)
        assert index.search("name 7").results[0].function.symbol == "name_7"
