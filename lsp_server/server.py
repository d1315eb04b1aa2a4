"""The server: owns the parts, starts and stops them; what a client can ask for is in `features`."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import FeatureRequestError
from pygls.lsp.server import LanguageServer

from indexer.answering import AnswerServer
from indexer.config import Config, load_config
from indexer.errors import UserError
from lsp_server.follow import Follower
from lsp_server.indexing import Indexer
from lsp_server.model import Gate, LoadEmbedder, Model
from lsp_server.overlays import Document, Documents, Snapshot, file_path
from lsp_server.positions import Encoding
from lsp_server.progress import ProgressBars
from lsp_server.protocol import DID_UPDATE, Protocol, make_converter
from lsp_server.settings import Settings
from lsp_server.workspaces import Root, SharedIndex, Workspaces, compared

if TYPE_CHECKING:
    from indexer.types import Embedder

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_FEATURES = ("lifecycle", "status", "search", "similar", "symbols", "hover", "lens", "commands")
_QUERY_THREADS = 4
_OVERLAY_QUIET_SECONDS = 0.3
_ANNOUNCE_SECONDS = 0.5


class CodewhereServer(LanguageServer):
    """One session with one client."""

    protocol: Protocol

    def __init__(self, load_embedder: LoadEmbedder, home: Path | None = None) -> None:
        super().__init__(
            "codewhere",
            _version(),
            protocol_cls=Protocol,
            converter_factory=make_converter,
            max_workers=1,  # reads stdin and does nothing else, so that the reader never waits
        )
        self.gate = Gate()
        self.model = Model(load_embedder, self.gate, self._on_model)
        self.workspaces = Workspaces(self.model.require, home)
        self.documents = Documents(self._get_encoding, self._on_document)
        self.indexer = Indexer(self.model, self.gate, self)
        self.follower = Follower(self.indexer)
        self.bars = ProgressBars(self)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.closed = threading.Event()
        self.first_folders: list[tuple[str, str]] = []
        """What `initialize` brought, until the client is ready: folders, and complaints about settings."""
        self.first_complaints: list[str] = []
        self.first_settings: object = None
        """The `initializationOptions`, in force where a later change says nothing."""
        self.on_exit: Callable[[], None] = self.closed.set
        """Ends the session, from any thread; set by the transport."""
        self._home = home
        self._open_files: tuple[Path, ...] = ()
        self._queries = ThreadPoolExecutor(_QUERY_THREADS, "codewhere-query")
        self._background = ThreadPoolExecutor(1, "codewhere-background")
        self._overlays = ThreadPoolExecutor(1, "codewhere-overlays")
        self._overlay_timer: asyncio.TimerHandle | None = None
        self._answers: AnswerServer | None = None
        self._last_announced = 0.0
        self._told: set[str] = set()
        self._aside: set[asyncio.Task[None]] = set()  # the event loop alone would forget them

    @property
    def settings(self) -> Settings:
        """The settings in use."""
        return self.workspaces.settings

    @property
    def encoding(self) -> Encoding:
        """Units of columns on the wire."""
        return self._get_encoding()

    @property
    def exit_status(self) -> int:
        """0 after a proper shutdown, else 1, as LSP wants it."""
        return 0 if self.protocol.was_shut_down else 1

    def begin(self, folders: Sequence[tuple[str, str]]) -> None:
        """Starts to work for a client that is ready; called on the event loop."""
        self.loop = asyncio.get_running_loop()
        self.indexer.start()
        self.load_model()
        self.in_background(self._answer_commands)
        for uri, name in folders:
            self.add_root(uri, name)

    def load_model(self) -> None:
        """Loads the model of the settings in the background."""
        try:
            self.model.start(self._config())
        except UserError as error:
            self.model.fail(str(error))

    def add_root(self, uri: str, name: str) -> None:
        """Takes a folder in, and indexes and follows it where the settings say so."""
        root = self.workspaces.add(uri, name)
        if file_path(uri) is None:
            self.tell(lsp.MessageType.Warning, f"{uri} is no folder of this machine, so it is not searched.")
        if root is not None and self.settings.auto_index and not root.paused:
            self.index(root)

    def index(self, root: Root) -> None:
        """Looks at every file of a root now and follows it from now on, unless it was taken out or paused meanwhile."""
        if root.paused or root not in self.workspaces.all():
            return
        # To begin to follow a large folder takes a while, in which it would pass for one that nobody indexes.
        root.tell("indexing", "Looking for changes")
        by_client = self.client_watches()

        def work() -> None:
            for note in self._notes(root):
                self.post(self.tell_once, lsp.MessageType.Warning, note)
            # Events first: what changes between the first look and the first event would be missed.
            if self.settings.watch:
                self.follower.follow(root, self.workspaces.config, by_client=by_client)
            self.indexer.request_all(root)

        self.in_background(work)

    def drop_root(self, root: Root) -> None:
        """Stops to work on a root and closes it, in the background."""

        def work() -> None:
            self.follower.drop(root)
            self.indexer.forget(root)
            root.close()

        # At once, or what the work in hand still tells would show a new bar, which nobody ends.
        root.held = True
        self.bars.end(root)
        self.in_background(work)

    def reopen(self, root: Root, *, stays_followed: bool) -> None:
        """Puts new settings in force for a root: its index is opened again and brought up to date.

        :param stays_followed: A root that is not indexed by itself, but was on demand, goes on to be followed.
        """
        by_client = self.client_watches()

        def work() -> None:
            was_followed = self.follower.drop(root)
            self.indexer.forget(root)
            root.close()
            root.held = False
            if self.settings.auto_index and not root.paused:
                self.post(self.index, root)
                return
            if was_followed and stays_followed and self.settings.watch:
                self.follower.follow(root, self.workspaces.config, by_client=by_client)
            if root.state.state == "indexing":
                self.indexer.settle(root)
                self.post(self.bars.end, root)
                self.post(self.announce, "configuration")

        self.in_background(work)

    async def query(self, work: Callable[[], Result]) -> Result:
        """Runs the work of a request on a query thread, ahead of indexing.

        When the request is cancelled this returns at once; work that has not begun is then never done.
        """
        return await asyncio.get_running_loop().run_in_executor(self._queries, self._as_query, work)

    def in_background(self, work: Callable[[], None]) -> None:
        """Does something on one thread beside the requests, in the order in which it was asked for."""

        def run() -> None:
            try:
                work()
            except Exception:  # nobody asks for the result
                log.exception("Background work failed.")

        self._background.submit(run)

    def run_aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something next to the requests, until it is done or the session ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    def post(self, action: Callable[..., object], *arguments: object) -> None:
        """Runs something on the event loop, from any thread; nothing once the loop has ended."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(partial(action, *arguments))

    def announce(self, reason: str, *, sparse: bool = False) -> None:
        """Sends `codewhere/didUpdate`; with `sparse` only where the last one is half a second old."""
        now = time.monotonic()
        if sparse and now - self._last_announced < _ANNOUNCE_SECONDS:
            return
        self._last_announced = now
        from lsp_server.features.status import status_to_json

        self.protocol.notify(DID_UPDATE, {**status_to_json(self), "reason": reason})

    def refresh_lenses(self) -> None:
        """Has the client ask for the code lenses again, which it keeps until a text changes."""
        workspace = self.client_capabilities.workspace
        if workspace and workspace.code_lens and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None, lambda _: None)

    def tell(self, kind: lsp.MessageType, message: str) -> None:
        """Shows a sentence to the person."""
        self.window_show_message(lsp.ShowMessageParams(kind, message))

    def tell_once(self, kind: lsp.MessageType, message: str) -> None:
        """As `tell`, but the same sentence no second time."""
        if message not in self._told:
            self._told.add(message)
            self.tell(kind, message)

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ANN401 - pygls' signature
        """Defects go to the log; a pop-up for each would only disturb. Failed requests were answered."""
        if source is not FeatureRequestError:
            log.error("%s: %s", getattr(source, "__name__", source), error)

    def report_broken_message(self, error: Exception, source: Any) -> None:  # noqa: ANN401 - as above
        """A message that could not be read; what fits no type was answered by the protocol already."""
        log.error("A message could not be read: %s", error)
        if isinstance(error, (ValueError, RecursionError)):
            self.protocol.answer_unreadable()

    def close(self) -> None:
        """Ends all work; what is written is complete. Blocks for a batch at most; may be called twice."""
        if self.closed.is_set():
            return
        self.closed.set()
        if self._answers is not None:
            self._answers.stop()
        self.follower.stop()
        self.indexer.stop()
        self._queries.shutdown(wait=False, cancel_futures=True)
        self._background.shutdown(wait=False, cancel_futures=True)
        self._overlays.shutdown(wait=False, cancel_futures=True)
        for root in self.workspaces.all():
            root.close()

    # What the indexing thread tells (`lsp_server.indexing.Listener`).

    def on_progress(self, root: Root, fraction: float | None) -> None:
        """Called on the indexing thread."""
        self.post(self.bars.update, root, fraction)
        self.post(partial(self.announce, "index", sparse=True))

    def on_done(self, root: Root, started: float, reason: str, read: Collection[str] | None) -> None:
        """Called on the indexing thread."""
        snapshots = self.documents.snapshots(pending_only=False)
        for snapshot, same in compared(root, snapshots, started, read):
            self.post(self.documents.mark_indexed, snapshot.uri, snapshot.version, same)
        self.post(self._after_index, root, reason)

    def open_paths(self, root: Root) -> list[str]:
        """Called on the indexing thread."""
        paths = (root.relative(path) for path in reversed(self._open_files))
        return [path for path in paths if path is not None]

    def _answer_commands(self) -> None:
        """Answers `codewhere search` on the shell, which then need not load the model."""
        try:
            self._answers = AnswerServer(self._config().home, self._shared_index)
        except UserError:
            return  # opening an index says it
        self._answers.start()

    def _shared_index(self, path: Path) -> SharedIndex | None:
        """For a command: the index of a root, once queries to it can be answered by meaning."""
        root = next((root for root in self.workspaces.all() if root.path == path), None)
        return SharedIndex(root.open(), self.gate) if root is not None and self.model.ready else None

    def _after_index(self, root: Root, reason: str) -> None:
        if root.state.state != "indexing":
            self.bars.end(root)
            if self.settings.code_lens:
                self.refresh_lenses()
        self.announce(reason)

    def _notes(self, root: Root) -> Sequence[str]:
        """What there is to say about the settings of a root."""
        try:
            return self.workspaces.config(root.path).notes
        except UserError:
            return ()  # opening the index says it

    def _as_query(self, work: Callable[[], Result]) -> Result:
        with self.gate.query():
            return work()

    def _on_model(self) -> None:
        """Called on the loading thread."""
        if self.settings.auto_index:
            for root in self.workspaces.all():
                self.indexer.request_vectors(root)
        self.indexer.wake()
        self.post(self._after_model)

    def _after_model(self) -> None:
        if self.model.state == "failed":
            message = f"Searching by words only, the model could not be loaded: {self.model.error}"
            self.tell(lsp.MessageType.Warning, message)
        elif self.settings.code_lens:
            self.refresh_lenses()
        self.announce("model")
        self._embed_overlays_soon()

    def _on_document(self, document: Document) -> None:
        paths = [open_one.path for open_one in self.documents.all()]
        self._open_files = tuple(path for path in paths if path is not None)
        self._embed_overlays_soon()

    def _embed_overlays_soon(self) -> None:
        if self._overlay_timer is not None:
            self._overlay_timer.cancel()
        if self.loop is not None and self.model.ready:
            self._overlay_timer = self.loop.call_later(_OVERLAY_QUIET_SECONDS, self._embed_overlays)

    def _embed_overlays(self) -> None:
        snapshots = self.documents.snapshots()
        if not self.closed.is_set():
            self._overlays.submit(_embed_overlays, self.workspaces.all(), snapshots)

    def _get_encoding(self) -> Encoding:
        return self.workspace.position_encoding or lsp.PositionEncodingKind.Utf16

    def client_watches(self) -> bool:
        """Whether the client takes a registration for file events."""
        workspace = self.client_capabilities.workspace
        watched = workspace.did_change_watched_files if workspace else None
        return bool(watched and watched.dynamic_registration)

    def _config(self) -> Config:
        settings = self.settings
        model = None if settings.model == "auto" else settings.model
        return load_config(home=self._home, model=model, device=settings.device)


