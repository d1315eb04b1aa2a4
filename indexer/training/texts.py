"""Batches of texts to token ids with their markers."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

from indexer.training.data import Batch
from indexer.training.recipe import Tuning
from indexer.training.vocabulary import MARKERS


class TextEncoder:
    """Token ids between role markers; the end marker is added after cutting, so it is always there."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        ids = [tokenizer.token_to_id(marker) or 0 for marker in MARKERS]
        self._query, self._code = (ids[0], ids[1]), (ids[2], ids[3])

    def batch(self, batch: Batch, tuning: Tuning) -> tuple[list[list[int]], list[list[int]]]:
        """Ids of both sides of a batch."""
        left, right = batch.roles
        return self.ids(batch.queries, left, tuning), self.ids(batch.codes, right, tuning)

    def ids(self, texts: Sequence[str], role: str, tuning: Tuning) -> list[list[int]]:
        """Ids of texts in the role of a `query` or of `code`."""
        markers, longest = (
            (self._query, tuning.max_query_tokens)
            if role == "query"
            else (self._code, tuning.max_code_tokens)
        )
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [[markers[0], *encoding.ids[: longest - 2], markers[1]] for encoding in encodings]
