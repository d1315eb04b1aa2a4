"""Walking: what is found, what is skipped and what is said about it."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from indexer.errors import UserError
from indexer.types import SkippedFile, SourceFile
from indexer.walk import walk
from tests.trees import Settings, found, git, skipped, write_files
from tests.trees import no_global_excludes as no_global_excludes


def test_installed_packages_caches_and_bare_repositories_are_reported_not_walked(tmp_path):
    root = write_files(
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
    write_files(root, {".codewhereignore": "!node_modules/\n"})
    assert found(root) == ["app/main.py", "node_modules/left/index.js"]
    write_files(root, {".codewhereignore": "!env/lib/x.py\n", "env/lib/y.py": "x"})
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
    root = write_files(tmp_path, {**FOUND, **{name: content for name, (content, _) in SKIPPED.items()}})
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
    root = write_files(
        tmp_path, {"rows.csv": big, "small.csv": "1,2\n", "CMakeLists.txt": big, "code.c": big}
    )
    assert found(root) == ["CMakeLists.txt", "code.c", "small.csv"]
    assert ".codewhereignore" in skipped(root)["rows.csv"]
    write_files(root, {".codewhereignore": "!rows.csv\n"})
    assert "rows.csv" in found(root)


def test_links_are_never_followed_and_loops_end(tmp_path):
    outside = write_files(tmp_path / "outside", {"secret.py": "x"})
    root = write_files(tmp_path / "root", {"a/b.py": "x"})
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
    write_files(tmp_path / "real", {"a.py": "x"})
    (tmp_path / "link").symlink_to("real")
    assert found(tmp_path / "link") == ["a.py"]


def test_pipes_sockets_and_devices_are_reported_without_opening_them(tmp_path):
    root = write_files(tmp_path, {"a.py": "x"})
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
    write_files(tmp_path, {"a.py": "x"})
    assert found(tmp_path) == ["a.py"]
    assert len(skipped(tmp_path)) == 1
    subprocess.run(["rm", "-rf", str(tmp_path / ("d" * 200))], check=True)


def test_what_cannot_be_read_is_reported_and_the_rest_is_found(tmp_path, monkeypatch):
    root = write_files(
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
    root = write_files(tmp_path, dict.fromkeys(["b.py", "a/z.py", "a.py", "a/b/c.py", "Z.py"], "x"))
    assert found(root) == ["Z.py", "a/b/c.py", "a/z.py", "a.py", "b.py"]


def test_known_files_are_passed_on_without_opening_them(tmp_path, monkeypatch):
    root = write_files(tmp_path, {"a.py": "x", "b.py": "x", "c.py": "x"})
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
    root = write_files(
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
    write_files(tmp_path, {"secret.py": "x", "root/a.py": "x"})
    assert list(walk(tmp_path / "root", Settings(), paths=[path])) == [
        SkippedFile(path, "outside: the path leads out of the indexed folder, so it is not read")
    ]
