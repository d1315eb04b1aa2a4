"""Commit messages as training data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.training.mining.blocklist import Blocklist
from indexer.training.mining.commits import main, queries_of
from tests.trees import git, write_files

LICENCE = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software.\n"
UPLOAD = """def upload(path, server):
    {first}for part in parts_of(path):
        server.send(part)
        log.debug("sent %s", part)


def parts_of(path):
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            yield part
"""
RETRY = """

def wait(attempt, longest=30):
    {first}pause = min(2**attempt, longest)
    sleep(pause + random() * pause)
    return pause
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "ada+uploads"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    _commit(folder, "Start of it all", {"LICENSE": LICENCE, "up.py": UPLOAD.format(first="")})
    return folder


def test_a_message_is_asked_for_the_function_that_was_changed_as_it_was_before(clone: Path) -> None:
    body = "Nothing said so when the server was full; the last part was missing.\n\nSigned-off-by: Ada"
    message = f"up: fix uploads that stop half way (#12)\n\n{body}"
    _commit(clone, message, {"up.py": UPLOAD.format(first="server.begin()\n    ")})
    rows = _mined(clone)
    assert [(row["query"], row["symbol"]) for row in rows] == [
        ("Fix uploads that stop half way", "upload"),
        ("Nothing said so when the server was full; the last part was missing.", "upload"),
    ]
    assert "begin" not in rows[0]["code"]
    assert (rows[0]["repo"], rows[0]["licence"], rows[0]["source"]) == ("ada/uploads", "MIT", "commit")


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "between", "last"])
def test_a_function_that_a_commit_adds_is_what_it_tells_of(clone: Path, place: int) -> None:
    functions = UPLOAD.format(first="").strip().split("\n\n\n")
    functions.insert(place, RETRY.format(first="").strip())
    _commit(clone, "Wait longer after each failure", {"up.py": "\n\n\n".join(functions) + "\n"})
    assert [(row["query"], row["symbol"]) for row in _mined(clone)] == [
        ("Wait longer after each failure", "wait")
    ]


@pytest.mark.parametrize(
    ("message", "files"),
    [
        ("Rename what the parts are called", {"up.py": UPLOAD.format(first="server.begin()\n    ")}),
        ("Let parts_of read more at once", {"up.py": UPLOAD.format(first="").replace("20", "22")}),
        ("Say how the server is told of it", {"README.md": "The server is told first.\n"}),
        ("Check that the server is told first", {"tests/test_up.py": RETRY.format(first="")}),
        (
            "Keep what each of many files needs",
            {f"{n}.py": RETRY.format(first=f"{n}()\n    ") for n in "abcd"},
        ),
    ],
    ids=[
        "says nothing of the code",
        "names the function",
        "changed no code",
        "changed a test",
        "changed many files",
    ],
)
def test_commits_that_teach_nothing_are_left_out(clone: Path, message: str, files: dict[str, str]) -> None:
    _commit(clone, message, files)
    asked = [row["query"] for row in _mined(clone)]
    assert asked == []


def test_blocked_repositories_and_code_and_unknown_licences_give_nothing(clone: Path) -> None:
    _commit(clone, "Fix uploads that stop half way", {"up.py": UPLOAD.format(first="server.begin()\n    ")})
    assert _mined(clone, Blocklist.build([], ["Ada/Uploads"])) == []
    assert _mined(clone, Blocklist.build([UPLOAD.format(first="").split("\n\n\n")[0]], [])) == []
    _commit(clone, "All rights are reserved now", {"LICENSE": "All rights reserved.\n"})
    assert _mined(clone) == []


def test_queries_are_what_a_person_might_say() -> None:
    assert queries_of("[core] fix(io): Sockets stay open after a timeout, fixes #7") == [
        "Sockets stay open after a timeout,"
    ]
    assert queries_of("Bump version to 2.0") == queries_of("typo") == queries_of("Fix it") == []
    assert queries_of("Close sockets after a timeout\n\nThis is part two of it all.") == [
        "Close sockets after a timeout"
    ]


def _mined(clone: Path, block: Blocklist | None = None) -> list[dict[str, str]]:
    out, blocked = clone.parent / "commits.jsonl", clone.parent / "block.json"
    (block or Blocklist()).save(blocked)
    main([str(out), str(clone), "--block", str(blocked)])
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def _commit(folder: Path, message: str, files: dict[str, str]) -> None:
    write_files(folder, files)
    git(folder, "add", ".")
    git(folder, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-q", "-m", message)
