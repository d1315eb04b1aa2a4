"""The training loop: a recipe in, a model folder out; resumable from its last checkpoint."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from indexer.ahead import run_ahead
from indexer.embedding.decoder import Decoder, pack
from indexer.errors import UserError
from indexer.training.data import Batch
from indexer.training.files import read_state
from indexer.training.head import ridge_head
from indexer.training.loss import false_negatives, geometry, matryoshka_info_nce, soft_labels
from indexer.training.optimiser import MasterWeights
from indexer.training.recipe import Tuning
from indexer.training.teacher import Targets
from indexer.training.texts import TextEncoder

log = logging.getLogger(__name__)

OnStep = Callable[[dict[str, Any]], None]
"""Is given the row for the log after each step: `step`, `loss`, `tokens`, `seconds`."""

Sides = tuple[list[list[int]], list[list[int]]]
"""Token ids of the queries and of the codes of a batch."""


@dataclass(frozen=True)
class Prepared:
    """A batch, ready for the device; made ahead of it on another thread."""

    sides: Sides
    ignore: Tensor
    """Bool [n, n], negatives that are no negatives."""
    targets: Targets | None

    @property
    def tokens(self) -> int:
        """Of both sides."""
        return sum(len(ids) for side in self.sides for ids in side)


@dataclass
class Trainer:
    """One run of contrastive tuning."""

    model: Decoder
    encoder: TextEncoder
    tuning: Tuning
    teacher: Callable[[Batch], Targets | None] | None
    folder: Path
    device: torch.device
    step: int = 0
    too_much: float = float("inf")
    """Tokens of the smallest batch so far that memory did not hold at once."""

    def __post_init__(self) -> None:
        self.optimiser = MasterWeights(self.model, self.tuning)

    @property
    def checkpoint(self) -> Path:
        """Where the state of the run is kept."""
        return self.folder / "checkpoint.pt"

    def run(
        self,
        batches: Iterator[Batch],
        *,
        every_s: float = 300.0,
        on_step: OnStep | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train to the last step; a checkpoint every `every_s` seconds and at the end. False where it was stopped."""
        if self.step > self.tuning.steps:
            raise UserError(
                f"{self.folder} is at step {self.step} already; the recipe wants {self.tuning.steps}"
            )
        saved = time.monotonic()
        for _ in range(self.step):
            next(batches)
        calls = (partial(self._prepare, batch) for batch in islice(batches, self.tuning.steps - self.step))
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as journal:
            for prepared in run_ahead(calls, 0 if self.device.type == "cpu" else 2):
                if self.step in self.tuning.refit_head:
                    self.refit_head(batches)
                start = time.monotonic()
                row = self._step(prepared)
                row["seconds"] = round(time.monotonic() - start, 2)
                journal.write(json.dumps(row) + "\n")
                journal.flush()
                if on_step:
                    on_step(row)
                stopped = cancelled() and self.step < self.tuning.steps
                if time.monotonic() - saved > every_s or self.step == self.tuning.steps or stopped:
                    self.save()
                    saved = time.monotonic()
                if stopped:
                    return False
        return True

    def train_step(self, batch: Batch) -> dict[str, Any]:
        """One step of the optimiser; the row for the log."""
        return self._step(self._prepare(batch))

    def _prepare(self, batch: Batch) -> Prepared:
        targets = self.teacher(batch) if self.teacher else None
        similarity = targets.queries @ targets.queries.T if targets else None
        ignore = false_negatives(batch.keys, batch.codes, similarity)
        return Prepared(self.encoder.batch(batch, self.tuning), ignore, targets)

    def _step(self, batch: Prepared) -> dict[str, Any]:
        tuning, ignore = self.tuning, batch.ignore.to(self.device)
        targets = Targets(*(part.to(self.device) for part in batch.targets)) if batch.targets else None

        soft = None
        if targets and tuning.teacher_labels:
            share = tuning.teacher_labels * targets.known.float()
            soft = soft_labels(targets.queries, targets.codes, tuning.temperature, ignore, share)

        def loss_of(queries: Tensor, codes: Tensor) -> Tensor:
            loss = matryoshka_info_nce(queries, codes, tuning.dims, tuning.temperature, ignore, soft)
            if targets:
                pull = geometry(queries, targets.queries, targets.known)
                pull = pull + geometry(codes, targets.codes, targets.known)
                loss = loss + tuning.teacher_weight * pull
            return loss

        loss = self._backward(batch, loss_of)
        self.optimiser.step(self.step)
        self.step += 1
        return {"step": self.step, "loss": round(float(loss), 4), "tokens": batch.tokens}

    def refit_head(self, batches: Iterator[Batch], count: int = 40) -> None:
        """Fit the head to the teacher over the next `count` batches; without a teacher nothing happens."""
        if self.teacher is None:
            return
        states, targets = [], []
        for batch in islice(batches, count):
            wanted = self.teacher(batch)
            if wanted is not None:
                sides = self.encoder.batch(batch, self.tuning)
                for side, aims in zip(sides, (wanted.queries, wanted.codes), strict=True):
                    states.append(self._hidden(side).cpu()[wanted.known])
                    targets.append(aims[wanted.known])
        head = self.optimiser.masters["head.weight"]
        head.copy_(ridge_head(torch.cat(states), torch.cat(targets), head.cpu()))
        self.optimiser.forget("head.weight")

    @torch.no_grad()
    def encode(self, texts: Sequence[str], role: str) -> Tensor:
        """Vectors float32 [n, output_dim] of texts in a role as the model stands, L2-normalised."""
        size = self.tuning.batch
        sides = [self.encoder.ids(texts[i : i + size], role, self.tuning) for i in range(0, len(texts), size)]
        return F.normalize(torch.cat([self._forward(side).cpu() for side in sides]), dim=-1)

    @torch.no_grad()
    def _hidden(self, side: Sequence[list[int]]) -> Tensor:
        return self.model.hidden(*pack(side, self.device)).float()

    def _forward(self, side: Sequence[list[int]]) -> Tensor:
        vectors: Tensor = self.model(*pack(side, self.device))
        return vectors.float()

    def _backward(self, batch: Prepared, loss_of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Leave the gradients of a batch in the model; returns the loss."""
        sides, tokens = batch.sides, batch.tokens
        if self.tuning.minibatch or tokens >= self.too_much:
            size = self.tuning.minibatch or max(1, len(sides[0]) // 4)
            return self._backward_in_parts(sides, loss_of, size)
        try:
            return self._backward_at_once(sides, loss_of)
        except torch.OutOfMemoryError:
            log.warning("batches of %d tokens do not fit into memory at once; they are done in parts", tokens)
        self.too_much = tokens
        self.model.zero_grad()
        torch.cuda.empty_cache()
        return self._backward(batch, loss_of)

    def _backward_at_once(self, sides: Sides, loss_of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        # Apart, so that nothing of a pass that failed is held while it is done again in parts.
        loss = loss_of(*(self._forward(side) for side in sides))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _backward_in_parts(
        self, sides: Sides, loss_of: Callable[[Tensor, Tensor], Tensor], size: int
    ) -> Tensor:
        """GradCache (arXiv 2101.06983): the loss of the whole batch with the memory of `size` texts."""
        with torch.no_grad():
            whole = [
                torch.cat([self._forward(s[i : i + size]) for i in range(0, len(s), size)]) for s in sides
            ]
        queries, codes = (vectors.requires_grad_() for vectors in whole)
        loss = loss_of(queries, codes)
        loss.backward()  # type: ignore[no-untyped-call]
        for side, vectors in zip(sides, (queries, codes), strict=True):
            assert vectors.grad is not None
            for start in range(0, len(side), size):
                part = self._forward(side[start : start + size])
                part.backward(vectors.grad[start : start + size])  # type: ignore[no-untyped-call]
        return loss.detach()

    def save(self) -> None:
        """Write the checkpoint; the old one stays until the new one is whole."""
        state = {"step": self.step, "model": self.optimiser.state(), "optimiser": self.optimiser.moments()}
        part = self.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.checkpoint)

    def resume(self) -> bool:
        """Take up the last checkpoint, where there is one."""
        if not self.checkpoint.exists():
            return False
        state = read_state(self.checkpoint)
        self.step = state["step"]
        self.optimiser.restore(state["model"], state["optimiser"])
        log.info("resumed at step %d", self.step)
        return True
