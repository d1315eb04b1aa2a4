"""Evaluate scorers over retrieval sets and write what came out."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from indexer.evaluation.datasets import RetrievalSet
from indexer.evaluation.metrics import mean_reciprocal_rank, ndcg, ranks_of_relevant
from indexer.evaluation.scorers import Scorer
from indexer.render import bars


def evaluate(scorer: Scorer, sets: Sequence[RetrievalSet]) -> dict[str, Any]:
    """Scores of one scorer: `sets` by name and `groups` as means, each with `mrr` and `ndcg@10`."""
    start = time.monotonic()
    rows = {}
    for task in sets:
        ranks = ranks_of_relevant(scorer.scores(task.queries, task.codes), task.relevant)
        rows[f"{task.group}/{task.name}"] = {
            "group": task.group,
            "mrr": round(mean_reciprocal_rank(ranks), 4),
            "ndcg@10": round(ndcg(ranks), 4),
        }
    result = {
        "name": scorer.name,
        "groups": means(rows),
        "sets": rows,
        "seconds": round(time.monotonic() - start, 1),
    }
    rate = getattr(scorer, "functions_a_second", 0.0)
    return {**result, "functions_a_second": round(rate, 1)} if rate else result


def means(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Means of the scores of each group."""
    groups = defaultdict(list)
    for row in rows.values():
        groups[row["group"]].append(row)
    return {
        name: {
            metric: round(float(np.mean([row[metric] for row in members])), 4)
            for metric in ("mrr", "ndcg@10")
        }
        for name, members in groups.items()
    }


def table(results: Sequence[dict[str, Any]]) -> str:
    """A Markdown table: a row a model, a column a group (nDCG@10 for cosqa, else MRR)."""
    groups = list(dict.fromkeys(group for result in results for group in result["groups"]))
    lines = [
        "| model | " + " | ".join(f"{group} ({_metric(group)})" for group in groups) + " |",
        "|---" * (len(groups) + 1) + "|",
    ]
    for result in results:
        cells = [f"{result['groups'][group][_metric(group).lower()]:.3f}" for group in groups]
        lines.append(f"| {result['name']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Quality against speed: a bar of the mean over the groups for each model, and what it embeds a second."""
    rows = []
    for result in results:
        mean = float(np.mean([scores[_metric(name).lower()] for name, scores in result["groups"].items()]))
        rate = result.get("functions_a_second")
        speed = f", {rate:,.1f} functions/s" if rate else ""
        rows.append((result["name"], mean, f"{mean:.3f}{speed}"))
    return bars(rows)


def _metric(group: str) -> str:
    return "nDCG@10" if group == "cosqa" else "MRR"
