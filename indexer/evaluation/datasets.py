"""Evaluation sets: what is asked and what answers it, pairs of sentences, sentences with labels."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import UserError

_ID = (int, str)
POOL = 600
"""Functions a doc → function set is searched in, so that languages compare."""


@dataclass(frozen=True)
class RetrievalSet:
    """One retrieval task."""

    group: str
    """What it is averaged with: `cosqa`, `humaneval-xl english`, `doc to function`, `retrieval other`, …"""
    name: str
    queries: tuple[str, ...]
    codes: tuple[str, ...]
    """What is searched: codes, or paragraphs, which are read as codes are."""
    relevant: tuple[tuple[int, ...], ...]
    """For each query the places of the codes that answer it."""


@dataclass(frozen=True)
class StsSet:
    """Pairs of sentences and how alike people found them."""

    group: str
    """`sts english`, `sts other` or `sts across languages`."""
    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    scores: tuple[float, ...]
    """One a pair, 0 to 5; higher is more alike."""


@dataclass(frozen=True)
class ClassificationSet:
    """Sentences and their labels, to learn from and to be asked."""

    group: str
    """`classification english` or `classification other`."""
    name: str
    train: tuple[str, ...]
    train_labels: tuple[int, ...]
    test: tuple[str, ...]
    test_labels: tuple[int, ...]


_HELP = "docs/embedder.md says which files are read, and what is in them"

EvaluationSet = RetrievalSet | StsSet | ClassificationSet


def read_sets(folder: Path) -> list[EvaluationSet]:
    """Every set found in the folder; `UserError` where there is none, and where a file is not as it should be.

    Known are `cosqa_*.jsonl`, `humaneval_xl_*.jsonl`, `sts_*.jsonl`, `classification_*.jsonl`, `retrieval_*.jsonl` and
    `<language>.jsonl` with `query` and `code` in each row; docs/embedder.md says what is in them.
    """
    readers = (_cosqa, _humaneval, _doc_to_function, _retrieval, _sts, _classification)
    try:
        sets: list[EvaluationSet] = [task for reader in readers for task in reader(folder)]
    except KeyError as error:
        raise UserError(f"a row of the evaluation data in {folder} answers no {error}; {_HELP}") from error
    if not sets:
        raise UserError(f"no evaluation data in {folder}; {_HELP}")
    return sets


def _rows(path: Path, **types: type | tuple[type, ...]) -> list[dict[str, Any]]:
    """The rows of a file; each must have these fields, of these types."""
    rows = []
    # Not by splitlines, which also ends a line at signs that JSON leaves inside its strings.
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                rows.append(_checked(line, types))
            except ValueError as error:
                raise UserError(f"{path}, line {number}: {error}; {_HELP}") from error
    if not rows:
        raise UserError(f"{path} has no rows; {_HELP}")
    return rows


def _checked(line: str, types: Mapping[str, type | tuple[type, ...]]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("a row is a JSON object")
    for name, wanted in types.items():
        if name not in row:
            raise ValueError(f"the row has no {name!r}")
        if not isinstance(row[name], wanted):
            raise ValueError(f"{name!r} cannot be {json.dumps(row[name])[:60]}")
    return row


def _cosqa(folder: Path) -> Iterator[RetrievalSet]:
    corpus, dev = folder / "cosqa_corpus.jsonl", folder / "cosqa_dev.jsonl"
    if not corpus.exists():
        return
    codes = _rows(corpus, id=_ID, code_without_docstring=str)
    places = {row["id"]: number for number, row in enumerate(codes)}
    queries = _rows(dev, query=str, corpus_id=_ID)
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
    for row in _rows(questions, natural_language=str, task=_ID, query=str):
        by_natural[row["natural_language"]].append(row)
    for row in _rows(solutions, language=str, task=_ID, code=str):
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
        if path.name.startswith(("cosqa", "humaneval", "sts_", "classification_", "retrieval_")):
            continue
        rows = _rows(path, query=str, code=str)[:POOL]
        yield RetrievalSet(
            "doc to function",
            path.stem,
            tuple(row["query"] for row in rows),
            tuple(row["code"] for row in rows),
            tuple((number,) for number in range(len(rows))),
        )


def _natural(
    folder: Path, kind: str, **types: type | tuple[type, ...]
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Group, name and rows of each `<kind>_<language>_<name>.jsonl`; two languages are joined by a hyphen."""
    for path in sorted(folder.glob(f"{kind}_*.jsonl")):
        language, _, name = path.stem.removeprefix(f"{kind}_").partition("_")
        group = "english" if language == "en" else "across languages" if "-" in language else "other"
        yield f"{kind} {group}", f"{name} {language}", _rows(path, **types)


def _retrieval(folder: Path) -> Iterator[RetrievalSet]:
    for group, name, rows in _natural(folder, "retrieval", text=str, queries=list):
        asked = [(query, number) for number, row in enumerate(rows) for query in row["queries"]]
        yield RetrievalSet(
            group,
            name,
            tuple(query for query, _ in asked),
            tuple(row["text"] for row in rows),
            tuple((number,) for _, number in asked),
        )


def _sts(folder: Path) -> Iterator[StsSet]:
    for group, name, rows in _natural(folder, "sts", first=str, second=str, score=(int, float)):
        if len({row["score"] for row in rows}) < 2:
            raise UserError(f"{name}: pairs whose scores are all equal have no order to compare; {_HELP}")
        yield StsSet(
            group,
            name,
            tuple(row["first"] for row in rows),
            tuple(row["second"] for row in rows),
            tuple(float(row["score"]) for row in rows),
        )


def _classification(folder: Path) -> Iterator[ClassificationSet]:
    for group, name, rows in _natural(folder, "classification", split=str, text=str, label=_ID):
        numbers = {label: number for number, label in enumerate(sorted({row["label"] for row in rows}))}
        train, test = ([row for row in rows if row["split"] == split] for split in ("train", "test"))
        if len({row["label"] for row in train}) < 2 or not test:
            raise UserError(f"{name} needs two labels in its `train` rows, and `test` rows; {_HELP}")
        yield ClassificationSet(
            group,
            name,
            tuple(row["text"] for row in train),
            tuple(numbers[row["label"]] for row in train),
            tuple(row["text"] for row in test),
            tuple(numbers[row["label"]] for row in test),
        )
