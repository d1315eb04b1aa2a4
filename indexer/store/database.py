"""Connections to the catalogue: one per thread, set up alike, with errors a person can act on."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from indexer.errors import UserError
from indexer.store import schema
from indexer.store.filters import add_functions

FILE_NAME = "codewhere.db"

_BUSY_MS = 60_000  # writers of other roots hold the database for one batch at a time
_CACHE_KIB = 32_768
_MMAP_BYTES = 1 << 30  # reads of vectors come straight from the page cache
_creating = threading.Lock()


class Database:
    """The SQLite file of one store. Readers never block; writers take turns, a short transaction each."""

    def __init__(self, home: Path) -> None:
        """Open the database in `home`, or create it; `UserError` says what to do when that cannot be."""
        self.home = home
        self.path = home / FILE_NAME
        self.read_only = False
        self._local = threading.local()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._closing = threading.Lock()
        with explained(self.path):
            self._prepare()
            self._identity = _identity(self.path)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading, inside a transaction: all statements see one state of the database."""
        with explained(self.path), self._in_use() as connection:
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction: committed at the end, rolled back by an exception."""
        with explained(self.path), self._in_use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def is_current(self) -> bool:
        """Whether the file is still the one that was opened: whoever tidies up may have removed or replaced it."""
        try:
            return _identity(self.path) == self._identity
        except FileNotFoundError:
            return False
        except OSError:
            return True  # who has it open needs no permission to look at it

    def checkpoint(self) -> None:
        """Move the log into the database, as far as no reader still needs it."""
        with explained(self.path), self._in_use() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def shrink(self) -> None:
        """Give the pages that were freed back to the disk."""
        with explained(self.path), self._in_use() as connection:
            # Each step of this statement frees one page, and `execute` would make the first step only.
            connection.executescript("PRAGMA incremental_vacuum")
        self.checkpoint()

    def close(self) -> None:
        """Close the connections of all threads; one in use is closed by its thread when it is done."""
        with self._closing:
            for connection in list(self._open):
                connection.closes_after_use = True
                if not connection.uses:
                    connection.close()
            self._local = threading.local()

    @contextmanager
    def _in_use(self) -> Iterator[_Connection]:
        """The connection of this thread, safe from being closed by another one: that crashes SQLite."""
        with self._closing:
            connection = self._connection()
            connection.uses += 1
        try:
            yield connection
        finally:
            with self._closing:
                connection.uses -= 1
                if connection.closes_after_use and not connection.uses:
                    connection.close()

    def _prepare(self) -> None:
        _make_private_folder(self.home)
        if self.path.is_dir():
            raise UserError(_damaged("it is a folder", self.path))
        connection = self._connection()
        version = schema.version_of(connection)
        if version > schema.VERSION:
            raise UserError(
                f"{self.path} was written by a newer codewhere (format {version}, this one reads up to "
                f"{schema.VERSION}). Update codewhere, or set CODEWHERE_HOME to another folder."
            )
        if found := schema.disorder(connection):
            raise UserError(_damaged(found, self.path))
        if version < schema.VERSION and self.read_only:
            raise UserError(
                f"{self.path} is empty or of an older codewhere, and may not be changed. Make it and its folder"
                " writable, or set CODEWHERE_HOME to another folder."
            )
        if version < schema.VERSION:
            schema.migrate(connection)

    def _connection(self) -> _Connection:
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
        return connection

    def _connect(self) -> _Connection:
        self.read_only = self.path.exists() and not (
            os.access(self.path, os.W_OK) and os.access(self.home, os.W_OK)
        )
        connection = self._connect_for_reading() if self.read_only else self._connect_for_writing()
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA mmap_size = {_MMAP_BYTES}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA foreign_keys = ON")
        add_functions(connection)
        self._open.add(connection)
        return connection

    def _connect_for_writing(self) -> _Connection:
        with _creating:
            if not self.path.exists():
                _make_private_file(self.path)
            connection = sqlite3.connect(
                self.path,
                timeout=_BUSY_MS / 1000,
                isolation_level=None,
                check_same_thread=False,
                factory=_Connection,
            )
        if schema.version_of(connection) == 0:
            # Only before the first table is made can freed pages be given back step by step.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        # A crash of the machine may lose the last batches, never the database; a kill loses nothing.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _connect_for_reading(self) -> _Connection:
        # Without a writable folder SQLite cannot make the shared-memory file of a WAL database; where no
        # writer left a log behind, the file alone is the whole truth and may be read as unchangeable.
        log = self.path.with_name(f"{FILE_NAME}-wal")
        unchangeable = not log.exists() or log.stat().st_size == 0
        options = "mode=ro&immutable=1" if unchangeable else "mode=ro"
        return sqlite3.connect(
            f"{self.path.as_uri()}?{options}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )


class _Connection(sqlite3.Connection):
    """The connection of one thread, which another thread may ask to be closed."""

    uses = 0
    """Blocks of code, one within the other, that work with it now."""
    closes_after_use = False


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system report into a sentence that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        sentence = _sentence(str(error), path)
        if sentence is None:
            raise
        raise UserError(sentence) from error
    except PermissionError as error:
        raise UserError(_denied(path)) from error
    except OSError as error:
        if error.errno not in _FULL_ERRNOS:
            raise
        raise UserError(_full(path)) from error


_FULL_ERRNOS = frozenset({27, 28, 122})  # EFBIG, ENOSPC, EDQUOT


def _sentence(message: str, path: Path) -> str | None:
    if "is full" in message or "disk I/O error" in message:
        return _full(path)
    if "readonly" in message or "unable to open" in message:
        return _denied(path)
    if "not a database" in message or "malformed" in message or "file is encrypted" in message:
        return _damaged(message, path)
    if "locked" in message or "busy" in message:
        return f"{path} is in use by another process that does not finish. Try again, or end that process."
    return None


def _damaged(what: str, path: Path) -> str:
    return (
        f"{path} is damaged ({what}). Run `codewhere doctor --repair`: it saves the vectors that can "
        "still be read and moves the damaged file aside. Your source files are not concerned."
    )


def _full(path: Path) -> str:
    return (
        f"Cannot write to {path.parent}: the disk is full or fails. What was indexed so far is kept. Free "
        "some space (`codewhere gc` helps) or set CODEWHERE_HOME to a folder on another disk, then run again."
    )


def _denied(path: Path) -> str:
    return (
        f"Cannot write to {path.parent}: permission denied or read-only. Set CODEWHERE_HOME to a folder that "
        "you may write to."
    )


def _make_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"{folder} is not a folder. Set CODEWHERE_HOME to a folder.") from error
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno in _FULL_ERRNOS:
            raise  # `explained` says it
        raise UserError(
            f"The folder {folder} cannot be made ({error.strerror}). Set CODEWHERE_HOME to a folder that you "
            "may write to."
        ) from error


def _make_private_file(path: Path) -> None:
    """Create the database; never to be called where this process may have it open already.

    On POSIX, closing any descriptor of a file drops all locks that the process holds on it. Another process
    would then take itself for the last user of the database and delete the log that is still in use.
    """
    # SQLite gives its log files the mode of the database, so it is enough to create this one privately.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
