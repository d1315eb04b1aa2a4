"""Questions as developers ask them, as candidates for fit_ranking.py: which function answers.

    python benchmarks/questions.py --checkouts ~/checkouts --home ~/bench-home --out questions.pkl

questions/questions.jsonl was written from the sources, before any search was tried, by readers who knew neither the
ranking nor its benchmarks: of each repository five questions and three in other natural languages, all in words that
avoid the names in the code, two symptoms as in a bug report, two queries of key words, two messages pasted from a
terminal. Any of a question's `answers` (path::name) is right. `--checkouts` holds a folder for each of
questions/repositories.json, at its revision. The embedder was trained on none of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repos import Question, candidates, indexed, keep, settings

from indexer.engine import Index
from indexer.types import last_name

HERE = Path(__file__).parent / "questions"


def questions(index: Index, repository: dict[str, Any]) -> Iterator[Question]:
    """The questions of one repository with what was found for each; ValueError where an answer is not there."""
    name = repository["name"]
    rows = [json.loads(line) for line in (HERE / "questions.jsonl").read_text("utf-8").splitlines()]
    for at, row in enumerate(row for row in rows if row["repository"] == name):
        targets = tuple(target for answer in row["answers"] for target in functions_named(index, answer))
        if not targets:
            raise ValueError(f"{name} has none of {row['answers']}; is the checkout at its revision?")
        yield Question(
            f"{name}-question-{at}",
            name,
            repository["language"],
            row["style"],
            row["question"],
            targets,
            "",
            candidates(index, row["question"]),
            any_target=True,
        )


def functions_named(index: Index, answer: str) -> Iterator[dict[str, Any]]:
    """The functions that ``path::name`` stands for, overloads together, as targets."""
    path, _, name = answer.rpartition("::")
    for function in index.functions_of(path):
        if last_name(function.symbol) == name:
            yield {"path": path, "symbol": function.symbol, "start_line": function.start_line}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkouts", type=Path, required=True, help="a folder for each repository")
    parser.add_argument("--home", type=Path, required=True, help="data folder of the indexes")
    parser.add_argument("--model", default="small")
    parser.add_argument("--only", nargs="*", help="these repositories")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    repositories = [
        repository
        for repository in json.loads((HERE / "repositories.json").read_text("utf-8"))
        if not arguments.only or repository["name"] in arguments.only
    ]
    found: list[Question] = []
    for repository, index in indexed(
        repositories, lambda row: arguments.checkouts / row["name"], arguments.home, arguments.model
    ):
        found += questions(index, repository)
        print(f"{repository['name']}: {len(found)} questions so far", file=sys.stderr, flush=True)
    count = len({question.repository for question in found})
    heading = (
        f"{len(found)} questions of developers to {count} whole repositories, vectors of the shipped model"
    )
    keep(arguments.out, settings(arguments.model, heading, found), found)


if __name__ == "__main__":
    main()
