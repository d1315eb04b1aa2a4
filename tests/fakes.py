"""Stand-ins that make tests fast and repeatable."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from indexer.types import Vectors

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


class HashEmbedder:
    """Embeds a text as the sum of one fixed random vector per word; texts that share words are near."""

    def __init__(self, dim: int = 64, max_words: int = 128, fingerprint: str = "") -> None:
        self.name = "hash"
        self.dim = dim
        self.device = "cpu"
        self.max_tokens = max_words
        self.fingerprint = fingerprint or f"hash-{dim}"
        self.encoded = 0
        self.queries = 0
        self._words: dict[str, Vectors] = {}

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.queries += len(texts)
        return self._encode(texts)

    def encode_code(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        return self._encode(texts)

    def split_windows(self, texts: Sequence[str]) -> list[list[str]]:
        return [self._windows(text) for text in texts]

    def _windows(self, text: str) -> list[str]:
        words = text.split(" ")
        step = self.max_tokens - self.max_tokens // 4
        starts = range(0, max(1, len(words) - self.max_tokens // 4), step)
        return [" ".join(words[start : start + self.max_tokens]) for start in starts]

    def _encode(self, texts: Sequence[str]) -> Vectors:
        return (
            np.stack([self._embed(text) for text in texts]) if texts else np.zeros((0, self.dim), np.float32)
        )

    def _embed(self, text: str) -> Vectors:
        words = _WORD.findall(text)[: self.max_tokens] or [""]
        total = np.sum([self._word(word.lower()) for word in words], axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)

    def _word(self, word: str) -> Vectors:
        if word not in self._words:
            seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
            self._words[word] = np.random.default_rng(seed).standard_normal(self.dim).astype(np.float32)
        return self._words[word]
