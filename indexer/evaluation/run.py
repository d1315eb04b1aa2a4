"""Evaluate scorers over evaluation sets and write what came out."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from indexer.evaluation.datasets import EvaluationSet, RetrievalSet, StsSet
from indexer.evaluation.metrics import mean_reciprocal_rank, ndcg, ranks_of_relevant
from indexer.evaluation.scorers import Embedder, Scorer
from indexer.render import bars


def evaluate(scorer: Scorer, sets: Sequence[EvaluationSet]) -> dict[str, Any]:
    """Scores of one scorer: `sets` by name and `groups` as means, each by metric.

    Sets of sentences are left out where the scorer has no vectors.
    """
    start = time.monotonic()
    rows = {}
    for task in sets:
        if isinstance(task, RetrievalSet) or isinstance(scorer, Embedder):
            rows[f"{task.group}/{task.name}"] = row(task, measure(scorer, task))
    result = {
        "name": scorer.name,
        "groups": means(rows),
        "sets": rows,
        "seconds": round(time.monotonic() - start, 1),
    }
    rate = getattr(scorer, "functions_a_second", 0.0)
    return {**result, "functions_a_second": round(rate, 1)} if rate else result


def measure(scorer: Scorer, task: EvaluationSet) -> dict[str, float]:
    """Scores of one set by metric: `mrr` and `ndcg@10`, `spearman`, or `accuracy`.

    Sentences raise `TypeError` where the scorer has no vectors, `ModuleNotFoundError` without the evaluate extra.
    """
    if isinstance(task, RetrievalSet):
        scores = scorer.scores(task.queries, task.codes)
        ranks = ranks_of_relevant(scores, task.relevant)
        return {"mrr": mean_reciprocal_rank(ranks), "ndcg@10": ndcg(ranks)}
    from indexer.evaluation.sentences import accuracy, spearman

    if not isinstance(scorer, Embedder):
        raise TypeError(f"{scorer.name} has no vectors")
    if isinstance(task, StsSet):
        return {"spearman": spearman(scorer, task)}
    return {"accuracy": accuracy(scorer, task)}


def row(task: EvaluationSet, scores: Mapping[str, float]) -> dict[str, Any]:
    """What is kept of one set: its group, and its scores to four digits."""
    return {"group": task.group, **{metric: round(score, 4) for metric, score in scores.items()}}


def means(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Means of the scores of each group."""
    groups = defaultdict(list)
    for found in rows.values():
        groups[found["group"]].append(found)
    return {
        name: {
            metric: round(float(np.mean([member[metric] for member in members])), 4)
            for metric in members[0]
            if metric != "group"
        }
        for name, members in groups.items()
    }


def table(results: Sequence[dict[str, Any]]) -> str:
    """A Markdown table: a row a model, a column a group by its metric; an en dash for what was not measured."""
    groups = list(dict.fromkeys(group for result in results for group in result["groups"]))
    lines = [
        "| model | " + " | ".join(f"{group} ({_metric(group)})" for group in groups) + " |",
        "|---" * (len(groups) + 1) + "|",
    ]
    for result in results:
        found = [result["groups"].get(group, {}).get(_metric(group).lower()) for group in groups]
        cells = ["–" if score is None else f"{score:.3f}" for score in found]
        lines.append(f"| {result['name']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Quality against speed: a bar for each model, and what it embeds a second.

    A bar is the mean over the groups that every model was measured by; none where there are no such groups.
    """
    shared = [name for name in results[0]["groups"] if all(name in result["groups"] for result in results)]
    rows = []
    for result in results if shared else ():
        mean = float(np.mean([result["groups"][name][_metric(name).lower()] for name in shared]))
        rate = result.get("functions_a_second")
        speed = f", {rate:,.1f} functions/s" if rate else ""
        rows.append((result["name"], mean, f"{mean:.3f}{speed}"))
    return bars(rows)


_METRICS = {"cosqa": "nDCG@10", "retrieval": "nDCG@10", "sts": "Spearman", "classification": "accuracy"}
"""By the first word of a group; others by MRR."""


def _metric(group: str) -> str:
    return _METRICS.get(group.split()[0], "MRR")
