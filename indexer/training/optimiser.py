"""AdamW over float32 master weights of a model that computes in a smaller type."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from indexer.embedding.adapter import LEFT, MARKER_ROWS, RIGHT
from indexer.embedding.decoder import Decoder
from indexer.errors import UserError
from indexer.training.lowrank import LowRank
from indexer.training.recipe import Tuning
from indexer.training.vocabulary import MARKERS


class MasterWeights:
    """The trained weights in float32, their optimisers and the learning-rate schedule.

    The token embedding has sparse gradients: a step touches only the rows of the tokens in its batch. With `lora`
    the matrices of the layers are kept as they are and two factors of each are trained, and of the token embedding
    only the rows of the markers.
    """

    def __init__(self, model: Decoder, tuning: Tuning) -> None:
        self.model, self.tuning = model, tuning
        self.parameters = {
            name: p for name, p in model.named_parameters() if p.requires_grad and "embed_tokens" not in name
        }
        self.low_rank = {
            name: LowRank.of(p, tuning.rank)
            for name, p in self.parameters.items()
            if tuning.method == "lora" and p.ndim == 2 and not name.startswith("head")
        }
        self.masters = self._masters()
        self.dense = torch.optim.AdamW(
            [
                {"params": self._of_head(False), "peak": tuning.learning_rate},
                {"params": self._of_head(True), "peak": tuning.head_learning_rate},
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

    def _masters(self) -> dict[str, Tensor]:
        masters: dict[str, Tensor] = {}
        for name, parameter in self.parameters.items():
            if name in self.low_rank:
                masters[name + RIGHT], masters[name + LEFT] = self.low_rank[name].a, self.low_rank[name].b
            else:
                masters[name] = parameter.detach().float().clone()
        return masters

    def _of_head(self, wanted: bool) -> list[Tensor]:
        return [master for name, master in self.masters.items() if name.startswith("head") == wanted]

    def step(self, number: int) -> None:
        """Apply the gradients of step `number`, counted from 0, and clear them."""
        self._take_gradients()
        nn.utils.clip_grad_norm_(self.masters.values(), 1.0)
        factor = schedule(number, self.tuning)
        for optimiser in (self.dense, self.sparse):
            if optimiser is not None:
                for group in optimiser.param_groups:
                    group["lr"] = group["peak"] * factor
                optimiser.step()
        self.model.embed_tokens.weight.grad = None
        self._copy_back()

    def _take_gradients(self) -> None:
        for name, parameter in self.parameters.items():
            gradient, parameter.grad = parameter.grad, None
            if name in self.low_rank:
                if gradient is not None:
                    self.low_rank[name].take(gradient)
            else:
                self.masters[name].grad = None if gradient is None else gradient.float()
        table = self.model.embed_tokens.weight
        if self.low_rank and table.grad is not None:
            table.grad = _last_rows(table.grad, len(MARKERS))

    def forget(self, name: str) -> None:
        """Drop the moments of one weight, which was set from outside, and pass its value to the model."""
        self.dense.state.pop(self.masters[name], None)
        self._copy_back()

    @torch.no_grad()
    def take_up(self, adapter: dict[str, Tensor]) -> None:
        """Start from an adapter (see `adapter_state`); `UserError` where its backbone or rank is another."""
        table = self.model.embed_tokens.weight
        weights = {**self.masters, MARKER_ROWS: table.data[-len(MARKERS) :]}
        if {name: w.shape for name, w in weights.items()} != {name: w.shape for name, w in adapter.items()}:
            raise UserError("the adapter to start from has another backbone or rank than the recipe")
        for name, weight in weights.items():
            weight.copy_(adapter[name])
        self._copy_back()

    @torch.no_grad()
    def _copy_back(self) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(self.low_rank[name].merged() if name in self.low_rank else self.masters[name])

    def state(self) -> dict[str, Tensor]:
        """The weights that change, the trained ones in float32: all of the model, or the adapter and the embedding."""
        whole = (
            self.model.embed_tokens.state_dict(prefix="embed_tokens.")
            if self.low_rank
            else self.model.state_dict()
        )
        return {**whole, **self.masters}

    def whole(self) -> dict[str, Tensor]:
        """Every weight of the model, float32 where it was trained, low-rank changes merged."""
        merged = {name: change.exact() for name, change in self.low_rank.items()}
        kept = {name: value for name, value in self.masters.items() if name in self.parameters}
        return {**self.model.state_dict(), **kept, **merged}

    def moments(self) -> list[Any]:
        """State of the optimisers."""
        return [optimiser.state_dict() for optimiser in (self.dense, self.sparse) if optimiser is not None]

    @torch.no_grad()
    def restore(self, weights: dict[str, Tensor], moments: list[Any]) -> None:
        """The inverse of `state` and `moments`."""
        known = self.model.state_dict()
        self.model.load_state_dict({name: w for name, w in weights.items() if name in known}, strict=False)
        for name, master in self.masters.items():
            master.copy_(weights[name])
        self._copy_back()
        for optimiser, state in zip((self.dense, self.sparse), moments, strict=False):
            if optimiser is not None:
                optimiser.load_state_dict(state)


def _last_rows(gradient: Tensor, count: int) -> Tensor:
    """The part of a sparse gradient that belongs to the last rows of its matrix."""
    gradient = gradient.coalesce()
    kept = gradient.indices()[0] >= gradient.shape[0] - count
    return torch.sparse_coo_tensor(
        gradient.indices()[:, kept],
        gradient.values()[kept],
        gradient.shape,
        is_coalesced=True,
        check_invariants=False,
    )


def schedule(step: int, tuning: Tuning) -> float:
    """Factor of the learning rate: linear warm-up, constant as in the paper, then a linear fall to a tenth."""
    warm = min(1.0, (step + 1) / max(1, tuning.warm_up))
    falling = max(1, round(tuning.steps * tuning.decay))
    left = (tuning.steps - step) / falling
    return warm * max(0.1, min(1.0, left))
