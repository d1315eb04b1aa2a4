"""What vectors that no function has any more cost a graph: the share at which building it anew pays.

    python benchmarks/tombstones.py --home SCRATCH/small --output benchmarks/results/tombstones.json

Takes the graph of the first root of a store (that of scale.py serves), and takes away functions at random, which is
what edits do to it. REBUILD_SHARE in indexer/store/hnsw.py was chosen with it.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import report

from indexer.store import Store, hnsw
from indexer.store.database import FILE_NAME
from indexer.store.dense import Block, Snapshot
from indexer.store.vectors import VectorRows

SHARES = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
N_QUERIES = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with closing(sqlite3.connect(options.home / FILE_NAME)) as db:
        (fingerprint, dim) = db.execute("SELECT fingerprint, dim FROM models").fetchone()
    store = Store(options.home)
    snapshot = store._snapshot(1, fingerprint, dim)
    if snapshot is None or snapshot.graph is None:
        raise SystemExit("there is no graph in this store")
    rows = [measure(snapshot, share) for share in SHARES]
    result = {"vectors": len(snapshot.graph.labels), "dimensions": dim, "rebuild_share": hnsw.REBUILD_SHARE}
    report({**result, "rows": rows}, options.output)
    return 0


def measure(full: Snapshot, dead_share: float) -> dict[str, Any]:
    """Recall and time of a graph of which so much is dead."""
    assert full.graph is not None
    rng = np.random.default_rng(0)
    alive = rng.random(len(full.graph.labels)) >= dead_share
    kept = np.isin(full.rows.vector_ids, full.graph.labels[alive])
    snapshot = replace(full, rows=VectorRows(*(column[kept] for column in full.rows)))
    ids, matrix = snapshot.vectors(np.unique(snapshot.rows.vector_ids))
    exact = replace(snapshot, graph=None, scanned=Block(ids, matrix))
    shares, graph_ms = [], []
    for query in make_queries(matrix, rng):
        start = time.process_time()
        found = {hit.id for hit in snapshot.search(query, 10)}
        graph_ms.append((time.process_time() - start) * 1e3)
        right = {hit.id for hit in exact.search(query, 10)}
        shares.append(len(found & right) / len(right))
    return {
        "dead_share": dead_share,
        "recall_at_10": round(float(np.mean(shares)), 4),
        "cpu_ms": round(float(np.mean(graph_ms)), 2),
    }


def make_queries(matrix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points between two functions each: near to code, but none that is there."""
    one, other = (matrix[rng.integers(0, len(matrix), N_QUERIES)] for _ in range(2))
    between = 0.7 * one + 0.3 * other
    return between / np.linalg.norm(between, axis=1, keepdims=True)


if __name__ == "__main__":
    sys.exit(main())
