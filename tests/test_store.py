"""The store by itself: rows, words, vectors, sharing between roots and garbage collection."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from fakes import HashEmbedder

from indexer.store import FileRow, Store
from indexer.store.database import Database
from indexer.types import Function, SearchFilters, SkippedFile

EMBEDDER = HashEmbedder()
WEIGHTS = (1.0, 1.0, 1.0, 1.0)


def function(path: str, symbol: str, body: str = "", **fields: object) -> Function:
    values: dict = {
        "language": "python",
        "kind": "function",
        "start_byte": 0,
        "end_byte": 10,
        "start_line": 0,
        "end_line": 1,
        "doc": "",
        "signature": f"def {symbol}():",
        "body": body or f"def {symbol}():\n    return {symbol}",
    }
    return Function(path=path, symbol=symbol, **{**values, **fields})


def file_row(path: str, **fields: object) -> FileRow:
    values = {"size": 1, "changed_ns": 1, "hash": b"h", "demoted": "", "parser_version": 1}
    return FileRow(0, path, **{**values, **fields})


def write(store: Store, root_id: int, *functions: Function, path: str = "") -> None:
    path = path or functions[0].path
    store.write_batch(root_id, parsed=[(file_row(path), functions)])


def embed(store: Store, root_id: int, embedder: HashEmbedder = EMBEDDER) -> int:
    """Embed what is missing; the number of contents that were."""
    model = store.use_model(root_id, embedder.fingerprint, embedder.name, embedder.dim)
    missing = store.missing(root_id, model)
    texts = store.texts(model, missing)
    store.add_vectors(model, [(id_, embedder.encode_code([text])) for id_, text in texts.items()])
    return len(texts)


def found_by_words(store: Store, root_id: int, match: str, filters: SearchFilters | None = None) -> list[str]:
    where = store.filter(root_id, filters or SearchFilters())
    hits = store.lexical(root_id, match, WEIGHTS, 50, where)
    functions = store.functions(hit.id for hit in hits)
    return [functions[hit.id].function.symbol for hit in hits]


def nearest(
    store: Store, root_id: int, query: str, limit: int = 5, filters: SearchFilters | None = None
) -> list[str]:
    where = store.filter(root_id, filters or SearchFilters())
    vector = EMBEDDER.encode_queries([query])[0]
    hits = store.dense(root_id, EMBEDDER.fingerprint, vector, limit, where)
    functions = store.functions(hit.id for hit in hits)
    return [functions[hit.id].function.symbol for hit in hits]


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def root(store: Store, folder: Path) -> int:
    return store.ensure_root(str(folder))


@pytest.mark.parametrize(
    "given",
    [
        function("a.py", "plain"),
        function("a.py", "documented", doc="Says what it does.\n\nAt length."),
        function(
            "a.py",
            "Class.method",
            signature="def method(self):  # other",
            body="@decorated\ndef method(self): ...",
        ),
        function("a\nb\udcff.py", "ünïcode_名前", body="body with a lone \udc80 surrogate and a \0 byte"),
        function("a.py", "", doc="", signature="", body="", language="text", kind="text"),
        function("a.py", "only_doc", doc="Doc without a body.", signature="", body=""),
        function("a.py", "", language="", body="no head at all", signature="no head"),
    ],
    ids=lambda given: given.symbol or "nameless",
)
def test_a_function_comes_back_as_it_was_written(store: Store, root: int, given: Function) -> None:
    write(store, root, given)
    assert [stored.function for stored in store.functions_in(root, given.path)] == [given]


def test_files_come_back_by_path_with_odd_bytes(store: Store, root: int) -> None:
    write(store, root, function("dir/\udcff\n.py", "odd"))
    row = store.files(root)["dir/\udcff\n.py"]
    assert (row.size, row.changed_ns, row.hash, row.parser_version) == (1, 1, b"h", 1)


def test_writing_a_file_again_keeps_the_rows_of_functions_that_only_moved(store: Store, root: int) -> None:
    write(store, root, function("a.py", "first"), function("a.py", "second", start_byte=20, end_byte=30))
    before = {stored.function.symbol: stored.id for stored in store.functions_in(root, "a.py")}
    write(store, root, function("a.py", "new"), function("a.py", "second", start_byte=99, end_byte=120))
    after = {stored.function.symbol: stored for stored in store.functions_in(root, "a.py")}
    assert set(after) == {"new", "second"}
    assert after["second"].id == before["second"]
    assert after["second"].function.start_byte == 99
    assert found_by_words(store, root, "first") == []
    assert found_by_words(store, root, "second") == ["second"]


def test_two_equal_functions_in_one_file_stay_two(store: Store, root: int) -> None:
    twins = [function("a.py", "twin", start_byte=start, end_byte=start + 5) for start in (0, 50)]
    write(store, root, *twins)
    write(store, root, *twins)
    assert len(store.functions_in(root, "a.py")) == 2
    assert embed(store, root) == 1
    assert nearest(store, root, "twin") == ["twin", "twin"]


def test_words_find_a_function_by_each_column(store: Store, root: int) -> None:
    write(
        store,
        root,
        function("net/transport.py", "RetryPolicy.run", doc="Waits longer each time.", body="x = backoff()"),
    )
    for word in ("transport", "retry", "longer", "backoff"):
        assert found_by_words(store, root, word) == ["RetryPolicy.run"], word


def test_statistics_count_functions_words_and_hits(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha", body="one two"), function("a.py", "beta", body="two"))
    statistics = store.lexical_statistics(root, ["two", "one", "absent"])
    assert statistics.n_functions == 2
    assert statistics.df == {"two": 2, "one": 1, "absent": 0}
    symbol, _path, doc, body = statistics.mean_lengths
    assert (symbol, doc, body) == (1.0, 0.0, 1.5)


def test_a_root_does_not_find_functions_of_another(store: Store, root: int) -> None:
    other = store.ensure_root("/other")
    write(store, root, function("a.py", "mine"))
    write(store, other, function("a.py", "yours"))
    embed(store, root), embed(store, other)
    assert found_by_words(store, root, "mine OR yours") == ["mine"]
    assert nearest(store, root, "yours") == ["mine"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (SearchFilters(), {"Pool.get", "test_get", "getter", "Get"}),
        (SearchFilters(languages=("Go",)), {"Get"}),
        (SearchFilters(kinds=("method",)), {"Pool.get"}),
        (SearchFilters(paths=("src/",)), {"Pool.get", "getter"}),
        (SearchFilters(paths=("*.py",)), {"Pool.get", "test_get", "getter"}),
        (SearchFilters(paths=("src/**", "*.go")), {"Pool.get", "getter", "Get"}),
        (SearchFilters(exclude=("src/",)), {"test_get", "Get"}),
        (SearchFilters(no_tests=True), {"Pool.get", "getter", "Get"}),
        (SearchFilters(symbols=("pool",)), {"Pool.get"}),
        (SearchFilters(symbols=("*.GET",)), {"Pool.get"}),
        (SearchFilters(languages=("python",), kinds=("function",), no_tests=True), {"getter"}),
        (SearchFilters(languages=("cobol",)), set()),
    ],
)
def test_filters_hold_for_words_and_for_vectors(
    store: Store, root: int, filters: SearchFilters, expected: set[str]
) -> None:
    write(store, root, function("src/pool.py", "Pool.get", kind="method"))
    write(store, root, function("src/deep/get.py", "getter", body="get getter"))
    write(store, root, function("main.go", "Get", language="go"))
    store.write_batch(
        root, parsed=[(file_row("t/test_x.py", demoted="test"), [function("t/test_x.py", "test_get")])]
    )
    embed(store, root)
    assert set(found_by_words(store, root, "get", filters)) == expected
    assert set(nearest(store, root, "get", filters=filters)) == expected


def test_a_filter_does_not_ask_the_words_once_for_each_function(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    where = store.filter(root, SearchFilters(languages=("python",), no_tests=True))
    statements: list[str] = []
    with store._database.reading() as db:
        db.set_trace_callback(statements.append)
        assert len(store.lexical(root, "alpha", WEIGHTS, 50, where)) == 1
        db.set_trace_callback(None)
        (statement,) = [text for text in statements if "MATCH" in text]
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    scans = [line for line in plan if "lexical_1" in line]
    assert scans and all("INDEX 0:=" not in line for line in scans), plan


def test_a_second_root_with_the_same_code_embeds_nothing(store: Store, root: int) -> None:
    code = [function("a.py", f"function{number}") for number in range(20)]
    write(store, root, *code)
    assert embed(store, root) == 20
    worktree = store.ensure_root("/worktree")
    write(store, worktree, *code)
    assert embed(store, worktree) == 0
    assert len(nearest(store, worktree, "function3", limit=20)) == 20


def test_a_renamed_file_embeds_nothing_and_is_found_under_its_new_name(store: Store, root: int) -> None:
    write(store, root, function("old.py", "moved"))
    embed(store, root)
    store.write_batch(root, removed=[store.files(root)["old.py"]])
    write(store, root, function("new.py", "moved"))
    assert embed(store, root) == 0
    (hit,) = store.lexical(root, "new", WEIGHTS, 5)
    assert store.functions([hit.id])[hit.id].function.path == "new.py"
    assert found_by_words(store, root, "old") == []


def test_another_model_has_its_own_vectors(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    other = HashEmbedder(dim=32, fingerprint="other")
    assert store.coverage(root, "other") == (0, 1)
    assert embed(store, root, other) == 1
    assert store.coverage(root, "other") == store.coverage(root, EMBEDDER.fingerprint) == (1, 1)
    assert len(store.dense(root, "other", other.encode_queries(["alpha"])[0], 5)) == 1


def test_what_was_embedded_after_the_first_query_is_found_by_the_next(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    assert nearest(store, root, "alpha") == ["alpha"]
    write(store, root, function("b.py", "beta"))
    assert nearest(store, root, "beta") == ["alpha"]
    embed(store, root)
    assert nearest(store, root, "beta") == ["beta", "alpha"]
    store.write_batch(root, removed=[store.files(root)["b.py"]])
    assert nearest(store, root, "beta") == ["alpha"]
    write(store, root, function("c.py", "beta"))
    assert nearest(store, root, "beta") == ["beta", "alpha"], "an old vector serves a new function"


def test_the_best_window_of_a_long_function_counts_once(store: Store, root: int) -> None:
    write(store, root, function("a.py", "long"), function("a.py", "short", start_byte=20, end_byte=30))
    model = store.use_model(root, EMBEDDER.fingerprint, "hash", EMBEDDER.dim)
    long, short = store.missing(root, model)
    windows = EMBEDDER.encode_code(["apples", "needle", "pears"])
    store.add_vectors(model, [(long, windows), (short, EMBEDDER.encode_code(["needle work"]))])
    assert nearest(store, root, "needle") == ["long", "short"]
    hits = store.dense(root, EMBEDDER.fingerprint, windows[1], 5)
    assert hits[0].score == pytest.approx(1, abs=1e-3)


def test_vectors_come_back_normalised_and_close(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    (wanted,) = store.functions_in(root, "a.py")
    hash_ = wanted.function.content_hash
    (vector,) = store.vectors_of(EMBEDDER.fingerprint, [hash_, "00" * 16])[hash_]
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert vector @ EMBEDDER.encode_code([wanted.function.text])[0] == pytest.approx(1, abs=1e-3)


def test_missing_contents_come_with_the_urgent_files_first_and_demoted_ones_last(
    store: Store, root: int
) -> None:
    store.write_batch(root, parsed=[(file_row("a_test.py", demoted="test"), [function("a_test.py", "test")])])
    for name in ("b", "c", "d"):
        write(store, root, function(f"{name}.py", name))
    model = store.use_model(root, "m", "m", 2)
    order = store.texts(model, store.missing(root, model, first=["d.py"]))
    missing = store.missing(root, model, first=["d.py"])
    assert [order[id_].split()[1] for id_ in missing] == ["d", "b", "c", "test"]
    only = store.missing(root, model, only=["c.py", "gone.py"])
    assert [order[id_].split()[1] for id_ in only] == ["c"]


def test_skipped_files_are_replaced_as_a_whole_or_below_paths(store: Store, root: int) -> None:
    store.set_skipped(root, [SkippedFile(path, "binary") for path in ("a/x", "a/y/z", "ab", "b/", "\udcff")])
    store.set_skipped(root, [SkippedFile("a/new", "large")], ["a", "b"])
    assert [item.path for item in store.skipped(root)] == ["a/new", "ab", "\udcff"]
    store.set_skipped(root, [])
    assert store.skipped(root) == []


def test_garbage_is_kept_for_its_time_of_grace_and_freed_afterwards(store: Store, root: int) -> None:
    write(store, root, function("a.py", "kept"), function("a.py", "dropped"))
    embed(store, root)
    write(store, root, function("a.py", "kept"))
    assert store.gc(grace_days=1)[:3] == (0, 0, 0)
    write(store, root, function("a.py", "kept"), function("a.py", "dropped"))
    assert embed(store, root) == 0, "a branch that comes back in time costs nothing"
    write(store, root, function("a.py", "kept"))
    report = store.gc(grace_days=0)
    assert (report.contents, report.vectors) == (1, 1)
    write(store, root, function("a.py", "kept"), function("a.py", "dropped"))
    assert embed(store, root) == 1


def test_contents_another_root_uses_are_not_garbage(
    store: Store, root: int, folder: Path, tmp_path: Path
) -> None:
    other = store.ensure_root(str(tmp_path))
    write(store, root, function("a.py", "shared"))
    write(store, other, function("b.py", "shared"))
    embed(store, root)
    assert store.forget(str(folder))
    embed(store, other)
    assert store.gc(grace_days=0).contents == 0
    assert nearest(store, other, "shared") == ["shared"]
    assert store.root(str(folder)) is None
    assert not store.forget(str(folder))


def test_a_root_whose_folder_is_gone_is_forgotten_after_its_grace(
    store: Store, root: int, folder: Path
) -> None:
    store.gc(grace_days=0)
    folder.rmdir()
    store.gc(grace_days=7)
    assert store.root(str(folder)) is not None
    assert store.gc(grace_days=0).roots == 1
    assert store.roots() == []


def test_vectors_of_a_model_no_root_uses_any_more_are_freed_after_their_grace(
    store: Store, root: int
) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    embed(store, root, HashEmbedder(dim=8, fingerprint="new"))
    assert store.gc(grace_days=1).vectors == 0
    assert store.gc(grace_days=0).vectors == 1
    assert store.coverage(root, EMBEDDER.fingerprint) == (0, 1)
    assert store.coverage(root, "new") == (1, 1)


def test_gc_gives_the_space_back_to_the_disk(store: Store, root: int, folder: Path) -> None:
    body = np.random.default_rng(0).integers(0, 1 << 60, (40, 60))
    write(
        store, root, *[function("a.py", f"f{n}", body=" ".join(map(hex, row))) for n, row in enumerate(body)]
    )
    embed(store, root)
    store.gc()
    before = store.store_bytes()
    store.forget(str(folder))
    assert store.gc(grace_days=0).freed_bytes > before / 3
    assert store.store_bytes() < before / 2


def test_the_files_of_the_store_are_private(store: Store, root: int) -> None:
    write(store, root, function("a.py", "secret"))
    assert stat.S_IMODE(store.home.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.home.iterdir() if path.is_file()}
    assert "codewhere.db" in modes
    assert set(modes.values()) == {0o600}


def test_disk_use_of_a_root_is_told(store: Store, root: int) -> None:
    assert store.disk_bytes(root) < 1000
    write(store, root, *[function("a.py", f"name{number}") for number in range(100)])
    words = store.disk_bytes(root)
    embed(store, root)
    vectors = 100 * 2 * EMBEDDER.dim
    assert words > 5_000
    assert store.disk_bytes(root) == words + vectors


def test_another_version_of_the_tokenizer_makes_the_words_anew(
    store: Store, root: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, root, function("a.py", "alpha"))
    assert not store.ensure_words(root)
    monkeypatch.setattr("indexer.store.store.TOKENS_VERSION", 999)
    monkeypatch.setattr("indexer.store.lexical.TOKENS_VERSION", 999)
    monkeypatch.setattr("indexer.store.lexical.tokenize", lambda text: [f"x{word}" for word in text.split()])
    assert store.ensure_words(root)
    assert not store.ensure_words(root)
    assert found_by_words(store, root, "xalpha") == ["alpha"]
    write(store, root, function("a.py", "beta"))
    assert found_by_words(store, root, "xalpha") == []


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
