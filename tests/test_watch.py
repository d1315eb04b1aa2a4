"""The watcher: which changes lead to which updates, how many, how soon, and what it does when events fail."""

from __future__ import annotations

import errno
import shutil
import subprocess
import threading
import time
from types import SimpleNamespace

import pytest

from indexer import watch
from indexer.errors import UserError
from indexer.types import UpdateReport
from indexer.watch import Watcher, file_system_of
from tests.trees import refuse_access


class FakeIndex:
    """Remembers what it was asked to update."""

    def __init__(self, root, home) -> None:
        self.root = root
        self.config = SimpleNamespace(home=home)
        self.updates: list[list[str] | None] = []
        self.failures: list[Exception] = []
        self.changed = threading.Condition()

    def update(self, *, paths=None, cancelled=None) -> UpdateReport:
        with self.changed:
            self.updates.append(paths)
            self.changed.notify_all()
            if self.failures:
                raise self.failures.pop(0)
        return UpdateReport(parsed=len(paths or ()))

    def wait_for(self, condition, seconds=10.0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.updates), seconds), self.updates

    def quiet(self, seconds=0.5) -> None:
        """Wait until no update has come for a while."""
        with self.changed:
            n_before = -1
            while n_before != len(self.updates):
                n_before = len(self.updates)
                self.changed.wait_for(lambda: len(self.updates) > n_before, seconds)  # noqa: B023

    def paths(self) -> set[str]:
        return {path for paths in self.updates for path in paths or ()}


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.py").write_text("def a(): pass\n", encoding="utf-8")
    return folder


@pytest.fixture
def index(root, tmp_path):
    return FakeIndex(root, tmp_path / "home")


@pytest.fixture
def watcher(index):
    with Watcher(index) as running:
        assert running.fallback == ""
        index.wait_for(lambda updates: updates == [None])
        index.updates.clear()
        yield running


def test_starting_scans_once(watcher, index):
    index.quiet()
    assert index.updates == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda root: (root / "src/a.py").write_text("def b(): pass\n"), {"src/a.py"}),
        (lambda root: (root / "new.py").write_text("x = 1\n"), {"new.py"}),
        (lambda root: (root / "src/a.py").unlink(), {"src/a.py"}),
        (lambda root: (root / "src/a.py").rename(root / "src/b.py"), {"src/a.py", "src/b.py"}),
        (lambda root: (root / "src").rename(root / "lib"), {"src", "lib", "src/a.py", "lib/a.py"}),
        (lambda root: shutil.rmtree(root / "src"), {"src", "src/a.py"}),
        (lambda root: (root / "src/a.py").chmod(0), {"src/a.py"}),
        (lambda root: shutil.copytree(root / "src", root / "x/y/z"), {"x", "x/y", "x/y/z", "x/y/z/a.py"}),
    ],
    ids=["edit", "create", "delete", "rename", "rename folder", "delete folder", "chmod", "deep copy"],
)
def test_a_change_updates_its_paths(watcher, index, root, change, expected):
    change(root)
    index.wait_for(lambda updates: updates)
    index.quiet()
    assert index.paths() == expected
    assert None not in index.updates


def test_a_file_moved_in_from_outside_is_seen(watcher, index, root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "c.py").write_text("c = 1\n", encoding="utf-8")
    outside.rename(root / "inside")
    index.wait_for(lambda updates: updates)
    index.quiet()
    assert "inside" in index.paths()


def test_an_editor_that_writes_in_steps_causes_one_update(watcher, index, root):
    target = root / "src/a.py"
    (root / "src/.a.py.swp").write_text("swap", encoding="utf-8")
    for number in range(5):
        (root / "src/a.py~").write_text(f"def a{number}(): pass\n", encoding="utf-8")
        (root / "src/a.py~").rename(target)
    index.wait_for(lambda updates: updates)
    index.quiet()
    assert len(index.updates) == 1
    assert "src/a.py" in index.paths()


def test_a_file_that_changes_all_the_time_is_still_read(watcher, index, root, monkeypatch):
    stop = time.monotonic() + 2.5
    while time.monotonic() < stop:
        (root / "src/a.py").write_text(f"x = {time.monotonic()}\n", encoding="utf-8")
        time.sleep(0.02)
    assert 1 <= len(index.updates) <= 4


@pytest.mark.parametrize("name", [".gitignore", ".codewhereignore", ".codewhere.toml", "src/.gitignore"])
def test_changed_ignore_rules_lead_to_a_scan(watcher, index, root, name):
    (root / name).write_text("x\n", encoding="utf-8")
    index.wait_for(lambda updates: updates == [None])


