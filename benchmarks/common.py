"""What several scripts of this folder share: where and of what a figure is, and a project that changes."""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

VERBS = ("read", "write", "open", "close", "parse", "render", "retry", "send", "merge", "split")
NOUNS = ("cart", "user", "token", "cache", "index", "queue", "price", "order", "mail", "page")
QUERIES = ("read the cart", "retry_mail", "where are tokens merged", "close split path:f0*", "plain words")


def machine() -> str:
    """One line on the machine and how busy it is."""
    return f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"


def commit() -> str:
    """The commit that is measured; a plus marks a tree with changes."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")


def report(result: dict[str, Any], output: Path | None) -> None:
    """Print a result, and write it where wanted, with commit and machine."""
    text = json.dumps({"commit": commit(), "machine": machine(), **result}, indent=1) + "\n"
    print(text, end="")
    if output is not None:
        output.write_text(text, encoding="utf-8")


def function(rng: random.Random, name: str = "") -> str:
    """The source of one small Python function."""
    verb, noun, other = rng.choice(VERBS), rng.choice(NOUNS), rng.choice(NOUNS)
    body = "".join(
        f"    {rng.choice(NOUNS)} = {rng.choice(VERBS)}({noun})\n" for _ in range(rng.randint(1, 5))
    )
    head = f"def {name or f'{verb}_{noun}_{rng.randrange(1000)}'}({noun}, {other}):\n"
    return f'{head}    """{verb} the {noun} of the {other}."""\n{body}\n\n'


def write_project(folder: Path, n_files: int, per_file: int, seed: int = 0) -> None:
    """A folder of Python files, the same for the same seed."""
    rng = random.Random(seed)
    for number in range(n_files):
        path = folder / f"pkg{number % 10}/f{number:05}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(function(rng) for _ in range(per_file)))


def edit(folder: Path, rng: random.Random, names: int = 20) -> None:
    """Write, rewrite, rename, move or remove one file or folder at random."""
    path = folder / f"edited{rng.randrange(3)}" / f"f{rng.randrange(names):02}.py"
    path.parent.mkdir(exist_ok=True)
    choice = rng.random()
    other = path.with_name(f"f{rng.randrange(names):02}.py")
    if choice < 0.15:
        path.unlink(missing_ok=True)
    elif choice < 0.3 and path.exists():
        path.replace(other)
    elif choice < 0.35:
        # Few enough that no answer reaches its limit: which of equally good functions it cuts off is open.
        target = folder / f"moved{rng.randrange(3)}"
        shutil.rmtree(target, ignore_errors=True)
        path.parent.rename(target)
    else:
        path.write_text("".join(function(rng) for _ in range(rng.randrange(1, 5))))


def answers(index: Any) -> list[list[tuple[str, int, str, float]]]:
    """What an index answers to some queries, in an order of its own, to compare it with another one."""
    from indexer.types import SearchFilters

    found = []
    for query in QUERIES:
        for filters in (SearchFilters(), SearchFilters(languages=("python",))):
            results = index.search(query, limit=1000, filters=filters).results
            # Of equal texts the store keeps one vector, so scores are equal to the last digit or nearly so.
            rows = [
                (r.function.path, r.function.start_byte, r.function.body, round(r.score, 3)) for r in results
            ]
            found.append(sorted(rows))
    return found


def differences(found: list[Any], expected: list[Any], tolerance: float = 0.002) -> list[str]:
    """Sentences on how two answers differ; empty when they are equal."""
    told = []
    for query, mine, right in zip(QUERIES * 2, found, expected, strict=False):
        if [row[:3] for row in mine] != [row[:3] for row in right]:
            lacking = {row[:3] for row in right} - {row[:3] for row in mine}
            extra = {row[:3] for row in mine} - {row[:3] for row in right}
            told.append(f"{query!r}: {len(lacking)} functions lacking, {len(extra)} too many")
        elif any(abs(a[3] - b[3]) > tolerance for a, b in zip(mine, right, strict=True)):
            told.append(f"{query!r}: other scores")
    return told
