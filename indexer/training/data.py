"""Training pairs: reading them, the ways a person might ask for each, and batches of one language."""

from __future__ import annotations

import io
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import UserError
from indexer.training.recipe import Source

RUN_OF_ONE_REPOSITORY = 12
"""Pairs of one repository that stay together in a batch: its other functions are the hard negatives."""

_STOP_WORDS = frozenset(
    (
        "a an the of to in on for with and or is are be this that these those it its by from as at into if "
        "whether will should can may given which when then than returns return used use using"
    ).split()
)
_QUESTIONS = (
    "how to {}",
    "where do we {}",
    "function to {}",
    "{} in {language}",
    "{language} {}",
    "code that {}",
)


@dataclass(frozen=True)
class Pair:
    """One query with the code that answers it, or two texts of one meaning."""

    query: str
    code: str
    language: str
    """Programming language, or `parallel` for two natural-language texts."""
    natural: str
    """Natural language of the query, ISO 639."""
    repo: str
    symbol: str = ""
    rest: str = ""
    """What the doc comment says beyond the query; it may stay with the code."""


@dataclass(frozen=True)
class Batch:
    """Texts of one step: row i of `queries` belongs to row i of `codes`."""

    queries: list[str]
    codes: list[str]
    english: list[str]
    """The meaning of each row in English as the teacher reads it; empty where there is none."""
    symmetric: bool
    """Both sides are queries."""


def read_pairs(path: Path, kind: str) -> list[Pair]:
    """The pairs of a JSONL file, plain or zstd-compressed; `UserError` where it cannot be read."""
    make = _parallel if kind == "parallel" else _code_pair
    try:
        return [make(json.loads(line)) for line in _lines(path)]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is no file of training pairs: {error}") from error


def _lines(path: Path) -> Iterator[str]:
    if path.suffix != ".zst":
        yield from path.open(encoding="utf-8")
        return
    import zstandard

    with path.open("rb") as raw:
        yield from io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), encoding="utf-8")


def _code_pair(row: dict[str, Any]) -> Pair:
    return Pair(
        query=row["query"],
        code=row["code"],
        language=row.get("language") or "text",
        natural=row.get("natural") or "en",
        repo=row.get("repo") or "",
        symbol=row.get("symbol") or "",
        rest=row.get("doc_rest") or "",
    )


def _parallel(row: dict[str, Any]) -> Pair:
    return Pair(row["a"], row["b"], "parallel", row["lang"], row.get("source") or "")


def batches(sources: Sequence[tuple[Source, list[Pair]]], size: int, seed: int) -> Iterator[Batch]:
    """Endless batches, each of one language, so that language is no shortcut to the right answer."""
    rng = random.Random(seed)
    streams: list[tuple[Iterator[list[Pair]], bool]] = []
    shares: list[float] = []
    for source, pairs in sources:
        groups = _by_language(pairs)
        # The square root lifts the rare languages without repeating their few pairs too often.
        total = sum(len(group) ** 0.5 for group in groups.values())
        for group in groups.values():
            streams.append((_endless(group, size, rng), source.kind == "parallel"))
            shares.append(source.weight * len(group) ** 0.5 / total)
    while True:
        stream, symmetric = rng.choices(streams, shares)[0]
        rows = next(stream)
        yield _parallel_batch(rows, rng) if symmetric else _code_batch(rows, rng)


def _by_language(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.language].append(pair)
    return groups


def _endless(pairs: list[Pair], size: int, rng: random.Random) -> Iterator[list[Pair]]:
    while True:
        ordered = _in_runs(pairs, rng)
        usable = len(ordered) - len(ordered) % size or len(ordered)
        for start in range(0, usable, size):
            yield ordered[start : start + size]


def _in_runs(pairs: list[Pair], rng: random.Random) -> list[Pair]:
    by_repo: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_repo[pair.repo].append(pair)
    runs = []
    for group in by_repo.values():
        rng.shuffle(group)
        runs += [group[i : i + RUN_OF_ONE_REPOSITORY] for i in range(0, len(group), RUN_OF_ONE_REPOSITORY)]
    rng.shuffle(runs)
    return [pair for run in runs for pair in run]


def _parallel_batch(rows: list[Pair], rng: random.Random) -> Batch:
    return Batch([row.query for row in rows], [row.code for row in rows], [row.query for row in rows], True)


def _code_batch(rows: list[Pair], rng: random.Random) -> Batch:
    return Batch(
        [ask(row, rng) for row in rows],
        [code_text(row, rng) for row in rows],
        [row.query if row.natural == "en" else "" for row in rows],
        False,
    )


def ask(pair: Pair, rng: random.Random) -> str:
    """One of the ways to ask for the code: as documented, in key words, as a question, or by the name's words."""
    style = rng.random()
    plain = pair.query.strip()
    if style < 0.5 or pair.natural != "en" or len(plain.split()) > 30:
        return plain
    words = plain.rstrip(".").lower()
    if style < 0.7:
        return rng.choice(_QUESTIONS).format(words, language=pair.language)
    if style < 0.9:
        key = [word for word in re.findall(r"[\w#+.-]+", words) if word not in _STOP_WORDS]
        name = [pair.language] if rng.random() < 0.4 else []
        return " ".join(name + key[:8]) if len(key) >= 2 else plain
    name_words = split_name(pair.symbol)
    return " ".join(name_words) if len(name_words) >= 2 else plain


def split_name(symbol: str) -> list[str]:
    """The words of the last part of a qualified name, in lower case."""
    last = re.split(r"[.:#/]+", symbol)[-1]
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", last)]


def code_text(pair: Pair, rng: random.Random) -> str:
    """The code as the index presents it (`Function.text`), or bare, as a pasted snippet is."""
    if rng.random() < 0.35:
        return pair.code
    rest = pair.rest if rng.random() < 0.4 else ""
    head = f"{pair.language} {pair.symbol}".strip()
    return "\n".join(part for part in (head, rest, pair.code) if part)
