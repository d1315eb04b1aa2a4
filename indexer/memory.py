"""The memory of this process: how much it has, and giving back what it no longer uses."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress


def resident_bytes() -> int:
    """Bytes that are in memory now, or the most there ever were; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm", "rb") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def give_back() -> None:
    """Returns freed memory to the system.

    Tensors of a few megabytes come from heaps, of which glibc has one for each thread and returns little by itself;
    allocators of other systems need no asking.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
