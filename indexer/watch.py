"""Keeps the index of one folder up to date while its files change.

Events only say where to look: `Index.update` decides what really changed, so that a lost, doubled or late
event costs time but never makes the index wrong.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from watchdog.events import (
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from indexer.errors import UserError

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

    from indexer.config import Config
    from indexer.types import UpdateReport

_log = logging.getLogger(__name__)
# watchdog warns when a folder comes back into the tree, and follows it all the same.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")

_QUIET_S = 0.08  # an editor writes a file in several steps; this much silence means that it is done
_LATEST_S = 1.0  # but a file that changes all the time is read now and then
_BURST = 100  # paths; beyond this a tool is at work, not a person
_BURST_QUIET_S = 0.4
_BURST_LATEST_S = 3.0
_GIT_LATEST_S = 15.0  # a lock this old was left behind by a git that was killed
_MOST_PATHS = 2_000  # beyond this one walk over everything is cheaper
# The kernel drops events when 16,384 wait. So many arrive only around such a moment, and then nobody knows
# what was lost.
_MOST_EVENTS = 4_000
_SAFETY_SCAN_S = 600.0
_LOST_S = 2.0  # between looks whether the watched folder is still the one at its path
_SCAN_S = 2.0  # without events
_SCAN_SHARE = 20  # a scan may take one part in so many of the time
_RETRY_S = (1.0, 60.0)
_IGNORE_FILES = frozenset({".gitignore", ".codewhereignore", ".codewhere.toml"})
_GIT_LOCKS = ("index.lock", "HEAD.lock")
_NOWHERE = (0, 0)
_SILENT = frozenset({"opened", "closed_no_write"})  # reading changes nothing
_REMOTE = frozenset(
    {"9p", "afs", "ceph", "cifs", "drvfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "smb2"}
    | {"smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)


class Updatable(Protocol):
    """What a watcher needs of an index."""

    @property
    def root(self) -> Path:
        """The folder to follow."""

    @property
    def config(self) -> Config:
        """The settings; the store may lie inside the root."""

    def update(
        self, *, paths: Sequence[str] | None = None, cancelled: Callable[[], bool] = ...
    ) -> UpdateReport:
        """Bring these root-relative paths up to date; everything without paths."""


class Watcher:
    """Follows one root on a thread of its own; a context manager, or `start` and `stop`.

    :param index: What to keep up to date.
    :param on_update: Called on the watcher's thread after each update that changed something.
    :param on_error: Called there when an update fails; it is tried again, later and later.
    :param scan_every_s: Do without events and look at the whole folder every so many seconds.
    """

    def __init__(
        self,
        index: Updatable,
        on_update: Callable[[UpdateReport], None] | None = None,
        *,
        on_error: Callable[[Exception], None] | None = None,
        scan_every_s: float | None = None,
    ) -> None:
        self._index = index
        self._on_update = on_update
        self._on_error = on_error
        self._scan_every_s = scan_every_s
        self._root = Path(os.path.realpath(index.root))
        # Events name real paths, and the data folder may be set by a link.
        self._home = Path(os.path.realpath(index.config.home))
        self._pending = _Pending()
        self._stopping = threading.Event()
        self._observer: BaseObserver | None = None
        self._identity = _NOWHERE
        self._thread = threading.Thread(target=self._run, name="codewhere-watch", daemon=True)
        self._last_scan_s = 0.0
        self.fallback = ""
        """Why the folder is scanned now and then instead of listening to events; empty while events come."""

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self, *, scan: bool = True) -> None:
        """Begin to follow the folder; what changed before is found by a first scan, unless the caller makes one."""
        # Events first, or a change between the scan and the first event would be missed.
        self._listen()
        if scan:
            self._pending.add_everything()
        self._thread.start()

    def stop(self) -> None:
        """End after the batch in flight; what is left is found at the next start."""
        self._stopping.set()
        self._pending.wake()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def touch(self, paths: Iterable[str]) -> None:
        """Have a look at these root-relative paths, as if events for them had come."""
        for path in paths:
            self._note(self._root / path)

    def _listen(self) -> None:
        self.fallback = self._why_no_events()
        if self.fallback:
            return
        observer = Observer()
        try:
            observer.schedule(_Handler(self._note), str(self._root), recursive=True)
            observer.start()
            _probe(observer)
        except OSError as error:
            observer.stop()
            self.fallback = (
                f"the system gives no more file events ({error.strerror}); `codewhere doctor` helps"
            )
            return
        self._observer = observer
        self._identity = _identity(self._root)

    def _why_no_events(self) -> str:
        if self._scan_every_s is not None:
            return "asked for"
        kind = remote_kind(self._root)
        if kind:
            return f"the folder is on a {kind} drive, which reports no changes made elsewhere"
        return ""

    def _note(self, path: Path) -> None:
        try:
            relative = path.relative_to(self._root)
        except ValueError:
            return
        parts = relative.parts
        if ".git" in parts:
            if relative.as_posix().endswith(".git/info/exclude"):
                self._pending.add_everything()
            return
        if path.is_relative_to(self._home):
            return  # the store inside the root: each update would cause the next
        if not parts or parts[-1] in _IGNORE_FILES:
            self._pending.add_everything()
        else:
            self._pending.add(relative.as_posix())

    def _run(self) -> None:
        failures = 0
        while self._pending.wait_ready(
            self._interval(), self._git_is_busy, self._stopping, self._must_listen_again
        ):
            self._listen_again()
            paths = self._pending.take()
            try:
                self._update(paths)
                failures = 0
            except Exception as error:  # the thread must outlive whatever one update meets
                failures += 1
                self._failed(error, paths, failures)

    def _update(self, paths: list[str] | None) -> None:
        start = time.monotonic()
        report = self._index.update(paths=paths, cancelled=self._stopping.is_set)
        if paths is None:
            self._last_scan_s = time.monotonic() - start
        if self._on_update is not None and (report.parsed or report.removed or report.embedded):
            self._on_update(report)

    def _failed(self, error: Exception, paths: list[str] | None, failures: int) -> None:
        if not isinstance(error, UserError):
            _log.exception("update failed")
        if self._on_error is not None and failures == 1:
            self._on_error(error)
        first, most = _RETRY_S
        self._stopping.wait(min(most, first * 2 ** (failures - 1)))
        self._pending.restore(paths)

    def _must_listen_again(self) -> bool:
        """Whether the folder was removed or moved away, and one is there again: the watches are not its own."""
        identity = _identity(self._root)
        if self._observer is None or identity == _NOWHERE:
            return False
        return not _is_alive(self._observer) or identity != self._identity

    def _listen_again(self) -> None:
        if self._observer is None or not self._must_listen_again():
            return
        self._observer.stop()
        self._observer = None
        self._listen()
        self._pending.add_everything()

    def _interval(self) -> float:
        if not self.fallback:
            return _SAFETY_SCAN_S
        return self._scan_every_s or max(_SCAN_S, _SCAN_SHARE * self._last_scan_s)

    def _git_is_busy(self) -> bool:
        """Whether git is in the middle of writing the work tree; one update after it is enough."""
        try:
            folder = _git_folder(self._root)
            return folder is not None and any((folder / name).exists() for name in _GIT_LOCKS)
        except OSError:
            # It may be another user's, or a pointer to what is no path; the thread must outlive both.
            return False


@dataclass
class _Pending:
    """Paths that wait for an update, and the decision when to begin."""

    _paths: set[str] = field(default_factory=set)
    _everything: bool = False
    _n_events: int = 0
    _first: float = 0.0
    _last: float = 0.0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, path: str) -> None:
        with self._changed:
            self._mark()
            self._paths.add(path)
            if len(self._paths) > _MOST_PATHS or self._n_events > _MOST_EVENTS:
                self._everything = True

    def add_everything(self) -> None:
        with self._changed:
            self._mark()
            self._everything = True

    def restore(self, paths: list[str] | None) -> None:
        """Put back what an update failed on."""
        if paths is None:
            self.add_everything()
        for path in paths or ():
            self.add(path)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def take(self) -> list[str] | None:
        """What to update: paths, or None for everything."""
        with self._changed:
            paths = None if self._everything or not self._paths else sorted(self._paths)
            self._paths, self._everything, self._n_events = set(), False, 0
            return paths

    def wait_ready(
        self,
        interval: float,
        held: Callable[[], bool],
        stopping: threading.Event,
        lost: Callable[[], bool],
    ) -> bool:
        """Block until an update is due: by events that calmed down, or by the interval. False at the end.

        :param held: Whether events that came are to wait.
        :param lost: Whether events come no more, so that an update is due at once.
        """
        deadline = time.monotonic() + interval
        with self._changed:
            while not stopping.is_set():
                if lost():
                    self._everything = True
                    return True
                now = time.monotonic()
                waiting = self._paths or self._everything
                due = self._due() if waiting else deadline
                if now >= due and not (waiting and now < self._last + _GIT_LATEST_S and held()):
                    return True
                self._changed.wait(min(_LOST_S, max(0.02, min(due, deadline) - now)))
        return False

    def _mark(self) -> None:
        now = time.monotonic()
        if not (self._paths or self._everything):
            self._first = now
        self._last = now
        self._n_events += 1
        self._changed.notify_all()

    def _due(self) -> float:
        if len(self._paths) > _BURST:
            return min(self._last + _BURST_QUIET_S, self._first + _BURST_LATEST_S)
        return min(self._last + _QUIET_S, self._first + _LATEST_S)


class _Handler(FileSystemEventHandler):
    """Passes on every path that an event names."""

    def __init__(self, note: Callable[[Path], None]) -> None:
        self._note = note

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog on its own thread."""
        # A folder is reported as modified whenever an entry of it is, which is reported by itself.
        if event.event_type in _SILENT or (event.is_directory and event.event_type in ("modified", "attrib")):
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self._note(Path(os.fsdecode(path)))


