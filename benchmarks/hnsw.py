"""Recall, latency and build time of the vector graph over settings, on the vectors of a store.

    python benchmarks/hnsw.py --home ~/.cache/codewhere            # the model with the most vectors there
    python benchmarks/hnsw.py --vectors vectors.npy                # float [n, d], L2-normalised

The constants in indexer/store/hnsw.py were chosen with it: recall@10 of at least 0.99 on 50,000 vectors.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import sys
import time
from pathlib import Path

import numpy as np

from indexer.store import hnsw
from indexer.store.database import FILE_NAME
from indexer.store.records import unpack_vectors

K = 10


def main() -> None:
    arguments = _parse_arguments()
    vectors = _load(arguments)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(vectors))
    queries, vectors = vectors[order[: arguments.queries]], vectors[order[arguments.queries :]][: arguments.n]
    truth, exact_ms = _exact(queries, vectors)
    print(
        f"{len(vectors):,} vectors of {vectors.shape[1]} dimensions, {len(queries)} queries", file=sys.stderr
    )
    print(f"exact scan: {exact_ms:.2f} ms a query", file=sys.stderr)
    rows = [
        row
        for m, ef_construction in itertools.product(arguments.m, arguments.ef_construction)
        for row in _measure(vectors, queries, truth, m, ef_construction, arguments.ef, arguments.threads)
    ]
    print(
        f"{'M':>3} {'efc':>4} {'ef':>4} {'recall@10':>9} {'ms/query':>8} {'build s':>8} {'bytes/vector':>12}"
    )
    for row in rows:
        print(
            f"{row['m']:>3} {row['ef_construction']:>4} {row['ef']:>4} {row['recall']:>9.4f}"
            f" {row['query_ms']:>8.2f} {row['build_s']:>8.1f} {row['bytes_per_vector']:>12.0f}"
        )
    if arguments.out:
        result = {"n": len(vectors), "dim": vectors.shape[1], "exact_ms": exact_ms, "settings": rows}
        Path(arguments.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--home", type=Path, help="data folder of a store")
    source.add_argument("--vectors", type=Path, help="a .npy file")
    parser.add_argument("--n", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--m", type=int, nargs="+", default=[8, hnsw.M, 32])
    parser.add_argument("--ef-construction", type=int, nargs="+", default=[100, hnsw.EF_CONSTRUCTION])
    parser.add_argument("--ef", type=int, nargs="+", default=[64, hnsw.EF, 256])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", help="write the figures to this JSON file")
    return parser.parse_args()


def _load(arguments: argparse.Namespace) -> np.ndarray:
    if arguments.vectors:
        return np.load(arguments.vectors).astype(np.float32)
    db = sqlite3.connect(f"{(arguments.home / FILE_NAME).as_uri()}?mode=ro", uri=True)
    statement = (
        "SELECT model_id, dim FROM vectors JOIN models ON models.id = model_id"
        " GROUP BY 1 ORDER BY count(*) DESC"
    )
    model, dim = db.execute(statement).fetchone()
    return unpack_vectors(
        [row[0] for row in db.execute("SELECT vector FROM vectors WHERE model_id = ?", (model,))], dim
    )


def _exact(queries: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, float]:
    start = time.perf_counter()
    best = [np.argpartition(-(vectors @ query), K)[:K] for query in queries]
    return np.stack(best), (time.perf_counter() - start) * 1000 / len(queries)


def _measure(
    vectors: np.ndarray,
    queries: np.ndarray,
    truth: np.ndarray,
    m: int,
    ef_construction: int,
    efs: list[int],
    threads: int,
) -> list[dict[str, float]]:
    import hnswlib

    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=m, ef_construction=ef_construction, random_seed=100)
    start = time.perf_counter()
    index.add_items(vectors, num_threads=threads)
    build_s = time.perf_counter() - start
    rows = []
    for ef in efs:
        index.set_ef(ef)
        start = time.perf_counter()
        labels = np.stack([index.knn_query(query, k=K, num_threads=1)[0][0] for query in queries])
        query_ms = (time.perf_counter() - start) * 1000 / len(queries)
        hits = sum(
            len(set(mine) & set(right)) for mine, right in zip(labels.tolist(), truth.tolist(), strict=True)
        )
        rows.append(
            {
                "m": m,
                "ef_construction": ef_construction,
                "ef": ef,
                "recall": hits / truth.size,
                "query_ms": query_ms,
                "build_s": build_s,
                "bytes_per_vector": index.index_file_size() / len(vectors),
            }
        )
    return rows


if __name__ == "__main__":
    main()
