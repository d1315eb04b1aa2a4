"""The store by itself: rows, words, filters and what it takes of the disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from indexer.store import Store
from indexer.store.filters import PathFilter, fits
from indexer.types import Function, SearchFilters, SkippedFile
from tests.rows import EMBEDDER, WEIGHTS, embed, file_row, found_by_words, function, nearest, write
from tests.rows import folder as folder
from tests.rows import root as root
from tests.rows import store as store


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


def test_remembered_functions_are_those_of_the_state_that_was_asked_about(
    store: Store, root: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, root, function("a.py", "first"), function("a.py", "second", start_byte=20, end_byte=30))
    ids = [stored.id for stored in store.functions_in(root, "a.py")]
    before = store.indexed_root(str(folder))
    assert store.functions_of(before, ids[:1]) == store.functions(ids[:1])
    assert store.functions_of(before, ids) == store.functions(ids)
    write(store, root, function("a.py", "second", start_byte=99, end_byte=120))
    now = store.functions_of(store.indexed_root(str(folder)), ids)
    assert [(found.function.symbol, found.function.start_byte) for found in now.values()] == [("second", 99)]
    monkeypatch.setattr("indexer.store.store._REMEMBERED_FUNCTIONS", 2)
    assert store.functions_of(before, ids).keys() == set(ids)
    assert len(store._functions) <= 2


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
        (SearchFilters(languages=("go",)), {"Get"}),
        (SearchFilters(kinds=("method",)), {"Pool.get"}),
        (SearchFilters(paths=("src/",)), {"Pool.get", "getter"}),
        (SearchFilters(paths=("*.py",)), {"Pool.get", "test_get", "getter"}),
        (SearchFilters(paths=("src/**", "*.go")), {"Pool.get", "getter", "Get"}),
        (SearchFilters(paths=("./src",)), {"Pool.get", "getter"}),
        (SearchFilters(paths=("*.py",), exclude=("./src/",)), {"test_get"}),
        (SearchFilters(exclude=("src/",)), {"test_get", "Get"}),
        (SearchFilters(no_tests=True), {"Pool.get", "getter", "Get"}),
        (SearchFilters(symbols=("pool",)), {"Pool.get"}),
        (SearchFilters(symbols=("*.GET",)), {"Pool.get"}),
        (SearchFilters(not_languages=("python",)), {"Get"}),
        (SearchFilters(not_kinds=("function",)), {"Pool.get"}),
        (SearchFilters(not_symbols=("pool", "test_*")), {"getter", "Get"}),
        (
            SearchFilters(symbols=("get",), not_symbols=("getter",), not_languages=("go",)),
            {"Pool.get", "test_get"},
        ),
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


def test_paths_are_looked_at_once_for_a_filter_until_files_change(
    store: Store, root: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    match = PathFilter.__call__

    def spied(self: PathFilter, path: str, demoted: str) -> bool:
        looked_at.append(path)
        return match(self, path, demoted)

    monkeypatch.setattr(PathFilter, "__call__", spied)
    write(store, root, function("a.py", "get"))
    only_python = SearchFilters(paths=("*.py",))
    assert [found_by_words(store, root, "get", only_python) for _ in range(3)] == 3 * [["get"]]
    assert looked_at == ["a.py"]
    assert found_by_words(store, root, "get", SearchFilters(paths=("*.go",))) == []
    write(store, root, function("b.py", "get"))
    assert found_by_words(store, root, "get", only_python) == ["get", "get"]
    other = store.ensure_root("/other")
    write(store, other, function("c.py", "get"))
    assert found_by_words(store, other, "get", only_python) == ["get"]


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("get?", {"Pool#get?", "gets"}),
        ("[]", {"List#[]"}),
        ("-[Cart add:to:]", {"-[Cart add:to:]"}),
        ("ÖFFNEN", {"Datei.öffnen"}),
    ],
)
def test_symbols_are_found_as_they_are_shown(
    store: Store, root: int, symbol: str, expected: set[str]
) -> None:
    names = ("Pool#get?", "gets", "List#[]", "-[Cart add:to:]", "Datei.öffnen")
    functions = [function("a.rb", name, body="word") for name in names]
    store.write_batch(root, parsed=[(file_row("a.rb"), functions)])
    wanted, unwanted = SearchFilters(symbols=(symbol,)), SearchFilters(not_symbols=(symbol,))
    assert set(found_by_words(store, root, "word", wanted)) == expected
    assert set(found_by_words(store, root, "word", unwanted)) == {*names} - expected
    assert {f.symbol for f in functions if fits(f, wanted)} == expected
    assert {f.symbol for f in functions if fits(f, unwanted)} == {*names} - expected


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


def test_skipped_files_are_replaced_as_a_whole_or_below_paths(store: Store, root: int) -> None:
    store.set_skipped(root, [SkippedFile(path, "binary") for path in ("a/x", "a/y/z", "ab", "b/", "\udcff")])
    store.set_skipped(root, [SkippedFile("a/new", "large")], ["a", "b"])
    assert [item.path for item in store.skipped(root)] == ["a/new", "ab", "\udcff"]
    store.set_skipped(root, [])
    assert store.skipped(root) == []


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
