"""A teacher whose geometry of English queries is learnt beside the pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from indexer.errors import UserError


class Teacher:
    """A sentence-transformers model, turned so that its first dimensions carry the most.

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
        student: Callable[[Sequence[str]], Tensor] | None = None,
    ) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise UserError(
                "a teacher needs sentence-transformers: pip install 'codewhere[evaluate]'"
            ) from error
        self._model = SentenceTransformer(name, device="cpu")
        self._turn: Tensor | None = None
        if not rotation.exists():
            vectors = self.encode(sample)
            turn = torch.linalg.svd(vectors).Vh.T if student is None else procrustes(vectors, student(sample))
            torch.save(turn.contiguous(), rotation)
        self._turn = torch.load(rotation, weights_only=True)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Vectors float32 [n, t], L2-normalised; of an empty text they mean nothing."""
        found = self._model.encode(
            list(texts), convert_to_tensor=True, normalize_embeddings=True, show_progress_bar=False
        )
        vectors = found.float()
        # A clone leaves inference mode behind, so that the loss may use it.
        vectors = vectors.clone()
        return vectors if self._turn is None else vectors @ self._turn


def procrustes(vectors: Tensor, towards: Tensor) -> Tensor:
    """The rotation [t, t] that brings `vectors` [n, t] closest to the first t columns of `towards` [n, d]."""
    left, _, right = torch.linalg.svd(vectors.T @ towards[:, : vectors.shape[1]])
    turn: Tensor = left @ right
    return turn
