"""Low-rank adaptation of a decoder (LoRA, arXiv 2106.09685): of each matrix only a product b @ a is trained.

The model computes with the merged matrix, as it will when it is used, so that neither its forward pass nor its speed
changes; the gradient of the merged matrix is passed on to the two factors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from indexer.embedding.adapter import MARKER_ROWS


@dataclass
class LowRank:
    """One matrix of the backbone [out, in] with its change b [out, r] @ a [r, in]; the factors are float32."""

    matrix: Tensor
    a: Tensor
    b: Tensor

    @classmethod
    def of(cls, matrix: Tensor, rank: int) -> LowRank:
        """A change that is nothing as yet."""
        out, inner = matrix.shape
        a = torch.empty(rank, inner, device=matrix.device)
        nn.init.kaiming_uniform_(a, a=5**0.5)
        return cls(matrix.detach().clone(), a, torch.zeros(out, rank, device=matrix.device))

    def take(self, gradient: Tensor) -> None:
        """Pass the gradient of the merged matrix on to the factors."""
        full = gradient.float()
        self.b.grad, self.a.grad = full @ self.a.T, self.b.T @ full

    def exact(self) -> Tensor:
        """The changed matrix, float32."""
        return self.matrix.float() + self.b @ self.a

    def merged(self) -> Tensor:
        """The matrix as the model computes with it, in its own type."""
        return self.exact().to(self.matrix.dtype)


def adapter_state(masters: Mapping[str, Tensor], table: Tensor, n_markers: int) -> dict[str, Tensor]:
    """What an adapter file holds: factors in bfloat16, vectors and the markers' rows in float32, the head."""
    state = {
        name: value.detach().to(torch.bfloat16 if value.ndim == 2 else torch.float32).cpu().contiguous()
        for name, value in masters.items()
    }
    return {**state, MARKER_ROWS: table[-n_markers:].detach().float().cpu().contiguous()}
