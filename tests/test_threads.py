"""PyTorch's work dealt out among the cores of a CPU."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch

from indexer.embedding import load_embedder
from indexer.embedding.threads import on_threads, one_core


@pytest.fixture(autouse=True)
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_results_come_in_order_from_threads_of_one_core_each() -> None:
    together = threading.Barrier(3, timeout=10)

    def call(item: int) -> tuple[int, int, str]:
        if item < 3:
            together.wait()
        return item, torch.get_num_threads(), threading.current_thread().name

    results = on_threads(call, range(20), 3)
    assert [item for item, _, _ in results] == list(range(20))
    assert {threads for _, threads, _ in results} == {1}
    assert len({name for _, _, name in results}) == 3
    assert torch.get_num_threads() == 3


def test_work_in_the_background_leaves_a_core_to_others(monkeypatch) -> None:
    monkeypatch.setattr("indexer.embedding.threads.cores_left", lambda: 1)
    names = on_threads(lambda item: (threading.current_thread().name, time.sleep(0.01)), range(12), 3)
    assert len(set(names)) == 2
    names = on_threads(lambda item: (torch.get_num_threads(), threading.get_ident()), range(12), 2)
    assert len(set(names)) == 1
    assert names[0][0] == 1


def test_one_item_has_all_cores_and_the_thread_of_the_caller() -> None:
    def call(item: int) -> tuple[int, int]:
        return torch.get_num_threads(), threading.get_ident()

    assert on_threads(call, [7], 3) == [(3, threading.get_ident())]
    assert on_threads(call, [7, 8], 1) == 2 * [(3, threading.get_ident())]


def test_what_a_call_raises_is_raised_and_the_cores_are_back() -> None:
    made = []

    def call(item: int) -> int:
        made.append(item)
        if item == 1:
            raise ValueError(item)
        time.sleep(0.02)
        return item

    with pytest.raises(ValueError, match="1"):
        on_threads(call, range(1, 100), 2)
    assert len(made) < 20, "what nobody waits for any more is not begun"
    assert torch.get_num_threads() == 2
    with pytest.raises(ValueError, match="4"), one_core():
        assert torch.get_num_threads() == 1
        raise ValueError(4)
    assert torch.get_num_threads() == 2


def test_vectors_do_not_depend_on_the_number_of_threads(model_folder) -> None:
    embedder = load_embedder(str(model_folder), device="cpu", dtype="fp32")
    assert embedder._backend.threads == 3
    texts = [f"def function{number}(): return {'a + ' * number}b" for number in range(40)]
    together = embedder.encode_code(texts)
    embedder._backend.threads = 1
    np.testing.assert_allclose(together, embedder.encode_code(texts), atol=1e-5)
