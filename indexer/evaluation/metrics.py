"""Ranking metrics over a matrix of scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
"""float32 [queries, codes]; higher is better."""


def ranks_of_relevant(scores: Scores, relevant: Sequence[Sequence[int]]) -> list[list[int]]:
    """For each query the 1-based ranks of its relevant columns, best first.

    A tie counts against the relevant column, so that a constant score earns nothing.
    """
    ranks = []
    for row, columns in zip(scores, relevant, strict=True):
        ranks.append(sorted(int((row >= row[column]).sum()) for column in columns))
    return ranks


def mean_reciprocal_rank(ranks: Sequence[Sequence[int]]) -> float:
    """Mean of 1 / rank of the first relevant answer."""
    return float(np.mean([1.0 / row[0] for row in ranks]))


def ndcg(ranks: Sequence[Sequence[int]], cut: int = 10) -> float:
    """Mean normalised discounted cumulative gain at `cut`, all relevant answers alike."""
    values = []
    for row in ranks:
        ideal = sum(1.0 / np.log2(place + 1) for place in range(1, min(len(row), cut) + 1))
        gained = sum(1.0 / np.log2(rank + 1) for rank in row if rank <= cut)
        values.append(gained / ideal)
    return float(np.mean(values))


def recall(ranks: Sequence[Sequence[int]], cut: int) -> float:
    """Share of the queries with a relevant answer among the first `cut`."""
    return float(np.mean([row[0] <= cut for row in ranks]))
