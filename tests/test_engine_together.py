"""Several processes at work on one store: in the end it holds what a fresh index of the folder holds.

CODEWHERE_SOAK_S makes them work longer than the few seconds of an ordinary run.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.store import check
from indexer.types import SearchFilters

SECONDS = float(os.environ.get("CODEWHERE_SOAK_S", "4"))
QUERIES = ("add the value", "name_1", "multiply numbers", "def subtract path:f0*", "sentence of prose")

_WORKER = """
import random, sys, time
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from fakes import HashEmbedder
from indexer.config import Config
from indexer.engine import open_index
folder, home, job, seconds = Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5], float(sys.argv[6])
rng = random.Random(job)
turns = 0
with open_index(folder, config=Config(home=home), embedder=HashEmbedder()) as index:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if job == "index":
            index.update()
        elif job == "watch":
            index.update(paths=[path.name for path in folder.iterdir() if rng.random() < 0.4])
        elif job == "collect":
            index._store.gc(grace_days=0)
        elif index.indexed:
            answer = index.search(rng.choice(["value", "name_1", "numbers"]), limit=50)
            assert 0 <= answer.coverage <= 1
        turns += 1
print(turns)
"""


def test_writers_readers_and_garbage_collection_at_once_end_in_the_state_of_a_fresh_index(
    tmp_path: Path,
) -> None:
    folder, home = tmp_path / "project", tmp_path / "home"
    folder.mkdir()
    rng = random.Random(1)
    edit(folder, rng, 20)
    here = Path(__file__).parent
    command = [sys.executable, "-c", _WORKER, str(here), str(here.parent), str(folder), str(home)]
    jobs = ("index", "watch", "collect", "search", "watch")
    processes = [
        subprocess.Popen([*command, job, str(SECONDS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for job in jobs
    ]
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        edit(folder, rng, 2)
        time.sleep(0.05)
    for job, process in zip(jobs, processes, strict=True):
        turns, errors = process.communicate(timeout=120)
        assert process.returncode == 0, (job, errors.decode())
        assert int(turns) > 0, job
    with open_index(folder, config=Config(home=home), embedder=HashEmbedder()) as index:
        index.update()
        found = answers(index)
    with open_index(folder, config=Config(home=tmp_path / "fresh"), embedder=HashEmbedder()) as index:
        index.update()
        assert answers(index) == found
    assert any(results for results in found)
    assert check(home) == []


def edit(folder: Path, rng: random.Random, n_edits: int) -> None:
    """Write, rewrite, rename or remove files at random."""
    for _ in range(n_edits):
        path = folder / f"f{rng.randrange(20):02}.py"
        choice = rng.random()
        if choice < 0.15:
            path.unlink(missing_ok=True)
        elif choice < 0.3 and path.exists():
            path.rename(folder / f"f{rng.randrange(20):02}.py")
        else:
            words = ("add", "subtract", "multiply")
            functions = [
                f"def {rng.choice(words)}_{rng.randrange(9)}(value):\n    return value + {rng.randrange(9)}\n"
                for _ in range(rng.randrange(1, 6))
            ]
            path.write_text("\n\n".join(functions))


def answers(index: Index) -> list[list[tuple[str, int, str, float]]]:
    found = []
    for query in QUERIES:
        for filters in (SearchFilters(), SearchFilters(languages=("python",))):
            results = index.search(query, limit=500, filters=filters).results
            # Of equal texts the store keeps one vector, so scores are equal to the last digit or nearly so.
            found.append(
                sorted(
                    (r.function.path, r.function.start_byte, r.function.body, round(r.score, 4))
                    for r in results
                )
            )
    return found
