"""Unsaved buffers in a search: the functions on the screen stand in for those on disk."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.rank.tokens import contains
from indexer.store import FileRow, Hit, LexicalStatistics, StoredFunction
from indexer.store.filters import PathFilter, fits
from indexer.store.lexical import fields
from indexer.types import Function, ParsedFile, SearchFilters, Vectors

# FTS5's own constants, so that functions of buffers and of the disk are measured alike.
_K1 = 1.2
_B = 0.75


@dataclass
class Overlay:
    """Files as they are in the editor."""

    files: dict[str, ParsedFile]
    """By root-relative path; a file without functions hides what was indexed of it."""
    vectors: dict[str, Vectors] = field(default_factory=dict)
    """Content hash -> float32 [windows, dim]; `Index.embed_overlay` fills it in."""

    def functions(self, stored: Mapping[str, FileRow]) -> dict[int, StoredFunction]:
        """The functions of the buffers under negative ids, which no stored function has.

        :param stored: The files on disk, which know whether they are tests or generated.
        """
        from indexer.walk import demotion

        flat: list[tuple[Function, str]] = []
        for path, file in self.files.items():
            row = stored.get(path)
            demoted = row.demoted if row is not None else demotion(path, b"")
            flat += [(function, demoted) for function in file.functions]
        return {-1 - at: StoredFunction.of(-1 - at, *pair) for at, pair in enumerate(flat)}


def matching(
    functions: dict[int, StoredFunction], filters: SearchFilters, changed: Collection[str]
) -> dict[int, StoredFunction]:
    """The functions that pass the filters. A buffer counts as changed."""
    wanted = PathFilter(filters, [*changed, *(stored.function.path for stored in functions.values())])
    return {
        id_: stored
        for id_, stored in functions.items()
        if wanted(stored.function.path, stored.demoted) and fits(stored.function, filters)
    }


def lexical_hits(
    functions: dict[int, StoredFunction],
    terms: Sequence[str],
    weights: Sequence[float],
    statistics: LexicalStatistics,
) -> list[Hit]:
    """Weighted BM25 as FTS5 computes it, with the statistics of the stored functions."""
    mean_length = max(sum(statistics.mean_lengths), 1.0)
    hits = []
    for id_, stored in functions.items():
        counts = [Counter(column.split()) for column in fields(stored.function)]
        length = sum(count.total() for count in counts)
        norm = _K1 * (1 - _B + _B * length / mean_length)
        score = 0.0
        for term in terms:
            frequency = sum(weight * count[term] for weight, count in zip(weights, counts, strict=True))
            score += _idf(statistics, term) * frequency * (_K1 + 1) / (frequency + norm)
        if score > 0:
            hits.append(Hit(id_, score))
    return hits


def words_of(functions: dict[int, StoredFunction]) -> set[str]:
    """Every search word of the functions."""
    columns = (column for stored in functions.values() for column in fields(stored.function))
    return {word for column in columns for word in column.split()}


def having(functions: dict[int, StoredFunction], runs: Collection[Sequence[str]]) -> set[int]:
    """The functions that have some run of search words in one of their fields."""
    return {
        id_
        for id_, stored in functions.items()
        if any(contains(column.split(), run) for column in fields(stored.function) for run in runs)
    }


def dense_hits(
    functions: dict[int, StoredFunction], vectors: dict[str, Vectors], query: Vectors
) -> list[Hit]:
    """Cosine of the best window of each function that has vectors."""
    found = ((id_, vectors.get(stored.function.content_hash)) for id_, stored in functions.items())
    return [Hit(id_, float(np.max(windows @ query))) for id_, windows in found if windows is not None]


def _idf(statistics: LexicalStatistics, term: str) -> float:
    n_hits = statistics.df.get(term, 0)
    return max(math.log((statistics.n_functions - n_hits + 0.5) / (n_hits + 0.5)), 1e-6)
