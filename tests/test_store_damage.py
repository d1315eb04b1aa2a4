"""What can go wrong with the store's files: every case ends in a clear sentence or heals itself, nothing is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.errors import RootBusy, UserError
from indexer.store import Store, check, hnsw, repair, schema
from indexer.store.database import FILE_NAME, Database
from indexer.types import Progress

N_FUNCTIONS = 60
KILLS = int(os.environ.get("CODEWHERE_KILLS", "6"))  # more of them in a long run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for number in range(12):
        text = "".join(f"def name_{number}_{n}(value):\n    return value + {n}\n\n\n" for n in range(5))
        (folder / f"f{number:02}.py").write_text(text)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def opened(folder: Path, home: Path, embedder: HashEmbedder | None = None) -> Index:
    return open_index(folder, config=Config(home=home), embedder=embedder or HashEmbedder())


def update(folder: Path, home: Path) -> int:
    """Update and close; how many texts were embedded."""
    embedder = HashEmbedder()
    with opened(folder, home, embedder) as index:
        index.update()
        assert index.status().coverage == 1.0
        assert index.status().functions == N_FUNCTIONS
    return embedder.encoded


def neighbours(folder: Path, home: Path) -> list[tuple[str, str, float]]:
    with opened(folder, home) as index:
        results = index.similar("f03.py", 2, limit=20).results
    return sorted((r.function.path, r.function.symbol, round(r.score, 3)) for r in results)


def test_a_store_of_a_newer_format_is_refused_and_left_alone(folder: Path, home: Path) -> None:
    update(folder, home)
    with sqlite3.connect(home / FILE_NAME) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(UserError, match=r"newer codewhere.*Update codewhere"):
        Store(home)
    with sqlite3.connect(home / FILE_NAME) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION}")
    assert update(folder, home) == 0


def test_a_store_of_an_older_format_is_brought_up_to_date(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(folder, home)
    before = neighbours(folder, home)
    monkeypatch.setattr(
        schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE roots ADD COLUMN colour TEXT;")
    )
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    assert neighbours(folder, home) == before
    with sqlite3.connect(home / FILE_NAME) as db:
        assert db.execute("SELECT colour FROM roots").fetchall() == [(None,)]
        assert schema.version_of(db) == schema.VERSION


def test_a_migration_that_fails_leaves_the_old_format(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(folder, home)
    step = "ALTER TABLE roots ADD COLUMN colour TEXT; INSERT INTO nowhere VALUES (1);"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
        patch.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(sqlite3.OperationalError):
            Store(home)
    assert update(folder, home) == 0


def test_a_data_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="CODEWHERE_HOME"):
        Store(tmp_path / "file")
    with pytest.raises(UserError, match="CODEWHERE_HOME"):
        Store(tmp_path / "file" / "below")


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


def scramble(data: bytes, place: float) -> bytes:
    """Three pages in the middle of the file filled with noise."""
    start = int(len(data) * place) // 4096 * 4096
    return data[:start] + random.Random(0).randbytes(3 * 4096) + data[start + 3 * 4096 :]


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


@pytest.fixture
def small_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hnsw, "EXACT_LIMIT", 20)


def graph_files(home: Path) -> list[Path]:
    return sorted((home / "hnsw").glob("*"))


def test_the_graph_finds_what_an_exact_scan_finds(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(folder, home)
    assert graph_files(home) == []
    exact = neighbours(folder, home)
    monkeypatch.setattr(hnsw, "EXACT_LIMIT", 20)
    update(folder, home)
    assert len(graph_files(home)) == 2
    assert neighbours(folder, home) == exact
    with opened(folder, home) as index:
        assert index._store.recall(1) == 1.0


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-10]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(scramble(path.read_bytes(), 0.1)),
        lambda path: path.write_bytes(path.read_bytes().replace(b"hash", b"hush").replace(b"\1", b"\2")),
    ],
    ids=["removed", "cut", "empty", "scrambled", "of another model"],
)
@pytest.mark.parametrize("suffix", [".json", ".graph"])
def test_a_damaged_graph_changes_no_answer_and_is_built_again(
    folder: Path, home: Path, small_graphs: None, damage, suffix: str
) -> None:
    update(folder, home)
    before = neighbours(folder, home)
    (path,) = [path for path in graph_files(home) if path.suffix == suffix]
    damage(path)
    assert neighbours(folder, home) == before
    assert update(folder, home) == 0
    assert check(home) == []
    assert neighbours(folder, home) == before
    assert len(graph_files(home)) == 2


def test_the_graph_follows_additions_and_is_rebuilt_after_many_deletions(
    folder: Path, home: Path, small_graphs: None
) -> None:
    with opened(folder, home) as index:
        index.update()
        (folder / "more.py").write_text("def name_3_0_more(value):\n    return value + 0\n")
        index.update()
        assert ("more.py", "name_3_0_more") in [n[:2] for n in neighbours(folder, home)]
        for number in range(7):
            (folder / f"f{number:02}.py").unlink()
        index.update()
        snapshot = index._store._snapshot(1, "hash-64", 64)
        assert len(snapshot.graph.labels) == index.status().functions == 26


@pytest.mark.parametrize("kept", [None, "before"], ids=["none", "an older one"])
def test_a_graph_of_another_database_is_not_asked(
    folder: Path, home: Path, small_graphs: None, kept: str | None
) -> None:
    """Its labels are ids, which a new database, or one from a backup, gives to other vectors."""
    update(folder, home)
    if kept:
        shutil.copy(home / FILE_NAME, home / kept)
    for number in range(12):
        path = folder / f"f{number:02}.py"
        path.write_text(path.read_text().replace("value + ", "value - "))
    update(folder, home)
    (home / FILE_NAME).unlink()
    if kept:
        (home / kept).rename(home / FILE_NAME)
    for number in range(12):
        path = folder / f"f{number:02}.py"
        path.write_text(path.read_text().replace("value - ", "value * 2 + "))
    assert "of another database" in check(home)[0]
    update(folder, home)
    fresh = home.with_name("fresh")
    update(folder, fresh)
    assert neighbours(folder, home) == neighbours(folder, fresh)
    assert check(home) == []


def test_checking_a_folder_without_a_store_makes_none_that_others_can_read(home: Path) -> None:
    home.mkdir(mode=0o700)
    assert check(home) == []
    assert all(not path.stat().st_mode & 0o077 for path in home.rglob("*") if path.is_file())


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


def test_a_graph_that_cannot_be_written_is_only_a_note(
    folder: Path, home: Path, small_graphs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hnsw.Graph, "save", full)
    with opened(folder, home) as index:
        report = index.update()
    assert "No space left" in report.notes[0]
    assert len(neighbours(folder, home)) == 20


def test_a_graph_cut_by_a_full_disk_is_noticed_when_it_is_written(
    folder: Path, home: Path, small_graphs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """hnswlib itself writes on without a word when the disk is full."""
    measure = hnsw._checksum
    monkeypatch.setattr(hnsw, "_checksum", lambda path: (measure(path)[0] - 1, 0))
    with opened(folder, home) as index:
        assert "No space left" in index.update().notes[0]
    assert graph_files(home) == []


def test_repair_drops_a_graph_that_finds_too_little(
    folder: Path, home: Path, small_graphs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(folder, home)
    assert repair(home) == []
    monkeypatch.setattr(Store, "recall", lambda self, root_id: 0.5)
    assert "50%" in repair(home)[0]
    assert graph_files(home) == []
    update(folder, home)
    assert len(graph_files(home)) == 2


_OPENING = """
import sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from indexer.store import Store
store = Store(Path(sys.argv[4]))
store.ensure_root(sys.argv[3])
print(len(store.roots()))
"""


def test_many_processes_may_create_the_store_at_the_same_moment(folder: Path, home: Path) -> None:
    processes = [start_python(_OPENING, folder / f"f{number}", home) for number in range(6)]
    counts = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6
    assert max(map(int, counts)) == 6


_INDEXING = """
import sys, time
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from fakes import HashEmbedder
from indexer.config import Config
from indexer.engine import open_index
class Slow(HashEmbedder):
    def encode_code(self, texts):
        time.sleep(float(sys.argv[6]))
        with open(sys.argv[5], "a") as log:
            log.write("".join("x" for _ in texts))
        return super().encode_code(texts)
