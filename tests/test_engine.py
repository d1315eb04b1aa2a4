"""The index of a folder as its callers see it: updating, what it reports, and what it leaves alone."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.errors import UserError
from indexer.types import Progress
from tests.projects import CODE, symbols
from tests.projects import config as config
from tests.projects import embedder as embedder
from tests.projects import folder as folder
from tests.projects import index as index
from tests.projects import settled as settled
from tests.trees import write_files


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


def test_functions_of_one_text_are_reused_so_that_the_counts_add_up(
    index: Index, folder: Path, embedder: HashEmbedder
) -> None:
    (folder / "copy.py").write_text((folder / "src/retry.py").read_text())
    report = index.update()
    assert report.embedded == embedder.encoded < report.functions
    assert report.embedded + report.reused == report.functions


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


def test_what_was_asked_for_is_embedded_next(index: Index, embedder: HashEmbedder, monkeypatch) -> None:
    texts: list[str] = []
    original = embedder.encode_code

    def spy(batch):
        texts.extend(batch)
        if len(texts) == 2:
            index.search("how to wait between attempts")
        return original(batch)

    monkeypatch.setattr(embedder, "encode_code", spy)
    index.update(embed=False)
    assert index.search("sum of unrelated numbers").coverage == 0
    index.update(batch_size=1)
    assert "unrelated_sum" in texts[0], "before the update"
    assert "How to wait" in texts[2], "and while it runs, though prose comes last otherwise"
    assert len(texts) == len(set(texts)) == index.status().functions


def test_a_cancelled_update_keeps_what_it_has_and_goes_on_later(index: Index, embedder: HashEmbedder) -> None:
    stages: list[Progress] = []

    def enough() -> bool:
        return sum(progress.stage == "embed" for progress in stages) > 2

    report = index.update(on_progress=stages.append, cancelled=enough, batch_size=1)
    assert report.cancelled
    assert 0 < report.embedded < index.status().functions
    assert index.status().embedded == report.embedded
    assert (report.files, report.functions) == (index.status().files, index.status().functions)
    rest = index.update()
    assert not rest.cancelled
    assert rest.reused == report.embedded
    assert embedder.encoded == index.status().functions


@pytest.mark.parametrize(
    ("seconds_a_text", "sizes"),
    [
        (0.0, [4, 16, 64, 256, 160]),
        (0.05, [4, 16] + [32] * 15),
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


def test_a_newer_version_tells_tests_and_generated_files_anew(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.update._RACY_NS", -(10**12))  # the files count as old
    index.update()
    monkeypatch.setattr("indexer.update._parser_version", lambda: 999)
    monkeypatch.setattr("indexer.walk.tree.demotion", lambda path, head: "generated")
    index.update()
    assert {result.demoted for result in index.search("retry").results} == {"generated"}


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
