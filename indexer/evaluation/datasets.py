"""Retrieval sets: queries, codes, and which codes answer which query."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import UserError

POOL = 600
"""Functions a doc → function set is searched in, so that languages compare."""


@dataclass(frozen=True)
class RetrievalSet:
    """One retrieval task."""

    group: str
    """What it is averaged with: `cosqa`, `humaneval-xl english`, `humaneval-xl other`, `doc to function`."""
    name: str
    queries: tuple[str, ...]
    codes: tuple[str, ...]
    relevant: tuple[tuple[int, ...], ...]
    """For each query the places of the codes that answer it."""


def read_sets(folder: Path) -> list[RetrievalSet]:
    """Every set found in the folder; `UserError` where there is none.

    Known are `cosqa_*.jsonl`, `humaneval_xl_*.jsonl` and `<language>.jsonl` with `query` and `code` in each row.
    """
    sets = [*_cosqa(folder), *_humaneval(folder), *_doc_to_function(folder)]
    if not sets:
        raise UserError(f"no evaluation data in {folder}; docs/embedder.md says which files are read")
    return sets


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _cosqa(folder: Path) -> Iterator[RetrievalSet]:
    corpus, dev = folder / "cosqa_corpus.jsonl", folder / "cosqa_dev.jsonl"
    if not corpus.exists():
        return
    codes = _rows(corpus)
    places = {row["id"]: number for number, row in enumerate(codes)}
    queries = _rows(dev)
    yield RetrievalSet(
        "cosqa",
        "cosqa",
        tuple(row["query"] for row in queries),
        tuple(row["code_without_docstring"] for row in codes),
        tuple((places[row["corpus_id"]],) for row in queries),
    )


def _humaneval(folder: Path) -> Iterator[RetrievalSet]:
    solutions, questions = folder / "humaneval_xl_code.jsonl", folder / "humaneval_xl_queries.jsonl"
    if not solutions.exists():
        return
    by_natural, by_language = defaultdict(list), defaultdict(list)
    for row in _rows(questions):
        by_natural[row["natural_language"]].append(row)
    for row in _rows(solutions):
        by_language[row["language"]].append(row)
    for natural, queries in sorted(by_natural.items()):
        group = "humaneval-xl english" if natural == "English" else "humaneval-xl other"
        for language, codes in sorted(by_language.items()):
            places = {row["task"]: number for number, row in enumerate(codes)}
            yield RetrievalSet(
                group,
                f"{natural} to {language}",
                tuple(row["query"] for row in queries),
                tuple(row["code"] for row in codes),
                tuple((places[row["task"]],) for row in queries),
            )


def _doc_to_function(folder: Path) -> Iterator[RetrievalSet]:
    for path in sorted(folder.glob("*.jsonl")):
        if path.name.startswith(("cosqa", "humaneval")):
            continue
        rows = _rows(path)[:POOL]
        yield RetrievalSet(
            "doc to function",
            path.stem,
            tuple(row["query"] for row in rows),
            tuple(row["code"] for row in rows),
            tuple((number,) for number in range(len(rows))),
        )
