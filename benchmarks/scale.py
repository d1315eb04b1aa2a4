"""A large real tree: what an index of it takes, on the disk and in memory, and how quickly it answers.

    apt-get download linux-source-6.1 && dpkg-deb -x linux-source-6.1_*.deb . && tar xf usr/src/linux-source-6.1.tar.xz
    python benchmarks/scale.py --tree linux-source-6.1 --work SCRATCH --output benchmarks/results/scale.json

Three sizes of the same tree, files in a random order that is always the same, give lines of which the last row of
the table, a million functions, is the continuation. The vectors come from words: each has a fixed random vector,
weighted by how rare the word is, and the axes are scaled so that the spectrum falls off as that of a learnt model does
(how closely it fits the shipped one was not measured).
That keeps neighbourhoods real (code that shares rare words is near) and costs a hundredth of a model. CPU times stand
beside wall times, because they do not depend on what else the machine does. Linux only (reads /proc).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import report
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.store import hnsw
from indexer.store.dense import Block
from indexer.types import Vectors

_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]{2,}")
_SUFFIXES = (".c", ".h", ".py", ".rs", ".sh", ".pl", ".awk")
N_QUERIES = 200
DECAY = 0.35
"""Axis k is scaled by k ** -DECAY."""


class WordEmbedder(HashEmbedder):
    """Texts as weighted sums of the random vectors of their words."""

    def __init__(self, dim: int, rarity: dict[str, float], max_words: int = 300) -> None:
        super().__init__(dim, max_words, f"words-{dim}")
        self.name = "words"
        self._rarity = rarity
        self._rarest = max(rarity.values(), default=1.0)
        self._numbers: dict[str, int] = {}
        self._table = np.zeros((1024, dim), np.float32)
        self._weights = np.zeros(1024, np.float32)
        self._axes = np.arange(1, dim + 1, dtype=np.float32) ** -DECAY

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.stack([self._embed(text) for text in texts])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _embed(self, text: str) -> Vectors:
        counts = Counter(word.lower() for word in _WORD.findall(text)) or Counter(["empty"])
        numbers = [self._number(word) for word in counts]
        weights = self._weights[numbers] * (1 + np.log(np.fromiter(counts.values(), np.float32)))
        return weights @ self._table[numbers]

    def _number(self, word: str) -> int:
        number = self._numbers.get(word)
        if number is None:
            number = self._numbers[word] = len(self._numbers)
            if number == len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
                self._weights = np.concatenate([self._weights, np.zeros_like(self._weights)])
            seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
            self._table[number] = np.random.default_rng(seed).standard_normal(self.dim) * self._axes
            self._weights[number] = self._rarity.get(word, self._rarest)
        return number


def rarity_of(files: Sequence[Path]) -> dict[str, float]:
    """Word -> logarithm of how few of some files have it."""
    having: Counter[str] = Counter()
    for path in files:
        having.update({word.lower() for word in _WORD.findall(path.read_text(errors="replace"))})
    return {word: math.log(len(files) / count) + 0.1 for word, count in having.items() if count > 1}


class Scale:
    """One run; each measurement is made in a process of its own."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.project, self.home = options.work / "project", options.work / "home"
        self.rarity = options.work / "rarity.json"

    def run(self) -> dict[str, Any]:
        files = sorted(path for path in self.options.tree.rglob("*") if path.suffix in _SUFFIXES)
        files = [path for path in files if path.is_file() and not path.is_symlink()]
        random.Random(0).shuffle(files)
        self.options.work.mkdir(parents=True, exist_ok=True)
        self.rarity.write_text(json.dumps(rarity_of(files[:3000])))
        rows, linked, small = [], 0, {}
        for size in self.options.sizes:
            linked = self._link(files, linked, size)
            rows.append(self._measure(self.options.dim, self.home))
            for name in ("index_s", "index_cpu_s") if len(rows) > 1 else ():
                rows[-1][name] += rows[-2][name]  # each size is indexed on top of the one before
            if self.options.small_dim and not small:
                # Fewer dimensions, an option for large trees; the smallest size is enough to see what they save.
                small = self._measure(self.options.small_dim, self.options.work / "small")
        return {
            "tree": self.options.tree.name,
            "embedder": WordEmbedder.__doc__,
            "rows": rows,
            "fewer_dimensions": small,
            "million": million(rows),
            "memory": formula(rows),
        }

    def _link(self, files: list[Path], linked: int, size: int) -> int:
        """Link more files until there are about so many functions, at the number a file had so far."""
        per_file = 23.0
        if linked:
            per_file = self._functions() / linked
        wanted = min(len(files), int(size / per_file))
        for path in files[linked:wanted]:
            target = self.project / path.relative_to(self.options.tree)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                os.link(path, target)
        return wanted

    def _functions(self) -> int:
        with open_index(self.project, config=Config(home=self.home), embedder=HashEmbedder()) as index:
            return index.status().functions

    def _measure(self, dim: int, home: Path) -> dict[str, Any]:
        row = self._step("index", dim, home)
        row |= self._step("search", dim, home)
        print(json.dumps(row), file=sys.stderr)
        return row

    def _step(self, step: str, dim: int, home: Path) -> dict[str, Any]:
        places = ["--work", self.options.work, "--tree", self.options.tree, "--home", home]
        command = [sys.executable, __file__, "--step", step, "--dim", str(dim), *places]
        found: dict[str, Any] = json.loads(subprocess.run(command, stdout=-1, check=True).stdout)
        return found