index = open_index(sys.argv[3], config=Config(home=Path(sys.argv[4])), embedder=Slow())
print("start", flush=True)
index.update(batch_size=4)
print("end", flush=True)
"""


def test_killed_at_any_moment_it_loses_one_batch_at_most(folder: Path, home: Path, tmp_path: Path) -> None:
    log = tmp_path / "encoded"
    log.touch()
    rng = random.Random(0)
    kills = 0
    for _ in range(KILLS):
        process = start_python(_INDEXING, folder, home, log, 0.2)
        assert process.stdout.readline() == b"start\n"
        time.sleep(rng.uniform(0.0, 0.5))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        assert check(home) == []
    assert kills > 0
    last = start_python(_INDEXING, folder, home, log, 0.02)
    assert last.communicate()[0] == b"start\nend\n"
    assert update(folder, home) == 0
    assert N_FUNCTIONS <= log.stat().st_size <= N_FUNCTIONS + kills * 4
    fresh = home.with_name("fresh")
    update(folder, fresh)
    assert neighbours(folder, home) == neighbours(folder, fresh)


_CHURNING = """
import random, sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from fakes import HashEmbedder
from indexer.config import Config
from indexer.engine import open_index
from indexer.store import hnsw
hnsw.EXACT_LIMIT = 10
rng = random.Random(sys.argv[5])
index = open_index(sys.argv[3], config=Config(home=Path(sys.argv[4])), embedder=HashEmbedder())
print("start", flush=True)
while True:
    for number in range(4):
        text = f"def churned_{rng.randrange(9)}(value):\\n    return {rng.randrange(9)}\\n"
        Path(sys.argv[3], f"churn{number}.py").write_text(text * rng.randrange(4))
    index.update(batch_size=2)
    index._store.gc(grace_days=0)
