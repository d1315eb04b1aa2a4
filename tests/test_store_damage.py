"""What can go wrong with the store's files: every case ends in a clear sentence or heals itself, nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import NotIndexed, UserError
from indexer.store import Store, check, repair
from indexer.store.database import FILE_NAME, Database
from tests.homes import N_FUNCTIONS, neighbours, opened, run_python, scramble, update
from tests.homes import folder as folder
from tests.homes import home as home


def test_a_data_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="CODEWHERE_HOME"):
        Store(tmp_path / "file")
    with pytest.raises(UserError, match="CODEWHERE_HOME"):
        Store(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "No such file"), OSError(30, "Read-only file system")]
)
def test_a_data_folder_that_cannot_be_made_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    """As below /proc on Linux, or on a disk that is mounted for reading."""

    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(UserError, match=rf"cannot be made \({error.strerror}\).*CODEWHERE_HOME"):
        Store(tmp_path / "home")


def test_a_database_that_grows_no_more_keeps_what_it_has(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's page limit stands for a full disk: both end in the same error code."""
    with opened(folder, home) as index:
        index.update(embed=False)
    with sqlite3.connect(home / FILE_NAME) as db:
        (n_pages,) = db.execute("PRAGMA page_count").fetchone()
    connect = Database._connect

    def connect_to_a_small_disk(self: Database) -> object:
        connection = connect(self)
        connection.execute(f"PRAGMA max_page_count = {n_pages}")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(Database, "_connect", connect_to_a_small_disk)
        with pytest.raises(UserError, match=r"disk is full.*Free"):
            update(folder, home)
        with opened(folder, home) as index:
            assert index.status().functions == N_FUNCTIONS
            embedded = index.status().embedded
    assert update(folder, home) == N_FUNCTIONS - embedded
    assert check(home) == []


