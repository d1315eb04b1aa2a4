"""Whole-repository search: NDCG@10 over pinned repositories, for words, vectors, fusion and full ranking.

    python benchmarks/repos.py --data ../shared/bench/repos --checkouts ~/checkouts --home ~/bench-home \\
        --candidates candidates.pkl

`--data` holds repos.json and queries.jsonl; `--checkouts` one folder a repository, at the pinned revision.
Each repository is indexed (a second run embeds nothing), each query is asked once, and what the two searches
found goes through each way of ranking. fit_ranking.py makes the results and tables of what is kept.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import pickle
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.config import Config
from indexer.embedding import load_embedder
from indexer.engine import Index, open_index
from indexer.overlay import Overlay
from indexer.rank import Compare, rank
from indexer.rank.candidates import Entry, join
from indexer.search import CANDIDATES, NAME_CANDIDATES, Found, Search
from indexer.types import Function, SearchFilters

CUT = 10
RRF_K = 60
README = Path(__file__).parent / "README.md"
MARKS = ("<!-- repos: begin -->", "<!-- repos: end -->")


@dataclass(frozen=True)
class Question:
    """One query of the benchmark with what was found for it."""

    id: str
    repository: str
    language: str
    category: str
    query: str
    targets: tuple[dict[str, Any], ...]
    prefix: str
    """The indexed folder inside the repository; targets count from the repository's top."""
    found: Found
    any_target: bool = False
    """Whether one of the targets is as good as all of them."""

    def is_hit(self, function: Function, target: Mapping[str, Any]) -> bool:
        """Whether a function lies in a target: the same file, and the same lines where the target has lines.

        A target with a symbol is this one function, and not what encloses it.
        """
        path, wanted = self.prefix + function.path, target["path"]
        if path != wanted and not path.endswith("/" + wanted):
            return False
        if "symbol" in target:
            return (function.symbol, function.start_line) == (target["symbol"], target["start_line"])
        if "start_line" not in target:
            return True
        return function.start_line < target["end_line"] and function.end_line >= target["start_line"]

    def ndcg(self, functions: Sequence[Function]) -> float:
        """NDCG@10: each target counts once, at the first function that hits it."""
        if self.any_target:
            return 1 / math.log2(at + 1) if (at := self.place(functions)) else 0.0
        gain = 0.0
        for target in self.targets:
            hits = (at for at, function in enumerate(functions[:CUT]) if self.is_hit(function, target))
            gain += next((1 / math.log2(at + 2) for at in hits), 0.0)
        return gain / sum(1 / math.log2(at + 2) for at in range(min(CUT, len(self.targets))))

    def place(self, functions: Sequence[Function]) -> int:
        """Rank of the first function that hits a target, from 1; 0 where none of the ten first does."""
        hits = (any(self.is_hit(function, target) for target in self.targets) for function in functions[:CUT])
        return next((at for at, hit in enumerate(hits, 1) if hit), 0)


Order = Callable[[Question], Sequence[Function]]


def by_words(question: Question) -> list[Function]:
    return [entry.function for entry in _by(question, lambda entry: entry.lexical_rank)]


def by_vectors(question: Question) -> list[Function]:
    return [entry.function for entry in _by(question, lambda entry: entry.dense_rank)]


def by_fusion(question: Question) -> list[Function]:
    """Reciprocal ranks of both searches, unweighted: what fusion gives without any signal."""

    def score(entry: Entry) -> float:
        ranks = (entry.lexical_rank, entry.dense_rank)
        return -sum(1 / (RRF_K + place) for place in ranks if place is not None)

    entries = join(question.found.lexical, question.found.dense)
    return [entry.function for entry in sorted(entries, key=score)]


def by_words_and_signals(question: Question) -> list[Function]:
    return _ranked(question, dense=False)


def by_everything(question: Question) -> list[Function]:
    return _ranked(question, dense=True)


def by_everything_and_tokens(question: Question) -> list[Function]:
    """With the second stage, over the token embedding of the shipped model."""
    compare = functools.partial(_shipped().nearness, question.found.query.glossed_text)
    return _ranked(question, dense=True, nearness=compare)


