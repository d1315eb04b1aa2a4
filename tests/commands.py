"""Commands in the process of the tests: a folder to index, an embedder in place of a real one, and what was said."""

from __future__ import annotations

import json
import os

import pytest
from fakes import HashEmbedder
from typer.testing import CliRunner

from indexer.cli import app
from tests.trees import write_files

FILES = {
    "net/retry.py": (
        "\n\n\n"
        "def retry_with_backoff(call, attempts):\n"
        '    """Calls again after a failure, waiting longer each time."""\n'
        "    for attempt in range(attempts):\n"
        "        try:\n"
        "            return call()\n"
        "        except OSError:\n"
        "            time.sleep(2**attempt)\n"
    ),
    "net/socket.py": "def open_socket(host, port):\n    return connect(host, port)\n",
    "web/static.js": "function serveStatic(path) {\n  return readFile(path);\n}\n",
    "tests/test_retry.py": "def test_retry_with_backoff():\n    assert retry_with_backoff(call, 3)\n",
    "logo.png": "\x89PNG",
}


@pytest.fixture
def embedder(monkeypatch):
    """The embedder that every command gets in place of a real one."""
    fake = HashEmbedder()
    monkeypatch.setattr("indexer.embedding.load_embedder", lambda *arguments, **options: fake)
    monkeypatch.setattr("indexer.embedding.quick.quick_embedder", lambda *arguments: None)
    return fake


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("CODEWHERE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CODEWHERE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CODEWHERE_DEBUG", "1")
    monkeypatch.setattr("indexer.config.platformdirs.user_config_path", lambda name: tmp_path / "settings")
    return tmp_path / "home"


@pytest.fixture
def root(tmp_path, embedder):
    return write_files(tmp_path / "root", FILES)


@pytest.fixture
def indexed(root):
    run("index", root)
    return root


def run(*arguments, status=0, stdin=None):
    result = CliRunner().invoke(
        app, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False
    )
    assert result.exit_code == status, result.output
    return result


def found(*arguments, **options) -> list[str]:
    """Paths of the results of a search with --json."""
    answer = json.loads(run("search", *arguments, "--json", **options).stdout)
    return [result["path"] for result in answer["results"]]
