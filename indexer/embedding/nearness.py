"""How near single tokens of texts come to those of a query: late interaction (ColBERT, arXiv 2004.12832).

It is taken over the model's token embedding alone, before any layer: that costs no pass of the model, and orders what
search has found nearly as well as the states of later layers do (benchmarks/README.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.types import Nearness

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
Rows = Callable[[Sequence[int]], Floats]
"""Rows of the token embedding, float32 [n, hidden]."""

_MOST_CHARS = 2_000
_MOST_TOKENS = 384
"""Of a text, as of a large function; its head says what it does."""


def nearness(tokenizer: Tokenizer, rows: Rows, query: str, texts: Sequence[str]) -> Nearness:
    """Of texts, none of them empty, to a query; zeros where the query has no token."""
    read = [text[:_MOST_CHARS].encode("utf-8", "replace").decode() for text in (query, *texts)]
    ids = [found.ids for found in tokenizer.encode_batch_fast(read, add_special_tokens=False)]
    asked, bodies = list(dict.fromkeys(ids[0])), [some[:_MOST_TOKENS] or [0] for some in ids[1:]]
    counts = np.array([len(body) for body in bodies], np.int64)
    if not asked or not bodies:
        return Nearness(np.zeros(len(bodies), np.float32), counts)
    known, places = np.unique(np.concatenate(bodies), return_inverse=True)
    similar = _normalised(rows(asked)) @ _normalised(rows(known.tolist())).T
    highest = np.maximum.reduceat(similar[:, places], np.cumsum(counts) - counts, axis=1)
    return Nearness(np.asarray(highest.mean(axis=0), np.float32), counts)


def _normalised(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
