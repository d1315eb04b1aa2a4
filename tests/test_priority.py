from __future__ import annotations

import os
import sys
import threading

import pytest

from indexer.priority import cores_left, in_background


def test_the_result_and_the_error_come_back():
    assert in_background(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        in_background(lambda: 1 // 0)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux alone")
def test_the_thread_and_those_it_starts_give_way_and_the_caller_does_not():
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def both() -> list[int]:
        found = [niceness()]
        inner = threading.Thread(target=lambda: found.append(niceness()))
        inner.start()
        inner.join()
        return found

    before = niceness()
    assert in_background(both) == [10, 10]
    assert niceness() == before


def test_where_threads_have_no_priorities_work_in_the_background_leaves_a_core(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert in_background(cores_left) == 1
    assert cores_left() == 0
