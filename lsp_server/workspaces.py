"""The folders of the client: each is a root with an index of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types as lsp
from pygls import uris

from indexer.config import Config, load_config
from lsp_server.overlays import ParseCache, Snapshot, file_path, uri_key
from lsp_server.settings import FolderSettings, Settings

if TYPE_CHECKING:
    from indexer.engine import Index
    from indexer.overlay import Overlay
    from indexer.types import Answer, Embedder, Function, Status, Vectors
    from lsp_server.model import Gate


@dataclass(frozen=True)
class RootState:
    """What a person is told of a root; replaced as a whole, so that any thread may read it."""

    state: str = "idle"
    """``idle``, ``indexing``, ``paused`` or ``error``."""
    message: str = ""
    eta_seconds: float | None = None
    counts: Status | None = None
    """As of the last look; None before it."""


class Root:
    """One workspace folder. All methods may be called from any thread."""

    def __init__(self, uri: str, name: str, path: Path, open_index: Callable[[Path], Index]) -> None:
        self.uri = uri
        self.name = name
        self.path = path
        self.paused = False
        """By the person, or because the folder is too wide."""
        self.held = False
        """Work on it is stopped, for good or while it is opened anew."""
        self.state = RootState()
        self._wanted: dict[str, bool] = {}
        self._overlay_vectors: dict[str, Vectors] = {}
        self._open_index = open_index
        self._index: Index | None = None
        self._parsed = ParseCache()
        self._lock = threading.Lock()
        self._telling = threading.Lock()

    def open(self) -> Index:
        """The index, opened on first need. Raises `UserError`."""
        with self._lock:
            if self._index is None:
                self._index = self._open_index(self.path)
            return self._index

    def close(self) -> None:
        """Closes the index; `open` opens it again, with the settings of then."""
        with self._lock:
            index, self._index = self._index, None
            self._wanted = {}
        if index is not None:
            index.close()

    def tell(self, state: str, message: str = "", eta_seconds: float | None = None) -> None:
        """Changes what a person is told."""
        with self._telling:
            self.state = replace(self.state, state=state, message=message, eta_seconds=eta_seconds)

    def count(self) -> None:
        """Reads the counts from the index, after an update, which may have met other ignore files."""
        self._wanted = {}
        counts = self.open().status()
        # Only now is the state read: another thread may have told something while the index was counting.
        with self._telling:
            self.state = replace(self.state, counts=counts)

    def estimate(self, embedded: int) -> None:
        """Functions with a vector, as an update says it goes on; `count` asks the index."""
        with self._telling:
            counts = self.state.counts
            if counts is not None and counts.functions:
                embedded = min(max(embedded, counts.embedded), counts.functions)
                counts = replace(counts, embedded=embedded, coverage=embedded / counts.functions)
                self.state = replace(self.state, counts=counts)

    @property
    def was_read(self) -> bool:
        """Whether the files of this root are known, as of the last look."""
        return self.state.counts is not None and self.state.counts.indexed

    def relative(self, path: Path) -> str | None:
        """POSIX path below the root; None outside of it."""
        try:
            return path.relative_to(self.path).as_posix()
        except ValueError:
            return None

    def file_uri(self, path: str) -> str:
        """URI of a root-relative path, written as the client writes those of this folder."""
        return f"{self.uri.removesuffix('/')}/{quote(os.fsencode(path))}"

    def overlay(self, snapshots: Iterable[Snapshot]) -> Overlay | None:
        """Functions of the buffers below this root that are indexed once they are saved; None where there are none."""
        from indexer.overlay import Overlay

        mine = {
            path: snapshot for snapshot in snapshots if (path := self.relative(snapshot.path)) is not None
        }
        files = {path: self._parsed.parse(path, one) for path, one in mine.items() if self.is_wanted(path)}
        self._parsed.keep({str(snapshot.path) for snapshot in mine.values()})
        return Overlay(files, dict(self._overlay_vectors)) if files else None

    def functions_of(self, path: str, snapshots: Iterable[Snapshot]) -> tuple[Function, ...]:
        """Functions of a file of this root, as on the screen where it is open, also of one that is not indexed."""
        shown = next((one for one in snapshots if self.relative(one.path) == path), None)
        if shown is not None:
            return self._parsed.parse(path, shown).functions
        return self.open().functions_of(path)

    def is_wanted(self, path: str) -> bool:
        """Whether the rules of walking let a file in; of one that is not saved yet nothing is known."""
        known = self._wanted.get(path)
        if known is None:
            from indexer.types import SourceFile
            from indexer.walk import walk

            found = walk(self.path, self.open().config, paths=[path])
            known = not (self.path / path).exists() or any(isinstance(one, SourceFile) for one in found)
            self._wanted[path] = known
        return known

    def keep_vectors(self, overlay: Overlay | None) -> None:
        """Remembers the vectors of an overlay for the next one, and forgets all others."""
        if overlay is None:
            self._overlay_vectors = {}
            return
        functions = (function for parsed in overlay.files.values() for function in parsed.functions)
        hashes = {function.content_hash for function in functions}
        self._overlay_vectors = {key: value for key, value in overlay.vectors.items() if key in hashes}


class SharedIndex:
    """An index that commands on the shell ask, ahead of indexing like every query."""

    def __init__(self, index: Index, gate: Gate) -> None:
        self.config = index.config
        self._index = index
        self._gate = gate

    def search(self, query: str, **options: Any) -> Answer:  # noqa: ANN401 - those of `Index.search`
        """As `Index.search`."""
        with self._gate.query():
            return self._index.search(query, **options)

    def similar(self, path: str, line: int, **options: Any) -> Answer:  # noqa: ANN401 - as above
        """As `Index.similar`."""
        with self._gate.query():
            return self._index.similar(path, line, **options)


class Workspaces:
    """The roots of the session, in the order of the client."""

    def __init__(self, embedder: Callable[[], Embedder], home: Path | None = None) -> None:
        self.settings = Settings()
        self._embedder = embedder
        self._home = home
        self._roots: dict[Path, Root] = {}
        self._paths: dict[str, Path] = {}
        """By URI, as it was when the folder came: two may lead to one path, and a link may be gone when it leaves."""

    def all(self) -> list[Root]:
        """Every root."""
        return list(self._roots.values())

    def select(self, wanted: Iterable[str] | None) -> list[Root]:
        """The roots of these URIs, or all. Raises ValueError for a URI that is no workspace folder."""
        if wanted is None:
            return self.all()
        return [self._root_at(uri) for uri in wanted]

    def of_path(self, path: Path) -> tuple[Root, str] | None:
        """The innermost root of an absolute path and the path below it."""
        return next(self.all_of_path(path), None)

    def all_of_path(self, path: Path) -> Iterator[tuple[Root, str]]:
        """Every root that an absolute path is in, the innermost first, each with the path below it."""
        for root in sorted(self.all(), key=lambda root: len(root.path.parts), reverse=True):
            relative = root.relative(path)
            if relative is not None:
                yield root, relative

    def of_uri(self, uri: str) -> tuple[Root, str] | None:
        """As `of_path`; a link that leads out of its root belongs to no root."""
        path = file_path(uri)
        return None if path is None else self.of_path(path)

    def add(self, uri: str, name: str) -> Root | None:
        """A new root; None where the URI names no folder of this machine or one that is there already."""
        path = file_path(uri)
        if path is None:
            return None
        self._paths[uri_key(uri)] = path
        if path in self._roots:
            return None
        root = Root(uri, name or path.name or str(path), path, self._open)
        self._roots[path] = root
        if not path.is_dir():
            root.tell("error", f"There is no folder {path}.")
        elif is_too_wide(path):
            root.paused = True
            root.tell("paused", f"{path} is not indexed by itself: it is too wide. Start it with reindex.")
        return root

    def remove(self, uri: str) -> Root | None:
        """Takes a root out with the last URI of its folder; the caller closes it once nothing runs on it."""
        path = self._paths.pop(uri_key(uri), None)
        if path is None:
            return None
        return None if path in self._paths.values() else self._roots.pop(path, None)

    def config(self, path: Path) -> Config:
        """Settings of a root: those of the client on top of those of the files. Raises `UserError`."""
        settings = self.settings
        own = next((own for uri, own in settings.folders.items() if file_path(uri) == path), FolderSettings())
        return load_config(
            path,
            home=self._home,
            # "auto" is the default of all places, so it must not hide what the user's file says.
            model=None if settings.model == "auto" else settings.model,
            device=settings.device,
            exclude=(settings.exclude if own.exclude is None else own.exclude) or None,
            include_text=settings.include_text if own.include_text is None else own.include_text,
            max_file_bytes=settings.max_file_bytes if own.max_file_bytes is None else own.max_file_bytes,
        )

    def _open(self, path: Path) -> Index:
        from indexer.engine import open_index

        def settings() -> Config:
            return self.config(path)

        return open_index(path, config=settings(), embedder=self._embedder, reload=settings)

    def _root_at(self, uri: str) -> Root:
        path = file_path(uri)
        if path is None or path not in self._roots:
            raise ValueError(f"roots: {uri!r} is not a workspace folder")
        return self._roots[path]


def folders_of(params: lsp.InitializeParams) -> list[tuple[str, str]]:
    """URIs and names of the folders; old clients send only a root, which then is the one folder."""
    if params.workspace_folders is not None:
        return [(folder.uri, folder.name) for folder in params.workspace_folders]
    uri = params.root_uri
    if not uri and params.root_path:
        uri = uris.from_fs_path(params.root_path)
    return [(uri, PurePosixPath(unquote(urlsplit(uri).path)).name)] if uri else []


def is_too_wide(path: Path) -> bool:
    """Whether a folder is a whole disk or a home folder, which an editor sends when no project is open."""
    return path == Path(path.anchor) or path == Path.home().resolve()


def compared(
    root: Root, snapshots: Sequence[Snapshot], started: float, read: Collection[str] | None
) -> Iterator[tuple[Snapshot, bool]]:
    """Buffers whose files an update, begun at `started`, has read, and whether it met what is on the screen."""
    for snapshot in snapshots:
        path = root.relative(snapshot.path)
        if path is None or not (read is None or _is_among(path, read)):
            continue
        try:
            # A file written later may or may not have been read; then the buffer stays in use.
            same = snapshot.path.stat().st_mtime < started and snapshot.path.read_bytes() == snapshot.data
        except OSError:
            same = False
        yield snapshot, same


def _is_among(path: str, read: Collection[str]) -> bool:
    """Whether a file is one of those that were read, or in a folder of them."""
    return any(path == one or path.startswith(f"{one}/") for one in read)
