"""Drafts: what a model would say of a text, guessed from which tokens it has, a hundred times as fast.

A deep averaging network (Iyyer et al. 2015, https://aclanthology.org/P15-1162) that was taught the vectors of the model
it lies beside (`indexer.training.draft`): means of that model's token vectors, weighted by token and by place, through
one hidden layer. It needs NumPy alone, so functions have drafts before PyTorch is even loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.embedding.spec import DRAFT_FILE, SCALE, cure
from indexer.errors import UserError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from indexer.types import Vectors

Floats = npt.NDArray[np.float32]

MATRICES = ("directions", "up.weight", "down.weight", "direct.weight")
"""What is stored as int8, with a scale for each row under the same name + `SCALE`."""
_TABLE = "embed_tokens.weight"
_BATCH = 256  # texts; what is in work for them stays below 50 MB
_MOST_CHARS = 4_000  # far more than what is read of it has; tokenising takes half the time


class DraftEncoder:
    """The drafts of one model; reads its file when it is first needed."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, dim: int) -> None:
        self._folder, self._tokenizer, self._dim = folder, tokenizer, dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Drafts of code texts, float32 [n, dim], whose products with queries are like the cosines of vectors."""
        parts = [self._encode(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, self._dim), np.float32)

    def release(self) -> None:
        """Free the memory of the weights until they are needed again."""
        self.__dict__.pop("_weights", None)

    def _encode(self, texts: Sequence[str]) -> Floats:
        weights = self._weights
        read = [text[:_MOST_CHARS].encode("utf-8", "replace").decode() for text in texts]
        found = self._tokenizer.encode_batch_fast(read, add_special_tokens=False)
        most = weights["place"].shape[1]
        rows = (np.asarray(encoding.ids[:most] or [0], np.int64) for encoding in found)
        # One product of two dimensions: NumPy computes a stack of small ones many times as slowly.
        means = np.concatenate([_means(ids, weights) for ids in rows])
        placed = means @ weights["directions"].T - weights["centre"]
        hidden = _normalised(placed.reshape(len(texts), -1)) * weights["norm.weight"] + weights["norm.bias"]
        inner = _gelu(hidden @ weights["up.weight"].T + weights["up.bias"])
        out = hidden @ weights["direct.weight"].T + inner @ weights["down.weight"].T + weights["down.bias"]
        out = out[:, : self._dim]
        length = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(out * (weights["trust"] / np.maximum(length, 1e-12)), np.float32)

    @cached_property
    def _weights(self) -> dict[str, Floats]:
        """Those of the drafts in float32, and the token embedding of the model as it is stored: few rows are needed."""
        own = self._read(DRAFT_FILE)
        weights = {
            name: value.astype(np.float32) * (own[name + SCALE][:, None] if name in MATRICES else 1)
            for name, value in own.items()
        }
        for shard in sorted(self._folder.glob("model-*.safetensors")):
            weights |= self._read(shard.name, _TABLE)
        return weights

    def _read(self, name: str, beginning: str = "") -> dict[str, Floats]:
        """The tensors of a file whose names begin so."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._folder / name, framework="np") as file:
                return {key: file.get_tensor(key) for key in file.keys() if key.startswith(beginning)}
        except (SafetensorError, OSError) as error:
            raise UserError(f"{self._folder / name} is broken ({error}); {cure(self._folder)}") from error


def _means(ids: npt.NDArray[np.int64], weights: dict[str, Floats]) -> Floats:
    """The mean token vectors of a text, float32 [ways to weigh places, hidden]."""
    each = np.exp(weights["token"][ids] + weights["place"][:, : len(ids)])
    each /= each.sum(axis=1, keepdims=True)
    tokens = weights[_TABLE][ids].astype(np.float32)
    return np.asarray((each * weights[_TABLE + SCALE][ids]) @ tokens, np.float32)


def _normalised(rows: Floats) -> Floats:
    """As PyTorch's LayerNorm, before its weights."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.mean(centred * centred, axis=1, keepdims=True) + 1e-5)
    return np.asarray(centred / spread, np.float32)


def _gelu(x: Floats) -> Floats:
    """Gaussian error linear units, by tanh."""
    return np.asarray(0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x))), np.float32)
