"""Search by vectors over one root: the graph where there is one, and an exact scan of all it lacks, drafts included.

A `Snapshot` belongs to one state of the database and never changes; `refresh` makes the next one from it and
reads only what is new. So what was embedded is found at once, whether the graph has it yet or not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.store import catalogue, drafts, hnsw, vectors
from indexer.store.hnsw import Graph, Header
from indexer.store.records import Hit, Ids
from indexer.store.vectors import DRAFTS, VECTORS, VectorRows
from indexer.types import Vectors

Mask = npt.NDArray[np.bool_]

_LEFT_OVER = 0.25
"""Share of the vectors in memory that nobody has any more, as drafts whose vectors came, from which they are let go."""
_SLACK = 1.5  # vectors asked of the graph per function wanted: windows and copies share places


@dataclass(frozen=True)
class Scope:
    """What a snapshot is of."""

    folder: Path
    root_id: int
    model_id: int
    fingerprint: str
    dim: int


class State(NamedTuple):
    """What a snapshot depends on."""

    generation: int
    last_vector: int
    last_draft: int


class Block(NamedTuple):
    """Vectors in memory."""

    ids: Ids
    """Ascending."""
    vectors: Vectors

    def of(self, ids: Ids) -> Block:
        """Those of the ids that are there."""
        here = np.isin(self.ids, ids, assume_unique=True)
        return Block(self.ids[here], self.vectors[here])


@dataclass(frozen=True)
class Snapshot:
    """The vectors of one root in one state of the database."""

    state: State
    rows: VectorRows
    graph: Graph | None
    scanned: Block
    """The vectors that are not in the graph."""
    drafted: Block
    """Apart from them, since only few of either change at a time. Their ids are below zero."""
    graph_tried: str = ""
    """The graph file that was looked at last, valid or not."""

    def search(self, query: Vectors, limit: int, allowed: Ids | None = None) -> list[Hit]:
        """The functions nearest to a vector, float32 [d], by their best window, best first.

        :param allowed: Ids of the only functions that may be found.
        """
        if allowed is None:
            return self._search_all(query, limit)
        chosen = np.isin(self.rows.function_ids, allowed)
        ids = np.unique(self.rows.vector_ids[chosen])
        if self.graph is not None and len(ids) > hnsw.EXACT_LIMIT:
            return self._search_graph(query, limit, chosen)
        found, matrix = self.vectors(ids)
        return self._functions(found, matrix @ query, limit, chosen)

    def without_drafts(self) -> Snapshot:
        """The same, with nothing in it that is only guessed."""
        none = self.drafted.ids[:0]
        return replace(self, drafted=Block(none, self.drafted.vectors[:0]))

    def vectors(self, ids: Ids) -> tuple[Ids, Vectors]:
        """Vectors of this root by id, float32 [n, d]; the order is another, so the ids come along."""
        ids = np.intersect1d(ids, self.rows.vector_ids)
        parts = [self.scanned.of(ids), self.drafted.of(ids)]
        if self.graph is not None:
            labels = np.intersect1d(ids, self.graph.labels, assume_unique=True)
            if len(labels):
                parts.append(Block(labels, self.graph.vectors(labels)))
        return np.concatenate([part.ids for part in parts]), np.concatenate([part.vectors for part in parts])

    def _scan(self, query: Vectors) -> tuple[Ids, Vectors]:
        """All that is in memory, with its scores."""
        parts = (self.scanned, self.drafted)
        scores = [part.vectors @ query for part in parts]
        return np.concatenate([part.ids for part in parts]), np.concatenate(scores)

    def _search_all(self, query: Vectors, limit: int) -> list[Hit]:
        if self.graph is not None:
            return self._search_graph(query, limit, None)
        return self._functions(*self._scan(query), limit)

    def _search_graph(self, query: Vectors, limit: int, chosen: Mask | None) -> list[Hit]:
        assert self.graph is not None
        scanned_ids, scanned = self._scan(query)
        wanted = int(limit * _SLACK) + 10
        while True:
            labels, scores = self.graph.search(query, wanted)
            ids = np.concatenate([labels, scanned_ids])
            hits = self._functions(ids, np.concatenate([scores, scanned]), limit, chosen)
            if wanted >= len(self.graph.labels) or self._enough(hits, scores, limit):
                return hits
            wanted *= 4

    @staticmethod
    def _enough(hits: list[Hit], scores: Vectors, limit: int) -> bool:
        # Beyond its last answer the graph may hold nothing better than the last function found.
        return len(hits) >= limit and bool(hits[-1].score >= scores[-1])

    def _functions(self, ids: Ids, scores: Vectors, limit: int, chosen: Mask | None = None) -> list[Hit]:
        """The best functions that have these vectors; vectors nobody has (deleted functions) find nothing."""
        best: dict[int, float] = {}
        for count in (4 * limit, len(ids)):
            top_ids, top_scores = _top(ids, scores, count)
            best = self._best_windows(top_ids, top_scores, limit, chosen)
            if len(best) >= limit:
                break
        ordered = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return [Hit(*item) for item in ordered[:limit]]

    def _best_windows(self, ids: Ids, scores: Vectors, limit: int, chosen: Mask | None) -> dict[int, float]:
        """Function -> its best score, for at least `limit` functions where there are so many."""
        starts = np.searchsorted(self.rows.vector_ids, ids, side="left")
        ends = np.searchsorted(self.rows.vector_ids, ids, side="right")
        best: dict[int, float] = {}
        for start, end, score in zip(starts.tolist(), ends.tolist(), scores.tolist(), strict=True):
            for row in range(start, end):
                if chosen is None or chosen[row]:
                    best.setdefault(int(self.rows.function_ids[row]), score)
            if len(best) >= limit:
                break
        return best


@dataclass(frozen=True)
class Improved:
    """A graph that is better than the one on disk, with the generation of the root that it is of."""

    graph: Graph
    generation: int


def refresh(db: sqlite3.Connection, scope: Scope, old: Snapshot | None) -> Snapshot:
    """The snapshot of now; `old` itself when nothing changed since. Needs a reading transaction."""
    state = _state(db, scope)
    tried = old.graph_tried if old is not None else ""
    header = admitted_header(db, scope)
    name = header.file if header else ""
    if old is not None and (old.state, tried) == (state, name):
        return old
    rows = _rows(db, scope, state, old)
    if old is not None and rows is old.rows and name == tried:
        return replace(old, state=state)
    graph = old.graph if old is not None else None
    if name != tried:
        graph = hnsw.load(scope.folder, header) if header else None
    ids = np.unique(rows.vector_ids)
    lacking = np.setdiff1d(ids, graph.labels, assume_unique=True) if graph is not None else ids
    before = (old.scanned, old.drafted) if old is not None else (None, None)
    scanned = _load(db, scope, lacking[lacking > 0], before[0])
    drafted = _load(db, scope, lacking[lacking < 0], before[1])
    return Snapshot(state, rows, graph, scanned, drafted, name)


def improve_graph(
    reading: Callable[[], AbstractContextManager[sqlite3.Connection]],
    scope: Scope,
    old: Snapshot | None,
    threads: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> Improved | None:
    """A graph to take the place of the one on disk where that pays; None where it does not.

    Only for the holder of the root's lock. The work is done on a graph of its own, so searches go on; beside it no
    more than a few vectors are in memory, and no transaction lasts, which would let the log grow.
    """
    with reading() as db:
        generation = _state(db, scope).generation
        ids = np.unique(vectors.rows_of(db, scope.root_id, scope.model_id).vector_ids)
        header = admitted_header(db, scope)
    if len(ids) <= hnsw.EXACT_LIMIT:
        hnsw.remove(scope.folder, scope.root_id)
        return None
    if header is not None and (header.generation, header.count) == (generation, len(ids)):
        return None
    shared = old.graph if old is not None and header is not None and old.graph_tried == header.file else None
    graph = shared if shared is not None or header is None else hnsw.load(scope.folder, header)
    labels = graph.labels if graph is not None else ids[:0]
    lacking = np.setdiff1d(ids, labels, assume_unique=True)
    dead = len(labels) + len(lacking) - len(ids)
    if graph is None or dead > hnsw.REBUILD_SHARE * len(labels):
        graph, lacking = hnsw.new_graph(scope.dim), ids
    elif len(lacking) <= hnsw.EXTEND_SHARE * len(ids):
        return None
    elif graph is shared and header is not None:
        # Searches use it: it must not change.
        again = hnsw.load(scope.folder, header)
        graph, lacking = (again, lacking) if again is not None else (hnsw.new_graph(scope.dim), ids)

    def load(some: Ids) -> tuple[Ids, Vectors]:
        with reading() as db:
            return vectors.load(db, some, scope.dim)

    added = graph.add(lacking, load, threads, cancelled)
    return Improved(graph, generation) if added else None


def admitted_header(db: sqlite3.Connection, scope: Scope) -> Header | None:
    """The header of the graph on disk, None where there is none or it was made from another database."""
    header = hnsw.read_header(scope.folder, scope.root_id, scope.fingerprint, scope.dim)
    return header if header is not None and hnsw.is_admitted(db, header.file) else None


def recall(snapshot: Snapshot, n_queries: int) -> float | None:
    """Share of the true ten nearest functions that the graph finds, None without a graph."""
    snapshot = snapshot.without_drafts()
    ids = np.unique(snapshot.rows.vector_ids)
    if snapshot.graph is None or not len(ids):
        return None
    found, matrix = snapshot.vectors(ids)
    exact = replace(snapshot, graph=None, scanned=Block(found, matrix))
    spread = np.linspace(0, len(matrix) - 1, min(n_queries, len(matrix))).astype(np.int64)
    shares = []
    for query in matrix[spread]:
        wanted = {hit.id for hit in exact.search(query, 10)}
        shares.append(len(wanted & {hit.id for hit in snapshot.search(query, 10)}) / len(wanted))
    return float(np.mean(shares))


def _state(db: sqlite3.Connection, scope: Scope) -> State:
    generation = catalogue.generation(db, scope.root_id)
    return State(generation, vectors.last_id(db), vectors.last_id(db, DRAFTS))


def _rows(db: sqlite3.Connection, scope: Scope, state: State, old: Snapshot | None) -> VectorRows:
    root, model = scope.root_id, scope.model_id
    sources = (VECTORS, DRAFTS) if state.last_draft else (VECTORS,)
    if old is None:
        return _together(vectors.rows_of(db, root, model, source=source) for source in sources)
    files = db.execute("SELECT id, generation FROM files WHERE root_id = ?", (root,)).fetchall()
    unchanged = np.array([id_ for id_, generation in files if generation <= old.state.generation], np.int64)
    embedded = vectors.rows_after(db, root, model, old.state.last_vector)
    # Their drafts went as their vectors came.
    outdated = (old.rows.vector_ids < 0) & np.isin(old.rows.function_ids, embedded.function_ids)
    kept = np.isin(old.rows.file_ids, unchanged) & ~outdated
    new = [embedded, vectors.rows_after(db, root, model, old.state.last_draft, DRAFTS)]
    new += [vectors.rows_of(db, root, model, old.state.generation, source) for source in sources]
    if kept.all() and not any(len(rows.vector_ids) for rows in new):
        return old.rows  # only other roots changed
    return _together([VectorRows(*(column[kept] for column in old.rows)), *new])


def _together(parts: Iterable[VectorRows]) -> VectorRows:
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return vectors.by_vector(np.stack(columns, axis=1))


def _load(db: sqlite3.Connection, scope: Scope, ids: Ids, old: Block | None) -> Block:
    """Vectors, or drafts, by id; what `old` has of them is not read again."""
    if old is None or not len(old.ids):
        return _read(db, ids, scope.dim)
    kept = np.isin(old.ids, ids, assume_unique=True)
    # Those left over find nothing, and to take them out copies all others while a query waits.
    if kept.mean() < 1 - _LEFT_OVER:
        old = Block(old.ids[kept], old.vectors[kept])
    new = _read(db, np.setdiff1d(ids, old.ids, assume_unique=True), scope.dim)
    if not len(new.ids):
        return old
    both = Block(np.concatenate([old.ids, new.ids]), np.concatenate([old.vectors, new.vectors]))
    if not len(old.ids) or new.ids[0] > old.ids[-1]:
        return both
    # A function came back, or left the graph. While a folder is embedded, each copy of all vectors delays a query.
    order = np.argsort(both.ids)
    return Block(both.ids[order], both.vectors[order])


def _read(db: sqlite3.Connection, ids: Ids, dim: int) -> Block:
    return Block(*(drafts if len(ids) and ids[0] < 0 else vectors).load(db, ids, dim))


def _top(ids: Ids, scores: Vectors, count: int) -> tuple[Ids, Vectors]:
    """The `count` best ids by falling score; equal scores by id, so that answers repeat."""
    if count < len(ids):
        part = np.argpartition(-scores, count)[:count]
        ids, scores = ids[part], scores[part]
    order = np.lexsort((ids, -scores))
    return ids[order], scores[order]
