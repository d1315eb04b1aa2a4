"""The watcher with a real index: an edit is found at once, and nothing is embedded twice."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.config import Config, load_config
from indexer.engine import Index, open_index
from indexer.types import UpdateReport
from indexer.watch import Watcher

N_FILES = 60


class Live:
    """An index that is being watched."""

    def __init__(self, index: Index, embedder: HashEmbedder) -> None:
        self.index = index
        self.root = index.root
        self.embedder = embedder
        self.updated = threading.Event()
        self.reports: list[UpdateReport] = []

    def on_update(self, report: UpdateReport) -> None:
        self.reports.append(report)
        self.updated.set()

    def found(self, query: str) -> set[str]:
        return {result.function.path for result in self.index.search(query, limit=5).results}

    def seconds_until(self, condition, limit=10.0) -> float:
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < limit
            time.sleep(0.01)
        return time.monotonic() - start

    def settle(self, seconds: float = 0.6) -> None:
        """Wait until no update has come for a while."""
        while self.updated.wait(seconds):
            self.updated.clear()


def write(root: Path, number: int, name: str = "") -> Path:
    path = root / f"pkg/module{number}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"def {name or f'function_number{number}'}(value):\n    return value + {number}\n", encoding="utf-8"
    )
    return path


@pytest.fixture
def live(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    for number in range(N_FILES):
        write(root, number)
    embedder = HashEmbedder()

    def settings() -> Config:
        return load_config(root, home=tmp_path / "home")

    with open_index(root, config=settings(), embedder=embedder, reload=settings) as index:
        index.update()
        running = Live(index, embedder)
        with Watcher(index, running.on_update):
            running.settle()
            running.reports.clear()
            yield running


def test_an_edit_is_found_at_once(live):
    seconds = []
    for number in range(20):
        write(live.root, number, f"zebra_crossing{number}")
        words = f"zebra_crossing{number}"
        seconds.append(live.seconds_until(lambda words=words: live.index.search(words, limit=1).results))
        path = f"pkg/module{number}.py"
        live.seconds_until(lambda words=words, path=path: path in live.found(words))
        live.settle(0.2)
    # The goal is half a second for 95 % of the edits; a machine busy with other tests gets twice that.
    assert sorted(seconds)[int(len(seconds) * 0.95) - 1] < 1.0
    assert live.embedder.encoded == N_FILES + 20


def test_a_rename_embeds_nothing(live):
    n_before = live.embedder.encoded
    (live.root / "pkg/module7.py").rename(live.root / "pkg/renamed.py")
    live.seconds_until(lambda: "pkg/renamed.py" in live.found("function_number7"))
    (live.root / "pkg").rename(live.root / "library")
    live.seconds_until(lambda: live.found("function_number7") >= {"library/renamed.py"})
    live.settle()
    assert live.embedder.encoded == n_before
    assert not any(path.startswith("pkg/") for path in live.found("function_number7"))


def test_a_branch_switch_back_and_forth_embeds_once(live):
    git = ["git", "-C", str(live.root), "-c", "user.name=a", "-c", "user.email=a@b.c"]

    def run(*arguments):
        subprocess.run([*git, *arguments], check=True, capture_output=True)

    run("init", "-q", "-b", "main")
    run("add", ".")
    run("commit", "-qm", "one")
    run("switch", "-qc", "other")
    for number in range(10):
        write(live.root, number, f"giraffe{number}")
    run("commit", "-qam", "two")
    live.seconds_until(lambda: "pkg/module3.py" in live.found("giraffe3"))
    live.settle()
    n_before = live.embedder.encoded
    assert n_before == N_FILES + 10
    for branch, words in (("main", "function_number3"), ("other", "giraffe3"), ("main", "function_number3")):
        run("switch", "-q", branch)
        live.seconds_until(lambda words=words: "pkg/module3.py" in live.found(words))
        live.settle()
    assert live.embedder.encoded == n_before


def test_ignoring_a_folder_takes_its_functions_out(live):
    (live.root / ".codewhereignore").write_text("module7.py\n", encoding="utf-8")
    live.seconds_until(lambda: "pkg/module7.py" not in live.found("function_number7"))
    (live.root / ".codewhereignore").unlink()
    live.seconds_until(lambda: "pkg/module7.py" in live.found("function_number7"))


def test_the_settings_of_the_folder_are_followed(live):
    (live.root / ".codewhere.toml").write_text('exclude = ["module1.py"]\ncolour = "red"\n', encoding="utf-8")
    assert live.seconds_until(lambda: "pkg/module1.py" not in live.found("function_number1")) < 10
    live.settle()
    assert any("'colour'" in note for report in live.reports for note in report.notes)
    (live.root / ".codewhere.toml").unlink()
    assert live.seconds_until(lambda: "pkg/module1.py" in live.found("function_number1")) < 10


def test_a_new_folder_is_read_once(live):
    (live.root / "new").mkdir()
    for name in "ab":
        (live.root / f"new/{name}.py").write_text(f"def {name}_function(): pass\n", encoding="utf-8")
    live.settle()
    assert sum(report.parsed for report in live.reports) == 2


def test_many_changes_at_once_leave_queries_quick(live):
    for number in range(N_FILES, N_FILES + 2500):
        write(live.root, number)
    slowest = 0.0
    last = f"function_number{N_FILES + 2499}"
    start = time.monotonic()
    while f"pkg/module{N_FILES + 2499}.py" not in live.found(last):
        before = time.monotonic()
        live.found("function_number7")
        slowest = max(slowest, time.monotonic() - before)
        assert before - start < 60
        time.sleep(0.05)
    assert slowest < 2.0
    live.seconds_until(lambda: live.embedder.encoded == N_FILES + 2500, limit=60)
