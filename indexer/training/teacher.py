"""A teacher whose geometry is learnt beside the pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from indexer.embedding import available_models
from indexer.embedding.spec import SPEC_FILE
from indexer.errors import UserError
from indexer.training.data import Batch
from indexer.training.files import read_state
from indexer.training.recipe import Tuning

MOST_KEPT = 1_000_000
"""Functions whose vectors are kept, about 2 GB with their texts."""

Encode = Callable[[Sequence[str], str], Tensor]
"""Texts and their role (`query` or `code`) to vectors float32 [n, d], L2-normalised."""


class Targets(NamedTuple):
    """What the student's vectors of a batch should be near to."""

    queries: Tensor
    """float32 [n, t]"""
    codes: Tensor
    """float32 [n, t]"""
    known: Tensor
    """Bool [n], rows that the teacher has a vector for."""


class Teacher:
    """A model, turned so that its first dimensions carry the most.

    The rotation (principal components of its vectors of `sample`) keeps every cosine and lets a prefix of the
    student's vector stand for the teacher's too, as Matryoshka cutting needs. It is kept in the file `rotation`,
    because a resumed run that turned the teacher anew, over other data, would aim elsewhere. A `student` that was
    tuned before keeps its directions: the teacher is turned towards its vectors.
    """

    def __init__(
        self,
        name: str,
        sample: Sequence[str],
        rotation: Path,
        tuning: Tuning,
        device: str,
        student: Encode | None = None,
    ) -> None:
        self._knows_code = name in available_models() or (Path(name) / SPEC_FILE).exists()
        self._encode = (
            _ours(name, device, tuning) if self._knows_code else _sentence_transformer(name, device)
        )
        self._turn: Tensor | None = None
        self._kept: dict[str, Tensor] = {}
        if not rotation.exists():
            vectors = self.encode(sample, "query")
            turn = (
                torch.linalg.svd(vectors).Vh.T
                if student is None
                else procrustes(vectors, student(sample, "query"))
            )
            torch.save(turn.contiguous(), rotation)
        self._turn = read_state(rotation)

    def encode(self, texts: Sequence[str], role: str) -> Tensor:
        """Vectors float32 [n, t], L2-normalised; of an empty text they mean nothing."""
        vectors = self._encode(texts, role)
        return vectors if self._turn is None else vectors @ self._turn

    def _of(self, texts: Sequence[str], role: str) -> Tensor:
        # Queries are short and asked in ever new ways; code is long, comes again and is read in one form.
        if role == "query":
            return self.encode(texts, role)
        if len(self._kept) > MOST_KEPT:
            self._kept = {}
        kept = self._kept  # other threads may begin anew meanwhile
        new = [text for text in dict.fromkeys(texts) if text not in kept]
        if new:
            kept.update(zip(new, self.encode(new, role).half(), strict=True))
        return torch.stack([kept[text] for text in texts]).float()

    def __call__(self, batch: Batch) -> Targets | None:
        """None where it knows no row. Where it knows only queries, code is to lie where its English query does."""
        left, right = batch.roles
        if not self._knows_code:
            english = torch.tensor([bool(text) for text in batch.english])
            if not bool(english.any()):
                return None
            targets = self.encode(batch.english, "query")
            return Targets(targets, targets, english)
        asked, code = batch.taught
        queries = self._of(asked, left)
        codes = queries if code is asked else self._of(code, right)
        return Targets(queries, codes, torch.ones(len(queries), dtype=torch.bool))


def _ours(name: str, device: str, tuning: Tuning) -> Encode:
    from indexer.embedding import load_embedder

    model = load_embedder(name, device=device, dim=tuning.dims[0])
    # It reads no more of a text than its student does.
    model.max_tokens = tuning.max_code_tokens

    def encode(texts: Sequence[str], role: str) -> Tensor:
        return torch.from_numpy(model.encode_queries(texts) if role == "query" else model.encode_code(texts))

    return encode


def _sentence_transformer(name: str, device: str) -> Encode:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UserError("a teacher needs sentence-transformers: pip install 'codewhere[evaluate]'") from error
    model = SentenceTransformer(name, device=device)

    def encode(texts: Sequence[str], role: str) -> Tensor:
        found = model.encode(
            list(texts), convert_to_tensor=True, normalize_embeddings=True, show_progress_bar=False
        )
        # A clone leaves inference mode behind, so that the loss may use it.
        return found.float().cpu().clone()

    return encode


def procrustes(vectors: Tensor, towards: Tensor) -> Tensor:
    """The rotation [t, t] that brings `vectors` [n, t] closest to the first t columns of `towards` [n, d]."""
    left, _, right = torch.linalg.svd(vectors.T @ towards[:, : vectors.shape[1]])
    turn: Tensor = left @ right
    return turn
