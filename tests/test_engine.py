"""The index of a folder as its callers see it: updating, what it reports, and what it leaves alone."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.errors import UserError
from indexer.types import Progress, SearchFilters

CODE = {
    "src/retry.py": '''
class RetryPolicy:
    """Waits longer after each failure."""

    def run(self, task):
        """Run a task until it succeeds."""
        return task()

def unrelated_sum(numbers):
    return sum(numbers)
''',
    "src/http/client.go": """
package http

// Fetch downloads a page over the network.
func Fetch(url string) (string, error) {
    return "", nil
}
""",
    "tests/test_retry.py": """
def test_retry_runs_twice():
    assert RetryPolicy().run(lambda: 1)
""",
    "README.md": "# Retry\n\nHow to wait between attempts.\n",
}


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as old at once, which otherwise takes two seconds; until then they are read a second time."""
    monkeypatch.setattr("indexer.update._RACY_NS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write_files(folder, CODE)
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(home=tmp_path / "home")


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def index(folder: Path, config: Config, embedder: HashEmbedder):
    with open_index(folder, config=config, embedder=embedder) as opened:
        yield opened


def symbols(index: Index, path: str) -> list[str]:
    return [function.symbol for function in index.functions_of(path)]


def test_the_first_update_indexes_and_embeds_everything(index: Index, embedder: HashEmbedder) -> None:
    report = index.update()
    assert (report.files, report.parsed, report.removed) == (4, 4, 0)
    assert report.functions == report.embedded == embedder.encoded > 5
    assert {"RetryPolicy", "RetryPolicy.run", "unrelated_sum"} <= set(symbols(index, "src/retry.py"))
    status = index.status()
    assert (status.indexed, status.coverage, status.model, status.files) == (True, 1.0, "hash", 4)
    assert status.last_update is not None
    assert status.disk_bytes > 1000
    assert status.indexing_pid is None


def test_an_unchanged_folder_is_not_read_again(index: Index, embedder: HashEmbedder, settled: None) -> None:
    first = index.update()
    encoded, generation = embedder.encoded, index.generation
    again = index.update()
    assert (again.parsed, again.removed, again.embedded, embedder.encoded) == (0, 0, 0, encoded)
    assert (again.files, again.functions, again.reused) == (first.files, first.functions, first.functions)
    assert index.generation == generation


def test_editing_one_function_embeds_one_function(index: Index, folder: Path, embedder: HashEmbedder) -> None:
    index.update()
    path = folder / "src/retry.py"
    path.write_text(path.read_text().replace("return sum(numbers)", "return max(numbers)"))
    before = embedder.encoded
    report = index.update()
    assert (report.parsed, report.embedded, embedder.encoded - before) == (1, 1, 1)


def test_a_file_changed_without_new_size_and_time_right_after_reading_is_noticed(
    index: Index, folder: Path
) -> None:
    path = folder / "fresh.py"
    path.write_text("def aaa(): pass\n")
    index.update()
    status = path.stat()
    path.write_text("def bbb(): pass\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    index.update()
    assert symbols(index, "fresh.py") == ["bbb"]


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_noticed(
    index: Index, folder: Path, settled: None
) -> None:
    """Archives and package builds give all their files one time."""
    path = folder / "built.py"
    for name in ("aaa", "bbb"):
        other = folder.parent / name
        other.write_text(f"def {name}(): pass\n")
        os.utime(other, (1_100_000_000, 1_100_000_000))
        other.rename(path)
        time.sleep(0.05)
        index.update()
        assert symbols(index, "built.py") == [name]


def test_a_touched_file_is_read_but_not_parsed(index: Index, folder: Path) -> None:
    index.update()
    os.utime(folder / "src/retry.py", (1_100_000_000, 1_100_000_000))
    assert index.update().parsed == 0
    assert index.status().files == 4


@pytest.mark.parametrize("change", ["rename", "copy", "move folder"])
def test_code_that_only_moves_embeds_nothing(
    index: Index, folder: Path, embedder: HashEmbedder, change: str
) -> None:
    functions = index.update().functions
    before = embedder.encoded
    if change == "rename":
        (folder / "src/retry.py").rename(folder / "src/again.py")
    elif change == "copy":
        (folder / "copy.py").write_text((folder / "src/retry.py").read_text())
    else:
        (folder / "src").rename(folder / "source")
    report = index.update()
    assert report.parsed > 0
    assert (report.embedded, embedder.encoded) == (0, before)
    assert report.functions == functions + (3 if change == "copy" else 0)


def test_a_branch_switch_back_and_forth_embeds_nothing_the_second_time(
    index: Index, folder: Path, embedder: HashEmbedder
) -> None:
    main = (folder / "src/retry.py").read_text()
    branch = main.replace("sum", "product") + "\ndef only_here():\n    return 1\n"
    index.update()
    for text in (branch, main, branch, main):
        (folder / "src/retry.py").write_text(text)
        index.update()
        if text == branch:
            encoded = embedder.encoded
    assert embedder.encoded == encoded
    assert "only_here" not in symbols(index, "src/retry.py")


def test_a_second_work_tree_embeds_nothing(
    index: Index, config: Config, embedder: HashEmbedder, tmp_path: Path
) -> None:
    index.update()
    other = tmp_path / "worktree"
    write_files(other, CODE)
    before = embedder.encoded
    with open_index(other, config=config, embedder=embedder) as second:
        report = second.update()
        assert (report.embedded, embedder.encoded) == (0, before)
        assert report.reused == report.functions > 5
        assert second.status().coverage == 1.0


def test_a_removed_file_and_folder_are_forgotten(index: Index, folder: Path) -> None:
    index.update()
    (folder / "README.md").unlink()
    (folder / "src/http/client.go").unlink()
    (folder / "src/http").rmdir()
    report = index.update()
    assert (report.removed, report.files) == (2, 2)
    assert symbols(index, "src/http/client.go") == []


@pytest.mark.parametrize(
    "paths", [["src/retry.py"], ["src"], ["src/", "gone.py"], ["src/retry.py", "src/http"]]
)
def test_an_update_of_some_paths_looks_at_nothing_else(
    index: Index, folder: Path, embedder: HashEmbedder, paths: list[str]
) -> None:
    index.update()
    write_files(folder, {"README.md": "# Other\n\ntext\n", "src/retry.py": "def fresh():\n    return 1\n"})
    (folder / "tests/test_retry.py").unlink()
    report = index.update(paths=paths)
    assert (report.parsed, report.removed, report.embedded) == (1, 0, 1)
    assert symbols(index, "src/retry.py") == ["fresh"]
    assert symbols(index, "tests/test_retry.py") != []
    rest = index.update()
    assert (rest.parsed, rest.removed) == (1, 1)


def test_an_update_of_a_path_that_vanished_removes_it(index: Index, folder: Path) -> None:
    index.update()
    (folder / "src/retry.py").unlink()
    assert index.update(paths=["src/retry.py"]).removed == 1
    assert index.update(paths=["../outside.py", "/etc/passwd", "/README.md", "src/../README.md"]).removed == 0
    assert symbols(index, "README.md") != []
    assert symbols(index, "src/retry.py") == []


@pytest.mark.parametrize("path", ["", ".", "./"])
def test_an_update_of_the_root_itself_is_one_of_everything(index: Index, folder: Path, path: str) -> None:
    index.update()
    (folder / "src/retry.py").unlink()
    assert index.update(paths=[path]).removed == 1


def test_words_are_searchable_before_anything_is_embedded(index: Index, embedder: HashEmbedder) -> None:
    report = index.update(embed=False)
    assert (report.embedded, embedder.encoded) == (0, 0)
    assert report.functions > 5
    assert index.status().coverage == 0
    assert index.update().embedded == report.functions


def test_files_named_first_are_embedded_first(index: Index, embedder: HashEmbedder) -> None:
    calls: list[int] = []
    original = embedder.encode_code
    texts: list[str] = []

    def spy(batch):
        calls.append(len(batch))
        texts.extend(batch)
        return original(batch)

    embedder.encode_code = spy
    index.update(first=["src/retry.py"], batch_size=1)
    assert "RetryPolicy" in texts[0]
    assert max(calls) == 1


def test_a_cancelled_update_keeps_what_it_has_and_goes_on_later(index: Index, embedder: HashEmbedder) -> None:
    stages: list[Progress] = []

    def enough() -> bool:
        return sum(progress.stage == "embed" for progress in stages) > 2

    report = index.update(on_progress=stages.append, cancelled=enough, batch_size=1)
    assert report.cancelled
    assert 0 < report.embedded < index.status().functions
    assert index.status().embedded == report.embedded
    rest = index.update()
    assert not rest.cancelled
    assert rest.reused == report.embedded
    assert embedder.encoded == index.status().functions


@pytest.mark.parametrize(
    ("seconds_a_text", "sizes"),
    [
        (0.0, [4, 8, 16, 32, 64, 128, 248]),
        (0.05, [4, 8, 16] + [32] * 14 + [24]),
        (3.0, [4, 2] + [1] * 494),
    ],
    ids=["fast", "right", "slow"],
)
def test_batches_adapt_to_the_speed_of_the_embedder(
    folder: Path, config: Config, monkeypatch: pytest.MonkeyPatch, seconds_a_text: float, sizes: list[int]
) -> None:
    clock = 0.0
    seen: list[int] = []

    class Timed(HashEmbedder):
        def encode_code(self, texts):
            nonlocal clock
            clock += seconds_a_text * len(texts)
            seen.append(len(texts))
            return super().encode_code(texts)

    for path in folder.rglob("*.*"):
        path.unlink()
    write_files(folder, {"a.py": "\n\n".join(f"def name_{n}():\n    return {n}" for n in range(500))})
    monkeypatch.setattr("time.monotonic", lambda: clock)
    with open_index(folder, config=config, embedder=Timed()) as index:
        index.update()
    assert seen == sizes


def test_progress_goes_through_the_stages_and_counts_up(index: Index) -> None:
    stages: list[Progress] = []
    index.update(on_progress=stages.append)
    names = list(dict.fromkeys(progress.stage for progress in stages))
    assert names == ["walk", "parse", "embed", "finish"]
    assert [(p.done, p.total) for p in stages if p.stage == "parse"][-1] == (4, 4)
    embed = [p for p in stages if p.stage == "embed"]
    assert embed[-1].done == embed[-1].total > 5


def test_another_model_embeds_anew_and_the_first_one_is_remembered(
    index: Index, folder: Path, config: Config, embedder: HashEmbedder
) -> None:
    functions = index.update().functions
    other = HashEmbedder(dim=16, fingerprint="another")
    with open_index(folder, config=config, embedder=other) as second:
        assert second.update().embedded == functions
    before = embedder.encoded
    assert index.update().embedded == 0
    assert embedder.encoded == before


def test_a_newer_parser_reads_every_file_again_and_embeds_nothing(
    index: Index, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.update()
    monkeypatch.setattr("indexer.update._parser_version", lambda: 999)
    report = index.update()
    assert (report.parsed, report.embedded) == (4, 0)
    assert index.update().parsed == 0


def test_the_store_inside_the_folder_is_not_indexed(folder: Path) -> None:
    config = Config(home=folder / "store")
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        assert index.update().files == 4
        assert index.update().files == 4
        assert [item for item in index.status().skipped if item.path.startswith("store")] == []


def test_skipped_files_are_reported_with_their_reason(index: Index, folder: Path) -> None:
    (folder / "blob.py").write_bytes(b"\0\1\2" * 100)
    (folder / "link.py").symlink_to(folder / "src/retry.py")
    report = index.update()
    reasons = {item.path: item.reason for item in report.skipped}
    assert set(reasons) == {"blob.py", "link.py"}
    assert {item.path for item in index.status().skipped} == set(reasons)
    (folder / "blob.py").write_text("def fine(): pass\n")
    index.update(paths=["blob.py"])
    assert {item.path for item in index.status().skipped} == {"link.py"}


def test_a_larger_file_than_allowed_is_skipped_and_comes_back_with_a_higher_limit(
    folder: Path, config: Config, embedder: HashEmbedder
) -> None:
    write_files(folder, {"big.py": "def big():\n    return 1\n" * 100})
    with open_index(folder, config=replace(config, max_file_bytes=500), embedder=embedder) as index:
        index.update()
        assert [item.path for item in index.status().skipped] == ["big.py"]
    with open_index(folder, config=config, embedder=embedder) as index:
        index.update()
        assert len(symbols(index, "big.py")) == 100


@pytest.mark.parametrize("n_workers", [0, 2])
def test_many_files_are_parsed_alike_in_this_process_and_in_workers(
    folder: Path, config: Config, monkeypatch: pytest.MonkeyPatch, n_workers: int
) -> None:
    write_files(folder, {f"many/f{n}.py": f"def name_{n}():\n    return {n}\n" for n in range(150)})
    monkeypatch.setattr("indexer.update.default_workers", lambda: n_workers)
    monkeypatch.setattr("indexer.reading.SHARED_BYTES", 100)
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        assert index.update().parsed == 154
        assert [symbols(index, f"many/f{n}.py") for n in range(150)] == [[f"name_{n}"] for n in range(150)]


@pytest.mark.parametrize(
    ("deed", "shared_bytes"),
    [
        ("os.abort()", 0),
        ("time.sleep(60)", 0),
        ("print('noise', flush=True) or os._exit(0)", 0),
        ("os.abort()", 1_000_000),
        ("[None for _ in iter(int, 1)]", 1_000_000),
    ],
    ids=["crash", "hang", "exit", "crash beside few files", "spin beside few files"],
)
def test_a_file_that_kills_or_hangs_the_parser_costs_only_itself(
    folder: Path,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    settled: None,
    deed: str,
    shared_bytes: int,
) -> None:
    from indexer import reading, workers

    write_files(folder, {f"f{n}.py": f"def name_{n}(): pass\n" for n in range(5)})
    (folder / "killer.py").write_text("def killer(): pass\n")
    crash = (
        "import os, time, indexer.parse as p; parse = p.parse;"
        f" p.parse = lambda path, text: {deed} if 'killer' in path else parse(path, text); "
    )
    monkeypatch.setattr(workers, "_START", workers._START.replace("from indexer", crash + "from indexer"))
    monkeypatch.setattr(workers, "SHARED", workers.Worker())
    monkeypatch.setattr(reading, "SHARED_BYTES", shared_bytes)
    monkeypatch.setattr(workers, "TIMEOUT_S", 10.0)
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        assert index.update().files == 10
        assert [(item.path, item.reason) for item in index.status().skipped] == [
            ("killer.py", reading.CRASHED)
        ]
        assert symbols(index, "f3.py") == ["name_3"]
        # What the grammar does not give is found by its text, and a touched file is not parsed again.
        killer = index._store.functions_in(index._store.indexed_root(str(folder)).id, "killer.py")
        assert [stored.function.body for stored in killer] == ["def killer(): pass"]
        for age in (10, 20):
            os.utime(folder / "killer.py", (age, age))
            again = index.update()
            assert (again.parsed, [item.path for item in again.skipped]) == (0, ["killer.py"])


def test_updates_and_queries_run_in_many_threads_at_once(index: Index, folder: Path) -> None:
    index.update()
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                write_files(folder, {f"t{number}.py": f"def f_{number}_{turn}(): pass\n"})
                index.update(paths=[f"t{number}.py"])
                index.status()
                index.similar("src/retry.py", 9)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [symbols(index, f"t{number}.py") for number in range(4)] == [[f"f_{n}_4"] for n in range(4)]


@pytest.mark.parametrize("path", ["missing", "project/README.md", "nul\0byte"])
def test_a_path_that_is_no_folder_is_a_clear_error(
    tmp_path: Path, folder: Path, config: Config, path: str
) -> None:
    with pytest.raises(UserError, match="folder"):
        open_index(tmp_path / path, config=config)


def test_a_folder_that_vanishes_keeps_its_index(index: Index, folder: Path) -> None:
    index.update()
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(UserError, match="existing"):
        index.update()
    folder.with_name("elsewhere").rename(folder)
    assert index.update().embedded == 0
    assert index.status().files == 4


def test_an_empty_folder_is_indexed_without_complaint(tmp_path: Path, config: Config) -> None:
    (tmp_path / "empty").mkdir()
    with open_index(tmp_path / "empty", config=config, embedder=HashEmbedder()) as index:
        assert not index.indexed
        report = index.update()
        assert (report.files, report.functions, report.embedded) == (0, 0, 0)
        assert index.indexed
        assert index.status().coverage == 0.0


def test_a_model_that_cannot_be_loaded_leaves_the_words_indexed(folder: Path, config: Config) -> None:
    def broken():
        raise UserError("The model file is cut off. Install codewhere again.")

    with open_index(folder, config=config, embedder=broken) as index:
        with pytest.raises(UserError, match="cut off"):
            index.update()
        assert index.status().files == 4
        assert index.status().functions > 5


def test_similar_finds_the_neighbours_and_not_the_function_itself(index: Index, folder: Path) -> None:
    write_files(folder, {"twin.py": "def unrelated_sum(numbers):\n    return sum(numbers) + 0\n"})
    index.update()
    answer = index.similar("src/retry.py", 10)
    assert answer.results[0].function.path == "twin.py"
    assert answer.results[0].score > 0.9
    assert all(
        (r.function.path, r.function.symbol) != ("src/retry.py", "unrelated_sum") for r in answer.results
    )
    assert answer.coverage == 1.0
    assert len(index.similar("src/retry.py", 10, limit=1).results) == 1
    assert index.similar("src/retry.py", 10, min_score=1.1).results == ()


def test_similar_to_a_function_are_functions_and_no_blocks_unless_asked(index: Index, folder: Path) -> None:
    write_files(folder, {"script.py": "from retry import unrelated_sum\n\nsum(numbers)\nsum(numbers)\n"})
    index.update()

    def paths(**given: Any) -> set[str]:
        return {result.function.path for result in index.similar("src/retry.py", 10, **given).results}

    assert "script.py" not in paths()
    assert paths(filters=SearchFilters(kinds=("module",))) == {"script.py"}
    answer = index.similar("", 0, text="sum(numbers)", language="python")
    assert answer.results[0].function.path == "script.py"


def test_similar_needs_no_model_while_the_store_has_the_vectors(
    folder: Path, config: Config, index: Index
) -> None:
    index.update()

    def never():
        raise AssertionError("the model was loaded")

    with open_index(folder, config=config, embedder=never) as other:
        assert other.similar("src/retry.py", 9).results


def test_similar_takes_any_text(index: Index) -> None:
    index.update()
    answer = index.similar("", 0, text="def total(numbers): return sum(numbers)", language="python")
    assert answer.results[0].function.symbol == "unrelated_sum"


@pytest.mark.parametrize(("path", "line"), [("src/retry.py", 9999), ("nowhere.py", 1), ("src/retry.py", 0)])
def test_similar_without_a_function_at_the_line_is_a_clear_error(index: Index, path: str, line: int) -> None:
    index.update()
    with pytest.raises(UserError, match="no indexed function"):
        index.similar(path, line)


def test_a_small_file_that_makes_a_grammar_take_all_memory_costs_only_itself(
    folder: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten kilobytes of open brackets have made the grammar of C# take nearly two gigabytes."""
    from indexer import reading, workers

    # Less than the file needs, more than a worker has; and soon enough that this test is no burden.
    limit = workers._START.replace(
        "from indexer", "import indexer.workers as w; w._MOST_MEMORY = 600_000_000; from indexer"
    )
    monkeypatch.setattr(workers, "_START", limit)
    monkeypatch.setattr(workers, "SHARED", workers.Worker())
    (folder / "hostile.cs").write_bytes(b"<a" * 8000)
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        index.update()
        assert [(item.path, item.reason) for item in index.status().skipped] == [
            ("hostile.cs", reading.CRASHED)
        ]
        assert symbols(index, "src/retry.py")


def test_a_scanner_that_never_comes_back_costs_only_its_file(folder: Path, config: Config) -> None:
    """The scanner of Kotlin's grammar waits for ever for what follows such an annotation at the end of a file."""
    from indexer import reading

    (folder / "Limits.kt").write_text("const val LIMIT // of items\n@")
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        index.update()
        skipped = [(item.path, item.reason) for item in index.status().skipped]
        assert skipped == [("Limits.kt", reading.CRASHED)]
        assert symbols(index, "src/retry.py")
        (folder / "Limits.kt").write_text("@JvmField\nval limit = 3\n\nfun half() = limit / 2\n")
        index.update(paths=["Limits.kt"])
        assert "half" in symbols(index, "Limits.kt")


def test_a_text_that_a_grammar_dies_of_is_blocks_of_text() -> None:
    from indexer.reading import CRASHED, parse_safely

    parsed = parse_safely("Limits.kt", b"const val LIMIT // of items\n@")
    assert [function.body for function in parsed.functions] == ["const val LIMIT // of items\n@"]
    assert parsed.language == "kotlin"
    assert [error.message for error in parsed.errors] == [CRASHED]
    assert [function.symbol for function in parse_safely("a.py", b"def f(): pass").functions] == ["f"]
