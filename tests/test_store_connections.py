"""Connections to the database among the threads of one process and the processes of one store."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

from indexer.store.database import Database
from tests.rows import folder as folder


def test_closing_waits_for_the_threads_that_still_read(folder: Path) -> None:
    """A connection closed under a thread that uses it takes the process down."""
    database = Database(folder / "other")
    reads, closed = threading.Event(), threading.Event()
    found: list[object] = []

    def read() -> None:
        with database.reading() as db:
            reads.set()
            closed.wait(10)
            found.append(db.execute("SELECT count(*) FROM functions").fetchone()[0])
        try:
            db.execute("SELECT 1")
        except sqlite3.ProgrammingError as error:
            found.append(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    assert reads.wait(10)
    database.close()
    closed.set()
    thread.join(10)
    assert found == [0, "Cannot operate on a closed database."]


_OPEN_AND_CLOSE = """
import sys
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from indexer.store import Store
store = Store(Path(sys.argv[2]))
store.ensure_root("/other")
store.close()
"""


def test_a_process_that_leaves_does_not_take_the_log_from_one_with_several_threads(folder: Path) -> None:
    """A second thread once opened and closed the file, which drops the locks of the whole process on it."""
    home = folder / "together"
    database = Database(home)
    with database.reading():
        pass
    thread = threading.Thread(target=lambda: database.checkpoint())
    thread.start()
    thread.join(10)
    command = [sys.executable, "-c", _OPEN_AND_CLOSE, str(Path(__file__).parents[1]), str(home)]
    subprocess.run(command, check=True, timeout=120)
    assert (home / "codewhere.db-wal").exists(), "it took itself for the last user of the database"
    with database.reading() as db:
        assert db.execute("SELECT count(*) FROM roots").fetchone()[0] == 1
    database.close()
