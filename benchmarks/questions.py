"""Questions as developers ask them, of repositories that nothing was fitted or trained on: which function answers.

    python benchmarks/questions.py --checkouts ~/checkouts --home ~/bench-home --out benchmarks/results/questions.json

questions/questions.jsonl was written from the sources, before any search was tried, by readers who knew neither the
ranking nor its benchmarks: of each repository five questions and three in other natural languages, all in words that
avoid the names in the code, two symptoms as in a bug report, two queries of key words, two messages pasted from a
terminal. Any of a question's `answers` (path::name) is right. `--checkouts` holds a folder for each of
questions/repositories.json, at its revision.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from repos import ORDERS, Order, Question, candidates, keep, mean, settings, write_tables

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.rank.query import last_name

HERE = Path(__file__).parent / "questions"
MARKS = ("<!-- questions: begin -->", "<!-- questions: end -->")
HEADING = "questions of developers, whole repositories, vectors of the shipped model"
CUT = 10


def collect(arguments: argparse.Namespace) -> list[Question]:
    """Index every repository and ask its questions."""
    embedder: Any = None
    found: list[Question] = []
    for repository in json.loads((HERE / "repositories.json").read_text("utf-8")):
        if arguments.only and repository["name"] not in arguments.only:
            continue
        config = Config(home=arguments.home, model=arguments.model)
        with open_index(arguments.checkouts / repository["name"], config=config, embedder=embedder) as index:
            index.update()
            embedder = embedder or index.load_embedder()
            found += asked(index, repository)
        print(f"{repository['name']}: {len(found)} questions so far", file=sys.stderr, flush=True)
    return found


def asked(index: Index, repository: dict[str, Any]) -> Iterator[Question]:
    """The questions of one repository with what was found for each; `ValueError` for an answer that is not there."""
    name = repository["name"]
    rows = [json.loads(line) for line in (HERE / "questions.jsonl").read_text("utf-8").splitlines()]
    for at, row in enumerate(row for row in rows if row["repository"] == name):
        targets = tuple(target for answer in row["answers"] for target in functions_named(index, answer))
        if not targets:
            raise ValueError(f"{name} has none of {row['answers']}; is the checkout at its revision?")
        found = candidates(index, row["question"])
        yield Question(
            f"{name}-{at}", name, repository["language"], row["style"], row["question"], targets, "", found
        )


def functions_named(index: Index, answer: str) -> Iterator[dict[str, Any]]:
    """The functions that ``path::name`` stands for, overloads together, as targets."""
    path, _, name = answer.rpartition("::")
    for function in index.functions_of(path):
        if last_name(function.symbol) == name:
            yield {"path": path, "symbol": function.symbol, "start_line": function.start_line}


def place(question: Question, order: Order) -> int | None:
    """Rank of the first right function, from 1; None where it is not among the first ten."""
    for at, function in enumerate(order(question)[:CUT], 1):
        if any(question.is_hit(function, target) for target in question.targets):
            return at
    return None


def figures(places: Sequence[int | None]) -> dict[str, float]:
    """MRR over the first ten, and the shares of questions answered by the first, the first three and the first ten."""
    row = {"mrr": mean([1 / place if place else 0.0 for place in places])}
    for cut in (1, 3, CUT):
        row[f"first {cut}"] = mean([float(place is not None and place <= cut) for place in places])
    return {name: round(value, 4) for name, value in row.items()}


def measure(questions: Sequence[Question]) -> dict[str, dict[str, dict[str, float]]]:
    """Way of ranking -> group of questions -> figures."""
    table: dict[str, dict[str, dict[str, float]]] = {}
    for way, order in ORDERS.items():
        groups: dict[str, list[int | None]] = defaultdict(list)
        for question in questions:
            rank = place(question, order)
            for group in ("all", question.category, question.repository):
                groups[group].append(rank)
        table[way] = {group: figures(places) for group, places in groups.items()}
    return table


def markdown(table: dict[str, dict[str, dict[str, float]]]) -> str:
    """MRR of every way by group, and where the full ranking puts the answer."""
    full = table["words + vectors + signals"]
    shares = [name for name in full["all"] if name != "mrr"]
    head = ["MRR by", *table, *(f"in the {name}" for name in shares)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for group, row in full.items():
        cells = [f"{table[way][group]['mrr']:.3f}" for way in table] + [f"{row[name]:.0%}" for name in shares]
        lines.append(f"| {'**all**' if group == 'all' else group} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkouts", type=Path, required=True, help="a folder for each repository")
    parser.add_argument("--home", type=Path, required=True, help="data folder of the indexes")
    parser.add_argument("--model", default="small")
    parser.add_argument("--only", nargs="*", help="these repositories")
    parser.add_argument("--candidates", type=Path, help="keep what was found")
    parser.add_argument("--out", type=Path, help="the JSON; the README's table follows")
    arguments = parser.parse_args()
    found = collect(arguments)
    named = settings(arguments.model, HEADING, found)
    if arguments.candidates:
        keep(arguments.candidates, named, found)
    table = measure(found)
    print(markdown(table))
    if arguments.out:
        text = json.dumps({"settings": named, "found": table}, indent=1) + "\n"
        arguments.out.write_text(text, "utf-8")
        write_tables(markdown(table), MARKS)


if __name__ == "__main__":
    main()
