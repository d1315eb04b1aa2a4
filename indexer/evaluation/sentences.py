"""Similarity and classification of sentences by their vectors, as mteb measures them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import spearmanr  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics.pairwise import paired_cosine_distances  # type: ignore[import-untyped]
from sklearn.utils import shuffle  # type: ignore[import-untyped]

from indexer.evaluation.datasets import ClassificationSet, StsSet
from indexer.evaluation.scorers import Embedder

SAMPLES_A_LABEL = 8
EXPERIMENTS = 10
SEED = 42


def spearman(embedder: Embedder, task: StsSet) -> float:
    """Rank correlation of the cosines of the pairs with their scores, -1 to 1; NaN where either are all equal."""
    cosines = 1 - paired_cosine_distances(embedder.vectors(task.first), embedder.vectors(task.second))
    return float(spearmanr(cosines, task.scores).statistic)


def accuracy(embedder: Embedder, task: ClassificationSet) -> float:
    """Share of the test sentences that a logistic regression labels right; mean over several draws of few samples.

    `ValueError` where fewer than two labels are to be learnt.
    """
    test, found = embedder.vectors(task.test), []
    for drawn in draws(task.train_labels):
        model = LogisticRegression(max_iter=100, random_state=SEED)
        vectors = embedder.vectors([task.train[place] for place in drawn])
        model.fit(vectors, [task.train_labels[place] for place in drawn])
        found.append(model.score(test, task.test_labels))
    return float(np.mean(found))


def draws(labels: Sequence[int]) -> Iterator[list[int]]:
    """For each experiment the places of up to eight samples of each label, drawn as mteb does: from the last order."""
    order = list(range(len(labels)))
    for _ in range(EXPERIMENTS):
        order = shuffle(order, random_state=SEED)
        seen: Counter[int] = Counter()
        drawn = []
        for place in order:
            seen[labels[place]] += 1
            if seen[labels[place]] <= SAMPLES_A_LABEL:
                drawn.append(place)
        yield drawn
