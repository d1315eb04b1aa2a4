"""Functions a second and query latency of `small` and of a sentence-transformers model, in turn in one run.

    python -m benchmarks.speed CODE.jsonl --baseline MODEL [--functions 400] [--rounds 3]

CODE.jsonl has a `code` in each row. The rounds alternate between the models, so that a busy machine slows both; the
medians are reported and written to benchmarks/results/speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from indexer.embedding import load_embedder

QUERIES = 200


def _rate(encode: Callable[[Sequence[str]], Any], codes: Sequence[str]) -> float:
    start = time.perf_counter()
    encode(codes)
    return len(codes) / (time.perf_counter() - start)


def _latencies(encode: Callable[[Sequence[str]], Any]) -> list[float]:
    found = []
    for number in range(QUERIES):
        start = time.perf_counter()
        encode([f"where do we retry upload number {number} after a failure?"])
        found.append((time.perf_counter() - start) * 1000)
    return found


def measure(models: dict[str, tuple[Any, Any]], codes: Sequence[str], rounds: int) -> list[dict[str, Any]]:
    """A row for each model: medians over the rounds."""
    rates: dict[str, list[float]] = {name: [] for name in models}
    waits: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, (encode_code, encode_query) in models.items():
            rates[name].append(_rate(encode_code, codes))
            waits[name] += _latencies(encode_query)
    return [
        {
            "name": name,
            "functions_per_s": round(statistics.median(rates[name]), 1),
            "query_p50_ms": round(float(np.percentile(waits[name], 50)), 1),
            "query_p99_ms": round(float(np.percentile(waits[name], 99)), 1),
        }
        for name in models
    ]


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("codes", type=Path)
    parser.add_argument("--baseline", required=True)
    parser.add_argument("--functions", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    from sentence_transformers import SentenceTransformer

    rows = [json.loads(line) for line in options.codes.read_text(encoding="utf-8").splitlines()]
    codes = [row.get("code_without_docstring") or row["code"] for row in rows[: options.functions]]
    ours, other = load_embedder("small"), SentenceTransformer(options.baseline)
    models = {
        "small": (ours.encode_code, ours.encode_queries),
        Path(options.baseline).name: (
            lambda texts: other.encode(list(texts), show_progress_bar=False),
            lambda texts: other.encode(list(texts), show_progress_bar=False),
        ),
    }
    for encode_code, encode_query in models.values():
        encode_code(codes[:32])
        encode_query(codes[:1])
    result = {
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
        "load_average": round(os.getloadavg()[0], 1),
        "settings": {
            "functions": len(codes),
            "rounds": options.rounds,
            "model": ours.fingerprint,
            "device": ours.device,
        },
        "models": measure(models, codes, options.rounds),
    }
    path = Path(__file__).parent / "results" / "speed.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result["models"], indent=1))


if __name__ == "__main__":
    main()