_LIMITED = """
import sys, resource, signal
sys.path[:0] = sys.argv[1:3]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from pathlib import Path
from fakes import HashEmbedder
from indexer.config import Config
from indexer.engine import open_index
from indexer.errors import UserError
index = open_index(sys.argv[3], config=Config(home=Path(sys.argv[4])), embedder=HashEmbedder())
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]), int(sys.argv[5])))
try:
    index.update(batch_size=8)
except UserError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.parametrize("limit", [150_000, 180_000, 220_000])
def test_a_file_that_cannot_grow_in_the_middle_is_a_clear_error(folder: Path, home: Path, limit: int) -> None:
    done = run_python(_LIMITED, folder, home, limit)
    assert done.returncode == 2, done.stderr
    assert "disk is full" in done.stdout
    assert "Traceback" not in done.stderr
    update(folder, home)
    assert check(home) == []


def test_a_store_that_cannot_be_written_to_still_answers(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(folder, home)
    before = neighbours(folder, home)
    # The tests may run as root, whom no permission stops, so the question for it is answered here.
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK and allowed(path, mode))
    assert neighbours(folder, home) == before
    with opened(folder, home) as index, pytest.raises(UserError, match=r"permission denied or read-only"):
        index.update()


@pytest.mark.parametrize(
    ("damage", "saved"),
    [
        (lambda data: b"no database at all" * 100, 0),
        (lambda data: data[: len(data) // 2], 0),
        (lambda data: b"", 0),
        (lambda data: data[:100], 0),
        (lambda data: scramble(data, 0.3), 0),
        (lambda data: scramble(data, 0.6), 1),
    ],
    ids=["garbage", "half", "empty", "header only", "scrambled early", "scrambled late"],
)
def test_a_damaged_database_is_reported_and_repaired(folder: Path, home: Path, damage, saved: int) -> None:
    update(folder, home)
    path = home / FILE_NAME
    path.write_bytes(damage(path.read_bytes()))
    try:
        update(folder, home)
    except UserError as error:
        assert "damaged" in str(error) and "--repair" in str(error)
    was_damaged = check(home) != []
    repair(home)
    assert check(home) == []
    embedded = update(folder, home)
    assert embedded <= N_FUNCTIONS
    if was_damaged and saved:
        assert embedded < N_FUNCTIONS, "no vector was saved"
    fresh = home.with_name("fresh")
    update(folder, fresh)
    assert neighbours(folder, home) == neighbours(folder, fresh)


def _is_a_folder(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


def _is_another_programs(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE songs (title TEXT)")


def _lacks(*tables: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with sqlite3.connect(path) as db:
            for table in tables:
                db.execute(f"DROP TABLE {table}")

    return damage


@pytest.mark.parametrize(
    ("damage", "words", "embedded"),
    [
        (_is_a_folder, "is a folder", N_FUNCTIONS),
        (_is_another_programs, "another program", N_FUNCTIONS),
        (_lacks("vectors"), "lacks the table vectors", N_FUNCTIONS),
        (_lacks("skipped", "files"), "lacks the table files, skipped", 0),
    ],
    ids=["folder", "another program's", "without vectors", "without files"],
)
def test_what_is_no_store_is_moved_aside_by_repair(
    folder: Path, home: Path, damage, words: str, embedded: int
) -> None:
    update(folder, home)
    for suffix in ("-wal", "-shm"):
        (home / f"{FILE_NAME}{suffix}").unlink(missing_ok=True)
    damage(home / FILE_NAME)
    with pytest.raises(UserError, match=rf"{words}.*--repair"):
        update(folder, home)
    assert words in check(home)[0]
    assert "moved to" in repair(home)[0] and check(home) == []
    assert len(list(home.glob(f"damaged-*{FILE_NAME}"))) == 1
    assert update(folder, home) == embedded


def test_a_dropped_index_of_words_is_made_anew(folder: Path, home: Path) -> None:
    update(folder, home)
    with sqlite3.connect(home / FILE_NAME) as db:
        db.execute("DROP TABLE lexical_1")
    assert "out of step" in check(home)[0]
    assert repair(home) and check(home) == []


def test_check_and_repair_find_what_is_out_of_step(folder: Path, home: Path) -> None:
    update(folder, home)
    assert check(home) == repair(home) == []
    with sqlite3.connect(home / FILE_NAME) as db:
        db.execute("UPDATE contents SET unused_since = 1 WHERE id = 1")
        db.execute("UPDATE vectors SET vector = x'00' WHERE id = 2")
        db.execute("INSERT INTO lexical_1 (rowid, symbol) VALUES (99999, 'ghost')")
    problems = check(home)
    assert len(problems) == 3
    assert repair(home) == problems
    assert check(home) == []
    assert update(folder, home) == 1


@pytest.mark.parametrize(
    ("module", "name"), [("repair", "_is_sound"), ("repair", "_is_unit"), ("hnsw", "broken_headers")]
)
@pytest.mark.parametrize("look", [check, repair])
def test_others_can_write_while_all_contents_are_read(
    folder: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    look: Callable[[Path], list[str]],
    module: str,
    name: str,
) -> None:
    update(folder, home)
    owner = import_module(f"indexer.store.{module}")
    work = getattr(owner, name)
    written = []

    def read(*arguments: object) -> object:
        with sqlite3.connect(home / FILE_NAME, timeout=0) as db:
            db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('test', 'x')")
        written.append(True)
        return work(*arguments)

    monkeypatch.setattr(owner, name, read)
    assert look(home) == []
    assert written


def test_checking_a_folder_without_a_store_makes_none_that_others_can_read(home: Path) -> None:
    home.mkdir(mode=0o700)
    assert check(home) == []
    assert all(not path.stat().st_mode & 0o077 for path in home.rglob("*") if path.is_file())


def test_whoever_has_the_index_open_learns_that_vectors_were_repaired_away(folder: Path, home: Path) -> None:
    update(folder, home)
    with opened(folder, home) as index:
        index.search("value")
        assert index.status().embedded == N_FUNCTIONS
        with sqlite3.connect(home / FILE_NAME) as db:
            db.execute("UPDATE vectors SET vector = zeroblob(length(vector)) WHERE id = 20")
        repair(home)
        assert index.status().embedded < N_FUNCTIONS
        update(folder, home)
        assert index.status().embedded == N_FUNCTIONS


def test_altered_texts_and_vectors_are_noticed_and_made_anew(folder: Path, home: Path) -> None:
    """SQLite finds a database whole whose rows hold nonsense."""
    update(folder, home)
    with sqlite3.connect(home / FILE_NAME) as db:
        (text,) = db.execute("SELECT text FROM contents WHERE id = 7").fetchone()
        db.execute("UPDATE contents SET text = ? WHERE id = 7", (text[:5] + b"\xff\xff" + text[7:],))
        db.execute("UPDATE vectors SET vector = zeroblob(length(vector)) WHERE id = 20")
        db.execute("UPDATE functions SET start_line = 999 WHERE id = 30")
    with opened(folder, home) as index, pytest.raises(UserError, match=r"damaged.*--repair"):
        index.search("value", limit=1000)
    problems = check(home)
    assert ["contents" in problems[0], "vectors" in problems[-1]] == [True, True]
    assert repair(home) == problems
    assert check(home) == []
    assert update(folder, home) == 2
    fresh = home.with_name("fresh")
    update(folder, fresh)
    assert neighbours(folder, home) == neighbours(folder, fresh)
    with sqlite3.connect(home / FILE_NAME) as db:
        assert db.execute("SELECT max(start_line) FROM functions").fetchone()[0] < 999


def test_altered_drafts_are_noticed_and_removed(folder: Path, home: Path) -> None:
    update(folder, home)
    before = neighbours(folder, home)
    with sqlite3.connect(home / FILE_NAME) as db:
        good, bad = np.full(64, 0.1, np.float16).tobytes(), np.full(64, np.nan, np.float16).tobytes()
        for content, draft in ((1, good), (2, bad), (3, b"short")):
            db.execute("INSERT INTO drafts (model_id, content_id, vector) VALUES (1, ?, ?)", (content, draft))
    assert check(home) == ["2 drafts are altered."] == repair(home)
    assert check(home) == []
    with sqlite3.connect(home / FILE_NAME) as db:
        assert db.execute("SELECT content_id FROM drafts").fetchall() == [(1,)]
        db.execute("DELETE FROM drafts")
    assert neighbours(folder, home) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a file that is open")
@pytest.mark.parametrize("made_anew", [False, True])
def test_a_data_folder_that_is_removed_meanwhile_is_made_anew(
    folder: Path, home: Path, made_anew: bool
) -> None:
    other = folder.with_name("other")
    other.mkdir()
    with opened(folder, home) as index, ThreadPoolExecutor(1) as another_thread:
        index.update()
        assert index.search("name_3_2").results
        shutil.rmtree(home)
        if made_anew:
            (other / "a.py").write_text("def elsewhere():\n    pass\n")
            with opened(other, home) as second:
                second.update()
        with pytest.raises(NotIndexed):
            another_thread.submit(index.search, "name_3_2").result()
        (folder / "f00.py").write_text("def new():\n    pass\n")
        index.update(paths=["f00.py"])
        with opened(folder, home) as again:
            assert again.status().functions == N_FUNCTIONS - 4, "not only the file that changed"
            assert neighbours(folder, home) == sorted(
                (r.function.path, r.function.symbol, round(r.score, 3))
                for r in index.similar("f03.py", 2, limit=20).results
            )


def test_a_clock_that_runs_backwards_keeps_garbage_no_longer_than_its_grace(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 400 * 86_400)
    update(folder, home)
    with opened(folder, home) as index:
        shutil.rmtree(folder)
        folder.mkdir()
        index.update()
        monkeypatch.setattr(time, "time", lambda: now)
        assert index._store.gc(grace_days=1).contents == 0
        monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400)
        assert index._store.gc(grace_days=1).contents == N_FUNCTIONS
