"""Sets of single functions as candidates for fit_ranking.py: they teach which function of a file answers.

    python benchmarks/function_sets.py --data ../shared/bench --home ~/bench-home --out functions.pkl

Web queries (CoSQA) and task descriptions in many natural languages (HumanEval-XL) against functions that are
dealt into files of eight at random. Which file is right means nothing here, so fit_ranking.py leaves it out.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from repos import Question, candidates, keep, settings

from indexer.config import Config
from indexer.engine import Index, open_index

FUNCTIONS_A_FILE = 8
ENDINGS = {"typescript": "ts", "java": "java", "python": "py"}
QUERIES = 160
"""Of CoSQA; as many functions again are added that answer none of them."""
QUERIES_A_TONGUE = 7


class FunctionSet(NamedTuple):
    name: str
    language: str
    functions: list[tuple[str, str]]
    """(identifier, source)"""
    queries: list[tuple[str, str]]
    """(text, identifier of the function that answers)"""


def sets(data: Path, rng: random.Random) -> Iterator[FunctionSet]:
    """The sets of the data folder."""
    corpus = {row["id"]: row["code_without_docstring"] for row in _rows(data / "cosqa_corpus.jsonl")}
    asked = rng.sample(_rows(data / "cosqa_dev.jsonl"), QUERIES)
    right = sorted({row["corpus_id"] for row in asked})
    others = rng.sample(sorted(set(corpus) - set(right)), QUERIES)
    functions = [(name, corpus[name]) for name in [*right, *others]]
    yield FunctionSet("cosqa", "python", functions, [(row["query"], row["corpus_id"]) for row in asked])
    code, queries = _rows(data / "humaneval_xl_code.jsonl"), _rows(data / "humaneval_xl_queries.jsonl")
    tasks = {row["task"] for row in queries}
    tongues = sorted({row["natural_language"] for row in queries})
    for language in ("typescript", "java"):
        functions = [(r["task"], r["code"]) for r in code if r["language"] == language and r["task"] in tasks]
        by_tongue = [[r for r in queries if r["natural_language"] == tongue] for tongue in tongues]
        asked = [row for rows in by_tongue for row in rng.sample(rows, QUERIES_A_TONGUE)]
        yield FunctionSet(f"he-{language}", language, functions, [(r["query"], r["task"]) for r in asked])


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def deal(given: FunctionSet, folder: Path, rng: random.Random) -> dict[str, dict[str, object]]:
    """Write the functions into files; the target of each, by identifier."""
    functions = rng.sample(given.functions, len(given.functions))
    targets: dict[str, dict[str, object]] = {}
    for start in range(0, len(functions), FUNCTIONS_A_FILE):
        path, line, texts = f"src/unit{start}.{ENDINGS[given.language]}", 0, []
        for name, source in functions[start : start + FUNCTIONS_A_FILE]:
            n_lines = source.count("\n") + 1
            targets[name] = {"path": path, "start_line": line + 1, "end_line": line + n_lines}
            texts.append(source)
            line += n_lines + 1
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("\n\n".join(texts) + "\n", "utf-8")
    return targets


def questions(given: FunctionSet, index: Index, targets: dict[str, dict[str, object]]) -> Sequence[Question]:
    """Each query with what was found; two halves, so that a fit can be measured on the other one."""
    index.update()
    category = given.name.partition("-")[0]
    found = []
    for at, (text, name) in enumerate(given.queries):
        half = f"{given.name}-{at % 2}"
        found.append(
            Question(
                f"{given.name}-{at}",
                half,
                given.language,
                category,
                text,
                (targets[name],),
                "",
                candidates(index, text),
            )
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of cosqa_*.jsonl and humaneval_xl_*.jsonl"
    )
    parser.add_argument("--home", type=Path, required=True, help="data folder of the indexes")
    parser.add_argument("--model", default="small")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rng = random.Random(0)
    rows: list[Question] = []
    for given in sets(arguments.data, rng):
        with tempfile.TemporaryDirectory() as folder:
            targets = deal(given, Path(folder), rng)
            config = Config(home=arguments.home, model=arguments.model)
            with open_index(folder, config=config) as index:
                rows += questions(given, index, targets)
    heading = "single functions dealt into files of eight (CoSQA, HumanEval-XL), the shipped model"
    keep(arguments.out, settings(arguments.model, heading, rows), rows)


if __name__ == "__main__":
    main()
