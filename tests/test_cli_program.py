"""The program in a process of its own: what it imports, pipes, locales and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands import embedder as embedder
from tests.commands import found, run
from tests.commands import home as home
from tests.commands import indexed as indexed
from tests.commands import root as root


def start(*arguments, **options) -> subprocess.Popen:
    command = [sys.executable, "-c", "from indexer.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **options}
    )


def test_the_start_imports_nothing_heavy():
    code = "import sys, indexer.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "typer" in modules
    heavy = {"torch", "transformers", "numpy", "hnswlib", "tree_sitter", "pygls", "watchdog", "sqlite3"}
    assert heavy.isdisjoint(modules)


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "text"])
def test_a_closed_pipe_ends_quietly(indexed, tmp_path, form):
    (tmp_path / "queries.txt").write_text("retry\n" * 2000, encoding="utf-8")
    process = start("search", "--words", "--queries", tmp_path / "queries.txt", *form, indexed)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""


@pytest.mark.parametrize(
    "query", ["-path:tests retry", "-tests retry", "-lang:js -tests retry", "-symbol:test retry"]
)
def test_a_query_may_begin_with_what_it_leaves_out(indexed, query):
    output, errors = start("search", "--words", "--json", query, indexed).communicate(timeout=60)
    assert {result["path"] for result in json.loads(output)["results"]} == {"net/retry.py"}, errors


def test_a_locale_without_utf8_gets_readable_output(indexed):
    (indexed / "naïve.py").write_text("def naïve():\n    return '世界'\n", encoding="utf-8")
    run("index", indexed)
    process = start(
        "search", "--words", "naïve", indexed, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii"
    )
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "na\\xefve.py" in output


def start_with_fake(*arguments, setup="") -> subprocess.Popen:
    """The program in a process of its own, with the embedder of the tests."""
    code = (
        "import sys, time, fakes, indexer.embedding.quick, indexer.cli\n"
        "fake = fakes.HashEmbedder()\n"
        f"{setup}\n"
        "indexer.embedding.quick.quick_embedder = lambda *arguments: None\n"
        "indexer.embedding.load_embedder = lambda *arguments: fake\n"
        "indexer.cli.main()"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def test_ctrl_c_stops_an_index_that_can_be_resumed(root):
    n_functions = 900
    for number in range(n_functions):
        (root / f"f{number}.py").write_text(f"def name{number}(): pass\n", encoding="utf-8")
    slow = (
        "encode = fake.encode_code\n"
        "def encode_slowly(texts):\n"
        "    print('batch', file=sys.stderr, flush=True)\n"
        "    time.sleep(1)\n"
        "    return encode(texts)\n"
        "fake.encode_code = encode_slowly"
    )
    process = start_with_fake("index", root, setup=slow)
    try:
        assert "No GPU in use" in process.stderr.readline()
        assert process.stderr.readline() == "batch\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.splitlines() == [
        "Stopping after this batch. Ctrl-C again stops at once.",
        "Stopped. Nothing is lost: run the same command to go on.",
    ]
    done = int(output.split(" embedded")[0].rsplit(" ", 1)[1].replace(",", ""))
    assert 0 < done < n_functions
    report = json.loads(run("index", root, "--json").stdout)
    assert (report["parsed"], report["embedded"]) == (0, n_functions + 4 - done)


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_watch_follows_the_folder_and_answers_until_it_is_stopped(indexed, name):
    process = start_with_fake("watch", "--json", indexed)
    try:
        assert json.loads(process.stdout.readline())["parsed"] == 0
        assert "Watching" in process.stderr.readline()
        time.sleep(0.3)
        (indexed / "net/new.py").write_text("def brand_new():\n    pass\n", encoding="utf-8")
        report = json.loads(process.stdout.readline())
        assert (report["parsed"], report["embedded"]) == (1, 1)
        # The running process answers, so this one needs no model.
        assert found_without_a_model("brand new", indexed)[0] == "net/new.py"
    finally:
        process.send_signal(name)
        assert process.wait(20) == 0
    assert found("brand new", indexed)[0] == "net/new.py"


def found_without_a_model(*arguments) -> list[str]:
    code = (
        "import indexer.embedding.quick, indexer.embedding, indexer.cli\n"
        "indexer.embedding.quick.quick_embedder = indexer.embedding.load_embedder = None\n"
        "indexer.cli.main()"
    )
    command = [sys.executable, "-c", code, "search", "--json", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [result["path"] for result in json.loads(result.stdout)["results"]]