"""


def test_killed_while_writing_removing_and_collecting_the_store_stays_whole(folder: Path, home: Path) -> None:
    rng = random.Random(1)
    for kill in range(KILLS):
        process = start_python(_CHURNING, folder, home, kill)
        assert process.stdout.readline() == b"start\n"
        time.sleep(rng.uniform(0.0, 0.6))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        # A graph may be cut off in the middle: then there is no header yet that speaks of it.
        assert check(home) == []
    for path in folder.glob("churn*"):
        path.unlink()
    assert update(folder, home) <= N_FUNCTIONS
    fresh = home.with_name("fresh")
    update(folder, fresh)
    assert neighbours(folder, home) == neighbours(folder, fresh)


def test_a_second_process_waits_for_the_first_and_says_so(folder: Path, home: Path, tmp_path: Path) -> None:
    log = tmp_path / "encoded"
    first = start_python(_INDEXING, folder, home, log, 0.3)
    assert first.stdout.readline() == b"start\n"
    stages: list[Progress] = []
    embedder = HashEmbedder()
    with opened(folder, home, embedder) as index:
        while index.status().embedded == 0:
            time.sleep(0.01)
        assert index.status().indexing_pid == first.pid
        with pytest.raises(RootBusy) as error:
            index.update(wait=False)
        assert error.value.pid == first.pid
        assert index.similar("f00.py", 1).coverage < 1, "queries are answered meanwhile"
        (folder / "edited.py").write_text("def edited_meanwhile():\n    return 1\n")
        report = index.update(paths=["edited.py"], wait=False)
        assert report.embedded == 1, "an edit does not wait for the whole root"
        assert index.update(on_progress=stages.append).embedded == 0
        assert index.status().coverage == 1.0
    assert first.communicate()[0] == b"end\n"
    assert f"process {first.pid}" in next(p.message for p in stages if p.stage == "wait")
    assert log.stat().st_size + embedder.encoded <= N_FUNCTIONS + 2


def test_waiting_for_another_process_can_be_cancelled(folder: Path, home: Path) -> None:
    with opened(folder, home) as index:
        index.update()
        lock = index._store.lock(1, str(folder), "files")
        with lock.hold(wait=True, on_wait=print, cancelled=lambda: False):
            assert index.update(cancelled=lambda: True).cancelled


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


def start_python(program: str, *arguments: object) -> subprocess.Popen[bytes]:
    here = Path(__file__).parent
    command = [sys.executable, "-c", program, str(here), str(here.parent), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def run_python(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    here = Path(__file__).parent
    command = [sys.executable, "-c", program, str(here), str(here.parent), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)
