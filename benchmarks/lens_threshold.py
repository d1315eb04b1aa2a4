"""From which cosine two functions count as near-duplicates: copies that somebody edited against the nearest strangers.

    python benchmarks/lens_threshold.py --model small --output benchmarks/results/lens_threshold.json FOLDER

Every function of at least four lines is compared with an edited copy of itself (names changed, doc comment gone, a line
added) and with the nearest other function of the folder.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.embedding import load_embedder
from indexer.parse import parse
from indexer.types import FUNCTION_KINDS, Function

MIN_LINES = 4
NAME = re.compile(r"\b[a-z_][a-z0-9_]{2,}\b")
THRESHOLDS = [0.5, 0.6, 0.65, 0.7, 0.75, 0.8, *(round(0.84 + 0.01 * step, 2) for step in range(13))]


def functions_of(folder: Path) -> list[Function]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        found += parse(str(path.relative_to(folder)), path.read_bytes()).functions
    return [
        item for item in found if item.kind in FUNCTION_KINDS and item.end_line - item.start_line >= MIN_LINES
    ]


def edited(function: Function, rng: random.Random) -> Function:
    """A copy as people make them: a third of the names are others, the doc comment is gone, one line is new."""
    names = sorted(
        set(NAME.findall(function.body))
        - {"def", "self", "return", "for", "not", "and", "while", "with", "None"}
    )
    body = function.body
    for name in rng.sample(names, len(names) // 3):
        body = re.sub(rf"\b{re.escape(name)}\b", f"{name}_{rng.choice('abcd')}", body)
    lines = body.split("\n")
    lines.insert(rng.randint(1, len(lines)), "    counter = counter + 1")
    return replace(function, symbol=function.symbol + "_copy", doc="", body="\n".join(lines))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="small")
    parser.add_argument("--functions", type=int, default=200)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rng = random.Random(1)
    functions = functions_of(options.folder)
    functions = rng.sample(functions, min(options.functions, len(functions)))
    embedder = load_embedder(options.model)
    originals = embedder.encode_code([function.text for function in functions])
    copies = embedder.encode_code([edited(function, rng).text for function in functions])
    duplicates = np.sum(originals * copies, axis=1)
    likeness = originals @ originals.T
    np.fill_diagonal(likeness, -1.0)
    strangers = likeness.max(axis=1)
    rows = [
        {
            "threshold": threshold,
            "copies_found": round(float(np.mean(duplicates >= threshold)), 3),
            "strangers_shown": round(float(np.mean(strangers >= threshold)), 3),
        }
        for threshold in THRESHOLDS
    ]
    result = {"model": embedder.name, "functions": len(functions), "rows": rows}
    text = json.dumps(result, indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
