"""Walking: what is found, what is left out and what is said about it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import UserError
from indexer.types import SkippedFile, SourceFile
from indexer.walk import walk
from indexer.walk.ignore import Rules


@dataclass(frozen=True)
class Settings:
    max_file_bytes: int = 2_000_000
    exclude: tuple[str, ...] = ()
    include_text: bool = True


@pytest.fixture(autouse=True)
def no_global_excludes(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home


def plant(root: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def found(root: Path, config: Settings = Settings(), **more) -> list[str]:
    return [item.path for item in walk(root, config, **more) if isinstance(item, SourceFile)]


def skipped(root: Path, config: Settings = Settings(), **more) -> dict[str, str]:
    return {item.path: item.reason for item in walk(root, config, **more) if isinstance(item, SkippedFile)}


IGNORES = {
    "a name anywhere": ({".gitignore": "skip\n"}, ["skip", "a/skip", "a/skip/b.c"], ["a/skipped.c"]),
    "a folder only": ({".gitignore": "skip/\n"}, ["skip/b.c"], ["a/skip"]),
    "a suffix": ({".gitignore": "*.o.c\n"}, ["b.o.c", "a/x.y.o.c"], ["o.c"]),
    "an anchored path": ({".gitignore": "/one\na/two\n"}, ["one", "a/two"], ["a/one", "b/a/two"]),
    "stars within a segment": ({".gitignore": "a/*.c\n"}, ["a/x.c"], ["a/b/x.c", "x.c"]),
    "two stars": (
        {".gitignore": "a/**/z\n/b/**\n**/q/r\n"},
        ["a/z", "a/1/2/z", "b/x", "w/q/r"],
        ["z", "c/b"],
    ),
    "a later pattern wins": ({".gitignore": "*.c\n!keep.c\n"}, ["x.c"], ["keep.c", "a/keep.c"]),
    "nothing returns from an excluded folder": ({".gitignore": "a/\n!a/keep.c\n"}, ["a/keep.c"], ["keep.c"]),
    "a deeper file wins": ({".gitignore": "*.c\n", "a/.gitignore": "!*.c\n"}, ["x.c"], ["a/x.c", "a/b/x.c"]),
    "a deeper file holds only below": (
        {"a/.gitignore": "/x.c\ny.c\n"},
        ["a/x.c", "a/b/y.c"],
        ["x.c", "a/b/x.c", "y.c"],
    ),
    "comments, escapes, blanks": (
        {".gitignore": "# no\n\n\\#yes\n\\!bang\nend\\ \ntrail   \n"},
        ["#yes", "!bang", "end ", "trail"],
        ["no", "yes"],
    ),
    "windows line ends and a mark": (
        {".gitignore": b"\xef\xbb\xbfone\r\ntwo\r\n"},
        ["one", "two"],
        ["three"],
    ),
    "broken patterns are passed over": ({".gitignore": "[\n\\\n!\n/\nskip\n"}, ["skip"], ["x", "["]),
    "hidden files and folders": ({}, [".env", ".github/x.yml", "a/.b/c.py"], ["a/b.py"]),
    "own ignore file": ({".codewhereignore": "old/\n"}, ["old/x.c"], ["new/x.c"]),
    "own file brings back a file": (
        {".gitignore": "*.gen.c\n", ".codewhereignore": "!api.gen.c\n"},
        ["x.gen.c"],
        ["a/api.gen.c"],
    ),
    "own file brings back a folder": (
        {".gitignore": "build/\n*.o\n", ".codewhereignore": "!build/\n"},
        ["build/x.o"],
        ["build/a/x.c"],
    ),
    "own file reaches into a dropped folder": (
        {".gitignore": "build/\n", ".codewhereignore": "!build/gen/*.c\n"},
        ["build/x.c", "build/gen/deep/x.c", "build/other/x.c", "b/build/gen/x.c"],
        ["build/gen/x.c"],
    ),
    "own file reaches by two stars": (
        {".gitignore": "/out\n", ".codewhereignore": "!out/**/api.c\n"},
        ["out/x.c"],
        ["out/api.c", "out/a/b/api.c"],
    ),
    "own file brings back hidden files": (
        {".codewhereignore": "!.github/\n"},
        [".env"],
        [".github/w/ci.yml"],
    ),
    "what one's own file drops stays dropped": ({".codewhereignore": "a/\n!a/x.c\n"}, ["a/x.c"], ["x.c"]),
}


@pytest.mark.parametrize("repository", [False, True], ids=["plain folder", "work tree"])
@pytest.mark.parametrize(("rules", "dropped", "kept"), IGNORES.values(), ids=IGNORES)
def test_ignore_files_drop_what_they_name_and_nothing_else(tmp_path, rules, dropped, kept, repository):
    assert not set(dropped) & set(kept)
    for number, path in enumerate([*dropped, *kept]):
        # Each path gets a tree of its own, as "skip" and "skip/b.c" cannot stand side by side.
        root = plant(tmp_path / str(number), {**rules, path: "x"})
        if repository:
            git(root, "init", "-q")
        assert found(root) == ([path] if path in kept else [])


def test_settings_win_over_every_ignore_file(tmp_path):
    root = plant(tmp_path, {".codewhereignore": "!a.c\n!b.c\n", "a.c": "x", "b.c": "x", "d/e.c": "x"})
    assert found(root, Settings(exclude=("a.c", "d/"))) == ["b.c"]


names = st.sampled_from(["a", "b", "ab", "c.x", "a.c", "[b]", "d d"])
pieces = st.sampled_from(
    ["a", "b", "*", "**", "a*", "*.c", "?", "[ab]", "[!a]", "ab", "c.x", "***", "d d", "\\a", "*b*"]
)
patterns = st.builds(
    lambda bang, lead, parts, tail: bang + lead + "/".join(parts) + tail,
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(pieces, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", " "]),
)


@pytest.fixture(scope="module")
def work_tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    parts = ["a", "b", "ab", "d d"]
    leaves = ["a.c", "c.x", "[b]", "bb"]
    for leaf in leaves:
        plant(root, {leaf: "x", **{f"{one}/{leaf}": "x" for one in parts}})
        plant(root, {f"{one}/{two}/{leaf}": "x" for one in parts for two in parts})
    git(root, "init", "-q")
    return root


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(top=st.lists(patterns, max_size=5), nested=st.lists(patterns, max_size=3))
@pytest.mark.parametrize("suspicious", [False, True], ids=["as they come", "all of them suspicious"])
def test_any_ignore_files_mean_what_they_mean_to_git(work_tree, suspicious, top, nested):
    with patch("indexer.walk.ignore.has_many_wildcards", lambda line: suspicious):
        compare_with_git(work_tree, top, nested)


def compare_with_git(work_tree, top, nested):
    plant(work_tree, {".gitignore": "\n".join(top), "a/.gitignore": "\n".join(nested)})
    listed = git(work_tree, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    assert found(work_tree) == sorted(
        (path for path in listed if path and not path.endswith(".gitignore")),
        key=lambda path: path.split("/"),
    )


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 20 + "*b", "a" * 200 + ".c"),
        ("**/a/" * 20 + "b", "a/" * 120 + "x.c"),
        ("a**" * 30 + "b", "a" * 240 + ".c"),
        ("!" + "*?" * 20 + "b", "a" * 200 + ".c"),
        ("[a-z]*" * 20 + "[0-9]", "a" * 200 + ".c"),
    ],
    ids=["stars", "double stars", "stars in a row", "negated", "classes"],
)
def test_no_pattern_takes_long(tmp_path, pattern, path):
    """Both come from repositories of strangers."""
    root = plant(tmp_path, {".gitignore": f"{pattern}\n", path: "x"})
    begin = time.process_time()
    assert found(root) == [path]
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("suspicious", [False, True])
@given(
    lines=st.lists(st.text(max_size=20), max_size=5),
    path=st.text(st.characters(exclude_characters="/"), min_size=1),
)
def test_no_pattern_and_no_name_breaks_the_rules(suspicious, lines, path):
    with patch("indexer.walk.ignore.has_many_wildcards", lambda line: suspicious):
        rules = Rules(lines)
    assert rules.verdict(path, path, 1, False) in (True, False, None)
    assert rules.reaches_below(path) in (True, False)


def test_exclude_files_of_git_hold_inside_a_work_tree(tmp_path, no_global_excludes):
    root = plant(tmp_path, {"a.tmp": "x", "b.bak": "x", "c.log": "x", "d.c": "x"})
    git(root, "init", "-q")
    (root / ".git/info/exclude").write_text("*.tmp\n")
    plant(no_global_excludes, {"config/git/ignore": "*.bak\n"})
    assert found(root) == ["c.log", "d.c"]
    git(root, "config", "--global", "core.excludesFile", "~/link")
    plant(no_global_excludes, {"mine": "*.log\n"})
    (no_global_excludes / "link").symlink_to("mine")
    assert found(root) == ["b.bak", "d.c"]


def test_a_folder_inside_a_work_tree_obeys_the_rules_above_it(tmp_path):
    top = plant(
        tmp_path / "top", {".gitignore": "*.tmp\nsrc/gen/\n/lib.c\n", ".codewhereignore": "src/old/\n"}
    )
    plant(top, {f"src/{path}": "x" for path in ("a.tmp", "gen/x.c", "old/x.c", "lib.c", "in/gen/y.c")})
    assert found(top / "src") == ["a.tmp", "gen/x.c", "in/gen/y.c", "lib.c", "old/x.c"]
    git(top, "init", "-q")
    (top / ".git/info/exclude").write_text("src/in/gen\n")
    assert found(top / "src") == ["lib.c"]


def test_a_nested_repository_has_rules_of_its_own(tmp_path):
    root = plant(tmp_path, {".gitignore": "*.x\n", "sub/a.x": "x", "sub/b.y": "x", "sub/.gitignore": "*.y\n"})
    git(root, "init", "-q")
    git(root / "sub", "init", "-q")
    (root / "sub/.git/info/exclude").write_text("c.z\n")
    plant(root, {"sub/c.z": "x", "c.z": "x"})
    assert found(root) == ["c.z", "sub/a.x"]


def test_submodules_are_walked_and_other_work_trees_of_the_same_repository_are_not(tmp_path):
    library = plant(tmp_path / "library", {"lib.c": "x"})
    root = plant(tmp_path / "root", {"main.c": "x"})
    for folder in (library, root):
        git(folder, "init", "-q")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "start")
    git(root, "submodule", "--quiet", "add", str(library), "sub")
    git(root, "worktree", "add", "-q", "feature")
    (tmp_path / "root/.git/modules/sub/info").mkdir(exist_ok=True)
    plant(root, {".git/modules/sub/info/exclude": "local.c\n", "sub/local.c": "x"})
    assert found(root) == ["main.c", "sub/lib.c"]
    assert "work tree" in skipped(root)["feature/"]
    assert found(root / "feature") == ["main.c"]
    plant(root, {".codewhereignore": "!feature/\n"})
    assert found(root) == ["feature/main.c", "main.c", "sub/lib.c"]


def test_a_linked_work_tree_obeys_the_exclude_file_of_its_repository(tmp_path):
    root = plant(tmp_path / "root", {"main.c": "x"})
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "start")
    (root / ".git/info/exclude").write_text("local.c\n")
    git(root, "worktree", "add", "-q", "../linked")
    plant(tmp_path / "linked", {"local.c": "x", "more.c": "x"})
    assert found(tmp_path / "linked") == ["main.c", "more.c"]


def test_installed_packages_caches_and_bare_repositories_are_reported_not_walked(tmp_path):
    root = plant(
        tmp_path,
        {
            "node_modules/left/index.js": "x",
            "env/pyvenv.cfg": "x",
            "env/lib/x.py": "x",
            "target/CACHEDIR.TAG": "x",
            "target/x.rs": "x",
            "app/main.py": "x",
        },
    )
    git(tmp_path, "init", "-q", "--bare", "mirror.git")
    assert found(root) == ["app/main.py"]
    reasons = skipped(root)
    assert sorted(reasons) == ["env/", "mirror.git/", "node_modules/", "target/"]
    assert all(".codewhereignore" in reason for reason in reasons.values())
    plant(root, {".codewhereignore": "!node_modules/\n"})
    assert found(root) == ["app/main.py", "node_modules/left/index.js"]
    plant(root, {".codewhereignore": "!env/lib/x.py\n", "env/lib/y.py": "x"})
    assert found(root) == ["app/main.py", "env/lib/x.py"]


SKIPPED = {
    "logo.png": (b"plain text", "binary"),
    "zero.c": (b"int x;\0\0", "binary"),
    "control.txt": (b"\x01\x02\x03\x04" * 20, "binary"),
    "huge.c": (b"x" * 3_000, "too large: 3.0 kB, the limit is 2.5 kB; raise max_file_bytes"),
    "lfs.txt": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
}
FOUND = {
    "empty.py": b"",
    "invalid.c": b'char *s = "\xff\xfe\x80 caf\xe9";\n' * 20,
    "latin.txt": "Ä".encode("latin-1"),
    "utf16.cs": "﻿class A {}".encode("utf-16-le"),
    "utf16be.cs": "﻿class A {}".encode("utf-16-be"),
    "colour.txt": b"\x1b[31mred\x1b[0m\x0c" * 9,
    "Makefile": b"all:\n",
}


def test_text_in_any_encoding_is_found_and_everything_else_is_skipped_with_a_reason(tmp_path):
    root = plant(tmp_path, {**FOUND, **{name: content for name, (content, _) in SKIPPED.items()}})
    config = Settings(max_file_bytes=2_500)
    assert found(root, config) == sorted(FOUND)
    reasons = skipped(root, config)
    assert sorted(reasons) == sorted(SKIPPED)
    for name, (_, reason) in SKIPPED.items():
        assert reason in reasons[name]


def test_a_200_megabyte_file_is_reported_with_both_sizes(tmp_path):
    with (tmp_path / "dump.sql").open("wb") as file:
        file.truncate(200_000_000)
    assert skipped(tmp_path)["dump.sql"].startswith("too large: 200.0 MB, the limit is 2.0 MB")


def test_large_data_files_are_reported_and_can_be_named(tmp_path):
    big = "1,2\n" * 40_000
    root = plant(tmp_path, {"rows.csv": big, "small.csv": "1,2\n", "CMakeLists.txt": big, "code.c": big})
    assert found(root) == ["CMakeLists.txt", "code.c", "small.csv"]
    assert ".codewhereignore" in skipped(root)["rows.csv"]
    plant(root, {".codewhereignore": "!rows.csv\n"})
    assert "rows.csv" in found(root)


def test_links_are_never_followed_and_loops_end(tmp_path):
    outside = plant(tmp_path / "outside", {"secret.py": "x"})
    root = plant(tmp_path / "root", {"a/b.py": "x"})
    links = {
        "a/up": "..",
        "self": "self",
        "out": outside,
        "file.py": outside / "secret.py",
        "twin.py": "a/b.py",
        "gone": "none",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    assert found(root) == ["a/b.py"]
    assert set(skipped(root)) == set(links)
    assert all(reason.startswith("link") for reason in skipped(root).values())


def test_a_root_that_is_a_link_is_walked(tmp_path):
    plant(tmp_path / "real", {"a.py": "x"})
    (tmp_path / "link").symlink_to("real")
    assert found(tmp_path / "link") == ["a.py"]


def test_pipes_sockets_and_devices_are_reported_without_opening_them(tmp_path):
    root = plant(tmp_path, {"a.py": "x"})
    os.mkfifo(root / "pipe.py")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "sock.py"))
    assert found(root) == ["a.py"]
    assert set(skipped(root)) == {"pipe.py", "sock.py"}
    listener.close()


ODD_NAMES = [
    b"caf\xe9.py",
    b"new\nline.py",
    b"tab\tand\x1b[31mred.py",
    b"quote'\".py",
    "日本.py".encode(),
    b"-dash.py",
    b"back\\slash.py",
]


def test_odd_names_survive_the_round_trip(tmp_path):
    for name in ODD_NAMES:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    assert sorted(os.fsencode(path) for path in found(tmp_path)) == sorted(ODD_NAMES)
    only = [os.fsdecode(name) for name in ODD_NAMES]
    assert found(tmp_path, paths=only) == sorted(only)


def test_a_very_deep_tree_ends_with_a_report(tmp_path):
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(40):
            Path("d" * 200).mkdir()
            os.chdir("d" * 200)
        Path("deep.py").write_text("x")
    finally:
        os.chdir(here)
    plant(tmp_path, {"a.py": "x"})
    assert found(tmp_path) == ["a.py"]
    assert len(skipped(tmp_path)) == 1
    subprocess.run(["rm", "-rf", str(tmp_path / ("d" * 200))], check=True)


def test_what_cannot_be_read_is_reported_and_the_rest_is_found(tmp_path, monkeypatch):
    root = plant(
        tmp_path, {"a.py": "x", "locked/b.py": "x", "locked.py": "x", "vanished.py": "x", "z.py": "x"}
    )
    scan, opened = os.scandir, os.open

    def refusing_scan(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    def refusing_open(path, *arguments, **more):
        if str(path).endswith("locked.py"):
            raise PermissionError(13, "Permission denied")
        if str(path).endswith("vanished.py"):
            raise FileNotFoundError(2, "No such file or directory")
        return opened(path, *arguments, **more)

    monkeypatch.setattr(os, "scandir", refusing_scan)
    monkeypatch.setattr(os, "open", refusing_open)
    assert found(root) == ["a.py", "z.py"]
    reasons = skipped(root)
    assert set(reasons) == {"locked/", "locked.py", "vanished.py"}
    assert reasons["locked.py"] == "unreadable: Permission denied; check its permissions"
    assert reasons["vanished.py"].startswith("vanished")


@pytest.mark.parametrize("kind", ["missing", "file", "unreadable"])
def test_a_root_that_cannot_be_walked_is_an_error_that_says_what_to_do(tmp_path, monkeypatch, kind):
    root = tmp_path / kind
    if kind == "file":
        root.write_text("x")
    if kind == "unreadable":
        root.mkdir()

        def refuse(path):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match=r"Name an existing, readable folder"):
        list(walk(root, Settings()))


def test_an_empty_root_yields_nothing(tmp_path):
    assert list(walk(tmp_path, Settings())) == []


def test_the_order_is_that_of_the_names_and_does_not_change(tmp_path):
    root = plant(tmp_path, dict.fromkeys(["b.py", "a/z.py", "a.py", "a/b/c.py", "Z.py"], "x"))
    assert found(root) == ["Z.py", "a/b/c.py", "a/z.py", "a.py", "b.py"]


def test_known_files_are_passed_on_without_opening_them(tmp_path, monkeypatch):
    root = plant(tmp_path, {"a.py": "x", "b.py": "x", "c.py": "x"})
    first = [item for item in walk(root, Settings()) if isinstance(item, SourceFile)]
    known = {item.path: (item.size, item.changed_ns, "example") for item in first}
    (root / "b.py").write_text("changed")
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: opened.append(Path(path).name) or real(path, *rest))
    again = list(walk(root, Settings(), known=known))
    assert [(item.path, item.demoted) for item in again] == [
        ("a.py", "example"),
        ("b.py", ""),
        ("c.py", "example"),
    ]
    assert opened == ["b.py"]


def test_only_the_named_paths_are_walked(tmp_path):
    root = plant(
        tmp_path,
        {
            ".gitignore": "*.o\nbuild/\n",
            "a.py": "x",
            "b.py": "x",
            "s/c.py": "x",
            "s/d/e.py": "x",
            "s/x.o": "x",
            "build/f.py": "x",
        },
    )
    (root / "link").symlink_to("s")
    assert found(root, paths=["s/d/e.py", "a.py", "a.py", "gone.py", "s/x.o", "build/f.py", "a.py/x"]) == [
        "a.py",
        "s/d/e.py",
    ]
    assert found(root, paths=["./s/"]) == ["s/c.py", "s/d/e.py"]
    assert found(root, paths=["."]) == ["a.py", "b.py", "s/c.py", "s/d/e.py"]
    assert skipped(root, paths=["link/c.py"])["link/c.py"].startswith("link")
    assert found(root, paths=["link/c.py"]) == []


@pytest.mark.parametrize("path", ["../secret.py", "a/../../secret.py", "/etc/passwd"])
def test_paths_that_lead_out_of_the_root_are_refused(tmp_path, path):
    plant(tmp_path, {"secret.py": "x", "root/a.py": "x"})
    assert list(walk(tmp_path / "root", Settings(), paths=[path])) == [
        SkippedFile(path, "outside: the path leads out of the indexed folder, so it is not read")
    ]