def _probe(observer: BaseObserver) -> None:
    """Raise OSError when the system gives no more watches; watchdog is silent about all but the first one."""
    with tempfile.TemporaryDirectory() as folder:
        observer.unschedule(observer.schedule(FileSystemEventHandler(), folder))


def _identity(folder: Path) -> tuple[int, int]:
    """What tells a folder from another one at the same path; `_NOWHERE` where there is none, or no way to it."""
    try:
        status = folder.stat()
    except OSError:
        return _NOWHERE
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else _NOWHERE


def _is_alive(observer: BaseObserver) -> bool:
    return bool(observer.emitters) and all(emitter.is_alive() for emitter in observer.emitters)


def _git_folder(root: Path) -> Path | None:
    """The folder where git keeps the locks of the work tree that holds a folder."""
    for folder in (root, *root.parents):
        entry = folder / ".git"
        if entry.is_dir():
            return entry
        if entry.is_file():
            try:
                target = entry.read_text(encoding="utf-8", errors="surrogateescape")
            except OSError:
                return None
            return folder / target.removeprefix("gitdir:").strip()
    return None


def remote_kind(path: Path) -> str:
    """The type of a file system that reports no changes made elsewhere; empty for a local one."""
    kind = file_system_of(path)
    return kind if kind in _REMOTE or kind.startswith("fuse.") else ""


def file_system_of(path: Path) -> str:
    """The type of the file system that holds a path (``ext4``, ``nfs4``); empty where that is unknown."""
    try:
        lines = (
            Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        )
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        mount, _, rest = line.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), mount.split()[4])
        if path.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), rest.split()[0]
    return kind
