"""What holds for every command: version, help, and wrong use told on stderr."""

from __future__ import annotations

import pytest

from tests.commands import embedder as embedder
from tests.commands import home as home
from tests.commands import indexed as indexed
from tests.commands import root as root
from tests.commands import run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "{root}/nothing"], "Name an existing folder"),
        (["index", "{root}/net/retry.py"], "is a file"),
        (["search", "retry", "{root}/nothing"], "There is no"),
        (["search", "retry", "{root}", "--json"], "is not indexed yet"),
        (["search", "retry", "{root}"], "codewhere index {root}"),
        (["search"], "Give a question"),
        (["search", "x", "{root}", "--lang", "klingon"], "is not indexed yet"),
        (["similar", "{root}/net/retry.py:1"], "is not indexed yet"),
        (["similar", "retry.py"], "FILE:LINE"),
        (["similar", "x.py:0"], "FILE:LINE"),
        (["similar", "{root}:3"], "is not a file"),
        (["status", "{root}"], "is not indexed yet"),
        (["gc", "--forget", "{root}"], "is not indexed yet"),
        (["search", "--queries", "{root}/none.txt", "{root}"], "is not indexed yet"),
        (["train", "--out", "{root}/o", "--work", "{root}/w"], "either a recipe or"),
        (["index", "{root}", "--dim", "0"], ""),
        (["index", "--colour"], ""),
        (["nonsense"], ""),
    ],
)
def test_wrong_use_is_told_on_stderr_with_status_2(root, arguments, message):
    result = run(*(argument.format(root=root) for argument in arguments), status=2)
    assert message.format(root=root) in result.stderr.replace("\n", " ")
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lang", "klingon"], "Unknown language 'klingon'. Known: bash"),
        (["--kind", "goto"], "Unknown kind 'goto'. Known: function"),
        (["--queries", "none.txt"], "not both"),
    ],
)
def test_wrong_filters_are_told(indexed, arguments, message):
    assert message in run("search", "x", indexed, *arguments, status=2).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mine", "{tmp}/none", "--out", "{tmp}/x", "--licence", "MIT"], "is not a folder"),
        (["mine", "{tmp}", "--out", "{tmp}/x", "--exclude", "{tmp}/none.json"], "list of blocked code"),
        (["train", "{tmp}/none.toml", "--out", "{tmp}/x", "--work", "{tmp}/w"], "cannot read the recipe"),
    ],
)
def test_wrong_use_of_the_tools_is_told(tmp_path, arguments, message):
    assert message in run(*(argument.format(tmp=tmp_path) for argument in arguments), status=2).stderr


def test_version_and_help():
    assert run("--version").stdout.startswith("codewhere ")
    names = [
        "index",
        "search",
        "similar",
        "watch",
        "status",
        "doctor",
        "gc",
        "models",
        "lsp",
        "mine",
        "train",
        "evaluate",
        "bench",
    ]
    output = run("--help").stdout
    assert [name for name in names if name not in output] == []
