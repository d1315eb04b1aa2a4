"""Training pairs: reading them, the ways a person might ask for each, and batches of one language."""

from __future__ import annotations

import io
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from indexer.errors import UserError
from indexer.training.recipe import Source

RUN_OF_NEIGHBOURS = 8
"""Pairs of one repository, neighbours in its files, that stay together in a batch: they are the hard negatives."""

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
    """Programming language, `parallel` for two natural-language texts, `similar` for two functions."""
    natural: str
    """Natural language of the query, ISO 639."""
    repo: str
    symbol: str = ""
    rest: str = ""
    """What the doc comment says beyond the query; it may stay with the code."""
    path: str = ""


@dataclass(frozen=True)
class Batch:
    """Texts of one step: row i of `queries` belongs to row i of `codes`."""

    queries: list[str]
    codes: list[str]
    english: list[str]
    """The meaning of each row in English as the teacher reads it; empty where there is none."""
    keys: list[str]
    """Rows of one key answer each other."""
    roles: tuple[str, str] = ("query", "code")
    """What each side is; texts of one role wear the same markers, as in the paper's symmetric tasks."""


def read_pairs(path: Path, kind: str) -> list[Pair]:
    """The pairs of a JSONL file, plain or zstd-compressed; `UserError` where it cannot be read."""
    make = _parallel if kind == "parallel" else _code_pair
    try:
        pairs = [make(json.loads(line)) for line in _lines(path)]
        return list(_solutions_of_one_task(pairs)) if kind == "similar" else pairs
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
        path=row.get("path") or "",
    )


def _parallel(row: dict[str, Any]) -> Pair:
    return Pair(row["a"], row["b"], "parallel", row["lang"], row.get("source") or "")


def _solutions_of_one_task(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Each solution with the next one of the same task, in whatever language; the task is kept as the symbol."""
    tasks: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        tasks[pair.query].append(pair)
    for solutions in tasks.values():
        for one, other in pairwise(solutions):
            yield Pair(one.code, other.code, "similar", one.natural, "", symbol=one.query)


def batches(sources: Sequence[tuple[Source, list[Pair]]], size: int, seed: int) -> Iterator[Batch]:
    """Endless batches, each of one language, so that language is no shortcut to the right answer."""
    rng = random.Random(seed)
    streams: list[tuple[Iterator[list[Pair]], str]] = []
    shares: list[float] = []
    for source, pairs in sources:
        groups = _by_language(pairs)
        # The square root lifts the rare languages without repeating their few pairs too often.
        total = sum(len(group) ** 0.5 for group in groups.values())
        for group in groups.values():
            streams.append((_endless(group, size, rng), source.kind))
            shares.append(source.weight * len(group) ** 0.5 / total)
    while True:
        stream, kind = rng.choices(streams, shares)[0]
        yield _batch(next(stream), kind, rng)


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
        # Shuffled first, so that functions of one file come in another order each time.
        rng.shuffle(group)
        group.sort(key=lambda pair: pair.path)
        start = rng.randrange(RUN_OF_NEIGHBOURS)
        cuts = [0, *range(start or RUN_OF_NEIGHBOURS, len(group), RUN_OF_NEIGHBOURS), len(group)]
        runs += [group[i:j] for i, j in pairwise(cuts)]
    rng.shuffle(runs)
    return [pair for run in runs for pair in run]


def _batch(rows: list[Pair], kind: str, rng: random.Random) -> Batch:
    queries, codes = [row.query for row in rows], [row.code for row in rows]
    if kind == "parallel":
        return Batch(queries, codes, queries, queries, ("query", "query"))
    if kind == "similar":
        return Batch(queries, codes, [""] * len(rows), [row.symbol for row in rows], ("code", "code"))
    english = [row.query if row.natural == "en" else "" for row in rows]
    return Batch([ask(row, rng) for row in rows], [code_text(row, rng) for row in rows], english, queries)


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
