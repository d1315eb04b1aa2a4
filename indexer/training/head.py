"""The output head, fitted in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-2
"""Share of the mean variance added to the diagonal; the hidden states span far fewer directions than they have."""


def ridge_head(hidden: Tensor, targets: Tensor, head: Tensor) -> Tensor:
    """A head [output_dim, hidden] whose first rows map `hidden` [n, hidden] to the teacher's `targets` [n, t] best.

    The rows beyond t keep their direction; they are scaled so that a dimension weighs as much as one of the teacher's.
    """
    gram = hidden.T @ hidden
    gram += torch.eye(len(gram)) * RIDGE * gram.diagonal().mean()
    fitted = torch.linalg.solve(gram, hidden.T @ targets).T
    new = head.clone()
    known = targets.shape[1]
    new[:known] = fitted
    rest = head[known:]
    centred = (hidden - hidden.mean(0)) @ rest.T
    size = (hidden @ fitted.T).pow(2).mean().sqrt() / centred.pow(2).mean().sqrt().clamp_min(1e-6)
    # Centred over the sample: a part that all texts share would only raise every cosine.
    mean = hidden.mean(0)
    new[known:] = (rest - (rest @ mean)[:, None] * mean[None, :] / mean.pow(2).sum()) * size
    return new
