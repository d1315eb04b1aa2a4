"""One writer per root: a file lock that dies with its process, and the process id beside it for people."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from indexer.errors import RootBusy
from indexer.store.database import explained

_POLL_S = 0.1


class RootLock:
    """The lock of one root in one store."""

    def __init__(self, home: Path, name: str, root: str) -> None:
        folder = home / "locks"
        with explained(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        self._pid_file = folder / f"{name}.pid"
        # Not thread-local: two threads of one process must exclude each other as two processes do.
        self._lock = FileLock(folder / f"{name}.lock", mode=0o600, thread_local=False)

    @contextmanager
    def hold(
        self,
        *,
        wait: bool,
        on_wait: Callable[[int | None], None] = lambda pid: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[bool]:
        """Hold the lock; gives False when it was cancelled while waiting.

        :param wait: Wait for the other process; else `RootBusy` names it.
        :param on_wait: Called once, with the id of the process that is waited for.
        """
        if not self._try():
            if not wait:
                raise RootBusy(self._root, self.holder())
            on_wait(self.holder())
            while not self._try():
                if cancelled():
                    yield False
                    return
                time.sleep(_POLL_S)
        try:
            # Only for people: a full disk that has no room for it is no reason to stop here.
            with suppress(OSError):
                self._pid_file.write_text(str(os.getpid()), encoding="ascii")
            yield True
        finally:
            try:
                # On Windows it cannot be removed while another process reads it; the next holder writes it anew.
                with suppress(OSError):
                    self._pid_file.unlink(missing_ok=True)
            finally:
                self._lock.release()

    def holder(self) -> int | None:
        """The process that holds the lock, None when it is free or not known.

        It only reads: trying the lock for a moment would make another process believe that it is held.
        """
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            if sys.platform != "win32":  # there, the call would end the process
                os.kill(pid, 0)
        except ProcessLookupError:
            return None  # killed while it held the lock
        except PermissionError:
            return pid
        except (OSError, ValueError):
            return None
        return pid

    def _try(self) -> bool:
        with explained(self._pid_file.parent):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                return False
        return True