def step_index(index: Index) -> dict[str, Any]:
    stages: dict[str, float] = {}
    last = [time.monotonic(), "start"]

    def on_progress(progress: Any) -> None:
        now = time.monotonic()
        stages[last[1]] = stages.get(last[1], 0.0) + now - last[0]
        last[:] = [now, progress.stage]

    began, cpu = time.monotonic(), cpu_s()
    done = index.update(on_progress=on_progress)
    on_progress(type("Done", (), {"stage": "done"}))
    status = index.status()
    home = index.config.home
    return {
        "functions": done.functions,
        "files": done.files,
        "embedded": done.embedded,
        "index_s": round(time.monotonic() - began),
        "index_cpu_s": round(cpu_s() - cpu),
        "stages_s": {name: round(seconds) for name, seconds in stages.items() if seconds >= 0.5},
        "index_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "disk_bytes": status.store_bytes,
        "database_bytes": sum(path.stat().st_size for path in home.glob("codewhere.db*")),
        "graph_bytes": sum(path.stat().st_size for path in (home / hnsw.FOLDER).glob("*")),
    }


def cpu_s() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def step_search(index: Index) -> dict[str, Any]:
    began, cpu, before = time.monotonic(), cpu_s(), memory_mb()
    index.search("where is the memory of a process freed?")
    cold = {"cold_s": round(time.monotonic() - began, 2), "cold_cpu_s": round(cpu_s() - cpu, 2)}
    queries = make_queries(index)
    wall, used = [], []
    for query in queries:
        start, cpu = time.perf_counter(), time.process_time()
        index.search(query)
        wall.append((time.perf_counter() - start) * 1e3)
        used.append((time.process_time() - cpu) * 1e3)
    loaded = memory_mb()
    recall = recall_of(index, queries)
    return {
        **cold,
        "search_ms": percentiles(wall),
        "search_cpu_ms": percentiles(used),
        "search_mb": round(loaded),
        "search_mb_before": round(before),
        **recall,
        "recall_own_vectors": round(index._store.recall(1, 100) or 1.0, 4),
    }


def make_queries(index: Index) -> list[str]:
    """Sentences from the first words of functions, as people ask for them: some words of symbol and comment."""
    rng = random.Random(1)
    with index._store._database.reading() as db:
        (last,) = db.execute("SELECT max(id) FROM functions").fetchone()
    ids = [rng.randrange(1, last) for _ in range(4 * N_QUERIES)]
    queries = []
    for stored in index._store.functions(ids).values():
        words = _WORD.findall(f"{stored.function.symbol} {stored.function.doc or stored.function.body}")[:30]
        if len(words) >= 5:
            queries.append(" ".join(rng.sample(words, 5)).lower())
    return queries[:N_QUERIES]


def recall_of(index: Index, queries: list[str]) -> dict[str, Any]:
    """Of the true ten nearest functions, the share that the graph finds; and the time of both."""
    embedder = index.load_embedder()
    assert embedder is not None
    snapshot = index._store._snapshot(1, embedder.fingerprint, embedder.dim)
    assert snapshot is not None
    ids = np.unique(snapshot.rows.vector_ids)
    if snapshot.graph is None:
        return {"vectors": len(ids), "recall_at_10": None}
    found, matrix = snapshot.vectors(ids)
    from dataclasses import replace

    exact = replace(snapshot, graph=None, scanned=Block(found, matrix))
    shares, graph_ms, exact_ms = [], [], []
    for query in embedder.encode_queries(queries[:100]):
        start = time.process_time()
        mine = {hit.id for hit in snapshot.search(query, 10)}
        graph_ms.append((time.process_time() - start) * 1e3)
        start = time.process_time()
        right = {hit.id for hit in exact.search(query, 10)}
        exact_ms.append((time.process_time() - start) * 1e3)
        shares.append(len(mine & right) / len(right))
    means = {
        "graph_cpu_ms": round(float(np.mean(graph_ms)), 2),
        "exact_cpu_ms": round(float(np.mean(exact_ms)), 2),
    }
    return {"vectors": len(ids), "recall_at_10": round(float(np.mean(shares)), 4), **means}


def percentiles(values: list[float]) -> dict[str, float]:
    return {name: round(float(np.percentile(values, share)), 1) for name, share in (("p50", 50), ("p99", 99))}


def memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


LINEAR = ("disk_bytes", "database_bytes", "graph_bytes", "index_cpu_s", "index_mb", "search_mb", "cold_cpu_s")


def million(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The lines through three sizes, continued to a million functions."""
    sizes = [row["functions"] for row in rows]
    found: dict[str, Any] = {}
    for name in LINEAR:
        slope, start = np.polyfit(sizes, [row[name] for row in rows], 1)
        found[name] = round(float(slope * 1e6 + start))
    for share in ("p50", "p99"):
        slope, start = np.polyfit(sizes, [row["search_cpu_ms"][share] for row in rows], 1)
        found[f"search_cpu_ms_{share}"] = round(float(slope * 1e6 + start))
    return found


def formula(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Memory of an indexing and of a searching process as a line: MB + bytes for each function."""
    found = {}
    for name in ("index_mb", "search_mb"):
        slope, start = np.polyfit([row["functions"] for row in rows], [row[name] for row in rows], 1)
        found[name] = {"fixed_mb": round(float(start)), "bytes_per_function": round(float(slope * 1e6))}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument(
        "--work", type=Path, required=True, help="an empty folder on the same disk as the tree"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[50_000, 100_000, 210_000])
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--small-dim", type=int, default=256)
    parser.add_argument("--step", choices=["index", "search"], help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.step is None:
        report(Scale(options).run(), options.output)
        return 0
    rarity = json.loads((options.work / "rarity.json").read_text())
    embedder = WordEmbedder(options.dim, rarity)
    with open_index(options.work / "project", config=Config(home=options.home), embedder=embedder) as index:
        print(json.dumps({"index": step_index, "search": step_search}[options.step](index)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
