"""The one thread that keeps the indexes up to date: edits first, then words of every root, then vectors."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from indexer.errors import RootBusy, UserError
from indexer.priority import in_background
from indexer.types import Progress
from lsp_server.model import Gate, Model
from lsp_server.workspaces import Root

log = logging.getLogger(__name__)

_REPORT_SECONDS = 0.25
_BUSY_SECONDS = 2.0
_FULL_FROM_PATHS = 2000  # from here on one walk is cheaper than asking for every path
_BATCH_SECONDS = 0.5  # an edit and a pause wait for the batch in flight
_STOP_SECONDS = 15.0


class Listener(Protocol):
    """Is told by the indexing thread what happens; must return at once."""

    def on_progress(self, root: Root, fraction: float | None) -> None:
        """A root was worked on; `fraction` of 1 where it is known."""

    def on_done(self, root: Root, started: float, reason: str, read: Collection[str] | None) -> None:
        """A piece of work ended; `started` is the wall-clock time at which it began.

        :param read: Root-relative files and folders that were read to the end; None for all of the root.
        """

    def open_paths(self, root: Root) -> list[str]:
        """Root-relative paths of the open files, the last opened first."""


@dataclass
class _Work:
    """What is still to be done for one root."""

    paths: set[str] = field(default_factory=set)
    full: bool = False
    embed: bool = False
    reason: str = "index"
    not_before: float = 0.0


class Indexer:
    """Queues work by root and does it in its own thread. All methods may be called from any thread."""

    def __init__(self, model: Model, gate: Gate, listener: Listener) -> None:
        self._model = model
        self._gate = gate
        self._listener = listener
        self._work: dict[Root, _Work] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._current: Root | None = None
        self._reads = False
        """Whether the work in hand reads files; otherwise it only embeds them."""
        self._thread = threading.Thread(target=self._run, name="codewhere-index", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the batch that is being written; what is missing is done at the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def request_all(self, root: Root, reason: str = "index") -> None:
        """Looks at every file of a root and embeds what has no vector."""
        with self._changed:
            work = self._work.setdefault(root, _Work())
            work.full = work.embed = True
            work.reason = reason
            self._changed.notify_all()

    def request_paths(self, root: Root, paths: Iterable[str], reason: str = "watch") -> None:
        """Looks at some files or folders of a root."""
        with self._changed:
            work = self._work.setdefault(root, _Work())
            work.paths.update(paths)
            work.reason = reason
            if len(work.paths) > _FULL_FROM_PATHS:
                work.paths, work.full, work.embed = set(), True, True
            self._changed.notify_all()

    def request_vectors(self, root: Root) -> None:
        """Embeds what has no vector, once the model is there."""
        with self._changed:
            self._work.setdefault(root, _Work()).embed = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Looks again at what may be done: a root was paused or resumed, or the model is ready."""
        with self._changed:
            self._changed.notify_all()

    def forget(self, root: Root) -> None:
        """Drops the work of a root and waits until none is running; none is begun while it is held."""
        with self._changed:
            self._work.pop(root, None)
            root.held = True
            self._changed.wait_for(lambda: self._current is not root or self._stopping, _STOP_SECONDS)
            self._work.pop(root, None)

    def wait(self, root: Root, cancelled: Callable[[], bool]) -> None:
        """Blocks until the files of a root were read; a paused root counts as read."""

        def settled() -> bool:
            work = self._work.get(root)
            stopped = self._stopping or root.paused or root.held
            return cancelled() or stopped or not (work and (work.paths or work.full))

        with self._changed:
            while not settled() or (self._current is root and self._reads and not cancelled()):
                self._changed.wait(0.2)

    def _run(self) -> None:
        while True:
            with self._changed:
                root = self._next()
                while root is None and not self._stopping:
                    self._changed.wait(self._delay())
                    root = self._next()
                if self._stopping or root is None:
                    return
                self._current = root
                kind, work = self._take(root)
                self._reads = kind != 2
            try:
                self._do(root, kind, work)
            except Exception:  # the thread is the only one, and work on other roots waits for it
                log.exception("Work on %r failed.", str(root.path))
            finally:
                with self._changed:
                    self._current = None
                    self._changed.notify_all()

    def _next(self) -> Root | None:
        ready = [root for root, work in self._work.items() if self._may_run(root, work)]
        return min(ready, key=lambda root: self._urgency(self._work[root]), default=None)

    def _may_run(self, root: Root, work: _Work) -> bool:
        return self._is_wanted(root, work) and work.not_before <= time.monotonic()

    def _is_wanted(self, root: Root, work: _Work) -> bool:
        wanted = bool(work.paths) or work.full or (work.embed and self._model.state != "loading")
        return wanted and not (root.paused or root.held)

    def _urgency(self, work: _Work) -> int:
        return 0 if work.paths else 1 if work.full else 2

    def _delay(self) -> float | None:
        """Seconds until the next piece of work may run; what waits for anything but its time wakes this thread."""
        due = [work.not_before for root, work in self._work.items() if self._is_wanted(root, work)]
        return max(0.01, min(due) - time.monotonic()) if due else None

    def _take(self, root: Root) -> tuple[int, _Work]:
        """The most urgent piece of a root's work, which is taken off the queue."""
        work = self._work[root]
        kind = self._urgency(work)
        piece = _Work(set(work.paths), kind == 1, kind == 2, work.reason)
        if kind == 0:
            work.paths = set()
            # Vectors of these files are made at once where the model is there, else with the rest.
            work.embed = work.embed or not self._model.ready
        elif kind == 1:
            work.full = False
        else:
            work.embed = False
        work.not_before = 0.0
        return kind, piece

    def _do(self, root: Root, kind: int, piece: _Work) -> None:
        started = time.time()
        read: Collection[str] | None = ()
        root.tell("indexing", "Looking for changes")
        self._listener.on_progress(root, None)
        try:
            if self._update(root, kind, piece):
                read = piece.paths if kind == 0 else None
            root.count()
            self.settle(root)
        except RootBusy as error:
            self._put_back(root, piece, _BUSY_SECONDS)
            who = f"Process {error.pid}" if error.pid else "Another process"
            root.tell("indexing", f"{who} is indexing this folder; waiting for it.")
        except UserError as error:
            root.tell("error", str(error))
        except Exception as error:
            log.exception("Indexing %r failed.", str(root.path))
            root.tell("error", f"Indexing failed: {error}. Run `codewhere doctor`.")
        self._listener.on_done(root, started, piece.reason, read)

    def _update(self, root: Root, kind: int, piece: _Work) -> bool:
        """Whether it was done to the end."""
        if kind == 2 and not self._model.ready:
            return False
        update = functools.partial(
            root.open().update,
            paths=sorted(piece.paths) if kind == 0 else None,
            first=self._first(root) if kind == 2 else (),
            on_progress=_Reporter(root, self._gate, self._listener).on_progress,
            cancelled=lambda: self._must_stop(root, kind),
            yield_to=self._gate.give_way,
            embed=self._model.ready and kind != 1,
            wait=False,
            batch_seconds=_BATCH_SECONDS,
        )
        # All vectors of a folder take minutes; an edit and the first words are waited for.
        report = in_background(update) if kind == 2 else update()
        if report.cancelled:
            self._put_back(root, piece, 0.0)
        return not report.cancelled

    def _first(self, root: Root) -> list[str]:
        """Open files, then the folders they are in."""
        files = self._listener.open_paths(root)
        folders = [str(PurePosixPath(path).parent) for path in files]
        return list(dict.fromkeys([*files, *(folder for folder in folders if folder != ".")]))

    def _must_stop(self, root: Root, kind: int) -> bool:
        if self._stopping or root.paused or root.held:
            return True
        with self._changed:
            waiting = [work for other, work in self._work.items() if self._may_run(other, work)]
        return any(self._urgency(work) < kind for work in waiting)

    def _put_back(self, root: Root, piece: _Work, delay: float) -> None:
        with self._changed:
            if self._stopping:
                return
            work = self._work.setdefault(root, _Work())
            work.paths |= piece.paths
            work.full |= piece.full
            work.embed |= piece.embed
            work.not_before = time.monotonic() + delay if delay else 0.0

    def settle(self, root: Root) -> None:
        """Tells what a root waits for now that no work on it is in hand."""
        with self._changed:
            work = self._work.get(root)
            more = work is not None and self._may_run(root, work)
            waits = work is not None and work.embed
        if root.paused:
            root.tell("paused", "Indexing is paused.")
        elif more:
            root.tell("indexing", root.state.message, root.state.eta_seconds)
        elif waits:
            root.tell("indexing", "Loading the model")
        else:
            root.tell("idle", self._model.words_only)


