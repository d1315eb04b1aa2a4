"""The graph of vectors as a cache: what it finds, and what it costs when it is damaged, foreign or not written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from indexer.store import Store, check, hnsw, repair
from indexer.store.database import FILE_NAME
from tests.homes import folder as folder
from tests.homes import home as home
from tests.homes import neighbours, opened, scramble, update


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