def create_server(embedder: LoadEmbedder | None = None, home: Path | None = None) -> CodewhereServer:
    """A server that is not yet connected.

    :param embedder: Loads the model from the settings; the default loads what `codewhere models` lists.
    :param home: Data folder; the default is that of the settings.
    """
    server = CodewhereServer(embedder or _load_embedder, home)
    for name in _FEATURES:
        import_module(f"lsp_server.features.{name}").register(server)
    return server


def _load_embedder(config: Config) -> Embedder:
    from indexer.embedding import load_configured

    return load_configured(config)


def _embed_overlays(roots: Sequence[Root], snapshots: Sequence[Snapshot]) -> None:
    """Gives vectors to the functions of unsaved buffers; keeps none of other functions."""
    for root in roots:
        try:
            overlay = root.overlay(snapshots)
            if overlay is not None:
                root.open().embed_overlay(overlay)
            root.keep_vectors(overlay)
        except UserError as error:
            log.info("Unsaved buffers of %s are searched by words only: %s", root.name, error)
        except Exception:
            log.exception("Unsaved buffers of %s could not be embedded.", root.name)


def _version() -> str:
    try:
        return metadata.version("codewhere")
    except metadata.PackageNotFoundError:  # pragma: no cover - run from a copy of the source
        return "0"
