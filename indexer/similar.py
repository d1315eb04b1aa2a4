"""Code like this: the functions whose vectors are nearest to those of one function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.changed import changed_files
from indexer.errors import UserError
from indexer.filters import resolve
from indexer.overlay import Overlay, dense_hits, matching
from indexer.store import Hit, Store, StoredFunction
from indexer.types import (
    BLOCK_KINDS,
    FUNCTION_KINDS,
    TYPE_KINDS,
    Answer,
    Embedder,
    Function,
    SearchFilters,
    SearchResult,
    Vectors,
    Why,
)
from indexer.update import embed

_SPARE = 20  # candidates beyond the limit, for those that are the function itself or enclose it


class Similar:
    """One question for neighbours in one root."""

    def __init__(
        self,
        store: Store,
        root: Path,
        load_embedder: Callable[[], Embedder | None],
        overlay: Overlay | None,
    ) -> None:
        self._store = store
        self._path = root
        self._root = store.indexed_root(str(root))
        self._load_embedder = load_embedder
        self._overlay = overlay or Overlay({})
        self._hidden = store.files(self._root.id, self._overlay.files)
        self._buffers = self._overlay.functions(self._hidden)
        self._fingerprint = self._root.fingerprint

    def answer(
        self,
        path: str,
        line: int,
        *,
        text: str | None,
        language: str,
        limit: int,
        filters: SearchFilters,
        min_score: float,
    ) -> Answer:
        """The answer; the function at the line, and what encloses it or lies in it, is not part of it."""
        start = time.perf_counter()
        filters, unknown_names = resolve(filters)
        here = self._function_at(path, line)
        if text is None and here is None:
            raise UserError(f"There is no indexed function at {path}:{line}. Name a line inside a function.")
        wanted = here if text is None else Function("", language, "", "", 0, 0, 0, 0, "", "", text)
        assert wanted is not None
        if text is None and wanted.kind not in BLOCK_KINDS and not filters.kinds:
            # A list of imports is no code like a function, however near its vector may be.
            filters = replace(filters, kinds=FUNCTION_KINDS + TYPE_KINDS)
        windows = self._vectors(wanted)
        hits = self._hits(windows, limit + _SPARE, filters)
        results = self._results(hits, here, limit, min_score)
        embedded, functions = self._store.coverage(self._root.id, self._fingerprint)
        coverage = embedded / functions if functions else 0.0
        name = wanted.symbol if text is None else "the selection"
        nothing = () if results else ("Nothing else is similar enough or passes the filters.",)
        elapsed_ms = (time.perf_counter() - start) * 1000
        return Answer(f"similar to {name}", coverage, elapsed_ms, tuple(results), (*unknown_names, *nothing))

    def _function_at(self, path: str, line: int) -> Function | None:
        if path in self._overlay.files:
            functions = list(self._overlay.files[path].functions)
        else:
            functions = [stored.function for stored in self._store.functions_in(self._root.id, path)]
        return innermost(functions, line)

    def _vectors(self, function: Function) -> Vectors:
        """The windows of a function: from the overlay or the store, and made only where neither has them."""
        if function.content_hash in self._overlay.vectors:
            self._use(self._load_embedder())
            return self._overlay.vectors[function.content_hash]
        stored = self._store.vectors_of(self._fingerprint, [function.content_hash])
        if stored:
            return stored[function.content_hash]
        embedder = self._use(self._load_embedder())
        return embed(embedder, {0: function.text})[0][1]

    def _use(self, embedder: Embedder | None) -> Embedder:
        if embedder is None:
            raise UserError("There is no model to compare functions with. Choose one (`codewhere models`).")
        self._fingerprint = embedder.fingerprint
        return embedder

    def _hits(self, windows: Vectors, limit: int, filters: SearchFilters) -> list[Hit]:
        changed = changed_files(self._path) if filters.changed_only else frozenset()
        where = self._store.filter(self._root.id, filters, changed=changed)
        limit += self._store.count_functions(row.id for row in self._hidden.values())
        buffers = matching(self._buffers, filters, changed)
        best: dict[int, float] = {}
        for window in windows:
            # By drafts, which are made for questions, copies of a function cannot be told from what only has its words.
            found = self._store.dense(self._root.id, self._fingerprint, window, limit, where, drafts=False)
            for hit in [*found, *dense_hits(buffers, self._vectors_of(buffers), window)]:
                best[hit.id] = max(hit.score, best.get(hit.id, -1.0))
        return sorted((Hit(*item) for item in best.items()), key=lambda hit: (-hit.score, hit.id))

    def _vectors_of(self, buffers: dict[int, StoredFunction]) -> dict[str, Vectors]:
        hashes = {stored.function.content_hash for stored in buffers.values()}
        lacking = hashes - self._overlay.vectors.keys()
        return {**self._overlay.vectors, **self._store.vectors_of(self._fingerprint, lacking)}

    def _results(
        self, hits: list[Hit], here: Function | None, limit: int, min_score: float
    ) -> list[SearchResult]:
        functions = self._store.functions([hit.id for hit in hits if hit.id >= 0])
        results: list[SearchResult] = []
        for hit in hits:
            stored = functions.get(hit.id) or self._buffers.get(hit.id)
            if stored is None or hit.score < min_score or len(results) == limit:
                continue
            hidden = hit.id >= 0 and stored.function.path in self._hidden
            if hidden or (here is not None and _overlap(stored.function, here)):
                continue
            why = Why(dense_rank=len(results) + 1, signals={"cosine": float(np.float32(hit.score))})
            results.append(SearchResult(str(self._path), stored.function, hit.score, why, stored.demoted))
        return results


def innermost(functions: Iterable[Function], line: int) -> Function | None:
    """The smallest of the functions of a file around a line, counted from 1."""
    around = [function for function in functions if function.start_line < line <= _end(function)]
    return min(around, key=lambda function: function.end_byte - function.start_byte, default=None)


def _end(function: Function) -> int:
    # A range that is empty in lines still covers the line it starts on.
    return max(function.end_line, function.start_line + 1)


def _overlap(one: Function, other: Function) -> bool:
    same_file = one.path == other.path
    return same_file and one.start_byte < other.end_byte and other.start_byte < one.end_byte
