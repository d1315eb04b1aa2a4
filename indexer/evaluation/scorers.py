"""What is compared: embedders of any kind, and BM25."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from indexer.errors import UserError
from indexer.evaluation.metrics import Scores
from indexer.rank.glossary import gloss
from indexer.rank.query import behind_english
from indexer.rank.tokens import tokenize
from indexer.types import Draft, Vectors

Side = Literal["query", "code"]
"""What a text is read as, where a model has markers or prompts for both."""


class Scorer(Protocol):
    """Scores every code for every query."""

    name: str

    def scores(self, queries: Sequence[str], codes: Sequence[str]) -> Scores:
        """Float32 [queries, codes]."""


@runtime_checkable
class Embedder(Scorer, Protocol):
    """A scorer that has vectors."""

    def vectors(self, texts: Sequence[str], side: Side = "query") -> Vectors:
        """Float32 [texts, dimensions], L2-normalised; all that is not searched is a query."""


class _VectorScorer:
    """Cosines of the vectors of a subclass."""

    def vectors(self, texts: Sequence[str], side: Side = "query") -> Vectors:
        """Float32 [texts, dimensions], L2-normalised."""
        raise NotImplementedError

    def scores(self, queries: Sequence[str], codes: Sequence[str]) -> Scores:
        """Float32 [queries, codes], cosines."""
        return np.asarray(self.vectors(queries) @ self.vectors(codes, "code").T)


class _Encoding(_VectorScorer):
    """Vectors of a text are computed once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Vectors] = {}
        self._codes, self._seconds = 0, 0.0

    @property
    def functions_a_second(self) -> float:
        """At which codes, or paragraphs, were embedded so far; 0 before any."""
        return self._codes / self._seconds if self._seconds else 0.0

    def _encode(self, texts: Sequence[str], side: Side) -> Vectors:
        raise NotImplementedError

    def vectors(self, texts: Sequence[str], side: Side = "query") -> Vectors:
        """Float32 [texts, dimensions], L2-normalised."""
        missing = [text for text in dict.fromkeys(texts) if (side, text) not in self._kept]
        if missing:
            start = time.perf_counter()
            found = self._encode(missing, side)
            if side == "code":
                self._codes += len(missing)
                self._seconds += time.perf_counter() - start
            self._kept.update(((side, text), row) for text, row in zip(missing, found, strict=True))
        return np.stack([self._kept[side, text] for text in texts])


class OurModel(_Encoding):
    """A model that `load_embedder` knows, at its full size."""

    def __init__(self, name: str, device: str | None = None) -> None:
        from indexer.embedding import load_embedder

        super().__init__()
        self.model = load_embedder(name, device=device)
        self.name = f"{self.model.name}, {self.model.dim} dimensions"

    @property
    def dims(self) -> tuple[int, ...]:
        """The sizes that its vectors may have."""
        spec = getattr(self.model, "spec", None)
        return spec.dims if spec else (self.model.dim,)

    def _encode(self, texts: Sequence[str], side: Side) -> Vectors:
        return self.model.encode_queries(texts) if side == "query" else self.model.encode_code(texts)


class CutModel(_VectorScorer):
    """A model at fewer dimensions; it shares the vectors of the full one."""

    def __init__(self, full: OurModel, dim: int) -> None:
        self._full, self._dim = full, dim
        self.name = f"{full.model.name}, {dim} dimensions"

    @property
    def functions_a_second(self) -> float:
        """Of the full model, whose vectors are cut."""
        return self._full.functions_a_second

    def vectors(self, texts: Sequence[str], side: Side = "query") -> Vectors:
        """Float32 [texts, dimensions], L2-normalised."""
        vectors = self._full.vectors(texts, side)[:, : self._dim]
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


class DraftModel(_Encoding):
    """The drafts of a model, asked with its vectors of queries."""

    def __init__(self, full: OurModel) -> None:
        super().__init__()
        found: Draft | None = getattr(full.model, "draft", None)
        if found is None:
            raise UserError(f"--drafts: the model {full.model.name} has none; leave it out")
        self._full, self._draft = full, found
        self.name = f"{full.model.name}, drafts"

    def _encode(self, texts: Sequence[str], side: Side) -> Vectors:
        if side == "query":
            return self._full.vectors(texts)
        drafts = self._draft.encode(texts)
        return np.asarray(drafts / np.linalg.norm(drafts, axis=1, keepdims=True))


class SentenceTransformerModel(_Encoding):
    """Any model of the sentence-transformers library, by folder or hub id."""

    def __init__(self, name: str, device: str | None = None) -> None:
        from sentence_transformers import SentenceTransformer

        super().__init__()
        self.name = name.rstrip("/").split("/")[-1]
        self._model = SentenceTransformer(name, device=device)

    def _encode(self, texts: Sequence[str], side: Side) -> Vectors:
        found = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)


class Bm25:
    """BM25 (k1 1.5, b 0.75) over the words that the index uses."""

    name = "BM25"

    def scores(self, queries: Sequence[str], codes: Sequence[str]) -> Scores:
        """Float32 [queries, codes]."""
        import bm25s

        index = bm25s.BM25(k1=1.5, b=0.75)
        index.index([tokenize(code) for code in codes], show_progress=False)
        known = index.vocab_dict
        rows = []
        for query in queries:
            words = [word for word in tokenize(query) if word in known]
            rows.append(index.get_scores(words) if words else np.zeros(len(codes)))
        return np.stack(rows).astype(np.float32)


class Glossed:
    """Any of these, asked in English where the query is in another natural language, as search asks."""

    def __init__(self, inner: Scorer) -> None:
        self._inner = inner
        self.name = f"{inner.name}, with the glossary"

    def scores(self, queries: Sequence[str], codes: Sequence[str]) -> Scores:
        """As the inner scorer's."""
        return self._inner.scores([self._asked(query) for query in queries], codes)

    def _asked(self, query: str) -> str:
        words, english = gloss(query)
        return " ".join((query, *words)) if isinstance(self._inner, Bm25) else behind_english(query, english)
