"""The store as the engine sees it: one object, usable from any thread, each write one short transaction."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from sqlite3 import Connection

from indexer.errors import NotIndexed
from indexer.rank.tokens import TOKENS_VERSION
from indexer.store import catalogue, coverage, dense, drafts, gc, hnsw, lexical, vectors, write
from indexer.store.coverage import Coverage
from indexer.store.database import Database
from indexer.store.dense import Scope, Snapshot
from indexer.store.filters import Filters, Where
from indexer.store.locks import RootLock
from indexer.store.records import (
    FileRow,
    GcReport,
    Hit,
    LexicalStatistics,
    RootRow,
    StoredFunction,
)
from indexer.store.vectors import DRAFTS, VECTORS
from indexer.types import Function, SearchFilters, SkippedFile, Vectors

_REMEMBERED_WORDS = 4_096
_REMEMBERED_FUNCTIONS = 8_192
"""Some ten megabytes; a query has up to a thousand candidates."""


class Store:
    """All roots of one data folder. Readers never wait; there is one writer per root (`lock`)."""

    def __init__(self, home: Path) -> None:
        """Open the store in `home`, or create it; `UserError` says what to do when that cannot be."""
        self.home = Path(home)
        self._database = Database(self.home)
        self._graphs = self.home / hnsw.FOLDER
        self._refreshing = threading.Lock()
        self._forget_all()
        self.replaced = False
        """Whether the database is another one than at first, and no update of the whole root has ended since."""

    def _forget_all(self) -> None:
        self._snapshots: dict[tuple[int, str], Snapshot] = {}
        self._abbreviations: dict[tuple[int, int, str], tuple[str, ...]] = {}
        self._functions: dict[tuple[int, int, int], StoredFunction] = {}
        self._coverage: dict[int, Coverage] = {}
        self._filters = Filters()

    def close(self) -> None:
        """Close the connections of all threads and free the vectors in memory."""
        self._database.close()
        self._snapshots.clear()

    def _renew(self) -> None:
        """Open the database that is there now where the one that was opened is gone: nobody else finds its rows."""
        if self._database.is_current():
            return
        with self._refreshing:
            if self._database.is_current():
                return
            old, self._database = self._database, Database(self.home)
            self._forget_all()
            self.replaced = True
        old.close()

    # Roots

    def roots(self) -> list[RootRow]:
        """All roots, ordered by path."""
        self._renew()
        with self._database.reading() as db:
            return catalogue.roots(db)

    def root(self, path: str) -> RootRow | None:
        """The root at an absolute path, None when that folder was never indexed."""
        self._renew()
        with self._database.reading() as db:
            return catalogue.find_root(db, path)

    def indexed_root(self, path: str) -> RootRow:
        """The root at an absolute path; `UserError` when that folder was never indexed."""
        root = self.root(path)
        if root is None:
            raise NotIndexed(path)
        return root

    def ensure_root(self, path: str) -> int:
        """The id of the root at an absolute path, written if it is new."""
        self._renew()
        with self._database.writing() as db:
            return write.ensure_root(db, path)

    def forget(self, path: str) -> bool:
        """Remove a root; its vectors stay for their time of grace. False when it was not there.

        `RootBusy` while another process indexes it.
        """
        root = self.root(path)
        if root is None:
            return False
        with contextlib.ExitStack() as locks:
            for purpose in ("files", "vectors"):
                locks.enter_context(self.lock(root.id, path, purpose).hold(wait=False))
            with self._database.writing() as db:
                write.remove_root(db, root.id)
        hnsw.remove(self._graphs, root.id)
        return True

    def lock(self, root_id: int, path: str, purpose: str) -> RootLock:
        """The lock of a root for writing its files (``files``) or for embedding it (``vectors``)."""
        return RootLock(self.home, f"{root_id}.{purpose}", path)

    def finish(self, root_id: int) -> None:
        """Write down that an update of the whole root is complete."""
        with self._database.writing() as db:
            db.execute("UPDATE roots SET updated_at = ? WHERE id = ?", (time.time(), root_id))
        self.replaced = False

    # Files and functions

    def files(self, root_id: int, paths: Iterable[str] | None = None) -> dict[str, FileRow]:
        """The files of a root by path: all of them, or those at and below some paths."""
        with self._database.reading() as db:
            return catalogue.files(db, root_id, paths)

    def count_functions(self, file_ids: Iterable[int]) -> int:
        """Number of functions in some files."""
        statement = "SELECT count(*) FROM functions WHERE file_id = ?"
        with self._database.reading() as db:
            return sum(db.execute(statement, (id_,)).fetchone()[0] for id_ in file_ids)

    def write_batch(
        self,
        root_id: int,
        *,
        parsed: Sequence[tuple[FileRow, Sequence[Function]]] = (),
        touched: Sequence[FileRow] = (),
        removed: Sequence[FileRow] = (),
    ) -> None:
        """Write a batch of files in one transaction; when it returns, words find the functions.

        :param parsed: Files with all their functions.
        :param touched: Files whose functions stay but whose size, time or demotion changed.
        :param removed: Files that are gone.
        """
        with self._database.writing() as db:
            generation = catalogue.bump(db, root_id)
            write.remove_files(db, root_id, (file.id for file in removed))
            for file, functions in parsed:
                write.replace_functions(db, root_id, generation, file, functions)
            for file in touched:
                catalogue.touch_file(db, file)

    def set_skipped(
        self, root_id: int, skipped: Iterable[SkippedFile], paths: Sequence[str] | None = None
    ) -> None:
        """Replace the list of what was left out, or only its entries at and below `paths`."""
        with self._database.writing() as db:
            catalogue.remove_skipped(db, root_id, paths)
            catalogue.add_skipped(db, root_id, skipped)

    def count_files(self, root_id: int) -> int:
        """Number of files of a root."""
        with self._database.reading() as db:
            row = db.execute("SELECT count(*) FROM files WHERE root_id = ?", (root_id,)).fetchone()
            return int(row[0])

    def skipped(self, root_id: int) -> list[SkippedFile]:
        """What the last updates left out, by path."""
        with self._database.reading() as db:
            return catalogue.skipped(db, root_id)

    def functions(self, ids: Iterable[int]) -> dict[int, StoredFunction]:
        """Functions by id; those that are gone meanwhile are left out."""
        with self._database.reading() as db:
            return catalogue.functions(db, ids)

    def functions_of(self, root: RootRow, ids: Collection[int]) -> dict[int, StoredFunction]:
        """As `functions`, of one root; remembered for each state of it: one query finds much of what the last did."""
        known, state = self._functions, (root.id, root.generation)
        found = {id_: stored for id_ in ids if (stored := known.get((*state, id_))) is not None}
        new = self.functions(id_ for id_ in ids if id_ not in found)
        if len(known) + len(new) > _REMEMBERED_FUNCTIONS:
            self._functions = known = {}  # another thread may still read the old one
        known.update(((*state, id_), stored) for id_, stored in new.items())
        return found | new

    def functions_in(self, root_id: int, path: str) -> list[StoredFunction]:
        """The functions of one file, in the order of the file."""
        with self._database.reading() as db:
            return catalogue.functions_in(db, root_id, path)

    # Words

    def ensure_words(self, root_id: int) -> bool:
        """Make the lexical index anew if another version of the tokenizer made it; True when it did."""
        with self._database.reading() as db:
            row = db.execute("SELECT tokens_version FROM roots WHERE id = ?", (root_id,)).fetchone()
        if row is None or row[0] == TOKENS_VERSION:
            return False
        with self._database.writing() as db:
            lexical.rebuild(db, root_id)
        return True

    def filter(
        self,
        root_id: int,
        filters: SearchFilters,
        *,
        changed: Collection[str] = (),
    ) -> Where:
        """The filters as a condition for `lexical` and `dense`; see `compile_filters`."""
        with self._database.reading() as db:
            return self._filters.where(db, root_id, filters, changed)

    def lexical(
        self, root_id: int, match: str, weights: Sequence[float], limit: int, where: Where | None = None
    ) -> list[Hit]:
        """The best functions for an FTS5 expression over `lexical.COLUMNS`, by weighted BM25."""
        with self._database.reading() as db:
            return lexical.search(db, root_id, match, weights, limit, where or Where())

    def shortest_symbols(self, root_id: int, match: str, limit: int, where: Where | None = None) -> list[int]:
        """Ids of the functions for an FTS5 expression, those with the shortest symbols first."""
        with self._database.reading() as db:
            return lexical.shortest_symbols(db, root_id, match, limit, where or Where())

    def lexical_statistics(self, root_id: int, terms: Iterable[str]) -> LexicalStatistics:
        """What BM25 needs to know of the root."""
        with self._database.reading() as db:
            return lexical.statistics(db, root_id, terms)

    def abbreviations(self, root: RootRow, words: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """What the root's code abbreviates search words to, where it does; remembered for each state of the root."""
        if len(self._abbreviations) > _REMEMBERED_WORDS:
            self._abbreviations.clear()
        found = {}
        with self._database.reading() as db:
            for word in words:
                key = root.id, root.generation, word
                if key not in self._abbreviations:
                    self._abbreviations[key] = lexical.abbreviations_of(db, root.id, word)
                if shorts := self._abbreviations.get(key, ()):
                    found[word] = shorts
        return found

    # Vectors

    def use_model(self, root_id: int, fingerprint: str, name: str, dim: int) -> int:
        """The id of a model, written if it is new; it is the model of the root from now on."""
        with self._database.writing() as db:
            model = vectors.ensure_model(db, fingerprint, name, dim)
            db.execute("UPDATE roots SET model_id = ? WHERE id = ?", (model, root_id))
            return model

    def missing(
        self, root_id: int, model: int, first: Iterable[str] = (), only: Collection[str] | None = None
    ) -> list[int]:
        """Contents of a root, or of some of its files, without a vector, in the order to embed them."""
        with self._database.reading() as db:
            return vectors.missing(db, root_id, model, first, only)

    def texts(self, model: int, contents: Sequence[int]) -> dict[int, str]:
        """The texts of those contents that still have no vector of the model."""
        with self._database.reading() as db:
            return vectors.texts(db, vectors.still_missing(db, model, contents))

    def add_vectors(self, model: int, contents: Iterable[tuple[int, Vectors]]) -> None:
        """Write all windows, float32 [windows, dim], of each content."""
        with self._database.writing() as db:
            vectors.add(db, model, contents)

    def without_drafts(self, model: int, contents: Sequence[int]) -> list[int]:
        """Those of the contents that have neither a vector nor a draft of the model, in their order."""
        with self._database.reading() as db:
            return vectors.still_missing(db, model, contents, (VECTORS, DRAFTS))

    def add_drafts(self, model: int, contents: Sequence[int], made: Vectors) -> None:
        """Write a draft, float32 [n, dim], of each content."""
        with self._database.writing() as db:
            drafts.add(db, model, contents, made)

    def has_vectors(self, root_id: int) -> bool:
        """Whether any function of a root has a vector of any model."""
        with self._database.reading() as db:
            return vectors.any_of(db, root_id)

    def vectors_of(self, fingerprint: str, hashes: Iterable[str]) -> dict[str, Vectors]:
        """The windows, float32 [windows, dim], of contents by their hash; those without are left out."""
        with self._database.reading() as db:
            model = vectors.model_id(db, fingerprint)
            return {} if model is None else vectors.of_contents(db, model, hashes)

    def contents_of(self, functions: Sequence[int]) -> list[int]:
        """The contents of functions that are still there, in their order."""
        with self._database.reading() as db:
            return vectors.contents_of(db, functions)

    def without_vectors(
        self, fingerprint: str, functions: Iterable[int], *, or_drafts: bool = False
    ) -> set[int]:
        """Those of the functions, by their ids, that have no vector of a model yet, or not even a draft."""
        sources = (VECTORS, DRAFTS) if or_drafts else (VECTORS,)
        with self._database.reading() as db:
            return vectors.without(db, vectors.model_id(db, fingerprint), functions, sources)

    def indexing_pid(self, root_id: int) -> int | None:
        """The process that is updating a root now, None when there is none."""
        locks = (self.lock(root_id, "", purpose) for purpose in ("files", "vectors"))
        return next((pid for lock in locks if (pid := lock.holder()) is not None), None)

    def dense(
        self,
        root_id: int,
        fingerprint: str,
        query: Vectors,
        limit: int,
        where: Where | None = None,
        *,
        drafts: bool = True,
    ) -> list[Hit]:
        """The functions nearest to a vector, float32 [dim], by their best window, best first.

        :param drafts: Whether those without a vector may be found by their drafts.
        """
        snapshot = self._snapshot(root_id, fingerprint, len(query))
        if snapshot is None or not len(snapshot.rows.vector_ids):
            return []
        allowed = None
        if where is not None and where.sql:
            with self._database.reading() as db:
                allowed = vectors.matching(db, where)
        return (snapshot if drafts else snapshot.without_drafts()).search(query, limit, allowed)

    def coverage(self, root_id: int, fingerprint: str) -> tuple[int, int]:
        """Functions of a root that have a vector of the model, and functions in all."""
        with self._database.reading() as db:
            model = vectors.model_id(db, fingerprint)
            found = coverage.refresh(db, root_id, model, self._coverage.get(root_id))
            self._coverage[root_id] = found
            return found.embedded, found.functions

    def improve_graph(
        self,
        root_id: int,
        fingerprint: str,
        dim: int,
        threads: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Bring the HNSW file of a root up to date where that pays; the caller holds the root's lock."""
        with self._database.reading() as db:
            scope = self._scope(db, root_id, fingerprint, dim)
        if scope is None:
            return False
        old = self._snapshots.get((root_id, fingerprint))
        improved = dense.improve_graph(self._database.reading, scope, old, threads, cancelled)
        if improved is None:
            return False

        def admit(name: str) -> None:
            with self._database.writing() as db:
                hnsw.admit(db, name)

        improved.graph.save(self._graphs, root_id, fingerprint, improved.generation, admit)
        return True

    def recall(self, root_id: int, n_queries: int = 100) -> float | None:
        """Share of the true ten nearest functions that the graph of a root finds; None without a graph.

        The queries are the root's own vectors, evenly spread.
        """
        with self._database.reading() as db:
            row = db.execute(
                "SELECT fingerprint, dim FROM roots JOIN models ON models.id = model_id WHERE roots.id = ?",
                (root_id,),
            ).fetchone()
        snapshot = self._snapshot(root_id, *row) if row else None
        # Who asks goes through all roots, and nothing of one is needed for the next.
        self._snapshots = self._snapshots_but(root_id)
        return None if snapshot is None else dense.recall(snapshot, n_queries)

    # The store as a whole

    def gc(self, grace_days: float = gc.GRACE_DAYS) -> GcReport:
        """Free what has been out of use for `grace_days`."""
        return gc.collect(self._database, self._graphs, grace_days)

    def last_gc(self) -> float:
        """When garbage was collected last, in seconds since 1970; 0 for never."""
        with self._database.reading() as db:
            return gc.last_run(db)

    def disk_bytes(self, root_id: int) -> int:
        """Bytes that a root takes; what it shares with other roots counts fully."""
        with self._database.reading() as db:
            return catalogue.disk_bytes(db, root_id) + hnsw.disk_bytes(self._graphs, root_id)

    def store_bytes(self) -> int:
        """Bytes of all files of the store."""
        return gc.folder_bytes(self.home)

    def _snapshot(self, root_id: int, fingerprint: str, dim: int) -> Snapshot | None:
        key = (root_id, fingerprint)
        with self._refreshing, self._database.reading() as db:
            scope = self._scope(db, root_id, fingerprint, dim)
            if scope is None:
                return None
            snapshot = dense.refresh(db, scope, self._snapshots.get(key))
            # Those of a model that was used before would stay in memory for nothing.
            self._snapshots = {**self._snapshots_but(root_id), key: snapshot}
            return snapshot

    def _snapshots_but(self, root_id: int) -> dict[tuple[int, str], Snapshot]:
        return {key: snapshot for key, snapshot in self._snapshots.items() if key[0] != root_id}

    def _scope(self, db: Connection, root_id: int, fingerprint: str, dim: int) -> Scope | None:
        model = vectors.model_id(db, fingerprint)
        return None if model is None else Scope(self._graphs, root_id, model, fingerprint, dim)
