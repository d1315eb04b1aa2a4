"""What ranking is given: functions that words or vectors found, and counts of the query's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.types import Function

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A function found by one of the two searches."""

    id: int
    """Its row; equal scores are put in the order of path and line, never of ids."""
    function: Function
    demoted: str
    """As `SourceFile.demoted`."""
    score: float
    """Lexical: BM25, higher is better. Dense: cosine of the best window."""
    has_vector: bool = True
    """Whether the other search could have found it."""
    verbatim: bool = False
    """Whether it has a run of the query's words (`Query.runs`)."""


class Statistics(NamedTuple):
    """Counts of one root's lexical index."""

    n_functions: int
    mean_lengths: tuple[float, ...]
    """Words a function in each field."""
    df: Mapping[str, int]
    """Functions that hold the word, for the words of the query."""


@dataclass
class Entry:
    """A function with what both searches said of it; ranks are 1-based."""

    id: int
    function: Function
    demoted: str
    lexical: float = 0.0
    lexical_rank: int | None = None
    dense: float | None = None
    dense_rank: int | None = None
    has_vector: bool = True
    verbatim: bool = False


class Files:
    """Which candidates share a file: float64 [candidates] and float64 [files] turned into each other."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        paths = np.array([entry.function.path for entry in entries], dtype=object)
        self.paths, self.of = np.unique(paths, return_inverse=True)
        self.count = len(self.paths)

    def spread(self, values: Array) -> Array:
        """Numbers of files given to their candidates."""
        return np.asarray(values[self.of], np.float64)

    def highest(self, values: Array, start: float) -> Array:
        """The highest number among the candidates of each file, given to all of them."""
        best = np.full(self.count, start)
        np.maximum.at(best, self.of, values)
        return self.spread(best)


def join(lexical: Iterable[Candidate], dense: Iterable[Candidate]) -> list[Entry]:
    """One entry a function, in the order of path and position; a function found twice counts once."""
    entries: dict[int, Entry] = {}
    for rank, candidate in enumerate(_best_first(lexical), 1):
        entry = _entry(entries, candidate)
        entry.lexical, entry.lexical_rank = candidate.score, rank
    for rank, candidate in enumerate(_best_first(dense), 1):
        entry = _entry(entries, candidate)
        entry.dense, entry.dense_rank = candidate.score, rank
    return sorted(entries.values(), key=_position)


def _best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Best first; of several candidates for one function (its windows) only the best stays."""
    ordered = sorted(candidates, key=lambda candidate: (-candidate.score, *_position(candidate)))
    return list({candidate.id: candidate for candidate in reversed(ordered)}.values())[::-1]


def _position(item: Candidate | Entry) -> tuple[str, int, int, int]:
    function = item.function
    return function.path, function.start_line, function.end_line, item.id


def _entry(entries: dict[int, Entry], candidate: Candidate) -> Entry:
    if candidate.id not in entries:
        entries[candidate.id] = Entry(
            candidate.id,
            candidate.function,
            candidate.demoted,
            has_vector=candidate.has_vector,
            verbatim=candidate.verbatim,
        )
    return entries[candidate.id]