@functools.cache
def _shipped() -> Any:
    return load_embedder("small", device="cpu")


ORDERS: dict[str, Order] = {
    "words": by_words,
    "vectors": by_vectors,
    "words + vectors": by_fusion,
    "words + signals": by_words_and_signals,
    "words + vectors + signals": by_everything,
    "+ second stage": by_everything_and_tokens,
}


def _by(question: Question, place: Callable[[Entry], int | None]) -> list[Entry]:
    entries = join(question.found.lexical, question.found.dense)
    return sorted((entry for entry in entries if place(entry) is not None), key=place)


def _ranked(question: Question, *, dense: bool, nearness: Compare | None = None) -> list[Function]:
    found = question.found
    results = rank(
        found.query,
        found.lexical,
        found.dense if dense else [],
        found.statistics,
        limit=CUT,
        nearness=nearness,
    )
    return [result.function for result in results]


def mean_over_repositories(questions: Iterable[Question], scores: Mapping[str, float]) -> float:
    """The mean over the queries of each repository, then over the repositories."""
    groups: dict[str, list[float]] = defaultdict(list)
    for question in questions:
        groups[question.repository].append(scores[question.id])
    return mean([mean(values) for values in groups.values()])


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def collect(arguments: argparse.Namespace) -> list[Question]:
    """Index every repository and ask its queries."""
    rows = [json.loads(line) for line in (arguments.data / "queries.jsonl").read_text("utf-8").splitlines()]
    repositories = json.loads((arguments.data / "repos.json").read_text("utf-8"))
    embedder: Any = None
    questions: list[Question] = []
    for repository in repositories:
        if arguments.only and repository["name"] not in arguments.only:
            continue
        inside = "" if arguments.whole or repository["root"] == "." else repository["root"] + "/"
        config = Config(home=arguments.home, model=arguments.model)
        with open_index(
            arguments.checkouts / repository["name"] / inside, config=config, embedder=embedder
        ) as index:
            start = time.perf_counter()
            report = index.update(embed=not arguments.words_only)
            print(
                f"{repository['name']}: {report.functions:,} functions, {report.embedded:,} embedded,"
                f" {time.perf_counter() - start:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            embedder = embedder or (None if arguments.words_only else index.load_embedder())
            for row in rows:
                if row["repo"] == repository["name"]:
                    found = candidates(index, row["query"], words_only=arguments.words_only)
                    targets = (*row["relevant"], *row["secondary"])
                    language, category = repository["language"], row["category"]
                    questions.append(
                        Question(
                            row["id"], row["repo"], language, category, row["query"], targets, inside, found
                        )
                    )
    return questions


def indexed(
    repositories: Iterable[dict[str, Any]], folder: Callable[[dict[str, Any]], Path], home: Path, model: str
) -> Iterator[tuple[dict[str, Any], Index]]:
    """Each repository with its index, brought up to date; all share one embedder."""
    embedder: Any = None
    for repository in repositories:
        with open_index(
            folder(repository), config=Config(home=home, model=model), embedder=embedder
        ) as index:
            index.update()
            embedder = embedder or index.load_embedder()
            yield repository, index


def candidates(index: Index, text: str, *, overlay: Overlay | None = None, words_only: bool = False) -> Found:
    """What the two searches find for a query."""
    load = (lambda: None) if words_only else index.load_embedder
    return Search(index._store, index.root, load, overlay, lambda: False).candidates(text, SearchFilters())


def keep(path: Path, named: Mapping[str, Any], questions: Iterable[Question]) -> None:
    """Write questions with the settings of their run, for fit_ranking.py."""
    # As plain values: classes of a script cannot be found again by another one.
    path.write_bytes(pickle.dumps((dict(named), [vars(question) for question in questions])))


def load(path: Path) -> tuple[dict[str, Any], list[Question]]:
    """The settings and the questions that an earlier run kept."""
    named, rows = pickle.loads(path.read_bytes())
    return named, [Question(**row) for row in rows]


def report(questions: Sequence[Question], orders: Mapping[str, Order]) -> dict[str, Any]:
    """NDCG@10 of each way of ranking: over all, by language, category, query kind and repository."""
    table: dict[str, Any] = {}
    for name, order in orders.items():
        if name != "words" and "vectors" in name and not any(question.found.dense for question in questions):
            continue
        scores = {question.id: question.ndcg(order(question)) for question in questions}
        table[name] = summary(questions, scores)
    return table


def summary(questions: Sequence[Question], scores: Mapping[str, float]) -> dict[str, Any]:
    """Means of the scores, by every grouping."""
    groupings: dict[str, Callable[[Question], str]] = {
        "language": lambda question: question.language,
        "category": lambda question: question.category,
        "query kind": lambda question: question.found.query.kind,
        "repository": lambda question: question.repository,
    }
    result: dict[str, Any] = {"all": round(mean_over_repositories(questions, scores), 4)}
    for name, key in groupings.items():
        groups: dict[str, list[Question]] = defaultdict(list)
        for question in questions:
            groups[key(question)].append(question)
        average = mean_over_repositories if name == "language" else _mean_over_queries
        result[name] = {
            group: round(average(members, scores), 4) for group, members in sorted(groups.items())
        }
    return result


def _mean_over_queries(questions: Iterable[Question], scores: Mapping[str, float]) -> float:
    return mean([scores[question.id] for question in questions])


def what(arguments: argparse.Namespace, questions: Sequence[Question]) -> str:
    """The heading of the tables."""
    count = len({question.repository for question in questions})
    scope = "whole repositories" if arguments.whole else "repositories, source folders"
    model = "the shipped model" if arguments.model == "small" else arguments.model
    return f"{count} {scope}, {'words alone' if arguments.words_only else f'vectors of {model}'}"


def settings(model: str, what: str, questions: Sequence[Question]) -> dict[str, Any]:
    """What a figure needs to be understood later."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(),
        "model": model,
        "what": what,
        "candidates": {"each search": CANDIDATES, "names": NAME_CANDIDATES},
        "repositories": len({question.repository for question in questions}),
        "queries": len(questions),
    }


def markdown(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables of the README: one column a way of ranking, one row a group."""
    names = list(results)
    head = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    lines = [*head, _row("**all**", [results[name]["all"] for name in names])]
    for grouping in ("language", "category", "query kind"):
        lines += ["", f"By {grouping}:", "", *head]
        groups = results[names[0]][grouping]
        lines += [_row(group, [results[name][grouping][group] for name in names]) for group in groups]
    return "\n".join(lines)


def _row(label: str, values: Sequence[float]) -> str:
    return f"| {label} | " + " | ".join(f"{value:.3f}" for value in values) + " |"


def write_tables(text: str, marks: tuple[str, str] = MARKS, path: Path = README) -> None:
    """Put generated text between its marks in the README."""
    old = path.read_text("utf-8")
    before, _, rest = old.partition(marks[0])
    after = rest.partition(marks[1])[2]
    path.write_text(f"{before}{marks[0]}\n{text}\n{marks[1]}{after}", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of repos.json and queries.jsonl")
    parser.add_argument("--checkouts", type=Path, required=True, help="folder of the unpacked repositories")
    parser.add_argument("--home", type=Path, required=True, help="data folder of the indexes")
    parser.add_argument("--model", default="small")
    parser.add_argument("--words-only", action="store_true", help="no vectors")
    parser.add_argument("--whole", action="store_true", help="whole repositories, not their source folders")
    parser.add_argument("--only", nargs="*", help="these repositories")
    parser.add_argument("--candidates", type=Path, help="keep what was found, for fit_ranking.py")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    questions = collect(arguments)
    if arguments.candidates:
        model = "none" if arguments.words_only else arguments.model
        keep(arguments.candidates, settings(model, what(arguments, questions), questions), questions)
    print(markdown(report(questions, ORDERS)))


if __name__ == "__main__":
    main()