_STAGES = {
    "wait": "Waiting",
    "walk": "Looking for files",
    "parse": "Reading",
    "draft": "Drafting",
    "embed": "Embedding",
}


class _Reporter:
    """Turns the progress of one update into what a person is told, and lets queries go first."""

    def __init__(self, root: Root, gate: Gate, listener: Listener) -> None:
        self._root = root
        self._gate = gate
        self._listener = listener
        self._last_report = 0.0
        self._embed_since: tuple[float, int] | None = None
        self._embedded_before = 0

    def on_progress(self, progress: Progress) -> None:
        """Called by the engine between files and batches."""
        self._gate.give_way()
        now = time.monotonic()
        if progress.stage == "embed" and self._embed_since is None:
            self._embed_since = (now, progress.done)
            counts = self._root.state.counts
            self._embedded_before = counts.embedded - progress.done if counts else 0
        if now - self._last_report < _REPORT_SECONDS:
            return
        self._last_report = now
        if progress.stage == "embed":
            self._root.estimate(self._embedded_before + progress.done)
        self._root.tell("indexing", _sentence(progress), self._eta(progress, now))
        self._listener.on_progress(self._root, progress.done / progress.total if progress.total else None)

    def _eta(self, progress: Progress, now: float) -> float | None:
        if self._embed_since is None or progress.stage != "embed":
            return None
        since, before = self._embed_since
        done = progress.done - before
        return round((now - since) / done * (progress.total - progress.done), 1) if done > 0 else None


def _sentence(progress: Progress) -> str:
    stage = _STAGES.get(progress.stage, "Finishing")
    if progress.stage == "wait" and progress.message:
        return progress.message
    what = "functions" if progress.stage in ("draft", "embed") else "files"
    return f"{stage}: {progress.done:,} of {progress.total:,} {what}" if progress.total else stage
