"""Feeds mutated source files of every language to the parser, in processes that a crash or a hang ends.

    python benchmarks/fuzz.py --seconds 600 --output benchmarks/results/fuzz.json

The seeds are the golden files of the tests. A mutation cuts, doubles, swaps, splices with another language, puts noise,
brackets, escape codes or deep nesting anywhere. The parser must return for each one, in time, with sane ranges. What a
grammar itself dies of in its worker is counted, and found again with the same seed: such a file is skipped, with the
reason.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import ROOT, report

from indexer.languages import language_of
from indexer.reading import CRASHED, parse_safely

GOLDEN = ROOT / "tests/golden"
LONGEST_S = 20
"""Of computing, for one input; then the process is ended by a signal."""
BATCH = 200
"""Inputs for each process; one that fails is tried alone afterwards."""

_TOKENS = (
    b"(", b")", b"{", b"}", b"[", b"]", b"<", b">", b'"', b"'", b'"""', b"`", b"/*", b"*/", b"//", b"#", b"\\",
    b"\0", b"\r", b"\n", b"\t", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b]0;x\x07", b"\x1b[2J", b"\xe2\x80\xae", b"=>",
    b"::", b"${", b"<<EOF\n", b"def ", b"class ", b"fn ", b"function ", b"end\n", b"begin ", b"template<", b"#if 0\n",
)  # fmt: skip


def seeds() -> dict[str, list[tuple[str, bytes]]]:
    """Language -> golden sources with their names."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    for path in sorted(GOLDEN.rglob("*")):
        if path.is_file() and path.suffix != ".json":
            content = path.read_bytes()
            language = language_of(path.name, content[:4096])
            if language is not None:
                found.setdefault(language, []).append((path.name, content))
    return found


def mutate(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """A source with some damage."""
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        start, end = sorted((rng.randint(0, len(content)), rng.randint(0, len(content))))
        content = rng.choice(_MUTATIONS)(content, start, end, other, rng)[:200_000]
    return content


_Mutation = Callable[[bytes, int, int, bytes, random.Random], bytes]
_MUTATIONS: tuple[_Mutation, ...] = (
    lambda c, s, e, o, r: c[:s] + c[e:],
    lambda c, s, e, o, r: c[:e] + c[s:],
    lambda c, s, e, o, r: c[:s],
    lambda c, s, e, o, r: c[e:] + c[:s],
    lambda c, s, e, o, r: c[:s] + r.choice(_TOKENS) + c[s:],
    lambda c, s, e, o, r: c[:s] + r.choice(_TOKENS) * r.choice((3, 50, 5_000)) + c[s:],
    lambda c, s, e, o, r: c[:s] + r.randbytes(r.randint(1, 30)) + c[s:],
    lambda c, s, e, o, r: c[:s] + o[: r.randint(0, len(o))] + c[s:],
    lambda c, s, e, o, r: c[:s] + c[s:e] * r.choice((2, 10)) + c[e:],
    lambda c, s, e, o, r: c.replace(b"\n", r.choice((b"", b" ", b"\r\n", b"\n\n"))),
    lambda c, s, e, o, r: c.replace(b" ", b"", r.randint(1, 50)),
)


def inputs(number: int, languages: list[str] | None = None) -> list[tuple[str, str, bytes]]:
    """The inputs of one batch: language, name, content. The same number gives the same ones."""
    rng = random.Random(number)
    known = seeds()
    names = languages or sorted(known)
    found = []
    for _ in range(BATCH):
        language = rng.choice(names)
        name, content = rng.choice(known[language])
        other = rng.choice(known[rng.choice(sorted(known))])[1]
        found.append((language, name, mutate(content, other, rng)))
    return found


def check(name: str, content: bytes) -> bool:
    """Parse, and look whether what comes back makes sense; False where the grammar died of it."""
    parsed = parse_safely(name, content)
    for function in parsed.functions:
        if not 0 <= function.start_byte <= function.end_byte <= len(content):
            raise AssertionError(f"bytes {function.start_byte} to {function.end_byte} of {len(content)}")
        if (
            not 0
            <= function.start_line
            <= function.end_line
            <= content.count(b"\n") + content.count(b"\r") + 1
        ):
            raise AssertionError(f"lines {function.start_line} to {function.end_line}")
        function.content_hash  # noqa: B018 - every text must be one that can be written down
    return all(error.message != CRASHED for error in parsed.errors)


def run_batch(number: int, only: int | None) -> None:
    """Parse a batch or one input of it; a crash, an error or a hang ends the process."""
    for place, (language, name, content) in enumerate(inputs(number)):
        if only is None or place == only:
            signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
            if not check(name, content):
                print(number, place, language)


def start(number: int, only: int | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, __file__, "--batch", str(number)]
    return subprocess.run(command + ([] if only is None else ["--only", str(only)]), capture_output=True)


def fuzz(seconds: float, seed: int) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    died: list[str] = []
    end = time.monotonic() + seconds
    number = seed
    while time.monotonic() < end:
        batch = inputs(number)
        counts.update(language for language, _, _ in batch)
        done = start(number)
        died += done.stdout.decode().splitlines()
        if done.returncode:
            for place, (language, name, _) in enumerate(batch):
                done = start(number, place)
                if done.returncode:
                    told = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
                    what = {"batch": number, "input": place, "language": language, "file": name}
                    failures.append({**what, "status": done.returncode, "told": told})
        number += 1
    languages = dict(sorted(counts.items()))
    return {"inputs": counts.total(), "languages": languages, "failures": failures, "grammar_died": died}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.batch is not None:
        run_batch(options.batch, options.only)
        return 0
    result = fuzz(options.seconds, options.seed)
    report(result, options.output)
    return int(bool(result["failures"]))


if __name__ == "__main__":
    sys.exit(main())
