"""AdamW over float32 master weights of a model that computes in a smaller type."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from indexer.embedding.decoder import Decoder
from indexer.training.recipe import Tuning


class MasterWeights:
    """The trained weights in float32, their optimisers and the learning-rate schedule.

    The token embedding has sparse gradients: a step touches only the rows of the tokens in its batch.
    """

    def __init__(self, model: Decoder, tuning: Tuning) -> None:
        self.model, self.tuning = model, tuning
        trained = {
            name: p for name, p in model.named_parameters() if p.requires_grad and "embed_tokens" not in name
        }
        self.masters = {name: p.detach().float().clone() for name, p in trained.items()}
        self.parameters = trained
        head = [self.masters[name] for name in self.masters if name.startswith("head")]
        rest = [self.masters[name] for name in self.masters if not name.startswith("head")]
        self.dense = torch.optim.AdamW(
            [
                {"params": rest, "peak": tuning.learning_rate},
                {"params": head, "peak": tuning.head_learning_rate},
            ],
            lr=tuning.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=tuning.weight_decay,
            fused=True,
        )
        table = model.embed_tokens.weight
        self.sparse = (
            torch.optim.SparseAdam(
                [{"params": [table], "peak": tuning.embedding_learning_rate}], betas=(0.9, 0.98)
            )
            if table.requires_grad
            else None
        )

    def step(self, number: int) -> None:
        """Apply the gradients of step `number`, counted from 0, and clear them."""
        for name, parameter in self.parameters.items():
            self.masters[name].grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_(self.masters.values(), 1.0)
        factor = schedule(number, self.tuning)
        for optimiser in (self.dense, self.sparse):
            if optimiser is not None:
                for group in optimiser.param_groups:
                    group["lr"] = group["peak"] * factor
                optimiser.step()
        self.model.embed_tokens.weight.grad = None
        self._copy_back()

    def forget(self, name: str) -> None:
        """Drop the moments of one weight, which was set from outside, and pass its value to the model."""
        self.dense.state.pop(self.masters[name], None)
        self._copy_back()

    @torch.no_grad()
    def _copy_back(self) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(self.masters[name])

    def state(self) -> dict[str, Tensor]:
        """Every weight of the model, the trained ones in float32."""
        return {**self.model.state_dict(), **self.masters}

    def moments(self) -> list[Any]:
        """State of the optimisers."""
        return [optimiser.state_dict() for optimiser in (self.dense, self.sparse) if optimiser is not None]

    def restore(self, weights: dict[str, Tensor], moments: list[Any]) -> None:
        """The inverse of `state` and `moments`."""
        self.model.load_state_dict(weights)
        for name, master in self.masters.items():
            master.copy_(weights[name])
        for optimiser, state in zip((self.dense, self.sparse), moments, strict=False):
            if optimiser is not None:
                optimiser.load_state_dict(state)


def schedule(step: int, tuning: Tuning) -> float:
    """Factor of the learning rate: linear warm-up, constant as in the paper, then a linear fall to a tenth."""
    warm = min(1.0, (step + 1) / max(1, tuning.warm_up))
    falling = max(1, round(tuning.steps * tuning.decay))
    left = (tuning.steps - step) / falling
    return warm * max(0.1, min(1.0, left))
