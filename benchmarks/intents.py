"""Functions asked by their own comments, as candidates for fit_ranking.py: which function answers, not which file.

    python benchmarks/intents.py --data ../shared/bench/repos --checkouts ~/checkouts --home ~/bench-home \\
        --out intents.pkl

Of each repository some functions are asked by the first sentence of their doc comment. The files that they are in have
lost all doc comments, so the function competes with its neighbours and the types around it on equal terms; all other
files keep theirs.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from repos import Question, candidates, indexed, keep, settings

from indexer.engine import Index
from indexer.overlay import Overlay
from indexer.training.mining.quality import is_good_code, prose_of
from indexer.types import FUNCTION_KINDS, Function, ParsedFile

A_REPOSITORY = 14
A_FILE = 2


def intents(index: Index, rng: random.Random) -> list[tuple[str, Function]]:
    """(what is asked, function that answers), spread over the files."""
    store, root_id = index._store, index._store.indexed_root(str(index.root)).id
    functions = [
        stored.function
        for path in store.files(root_id)
        for stored in store.functions_in(root_id, path)
        if not stored.demoted
    ]
    taken: dict[str, int] = defaultdict(int)
    chosen: list[tuple[str, Function]] = []
    for function in rng.sample(functions, len(functions)):
        prose = prose_of(function.doc, function.symbol) if function.kind in FUNCTION_KINDS else None
        if prose and is_good_code(function.body) and taken[function.path] < A_FILE:
            taken[function.path] += 1
            chosen.append((prose.summary, function))
    return chosen[:A_REPOSITORY]


def without_comments(index: Index, paths: set[str]) -> Overlay:
    """These files with no doc comment left."""
    overlay = Overlay(
        {
            path: ParsedFile("", tuple(replace(function, doc="") for function in index.functions_of(path)))
            for path in paths
        }
    )
    index.embed_overlay(overlay)
    return overlay


def questions(index: Index, repository: dict[str, Any]) -> Iterator[Question]:
    """Each intent of a repository with what was found for it."""
    chosen = intents(index, random.Random(repository["name"]))
    overlay = without_comments(index, {function.path for _, function in chosen})
    for at, (text, function) in enumerate(chosen):
        target = {"path": function.path, "symbol": function.symbol, "start_line": function.start_line}
        yield Question(
            f"{repository['name']}-intent-{at}",
            repository["name"],
            repository["language"],
            "intent",
            text,
            (target,),
            "",
            candidates(index, text, overlay=overlay),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of repos.json")
    parser.add_argument("--checkouts", type=Path, required=True, help="a folder for each repository")
    parser.add_argument("--home", type=Path, required=True, help="data folder of the indexes of repos.py")
    parser.add_argument("--model", default="small")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    found: list[Question] = []
    for repository, index in indexed(
        json.loads((arguments.data / "repos.json").read_text("utf-8")),
        lambda row: arguments.checkouts / row["name"] / row["root"],
        arguments.home,
        arguments.model,
    ):
        found += questions(index, repository)
    count = len({question.repository for question in found})
    heading = f"one function of {count} repositories by a sentence, vectors of the shipped model"
    keep(arguments.out, settings(arguments.model, heading, found), found)


if __name__ == "__main__":
    main()