def test_a_burst_becomes_one_scan(watcher, index, root):
    for number in range(3000):
        (root / f"src/f{number}.py").write_text("x = 1\n", encoding="utf-8")
    index.wait_for(lambda updates: None in updates)
    index.quiet(1.0)
    assert len(index.updates) <= 4


def test_so_many_events_that_some_may_be_lost_lead_to_a_scan(watcher, index, root, monkeypatch):
    monkeypatch.setattr(watch, "_MOST_EVENTS", 20)
    for number in range(30):
        (root / "src/a.py").write_text(f"x = {number}\n", encoding="utf-8")
    index.wait_for(lambda updates: None in updates)


def git(root, *arguments) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


def test_a_branch_switch_is_one_update_and_git_itself_is_ignored(root, index):
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    git(root, "switch", "-qc", "other")
    for number in range(60):
        (root / f"src/f{number}.py").write_text(f"x = {number}\n", encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "-qm", "two")
    with Watcher(index):
        index.wait_for(lambda updates: updates == [None])
        git(root, "gc", "-q")
        index.quiet()
        assert index.updates == [None]
        git(root, "switch", "-q", "-")
        index.wait_for(lambda updates: len(updates) > 1)
        index.quiet()
    assert len(index.updates) == 2
    # git removes the files one by one; the folder stays.
    assert index.paths() == {f"src/f{number}.py" for number in range(60)}


def test_an_update_waits_while_git_writes_but_not_for_a_stale_lock(root, index, monkeypatch):
    git(root, "init", "-q")
    monkeypatch.setattr(watch, "_GIT_LATEST_S", 1.5)
    with Watcher(index):
        index.wait_for(lambda updates: updates == [None])
        (root / ".git/index.lock").touch()
        (root / "src/a.py").write_text("x = 1\n", encoding="utf-8")
        start = time.monotonic()
        time.sleep(0.7)
        assert index.updates == [None]
        index.wait_for(lambda updates: len(updates) == 2)
        assert time.monotonic() - start > 1.2
        (root / "src/a.py").write_text("x = 2\n", encoding="utf-8")
        time.sleep(0.4)
        (root / ".git/index.lock").unlink()
        start = time.monotonic()
        index.wait_for(lambda updates: len(updates) == 3)
        assert time.monotonic() - start < 0.5


def test_a_pointer_to_git_that_is_no_path_does_not_end_the_watching(root, index):
    (root / ".git").write_text(f"gitdir: {'a' * 5_000}\n", encoding="utf-8")
    with Watcher(index):
        index.wait_for(lambda updates: updates == [None])


def test_a_root_that_may_not_be_looked_at_does_not_end_the_watching(root, index, monkeypatch):
    monkeypatch.setattr(watch, "_LOST_S", 0.05)
    with Watcher(index) as watcher:
        index.wait_for(lambda updates: updates == [None])
        with monkeypatch.context() as patch:
            refuse_access(patch, root)
            time.sleep(0.3)
        watcher.touch(["src/a.py"])
        index.wait_for(lambda updates: updates[-1] == ["src/a.py"])


