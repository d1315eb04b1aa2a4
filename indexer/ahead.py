"""Calls on threads ahead of whoever takes their results, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def run_ahead(calls: Iterable[Callable[[], _T]], n: int) -> Iterator[_T]:
    """Results of the calls in their order, while up to `n` later ones run; 0 runs each here when it is asked for.

    A call that was taken from `calls` is always made; what it raises is raised here.
    """
    if n == 0:
        for call in calls:
            yield call()
        return
    with ThreadPoolExecutor(n + 1, thread_name_prefix="codewhere-ahead") as pool:
        running: deque[Future[_T]] = deque()
        for call in calls:
            running.append(pool.submit(call))
            if len(running) > n:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
