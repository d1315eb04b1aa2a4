"""Work in the background gives way to everything else on the machine."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_NICENESS = 10
_this_thread = threading.local()
_T = TypeVar("_T")


def in_background(call: Callable[[], _T]) -> _T:
    """What a call returns or raises, made on a thread that has what others leave of the CPU.

    So all cores can be used without the editor or a query noticing. On Linux alone each thread has a niceness of
    its own, which the threads it starts inherit; elsewhere it would slow down the queries of the process as well,
    so there the thread leaves a core to others. Only for long work: what a person waits for must not give way.
    """
    future: Future[_T] = Future()

    def run() -> None:
        _give_way()
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="codewhere-background", daemon=True).start()
    return future.result()


def cores_left() -> int:
    """How many cores the work of this thread should leave to others."""
    return getattr(_this_thread, "cores_left", 0)


def _give_way() -> None:
    if sys.platform != "linux":
        _this_thread.cores_left = 1
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
