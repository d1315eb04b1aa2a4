"""What contrastive tuning minimises."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

_NEVER = -1e4
"""Logit of a pair that does not count; not infinite, because a share of nothing of it would be no number."""


def info_nce(
    queries: Tensor,
    codes: Tensor,
    temperature: float,
    ignore: Tensor | None = None,
    soft: Tensor | None = None,
) -> Tensor:
    """InfoNCE both ways over in-batch negatives (arXiv 1807.03748).

    `queries` [n, d] and `codes` [m, d] with m >= n: row i of `codes` answers row i of `queries`, rows beyond n are
    hard negatives. `ignore` [n, m] marks negatives that are no negatives. `soft` [2, n, n] (see `soft_labels`) tells
    how much each of n codes answers each query, and the other way round, instead.
    """
    count = len(queries)
    logits = F.normalize(queries, dim=-1) @ F.normalize(codes, dim=-1).T / temperature
    if ignore is not None:
        logits = logits.masked_fill(ignore, _NEVER)
    own = torch.arange(count, device=logits.device)
    there, back = (own, own) if soft is None else soft
    return (F.cross_entropy(logits, there) + F.cross_entropy(logits[:, :count].T, back)) / 2


def soft_labels(queries: Tensor, codes: Tensor, temperature: float, ignore: Tensor, share: Tensor) -> Tensor:
    """What a teacher, with these vectors [n, t] of both sides, finds right: float32 [2, n, n], there and back.

    `share` [n] of the answer of each row is the teacher's, as in distillation (arXiv 1503.02531); the rest is that
    row i answers row i.
    """
    logits = (queries @ codes.T / temperature).masked_fill(ignore, _NEVER)
    found = torch.stack((logits.softmax(-1), logits.T.softmax(-1)))
    share = share[:, None]
    return found * share + torch.eye(len(queries), device=found.device) * (1 - share)


def matryoshka_info_nce(
    queries: Tensor,
    codes: Tensor,
    dims: Sequence[int],
    temperature: float,
    ignore: Tensor | None = None,
    soft: Tensor | None = None,
) -> Tensor:
    """Mean InfoNCE over the first so many dimensions of each size (arXiv 2205.13147)."""
    losses = [info_nce(queries[:, :dim], codes[:, :dim], temperature, ignore, soft) for dim in dims]
    return torch.stack(losses).mean()


def false_negatives(keys: Sequence[str], codes: Sequence[str], similarity: Tensor | None = None) -> Tensor:
    """Bool [n, n]: pairs in a batch that must not count as negatives.

    They share the key or the code, or a teacher finds their queries nearly equal (`similarity` [n, n], cosine).
    """
    count = len(keys)
    same = _equal(keys) | _equal(codes)
    if similarity is not None:
        same |= similarity.cpu() > 0.9
    return same & ~torch.eye(count, dtype=torch.bool)


def _equal(texts: Sequence[str]) -> Tensor:
    numbers: dict[str, int] = {}
    keys = torch.tensor([numbers.setdefault(" ".join(text.lower().split()), len(numbers)) for text in texts])
    return keys[:, None] == keys[None, :]


def geometry(vectors: Tensor, teacher: Tensor, known: Tensor) -> Tensor:
    """Mean cosine distance of the first dimensions of `vectors` [n, d] to `teacher` [n, t] over rows `known` [n]."""
    if not bool(known.any()):
        return vectors.sum() * 0.0
    student = F.normalize(vectors[known, : teacher.shape[1]], dim=-1)
    return (1.0 - (student * teacher[known]).sum(-1)).mean()
