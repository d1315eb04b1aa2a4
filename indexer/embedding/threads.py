"""How PyTorch's work on a CPU is dealt out among its cores.

By itself PyTorch deals every single operation out among all its threads, which then wait for the slowest of them: two
hundred times in a pass of a small model, and the longer the more else runs on the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

from indexer.priority import cores_left

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@contextmanager
def one_core() -> Iterator[None]:
    """What the calling thread computes within it takes one core."""
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def on_threads(call: Callable[[_Item], _Result], items: Sequence[_Item], threads: int) -> list[_Result]:
    """The results of a call in the order of the items, made on so many threads, each of which takes one core.

    :param threads: As many as PyTorch has otherwise.
    """
    if threads < 2 or len(items) < 2:
        return [call(item) for item in items]
    # They are new each time, since threads inherit the priority of the one that starts them.
    pool = ThreadPoolExecutor(
        max(1, min(threads - cores_left(), len(items))),
        thread_name_prefix="codewhere-embed",
        initializer=_take_one_core,
    )
    try:
        return list(pool.map(call, items))
    finally:
        pool.shutdown(cancel_futures=True)  # after an interrupt nobody waits for more than what is in flight
        torch.set_num_threads(threads)


def _take_one_core() -> None:
    # A thread takes the number of the process when it first asks, whatever it was told before.
    torch.get_num_threads()
    torch.set_num_threads(1)
