"""Processes that share a store: they start at once, wait for each other, and are killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.errors import RootBusy
from indexer.store import check
from indexer.types import Progress
from tests.homes import N_FUNCTIONS, neighbours, opened, start_python, update
from tests.homes import folder as folder
from tests.homes import home as home

KILLS = int(os.environ.get("CODEWHERE_KILLS", "6"))  # more of them in a long run


_OPENING = """
import sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from indexer.store import Store
store = Store(Path(sys.argv[4]))
store.ensure_root(sys.argv[3])
print(len(store.roots()))
"""


def test_many_processes_may_create_the_store_at_the_same_moment(folder: Path, home: Path) -> None:
    processes = [start_python(_OPENING, folder / f"f{number}", home) for number in range(6)]
    counts = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6
    assert max(map(int, counts)) == 6


_INDEXING = """
import sys, time
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from fakes import HashEmbedder
from indexer.config import Config
from indexer.engine import open_index
class Slow(HashEmbedder):
    def encode_code(self, texts):
        time.sleep(float(sys.argv[6]))
        with open(sys.argv[5], "a") as log:
            log.write("".join("x" for _ in texts))
        return super().encode_code(texts)
index = open_index(sys.argv[3], config=Config(home=Path(sys.argv[4])), embedder=Slow())
print("start", flush=True)
index.update(batch_size=4)
print("end", flush=True)
"""


def test_killed_at_any_moment_it_loses_one_batch_at_most(folder: Path, home: Path, tmp_path: Path) -> None:
    log = tmp_path / "encoded"
    log.touch()
    rng = random.Random(0)
    kills = 0
    for _ in range(KILLS):
        process = start_python(_INDEXING, folder, home, log, 0.2)
        assert process.stdout.readline() == b"start\n"
        time.sleep(rng.uniform(0.0, 0.5))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        assert check(home) == []
    assert kills > 0
    last = start_python(_INDEXING, folder, home, log, 0.02)
    assert last.communicate()[0] == b"start\nend\n"
    assert update(folder, home) == 0
    assert N_FUNCTIONS <= log.stat().st_size <= N_FUNCTIONS + kills * 4
    fresh = home.with_name("fresh")
    update(folder, fresh)
    assert neighbours(folder, home) == neighbours(folder, fresh)


_CHURNING = """
import random, sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from fakes import HashEmbedder
from indexer.config import Config
from indexer.engine import open_index
from indexer.store import hnsw
hnsw.EXACT_LIMIT = 10
rng = random.Random(sys.argv[5])
index = open_index(sys.argv[3], config=Config(home=Path(sys.argv[4])), embedder=HashEmbedder())
print("start", flush=True)
while True:
    for number in range(4):
        text = f"def churned_{rng.randrange(9)}(value):\\n    return {rng.randrange(9)}\\n"
        Path(sys.argv[3], f"churn{number}.py").write_text(text * rng.randrange(4))
    index.update(batch_size=2)
    index._store.gc(grace_days=0)
"""


def test_killed_while_writing_removing_and_collecting_the_store_stays_whole(folder: Path, home: Path) -> None:
    rng = random.Random(1)
    for kill in range(KILLS):
        process = start_python(_CHURNING, folder, home, kill)
        assert process.stdout.readline() == b"start\n"
        time.sleep(rng.uniform(0.0, 0.6))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        # A graph may be cut off in the middle: then there is no header yet that speaks of it.
        assert check(home) == []
    for path in folder.glob("churn*"):
        path.unlink()
    assert update(folder, home) <= N_FUNCTIONS
    fresh = home.with_name("fresh")
    update(folder, fresh)
    assert neighbours(folder, home) == neighbours(folder, fresh)


def test_a_second_process_waits_for_the_first_and_says_so(folder: Path, home: Path, tmp_path: Path) -> None:
    log = tmp_path / "encoded"
    first = start_python(_INDEXING, folder, home, log, 0.3)
    assert first.stdout.readline() == b"start\n"
    stages: list[Progress] = []
    embedder = HashEmbedder()
    with opened(folder, home, embedder) as index:
        while index.status().embedded == 0:
            time.sleep(0.01)
        assert index.status().indexing_pid == first.pid
        with pytest.raises(RootBusy) as error:
            index.update(wait=False)
        assert error.value.pid == first.pid
        assert index.similar("f00.py", 1).coverage < 1, "queries are answered meanwhile"
        (folder / "edited.py").write_text("def edited_meanwhile():\n    return 1\n")
        report = index.update(paths=["edited.py"], wait=False)
        assert report.embedded == 1, "an edit does not wait for the whole root"
        assert index.update(on_progress=stages.append).embedded == 0
        assert index.status().coverage == 1.0
    assert first.communicate()[0] == b"end\n"
    assert f"process {first.pid}" in next(p.message for p in stages if p.stage == "wait")
    assert log.stat().st_size + embedder.encoded <= N_FUNCTIONS + 2


def test_waiting_for_another_process_can_be_cancelled(folder: Path, home: Path) -> None:
    with opened(folder, home) as index:
        index.update()
        lock = index._store.lock(1, str(folder), "files")
        with lock.hold(wait=True, on_wait=print, cancelled=lambda: False):
            assert index.update(cancelled=lambda: True).cancelled
