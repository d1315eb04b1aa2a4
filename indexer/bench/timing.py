"""How the measurements take samples, times and percentiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")


def spread(items: Sequence[_T], n: int) -> Sequence[_T]:
    """At most `n` items, evenly from everywhere: a folder's first files may all be short."""
    return items[:: max(1, len(items) // n)][:n]


def seconds_of(call: Callable[[], object]) -> float:
    """Wall-clock seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """``p50_ms`` and ``p99_ms``."""
    p50, p99 = np.percentile(np.array(seconds) * 1000, (50, 99))
    return {"p50_ms": float(p50), "p99_ms": float(p99)}
