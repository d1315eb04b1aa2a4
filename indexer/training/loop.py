"""The training loop: a recipe in, a model folder out; resumable from its last checkpoint."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from indexer.embedding.decoder import Decoder
from indexer.training.data import Batch
from indexer.training.head import ridge_head
from indexer.training.loss import false_negatives, geometry, matryoshka_info_nce
from indexer.training.optimiser import MasterWeights
from indexer.training.recipe import Tuning
from indexer.training.teacher import Teacher
from indexer.training.texts import TextEncoder

log = logging.getLogger(__name__)


@dataclass
class Trainer:
    """One run of contrastive tuning."""

    model: Decoder
    encoder: TextEncoder
    tuning: Tuning
    teacher: Teacher | None
    folder: Path
    device: torch.device
    step: int = 0

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
        on_checkpoint: Callable[[int], None] | None = None,
    ) -> None:
        """Train to the last step; a checkpoint every `every_s` seconds and at the end."""
        saved = time.monotonic()
        for _ in range(self.step):
            next(batches)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as journal:
            while self.step < self.tuning.steps:
                if self.step in self.tuning.refit_head:
                    self.refit_head(batches)
                start = time.monotonic()
                row = self.train_step(next(batches))
                row["seconds"] = round(time.monotonic() - start, 2)
                journal.write(json.dumps(row) + "\n")
                journal.flush()
                if time.monotonic() - saved > every_s or self.step == self.tuning.steps:
                    self.save()
                    saved = time.monotonic()
                    if on_checkpoint:
                        on_checkpoint(self.step)

    def train_step(self, batch: Batch) -> dict[str, Any]:
        """One step of the optimiser; the row for the log."""
        targets, known = self._targets(batch)
        similarity = targets @ targets.T if targets is not None else None
        ignore = false_negatives(batch.queries, batch.codes, similarity).to(self.device)

        def loss_of(queries: Tensor, codes: Tensor) -> Tensor:
            tuning = self.tuning
            loss = matryoshka_info_nce(queries, codes, tuning.dims, tuning.temperature, ignore)
            if targets is not None:
                pull = geometry(queries, targets, known) + geometry(codes, targets, known)
                loss = loss + tuning.teacher_weight * pull
            return loss

        sides = self.encoder.batch(batch, self.tuning)
        if self.tuning.minibatch:
            loss = self._backward_in_parts(sides, loss_of)
        else:
            queries, codes = (self._forward(side) for side in sides)
            loss = loss_of(queries, codes)
            loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step(self.step)
        self.step += 1
        tokens = sum(len(ids) for side in sides for ids in side)
        return {"step": self.step, "loss": round(float(loss.detach()), 4), "tokens": tokens}

    def refit_head(self, batches: Iterator[Batch], count: int = 40) -> None:
        """Fit the head to the teacher over the next `count` batches; without a teacher nothing happens."""
        if self.teacher is None:
            return
        states, targets = [], []
        for batch in islice(batches, count):
            wanted, known = self._targets(batch)
            if wanted is not None:
                for side in self.encoder.batch(batch, self.tuning):
                    states.append(self._hidden(side)[known].cpu())
                    targets.append(wanted[known].cpu())
        head = self.optimiser.masters["head.weight"]
        head.copy_(ridge_head(torch.cat(states), torch.cat(targets), head.cpu()))
        self.optimiser.forget("head.weight")

    @torch.no_grad()
    def encode_queries(self, texts: Sequence[str]) -> Tensor:
        """Vectors float32 [n, output_dim] of queries as the model stands, L2-normalised."""
        size = self.tuning.batch
        sides = [self.encoder.queries(texts[i : i + size], self.tuning) for i in range(0, len(texts), size)]
        return F.normalize(torch.cat([self._forward(side).cpu() for side in sides]), dim=-1)

    @torch.no_grad()
    def _hidden(self, side: Sequence[list[int]]) -> Tensor:
        lengths, flat = self._packed(side)
        return self.model.hidden(flat, lengths).float()

    def _packed(self, side: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        lengths = torch.tensor([len(ids) for ids in side], device=self.device)
        return lengths, torch.tensor([number for ids in side for number in ids], device=self.device)

    def _targets(self, batch: Batch) -> tuple[Tensor | None, Tensor]:
        known = torch.tensor([bool(text) for text in batch.english], device=self.device)
        if self.teacher is None or not bool(known.any()):
            return None, known
        return self.teacher.encode(batch.english).to(self.device), known

    def _forward(self, side: Sequence[list[int]]) -> Tensor:
        lengths, flat = self._packed(side)
        vectors: Tensor = self.model(flat, lengths)
        return vectors.float()

    def _backward_in_parts(
        self, sides: tuple[list[list[int]], list[list[int]]], loss_of: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        """GradCache (arXiv 2101.06983): the loss of the whole batch with the memory of one minibatch."""
        size = self.tuning.minibatch
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
        return loss

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
        state = torch.load(self.checkpoint, weights_only=True)
        self.step = state["step"]
        self.optimiser.restore(state["model"], state["optimiser"])
        log.info("resumed at step %d", self.step)
        return True
