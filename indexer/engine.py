"""The index of one folder: `update` keeps it true, `search` and `similar` ask it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from indexer.config import ROOT_KEYS, Config, load_config
from indexer.errors import UserError
from indexer.store import Store
from indexer.types import (
    Answer,
    Embedder,
    Function,
    Progress,
    SearchFilters,
    Status,
    UpdateReport,
)

if TYPE_CHECKING:
    from indexer.overlay import Overlay


_MOST_ASKED = 200  # functions; embedding them takes seconds, and older questions are no longer waited for


def open_index(
    path: str | os.PathLike[str],
    *,
    config: Config | None = None,
    embedder: Embedder | Callable[[], Embedder] | None = None,
    reload: Callable[[], Config] | None = None,
) -> Index:
    """The index of a folder, whether it was indexed before or not.

    :param config: The settings; None loads those that hold for the folder.
    :param reload: Reads the settings again. Which files are worth indexing is taken from it before each look at
        everything, so that a change of the folder's own file is followed.
    :param embedder: An embedder, or a function called when one is first needed; None loads `config.model`.
    :raises UserError: Where the folder is missing or the store cannot be opened.
    """
    root = Path(path).expanduser()
    try:
        root = root.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"There is no folder {path}. Name an existing folder.") from error
    if not root.is_dir():
        raise UserError(f"{path} is a file. Name the folder to index.")
    return Index(root, config or load_config(root), embedder, reload)


class Index:
    """One root of the store. All methods may be called from any thread; queries never wait for an update."""

    def __init__(
        self,
        root: Path,
        config: Config,
        embedder: Embedder | Callable[[], Embedder] | None = None,
        reload: Callable[[], Config] | None = None,
    ) -> None:
        self.root = root
        self.config = config
        self._reload = reload
        self._store = Store(config.home)
        self._source: Embedder | Callable[[], Embedder] | None = embedder or self._load_default
        self._embedder: Embedder | None = None
        self._loading = threading.Lock()
        self._asking = threading.Lock()
        self._asked: deque[int] = deque(maxlen=_MOST_ASKED)

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store; the embedder belongs to the caller."""
        self._store.close()

    # The embedder

    @property
    def embedder(self) -> Embedder | None:
        """The embedder if it is loaded already."""
        return self._embedder

    @embedder.setter
    def embedder(self, embedder: Embedder | Callable[[], Embedder] | None) -> None:
        """Use another embedder from now on; None answers and indexes by words alone."""
        with self._loading:
            self._source, self._embedder = embedder, None

    def load_embedder(self) -> Embedder | None:
        """The embedder, loaded now if it was not needed before; None where words alone are wanted."""
        with self._loading:
            if self._embedder is None and self._source is not None:
                self._embedder = self._source() if callable(self._source) else self._source
            return self._embedder

    def _load_default(self) -> Embedder:
        from indexer.embedding import load_configured

        return load_configured(self.config)

    # Keeping it true

    def update(
        self,
        *,
        paths: Sequence[str] | None = None,
        first: Sequence[str] = (),
        on_progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        yield_to: Callable[[], None] | None = None,
        embed: bool = True,
        wait: bool = True,
        batch_size: int | None = None,
        batch_seconds: float = 4.0,
    ) -> UpdateReport:
        """Make the index agree with the folder. May be stopped or killed at any time and called again.

        :param paths: Root-relative files and folders to look at, and to embed; None means everything.
        :param first: Files whose functions are embedded before the others.
        :param on_progress: Told how far it is, on the caller's thread.
        :param cancelled: Asked between batches; True stops with `UpdateReport.cancelled`.
        :param yield_to: Called before each batch for the embedder; may wait while a query uses the device.
        :param embed: False indexes words only.
        :param wait: Wait for another process that indexes this folder; else `RootBusy` is raised.
        :param batch_size: Texts for the embedder at a time, which is what a kill loses; None adapts it to the
            speed of the embedder.
        :param batch_seconds: The longest that such an adapted batch should take.
        :raises UserError: Where the folder or the store cannot be read or written, or no model be loaded;
            what was done before is kept.
        """
        from indexer.update import Request, Update

        request = Request(
            paths=None if paths is None else tuple(paths),
            first=tuple(first),
            on_progress=on_progress or _ignore,
            cancelled=cancelled or _never,
            asked=self._last_asked,
            yield_to=yield_to or _nothing,
            wait=wait,
            batch_size=batch_size,
            batch_seconds=batch_seconds,
        )
        loader = self.load_embedder if embed else _no_embedder
        notes = self._take_settings() if paths is None else []
        report = Update(self._store, self.root, self.config, request, loader).run()
        report.notes[:0] = notes
        return report

    def _take_settings(self) -> list[str]:
        """Follow the settings about files; what is newly wrong with them, in sentences."""
        if self._reload is None:
            return []
        try:
            fresh = self._reload()
        except UserError as error:
            return [str(error)]
        known = self.config.notes
        about_files = {name: getattr(fresh, name) for name in ROOT_KEYS}
        self.config = replace(self.config, notes=fresh.notes, **about_files)
        return [note for note in fresh.notes if note not in known]

    # Asking it

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        filters: SearchFilters | None = None,
        explain: bool = False,
        overlay: Overlay | None = None,
        dense: bool = True,
        cancelled: Callable[[], bool] | None = None,
    ) -> Answer:
        """The functions that answer a query in any natural language, or by name, best first.

        :param filters: Restrictions, on top of those the query itself has (``lang:go -tests``).
        :param explain: Give every signal of a result, not only the strongest.
        :param overlay: Unsaved buffers that replace what was indexed of their files.
        :param dense: False answers by words alone and loads no model.
        :param cancelled: Asked between the stages; True returns what there is, with a note.
        :raises UserError: For an empty query, a folder never indexed or a store that cannot be read.
        """
        from indexer.search import Search

        loader = self.load_embedder if dense else _no_embedder
        search = Search(self._store, self.root, loader, overlay, cancelled or _never)
        answer = search.answer(query, limit=limit, filters=filters or SearchFilters(), explain=explain)
        with self._asking:
            self._asked.extendleft(reversed(search.lacking))
        return answer

    def _last_asked(self) -> list[int]:
        with self._asking:
            return list(self._asked)

    def similar(
        self,
        path: str,
        line: int,
        *,
        text: str | None = None,
        language: str = "",
        limit: int = 10,
        filters: SearchFilters | None = None,
        overlay: Overlay | None = None,
        min_score: float = 0.0,
    ) -> Answer:
        """The functions nearest to the innermost one at a line (1-based), or to `text`, best first.

        :param text: Code to compare instead; `path` and `line` only say what it must not find then.
        :param language: Of `text`.
        :param min_score: Least cosine of what is returned.
        :raises UserError: Where there is no function at the line, or no vectors to compare.
        """
        from indexer.similar import Similar

        similar = Similar(self._store, self.root, self.load_embedder, overlay)
        return similar.answer(
            path,
            line,
            text=text,
            language=language,
            limit=limit,
            filters=filters or SearchFilters(),
            min_score=min_score,
        )

    def functions_of(self, path: str, overlay: Overlay | None = None) -> tuple[Function, ...]:
        """The functions of a file as they are in the overlay, else as they were indexed, in its order."""
        if overlay is not None and path in overlay.files:
            return overlay.files[path].functions
        root = self._store.root(str(self.root))
        if root is None:
            return ()
        return tuple(stored.function for stored in self._store.functions_in(root.id, path))

    def embed_overlay(self, overlay: Overlay, paths: Collection[str] | None = None) -> None:
        """Fill in the vectors of an overlay, or of some of its files; those in the store are used again."""
        from indexer.update import embed

        embedder = self.load_embedder()
        if embedder is None:
            return
        files = overlay.files if paths is None else {path: overlay.files[path] for path in paths}
        texts = {
            function.content_hash: function.text
            for file in files.values()
            for function in file.functions
            if function.content_hash not in overlay.vectors
        }
        overlay.vectors.update(self._store.vectors_of(embedder.fingerprint, texts))
        hashes = [hash_ for hash_ in texts if hash_ not in overlay.vectors]
        made = embed(embedder, {place: texts[hash_] for place, hash_ in enumerate(hashes)})
        overlay.vectors.update({hashes[place]: windows for place, windows in made})

    # What it holds

    @property
    def indexed(self) -> bool:
        """Whether the folder was ever indexed."""
        return self._store.root(str(self.root)) is not None

    @property
    def generation(self) -> int:
        """A number that is another one whenever files or functions changed."""
        root = self._store.root(str(self.root))
        return root.generation if root is not None else -1

    def status(self) -> Status:
        """What the index holds; loads no model."""
        root = self._store.root(str(self.root))
        if root is None:
            return Status(str(self.root), indexed=False, store_bytes=self._store.store_bytes())
        fingerprint = self._embedder.fingerprint if self._embedder is not None else root.fingerprint
        embedded, functions = self._store.coverage(root.id, fingerprint)
        return Status(
            root=str(self.root),
            indexed=True,
            files=self._store.count_files(root.id),
            functions=functions,
            embedded=embedded,
            coverage=embedded / functions if functions else 0.0,
            model=self._embedder.name if self._embedder is not None else root.model,
            fingerprint=fingerprint,
            device=self._embedder.device if self._embedder is not None else "",
            skipped=tuple(self._store.skipped(root.id)),
            last_update=root.updated_at,
            disk_bytes=self._store.disk_bytes(root.id),
            store_bytes=self._store.store_bytes(),
            indexing_pid=self._store.indexing_pid(root.id),
        )


def _ignore(progress: Progress) -> None:
    """Nobody wants to know."""


def _never() -> bool:
    return False


def _nothing() -> None:
    """Nobody to wait for."""


def _no_embedder() -> None:
    return None
