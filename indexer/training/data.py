"""Training pairs: reading them, the ways a person might ask for each, and batches of one language."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from indexer.errors import UserError
from indexer.rank.query import behind_english
from indexer.training.files import lines_of
from indexer.training.recipe import Source
from indexer.types import last_name

RUN_OF_NEIGHBOURS = 8
"""Pairs of one repository, neighbours in its files, that stay together in a batch: they are the hard negatives."""

ASKED_IN_FULL = 0.15
"""Share of the functions with a long comment that are asked for by all of it, as a task is described."""
GLOSSED = 0.7
"""Share of the texts in other languages that are read with their words put into English before them."""

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
    gloss: str = ""
    """The text in another language, `query` or of a translation `code`, put into English word by word."""


@dataclass(frozen=True)
class Batch:
    """Texts of one step: row i of `queries` belongs to row i of `codes`."""

    queries: list[str]
    codes: list[str]
    english: list[str]
    """The meaning of each row in English as the teacher reads it; empty where there is none."""
    keys: list[str]
    """Rows of one key answer each other."""
    taught: tuple[list[str], list[str]]
    """The two sides as a teacher of both reads them: without glosses, and each function always in one form."""
    roles: tuple[str, str] = ("query", "code")
    """What each side is; texts of one role wear the same markers, as in the paper's symmetric tasks."""


def read_pairs(path: Path, kind: str) -> list[Pair]:
    """The pairs of a JSONL file, plain or zstd-compressed; `UserError` where it cannot be read."""
    make = _parallel if kind == "parallel" else _code_pair
    try:
        pairs = [make(json.loads(line)) for line in lines_of(path)]
        return list(_solutions_of_one_task(pairs)) if kind == "similar" else pairs
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is no file of training pairs: {error}") from error


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
        gloss=row.get("gloss") or "",
    )


def _parallel(row: dict[str, Any]) -> Pair:
    gloss = row.get("gloss") or ""
    return Pair(row["a"], row["b"], "parallel", row["lang"], row.get("source") or "", gloss=gloss)


def _solutions_of_one_task(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Each solution with the next one of the same task, in whatever language; the task is kept as the symbol."""
    tasks: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        tasks[pair.query].append(pair)
    for solutions in tasks.values():
        for one, other in pairwise(solutions):
            yield Pair(one.code, other.code, "similar", one.natural, "", symbol=one.query)


def batches(sources: Sequence[tuple[Source, list[Pair]]], size: int, seed: int) -> Iterator[Batch]:
    """Endless batches, each of one language, so that language is no shortcut to the right answer.

    A language with a single pair is left out, as it has nothing to be told from; `UserError` where all are.
    """
    rng = random.Random(seed)
    streams: list[tuple[Iterator[list[Pair]], str]] = []
    shares: list[float] = []
    for source, pairs in sources:
        groups = {name: group for name, group in _by_language(pairs).items() if len(group) > 1}
        # The square root lifts the rare languages without repeating their few pairs too often.
        total = sum(len(group) ** 0.5 for group in groups.values())
        for group in groups.values():
            streams.append((_endless(group, size, rng), source.kind))
            shares.append(source.weight * len(group) ** 0.5 / total)
    if not streams:
        raise UserError("no language has two training pairs, of which one could be told from the other")
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
        read = [_glossed(row.code, row.gloss, rng) for row in rows]
        return Batch(queries, read, queries, queries, (queries, queries), ("query", "query"))
    if kind == "similar":
        tasks = [row.symbol for row in rows]
        return Batch(queries, codes, [""] * len(rows), tasks, (queries, codes), ("code", "code"))
    rows = [_in_full(row, rng) for row in rows]
    asked = [ask(row, rng) for row in rows]
    return Batch(
        queries=[_glossed(query, row.gloss, rng) for query, row in zip(asked, rows, strict=True)],
        codes=[code_text(row, rng) for row in rows],
        english=[row.query if row.natural == "en" else "" for row in rows],
        keys=queries,
        taught=(asked, [_with_head(row) for row in rows]),
    )


def _glossed(text: str, gloss: str, rng: random.Random) -> str:
    return behind_english(text, gloss) if gloss and rng.random() < GLOSSED else text


def _in_full(pair: Pair, rng: random.Random) -> Pair:
    # What is asked for must not stand beside the code as well.
    if pair.rest and rng.random() < ASKED_IN_FULL:
        return replace(pair, query=f"{pair.query.strip()} {pair.rest.strip()}", rest="")
    return pair


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
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", last_name(symbol))
    return [word.lower() for word in words]


def code_text(pair: Pair, rng: random.Random) -> str:
    """The code as the index presents it (`Function.text`), or bare, as a pasted snippet is."""
    if rng.random() < 0.35:
        return pair.code
    return _with_head(pair, pair.rest if rng.random() < 0.4 else "")


def _with_head(pair: Pair, rest: str = "") -> str:
    head = f"{pair.language} {pair.symbol}".strip()
    return "\n".join(part for part in (head, rest, pair.code) if part)
