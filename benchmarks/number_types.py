"""Functions a second of the shipped model on the CPU: number types and tokens a forward pass, in turn in one run.

    python benchmarks/number_types.py FOLDER --output benchmarks/results/number_types.json

FOLDER is any source code. The rounds go through all settings, so that a busy machine slows all of them; the medians
are reported, and the cosine of each type's vectors with those of float32. The output holds a run for each instruction
set that it was measured with.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
from pathlib import Path
from typing import Any

import torch
from common import commit, machine

from indexer.bench.timing import seconds_of, spread
from indexer.config import Config
from indexer.embedding import load_embedder
from indexer.embedding.devices import choose_dtype, float_type
from indexer.parse import parse
from indexer.types import SourceFile
from indexer.walk import walk

TEXTS = 200
ROUNDS = 3
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "int8": torch.int8}
BUDGETS = (256, 1_024, 4_096)


def texts_of(folder: Path) -> list[str]:
    """Functions from everywhere in a folder."""
    config = Config(home=Path("/nonexistent"))
    found = [
        function.text
        for entry in walk(folder, config)
        if isinstance(entry, SourceFile)
        for function in parse(entry.path, (folder / entry.path).read_bytes()).functions
    ]
    return list(spread(found, TEXTS))


def measure(texts: list[str]) -> list[dict[str, Any]]:
    """A row for each type and budget: medians over the rounds."""
    native = {torch.float32, float_type("cpu"), choose_dtype(None, "cpu", rounds=True)}
    types = [name for name, type_ in TYPES.items() if type_ in native]
    models = {name: load_embedder("small", device="cpu", dtype=name) for name in types}
    exact = models["fp32"].encode_code(texts)
    rates: dict[tuple[str, int], list[float]] = {(name, size): [] for name in types for size in BUDGETS}
    cosines = {
        name: float((model.encode_code(texts) * exact).sum(1).mean()) for name, model in models.items()
    }
    for _ in range(ROUNDS):
        for (name, budget), found in rates.items():
            models[name]._budget = budget
            found.append(len(texts) / seconds_of(functools.partial(models[name].encode_code, texts)))
    return [
        {
            "type": name,
            "tokens_a_pass": budget,
            "functions_a_second": round(statistics.median(found), 1),
            "cosine_with_fp32": round(cosines[name], 5),
        }
        for (name, budget), found in rates.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    texts = texts_of(options.folder)
    embedder = load_embedder("small", device="cpu")
    run = {
        "commit": commit(),
        "machine": machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "functions": len(texts),
        "tokens_a_function": round(embedder.count_tokens(texts) / len(texts), 1),
        "threads": torch.get_num_threads(),
        "rows": measure(texts),
    }
    known = json.loads(options.output.read_text("utf-8"))["runs"] if options.output.exists() else []
    others = [other for other in known if other["instructions"] != run["instructions"]]
    options.output.write_text(json.dumps({"runs": [*others, run]}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