def test_a_linked_work_tree_has_its_locks_elsewhere(root, tmp_path):
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    git(root, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert watch._git_folder(tmp_path / "tree") == (root / ".git/worktrees/tree")
    assert watch._git_folder(root / "src") == root / ".git"
    assert watch._git_folder(tmp_path) is None


@pytest.mark.parametrize("linked", [False, True])
def test_a_store_inside_the_root_causes_no_updates(root, tmp_path, linked):
    (tmp_path / "link").symlink_to(root)
    index = FakeIndex(root, (tmp_path / "link" if linked else root) / ".cache/codewhere")
    index.config.home.mkdir(parents=True)
    with Watcher(index):
        index.wait_for(lambda updates: updates == [None])
        (index.config.home / "codewhere.db-wal").write_bytes(b"x" * 100)
        index.quiet()
    assert index.updates == [None]


def test_a_failed_update_is_told_once_and_tried_again(root, index, monkeypatch):
    monkeypatch.setattr(watch, "_RETRY_S", (0.05, 0.1))
    told, updated = [], []
    with Watcher(index, updated.append, on_error=told.append):
        index.wait_for(lambda updates: updates == [None])
        index.failures = [UserError("disk full"), UserError("disk full"), ValueError("a bug")]
        (root / "src/a.py").write_text("x = 1\n", encoding="utf-8")
        index.wait_for(lambda updates: len(updates) == 5)
        index.quiet()
    assert index.updates[1:] == [["src/a.py"]] * 4
    assert [str(error) for error in told] == ["disk full"]
    assert len(updated) == 1


def test_only_updates_that_changed_something_are_told(root, index):
    updated = []
    with Watcher(index, updated.append):
        index.wait_for(lambda updates: updates == [None])
        index.quiet()
        assert updated == []
        (root / "src/a.py").write_text("x = 1\n", encoding="utf-8")
        index.wait_for(lambda updates: len(updates) == 2)
        index.quiet()
    assert [report.parsed for report in updated] == [1]


def test_without_watches_the_folder_is_scanned(root, index, monkeypatch):
    def refuse(self, *arguments, **options):
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(watch, "_SCAN_S", 0.1)
    monkeypatch.setattr("watchdog.observers.api.BaseObserver.schedule", refuse)
    with Watcher(index) as watcher:
        assert "inotify watch limit reached" in watcher.fallback
        index.wait_for(lambda updates: updates == [None] * 3)


def test_a_limit_reached_below_the_root_is_noticed(root, index, monkeypatch):
    # watchdog itself raises only when the first folder cannot be watched.
    real = watch.Observer().schedule.__func__

    def refuse_others(self, handler, path, **options):
        if path != str(root):
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return real(self, handler, path, **options)

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.schedule", refuse_others)
    with Watcher(index) as watcher:
        assert "inotify watch limit reached" in watcher.fallback


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs"])
def test_network_drives_are_scanned(root, index, monkeypatch, kind):
    monkeypatch.setattr(watch, "_SCAN_S", 0.1)
    monkeypatch.setattr(watch, "file_system_of", lambda path: kind)
    with Watcher(index) as watcher:
        assert kind in watcher.fallback
        index.wait_for(lambda updates: updates == [None] * 3)


def test_scanning_can_be_asked_for(root, index):
    with Watcher(index, scan_every_s=0.1) as watcher:
        assert watcher.fallback == "asked for"
        index.wait_for(lambda updates: updates == [None] * 3)


def test_a_root_that_is_removed_and_comes_back_is_followed_again(root, index, monkeypatch):
    monkeypatch.setattr(watch, "_RETRY_S", (0.05, 0.1))
    with Watcher(index):
        index.wait_for(lambda updates: updates == [None])
        index.failures = [UserError("no such folder")] * 3
        shutil.rmtree(root)
        index.wait_for(lambda updates: len(updates) >= 4)
        root.mkdir()
        index.wait_for(lambda updates: updates[-1] is None and not index.failures)
        index.quiet()
        n_before = len(index.updates)
        (root / "back.py").write_text("x = 1\n", encoding="utf-8")
        index.wait_for(lambda updates: len(updates) > n_before)
    assert index.updates[-1] == ["back.py"]


def test_a_root_that_is_moved_away_and_replaced_is_followed_at_its_place(root, index, monkeypatch):
    monkeypatch.setattr(watch, "_LOST_S", 0.05)
    with Watcher(index):
        index.wait_for(lambda updates: updates == [None])
        root.rename(root.with_name("old"))
        shutil.copytree(root.with_name("old"), root)
        index.wait_for(lambda updates: len(updates) > 1 and updates[-1] is None)
        index.quiet()
        n_before = len(index.updates)
        (root / "src/a.py").write_text("def b(): pass\n", encoding="utf-8")
        index.wait_for(lambda updates: len(updates) > n_before)
    assert index.updates[-1] == ["src/a.py"]


@pytest.mark.filterwarnings("error")
def test_a_folder_may_leave_and_come_back(watcher, index, root, tmp_path, recwarn):
    (root / "src").rename(tmp_path / "src")
    index.quiet()
    (tmp_path / "src").rename(root / "src")
    index.quiet()
    index.updates.clear()
    (root / "src/a.py").write_text("def b(): pass\n", encoding="utf-8")
    index.wait_for(lambda updates: updates == [["src/a.py"]])


def test_touch_asks_for_a_look_and_stays_inside_the_root(watcher, index):
    watcher.touch(["src/a.py"])
    index.wait_for(lambda updates: updates == [["src/a.py"]])


def test_stopping_ends_the_threads(index):
    before = threading.active_count()
    with Watcher(index):
        assert threading.active_count() > before
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == before


def test_the_file_system_is_read_from_the_mount_table(tmp_path):
    assert file_system_of(tmp_path) not in ("", *watch._REMOTE)
    assert file_system_of(watch.Path("/proc/self")) == "proc"
