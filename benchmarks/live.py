"""How a watched folder keeps up: edits, renames, branches, a rebase of ten thousand files, a second work tree.

    python benchmarks/live.py --output benchmarks/results/live.json

Edits are measured with the shipped model on the CPU, from the moment the file is written until its function is found by
its vector. The rest counts what is embedded, which depends on no model, so the hashing embedder of the tests serves.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import function, report, write_project
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.types import Embedder, UpdateReport
from indexer.watch import Watcher

PATIENCE_S = 600.0


class Followed:
    """An index with a watcher on it."""

    def __init__(self, root: Path, home: Path, embedder: Embedder) -> None:
        self.index = open_index(root, config=Config(home=home), embedder=embedder)
        self.index.update()
        self.reports: list[UpdateReport] = []
        self._updated = threading.Condition()
        self.watcher = Watcher(self.index, self._on_update)
        self.watcher.start()
        self.settle()
        self.reports.clear()

    def __enter__(self) -> Followed:
        return self

    def __exit__(self, *exception: object) -> None:
        self.watcher.stop()
        self.index.close()

    def _on_update(self, update: UpdateReport) -> None:
        with self._updated:
            self.reports.append(update)
            self._updated.notify_all()

    def next_update(self) -> None:
        """Wait until one more update has changed something."""
        with self._updated:
            n_before = len(self.reports)
            if not self._updated.wait_for(lambda: len(self.reports) > n_before, PATIENCE_S):
                raise TimeoutError("no update came")

    def settle(self, seconds: float = 2.0) -> None:
        """Wait until no update has come for a while."""
        with self._updated:
            n_before = -1
            while n_before != len(self.reports):
                n_before = len(self.reports)
                self._updated.wait_for(lambda: len(self.reports) > n_before, seconds)  # noqa: B023

    @property
    def embedded(self) -> int:
        return sum(update.embedded for update in self.reports)


def edits(work: Path, embedder: Embedder, count: int) -> dict[str, Any]:
    """Change one function of a file again and again."""
    root = work / "edits"
    write_project(root, 100, 4)
    rng = random.Random(2)
    committed, found, used = [], [], []
    with Followed(root, work / "home-edits", embedder) as followed:
        files = sorted(root.rglob("*.py"))
        for number in range(count):
            path = rng.choice(files)
            parts = path.read_text().split("\n\n\n")
            parts[0] = function(rng, f"{rng.choice(('sort', 'hash', 'pack'))}_changed_{number}").strip()
            start, cpu = time.monotonic(), time.process_time()
            path.write_text("\n\n\n".join(parts))
            followed.next_update()
            committed.append(time.monotonic() - start)
            answer = followed.index.search(f"changed {number}", limit=10)
            found.append(time.monotonic() - start)
            used.append(time.process_time() - cpu)
            ranks = [
                r.why.dense_rank for r in answer.results if r.function.symbol.endswith(f"changed_{number}")
            ]
            if not ranks or ranks[0] is None:
                raise AssertionError(f"edit {number} was not found by its vector")
            followed.settle(0.3)
        extra = followed.embedded - count
    return {
        "edits": count,
        "model": embedder.name,
        "committed_ms": percentiles(committed),
        "found_ms": percentiles(found),
        "cpu_ms": percentiles(used),
        "embedded_beyond_one_each": extra,
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    return {
        name: round(float(np.percentile(seconds, share)) * 1e3) for name, share in (("p50", 50), ("p95", 95))
    }


def moves(work: Path) -> dict[str, Any]:
    """Rename files and folders, switch between branches and back."""
    root = work / "moves"
    write_project(root, 500, 4)
    git(root, "init", "-q", "-b", "main")
    commit(root, "one")
    git(root, "switch", "-qc", "other")
    rng = random.Random(3)
    for path in sorted(root.rglob("*.py"))[::2]:
        path.write_text("".join(function(rng) for _ in range(4)))
    commit(root, "two")
    git(root, "switch", "-q", "main")
    embedded: dict[str, Any] = {}
    with Followed(root, work / "home-moves", HashEmbedder()) as followed:
        for name, act in {
            "rename a file": lambda: (root / "pkg0/f00000.py").rename(root / "pkg0/renamed.py"),
            "rename a folder": lambda: (root / "pkg1").rename(root / "library"),
            "rename back": lambda: git(root, "stash", "-qu"),
            "switch to another branch": lambda: git(root, "switch", "-q", "other"),
            "switch back": lambda: git(root, "switch", "-q", "main"),
            "switch again": lambda: git(root, "switch", "-q", "other"),
        }.items():
            followed.reports.clear()
            act()
            followed.next_update()
            followed.settle()
            embedded[name] = followed.embedded
    return {"functions": 2000, "embedded": embedded}


def rebase(work: Path, count: int) -> dict[str, Any]:
    """Change so many files at once, and ask meanwhile."""
    root = work / "rebase"
    write_project(root, count, 1)
    latencies: list[float] = []
    with Followed(root, work / "home-rebase", HashEmbedder()) as followed:
        start = time.monotonic()
        writer = threading.Thread(target=write_project, args=(root, count, 1, 1))
        writer.start()
        last = ""
        while True:
            before = time.monotonic()
            followed.index.search("retry the mail", limit=10)
            latencies.append(time.monotonic() - before)
            if not writer.is_alive():
                last = (
                    last or (root / f"pkg{(count - 1) % 10}/f{count - 1:05}.py").read_text().split("(")[0][4:]
                )
                status = followed.index.status()
                known = sum(update.parsed for update in followed.reports) >= count
                if known and status.coverage == 1.0:
                    break
            time.sleep(0.05)
        seconds = time.monotonic() - start
        found = followed.index.search(last, limit=50).results
        if not any(result.function.symbol == last for result in found):
            raise AssertionError(f"{last} was not found")
    return {
        "files": count,
        "all_searchable_s": round(seconds, 1),
        "updates": len(followed.reports),
        "queries": len(latencies),
        "query_ms": {**percentiles(latencies), "max": round(max(latencies) * 1e3)},
    }


def work_tree(work: Path, n_functions: int) -> dict[str, Any]:
    """Index a second work tree of a repository."""
    root = work / "first"
    write_project(root, n_functions // 4, 4)
    git(root, "init", "-q", "-b", "main")
    commit(root, "one")
    git(root, "worktree", "add", "-q", str(work / "second"), "-b", "second")
    embedder = HashEmbedder()
    found: dict[str, Any] = {}
    for name in ("first", "second"):
        with open_index(work / name, config=Config(home=work / "home-tree"), embedder=embedder) as index:
            before, start, cpu = embedder.encoded, time.monotonic(), cpu_s()
            index.update()
            found[name] = {
                "seconds": round(time.monotonic() - start, 2),
                "cpu_s": round(cpu_s() - cpu, 2),
                "embedded": embedder.encoded - before,
                "functions": index.status().functions,
                "coverage": index.status().coverage,
            }
            check_search(index)
    return found


def check_search(index: Index) -> None:
    if not index.search("retry the mail", limit=3).results:
        raise AssertionError("nothing was found")


def cpu_s() -> float:
    import resource

    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path, message: str) -> None:
    git(root, "add", ".")
    git(root, "commit", "-qm", message)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=60)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument(
        "--model", default="small", help="of the edits; hash stands for the embedder of the tests"
    )
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.model == "hash":
        embedder: Embedder = HashEmbedder()
    else:
        from indexer.embedding import load_embedder

        embedder = load_embedder(options.model, "cpu")
    with tempfile.TemporaryDirectory(prefix="codewhere-live-") as folder:
        work = Path(folder).resolve()
        result = {
            "edits": edits(work, embedder, options.edits),
            "moves": moves(work),
            "second_work_tree": work_tree(work, options.functions),
            "rebase": rebase(work, options.files),
        }
    report(result, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
