"""The memory of the process."""

from __future__ import annotations

import platform

import pytest

from indexer.memory import give_back, resident_bytes


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators give back by themselves")
def test_freed_memory_goes_back_to_the_system() -> None:
    blocks = [bytearray(100_000) for _ in range(500)]
    last = bytearray(100_000)  # a heap is never cut short by itself below what is in use
    before = resident_bytes()
    del blocks
    give_back()
    assert resident_bytes() < before - 30_000_000
    assert len(last) == 100_000
