"""Fit the weights of the ranking on what benchmarks/repos.py found, and report them on unseen repositories.

    python benchmarks/fit_ranking.py candidates.pkl [more.pkl ...] --write --results benchmarks/results

The repositories are split into two halves, each language spread over both. Weights fitted on one half are
measured on the other, both ways; only these held-out figures say how good the ranking is. The weights that
ship are then fitted on all repositories, because more data generalises better.

The loss is that of list-wise learning: cross entropy between the right files and the softmax of each file's
best function. Where a target has lines, or the query is the name of a definition, the right function must
also win within its file; where the target is one function (intents.py, questions.py), it must win over all candidates.
What a function is worth before types, loose statements and longer code of its file is tried on the last, value by
value.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from repos import (
    CUT,
    Question,
    by_everything,
    by_everything_and_tokens,
    by_fusion,
    by_vectors,
    by_words,
    by_words_and_signals,
    load,
    markdown,
    mean,
    report,
    summary,
    write_tables,
)

from indexer.rank import rank, weights
from indexer.rank.candidates import Entry, Files, join
from indexer.rank.features import features
from indexer.rank.order import contributions, decayed, functions_first
from indexer.types import Function

STEPS = 150
RATE = 0.08
DECAY = 0.001
AT_LEAST = {"named_type": 0.5, "named": 0.3, "named_as_spelled": 0.2, "symbol": 0.0, "verbatim": 2.0}
"""What a definition is worth at least, and a run of words: the queries have too few line spans and no pasted messages
to teach it. A name that holds the query's words never counts against its function: the words alone, which say much the
same, would make up for it otherwise."""
UNSEEN = {"vendored": -3.0, "generated": -3.0}
"""Fitted where the repositories have such files; else taken from the weight of tests and examples."""
FILELESS = ("cosqa", "he")
"""Sets of single functions dealt into files at random: they teach which function of a file, never which file."""
IN_FILE = tuple(itertools.product((0.0, 1.0, 2.0, 3.0), (0.0, 0.5, 1.0), (0.0, 0.5, 1.0, 1.5)))
"""What is tried of `BLOCK_IN_FILE`, `TYPE_IN_FILE` and `LENGTH_IN_FILE`. No higher: hardly any of the queries ask for a
type, and with 2 a type that is asked for by what it does is behind all of its file."""
FIRST = 3
"""Where questions with one answer should find it."""
NEVER_POSITIVE = (
    "test", "example", "vendored", "generated", "superseded", "foreign_platform", "header", "is_text", "depth",
)  # fmt: skip

Array = npt.NDArray[np.float32]


@dataclass
class Example:
    """One query as numbers: a row a candidate."""

    question: Question
    values: Array
    files: npt.NDArray[np.int64]
    right_file: Array
    """1 for each right file."""
    right_function: Array | None
    """Where the right function is known, 1 for it."""


class Fitted(NamedTuple):
    """All that is learnt."""

    hybrid: dict[str, float]
    words_only: dict[str, float]
    in_file: tuple[float, float, float]


def is_one_function(question: Question) -> bool:
    """Whether no other function will do than the targets, in whatever file."""
    return any("symbol" in target for target in question.targets)


def examples(questions: Sequence[Question], names: list[str], *, dense: bool) -> list[Example]:
    """The queries with at least one right candidate; fills `names` with the signals."""
    found = []
    for question in questions:
        given = question.found
        entries = join(given.lexical, given.dense if dense else [])
        if not entries or (dense and not given.dense):
            continue
        values = features(given.query, entries, Files(entries), given.statistics, dense)
        names[:] = list(values)
        functions = [entry.function for entry in entries]
        hits = np.array([any(question.is_hit(f, t) for t in question.targets) for f in functions], np.float32)
        if hits.any():
            _, files = np.unique([f.path for f in functions], return_inverse=True)
            right = np.zeros(files.max() + 1, np.float32)
            np.maximum.at(right, files, hits)
            matrix = np.stack([values[name] for name in names], 1).astype(np.float32)
            found.append(Example(question, matrix, files, right, _right_function(question, values, hits)))
    return found


def _right_function(question: Question, values: Mapping[str, npt.NDArray[Any]], hits: Array) -> Array | None:
    if any("start_line" in target for target in question.targets):
        return hits
    for signal in ("named_type", "named"):
        right = hits * (values[signal] > 0) * (question.found.query.kind == "symbol")
        if right.any():
            return np.asarray(right, np.float32)
    return None


def fit(data: Sequence[Example], names: Sequence[str], start: Mapping[str, float]) -> dict[str, float]:
    """Weights by Adam on the list-wise loss, over standardised signals, returned in their own units.

    :param start: Weights to begin with and to stay near, in their own units; the others begin at nothing.
    """
    scale = np.concatenate([example.values for example in data]).std(0)
    scale[scale < 1e-3] = 1e6  # a signal that never differs teaches nothing
    batch = _Batch(data, scale)
    begin = torch.tensor(np.array([start.get(name, 0.0) for name in names], np.float32) * scale)
    weight = begin.clone().requires_grad_()
    optimizer = torch.optim.Adam([weight], lr=RATE)
    limits = torch.tensor([0.0 if name in NEVER_POSITIVE else torch.inf for name in names])
    floor = torch.tensor(
        [
            AT_LEAST[name] * at if name in AT_LEAST else -torch.inf
            for name, at in zip(names, scale, strict=True)
        ]
    )
    for _ in range(STEPS):
        loss = batch.loss(weight) + DECAY * ((weight - begin) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            weight.copy_(torch.minimum(torch.maximum(weight, floor), limits))
    return dict(zip(names, (weight.detach().numpy() / scale).tolist(), strict=True))


class _Batch:
    """All queries as one matrix, so that a step is a handful of operations."""

    def __init__(self, data: Sequence[Example], scale: Array) -> None:
        n_files = np.cumsum([0, *(len(example.right_file) for example in data)])
        self.n = len(data)
        self.values = torch.tensor(np.concatenate([example.values for example in data]) / scale)
        self.file = torch.tensor(np.concatenate([e.files + n_files[at] for at, e in enumerate(data)]))
        self.query_of_file = torch.tensor(np.repeat(np.arange(self.n), np.diff(n_files)))
        self.right_file = torch.tensor(np.concatenate([_share(e.right_file) for e in data]))
        functions = [np.zeros(len(e.files)) if e.right_function is None else e.right_function for e in data]
        self.right_function = torch.tensor(np.concatenate([_share(rows) for rows in functions]))
        # A function competes with those of its own file, because which file is right is the other half of the loss;
        # one that alone is right competes with all candidates of its query.
        rivals = [
            np.full(len(e.files), n_files[-1] + at) if is_one_function(e.question) else e.files + n_files[at]
            for at, e in enumerate(data)
        ]
        self.rivals = torch.tensor(np.concatenate(rivals))

    def loss(self, weight: torch.Tensor) -> torch.Tensor:
        """Mean cross entropy over the queries."""
        scores = self.values @ weight
        best = torch.full((len(self.right_file),), -1e9).scatter_reduce(0, self.file, scores, "amax")
        files = (self.right_file * _log_softmax(best, self.query_of_file, self.n)).sum()
        functions = (self.right_function * _log_softmax(scores, self.rivals, len(best) + self.n)).sum()
        return -(files + functions) / self.n


def _share(right: npt.NDArray[Any]) -> Array:
    return np.asarray(right / max(right.sum(), 1.0), np.float32)


def _log_softmax(scores: torch.Tensor, group: torch.Tensor, n_groups: int) -> torch.Tensor:
    """Within each group."""
    top = torch.full((n_groups,), -1e9).scatter_reduce(0, group, scores.detach(), "amax")
    total = torch.zeros(n_groups).scatter_add(0, group, torch.exp(scores - top[group]))
    return scores - top[group] - torch.log(total)[group]


def halves(sets: Iterable[Iterable[Question]]) -> tuple[set[str], set[str]]:
    """Repositories dealt alternately, language by language, one set after the other: a new set moves no repository."""
    dealt: tuple[set[str], set[str]] = (set(), set())
    for questions in sets:
        named = sorted(
            {(q.language, q.repository) for q in questions if q.repository not in set.union(*dealt)}
        )
        for at, (_, repository) in enumerate(named):
            dealt[at % 2].add(repository)
    return dealt


def complete(fitted: dict[str, float]) -> dict[str, float]:
    """Weights as they ship: a demotion that no repository could teach gets a plain one; noise is dropped."""
    for name, value in UNSEEN.items():
        if fitted.get(name, 0.0) > value:
            fitted[name] = value
    return {name: round(value, 2) for name, value in fitted.items() if abs(value) >= 0.02}


def use(fitted: Fitted) -> None:
    """Rank with these weights in this process."""
    weights.HYBRID, weights.WORDS_ONLY = fitted.hybrid, fitted.words_only
    weights.BLOCK_IN_FILE, weights.TYPE_IN_FILE, weights.LENGTH_IN_FILE = fitted.in_file


def cross_fitted(sets: Sequence[Sequence[Question]]) -> list[dict[str, dict[str, float]]]:
    """For each set the scores by way of ranking, every repository ranked by weights that never saw it."""
    first, second = halves(sets)
    scores: list[dict[str, dict[str, float]]] = [defaultdict(dict) for _ in sets]
    for seen, unseen in ((first, second), (second, first)):
        use(fit_all(sets, seen))
        for at, questions in enumerate(sets):
            for name, order in _ways(questions).items():
                found = {q.id: (q, order(q)) for q in questions if q.repository in unseen}
                scores[at][name] |= {id_: q.ndcg(functions) for id_, (q, functions) in found.items()}
                if all(is_one_function(q) for q in questions):
                    scores[at][f"{name}: in the first {FIRST}"] |= {
                        id_: float(0 < q.place(functions) <= FIRST) for id_, (q, functions) in found.items()
                    }
    return scores


def _ways(questions: Sequence[Question]) -> dict[str, Callable[[Question], Sequence[Function]]]:
    ways = {"words + signals": by_words_and_signals}
    with_vectors = {"words + vectors + signals": by_everything, "+ second stage": by_everything_and_tokens}
    return ways | (with_vectors if _has_vectors(questions) else {})


def _has_vectors(questions: Sequence[Question]) -> bool:
    return any(question.found.dense for question in questions)


def fit_all(sets: Sequence[Sequence[Question]], repositories: set[str]) -> Fitted:
    """The weights; the hybrid ones grow out of those for words, which more queries taught."""
    words_only = _fit_on(sets, repositories, {}, dense=False)
    with_vectors = [questions for questions in sets if _has_vectors(questions)]
    hybrid = _fit_on(with_vectors, repositories, words_only, dense=True) if with_vectors else weights.HYBRID
    return fit_in_file(sets, repositories, complete(hybrid), complete(words_only))


def fit_in_file(
    sets: Sequence[Sequence[Question]],
    repositories: set[str],
    hybrid: dict[str, float],
    words_only: dict[str, float],
) -> Fitted:
    """The weights with what a function is worth in its file, of all that is tried the best for single functions.

    Each set of them counts as much as another, however many queries it has.
    """
    use(Fitted(hybrid, words_only, IN_FILE[0]))
    asked = ([q for q in _only(questions, repositories) if is_one_function(q)] for questions in sets)
    scored = [[(q, *_scored(q)) for q in questions] for questions in asked if questions]

    def worth(in_file: tuple[float, float, float]) -> float:
        use(Fitted(hybrid, words_only, in_file))
        return mean([mean([q.ndcg(_dealt(*found)) for q, *found in questions]) for questions in scored])

    return Fitted(hybrid, words_only, max(IN_FILE, key=worth))


def _dealt(entries: list[Entry], files: Files, scores: npt.NDArray[np.float64]) -> list[Function]:
    best = decayed(entries, functions_first(entries, files, scores), CUT)
    return [entries[at].function for at, _ in best]


def _scored(question: Question) -> tuple[list[Entry], Files, npt.NDArray[np.float64]]:
    """The candidates with their scores, before they are dealt out within their files."""
    found = question.found
    entries = join(found.lexical, found.dense)
    files = Files(entries)
    _, parts = contributions(found.query, entries, files, found.statistics, bool(found.dense))
    return entries, files, parts.sum(axis=1)


def _fit_on(
    sets: Sequence[Sequence[Question]], repositories: set[str], start: Mapping[str, float], *, dense: bool
) -> dict[str, float]:
    names: list[str] = []
    data = [e for questions in sets for e in examples(_only(questions, repositories), names, dense=dense)]
    for example in data:
        if example.question.category in FILELESS or is_one_function(example.question):
            example.right_file[:] = 0
    return fit(data, names, start)


def _only(questions: Sequence[Question], repositories: set[str]) -> list[Question]:
    return [question for question in questions if question.repository in repositories]


def fit_chance(questions: Sequence[Question], *, dense: bool) -> tuple[float, float]:
    """Slope and offset that turn a score into the chance that its file answers, from the ten first results."""
    from sklearn.linear_model import LogisticRegression

    weights.CHANCE = weights.WORDS_ONLY_CHANCE = (0.1, 0.0)
    scores, right = [], []
    for q in questions:
        vectors = q.found.dense if dense else []
        for result in rank(q.found.query, q.found.lexical, vectors, q.found.statistics, limit=10):
            scores.append([10 * math.log(result.score / (1 - result.score))])
            right.append(any(q.is_hit(result.function, target) for target in q.targets))
    model = LogisticRegression().fit(scores, right)
    return round(float(model.coef_[0, 0]), 3), round(float(model.intercept_[0]), 3)


def write_weights(fitted: Fitted, questions: Sequence[Question]) -> None:
    """Put the numbers into indexer/rank/weights.py; its texts stay.

    :param questions: Found by words and by vectors; they say what chance a score means.
    """
    path = Path(weights.__file__)
    text = path.read_text("utf-8")
    for name, value in (("HYBRID", fitted.hybrid), ("WORDS_ONLY", fitted.words_only)):
        body = "".join(f'    "{key}": {number},\n' for key, number in value.items())
        text = re.sub(rf"^{name} = \{{.*?^\}}$", f"{name} = {{\n{body}}}", text, flags=re.M | re.S)
    for name, number in (
        ("SAME_FILE", weights.SAME_FILE),
        ("BLOCK_IN_FILE", fitted.in_file[0]),
        ("TYPE_IN_FILE", fitted.in_file[1]),
        ("LENGTH_IN_FILE", fitted.in_file[2]),
        ("CHANCE", fit_chance(questions, dense=True)),
        ("WORDS_ONLY_CHANCE", fit_chance(questions, dense=False)),
    ):
        text = re.sub(rf"^{name} = .*$", f"{name} = {number}", text, flags=re.M)
    path.write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("candidates", type=Path, nargs="+", help="files that repos.py --candidates wrote")
    parser.add_argument("--write", action="store_true", help="write indexer/rank/weights.py")
    parser.add_argument("--results", type=Path, help="folder for the JSON; the README's tables follow")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings, sets = zip(*(load(path) for path in arguments.candidates), strict=True)
    tables = [_table(questions, scores) for questions, scores in zip(sets, cross_fitted(sets), strict=True)]
    sections = [f"### {s['what']}\n\n{markdown(table)}" for s, table in zip(settings, tables, strict=True)]
    print("\n\n".join(sections), flush=True)
    fitted = fit_all(sets, {question.repository for questions in sets for question in questions})
    use(fitted)
    for named, questions in zip(settings, sets, strict=True):
        shipped = report(questions, _ways(questions))
        named["held out"] = "the columns with signals: weights fitted on the other half of the repositories"
        named["shipped weights, which saw these repositories"] = {
            way: row["all"] for way, row in shipped.items()
        }
        print(f"{named['what']}, seen by the weights:", {way: row["all"] for way, row in shipped.items()})
    if arguments.results:
        for path, named, table in zip(arguments.candidates, settings, tables, strict=True):
            result = json.dumps({"settings": named, "ndcg@10": table}, indent=1) + "\n"
            (arguments.results / f"ranking-{path.stem}.json").write_text(result, "utf-8")
        write_tables("\n\n".join(sections))
    if arguments.write:
        write_weights(fitted, next(filter(_has_vectors, sets), sets[0]))


def _table(questions: Sequence[Question], scores: Mapping[str, dict[str, float]]) -> dict[str, Any]:
    """The ways that need no fit, and the cross-fitted ones."""
    plain = {"words": by_words, "vectors": by_vectors, "words + vectors": by_fusion}
    return report(questions, plain) | {way: summary(questions, values) for way, values in scores.items()}


if __name__ == "__main__":
    main()
