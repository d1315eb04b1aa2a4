"""The command line from the outside: arguments in, output and exit status out."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import HashEmbedder
from typer.testing import CliRunner

from indexer.cli import app
from indexer.embedding.spec import ModelSpec

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
    folder = tmp_path / "root"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


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


# index


def test_index_prints_a_summary_with_what_was_skipped(root):
    result = run("index", root)
    first, *rest = result.stdout.splitlines()
    assert first.startswith("4 files, 4 parsed, 4 functions, 4 embedded, 0 reused in ")
    assert "  skipped 1 file, binary (logo.png)" in rest
    assert "No GPU in use" in result.stderr


def test_index_says_nothing_about_the_cpu_where_it_was_asked_for(root):
    assert "GPU" not in run("index", root, "--device", "cpu").stderr


def test_a_second_index_embeds_nothing(indexed, embedder):
    n_before = embedder.encoded
    report = json.loads(run("index", indexed, "--json").stdout)
    assert (report["root"], report["files"], report["parsed"], report["embedded"]) == (str(indexed), 4, 0, 0)
    assert embedder.encoded == n_before


def test_index_json_reports_skipped_files(root):
    report = json.loads(run("index", root, "--json").stdout)
    assert report["skipped"] == [{"path": "logo.png", "reason": "binary"}]
    assert report["cancelled"] is False


def test_index_by_words_needs_no_model(root, monkeypatch):
    monkeypatch.setattr("indexer.embedding.load_embedder", None)
    report = json.loads(run("index", root, "--words", "--json").stdout)
    assert (report["functions"], report["embedded"]) == (4, 0)
    assert found("retry backoff", root, "--words")[0] == "net/retry.py"


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


# search


def test_search_json_follows_the_contract(indexed):
    answer = json.loads(run("search", "retry with backoff", indexed, "--json", "--no-tests").stdout)
    assert answer["query"] == "retry with backoff"
    assert answer["coverage"] == 1.0
    assert answer["elapsed_ms"] >= 0
    best = answer["results"][0]
    assert {key: best[key] for key in ("path", "start_line", "end_line", "symbol", "kind", "language")} == {
        "path": "net/retry.py",
        "start_line": 4,
        "end_line": 10,
        "symbol": "retry_with_backoff",
        "kind": "function",
        "language": "python",
    }
    assert best["snippet"].startswith("def retry_with_backoff")
    assert set(best["why"]) >= {"dense_rank", "lexical_rank", "terms", "signals"}
    assert isinstance(best["score"], float)


def test_search_prints_the_functions(indexed, monkeypatch):
    monkeypatch.chdir(indexed)
    lines = run("search", "retry with backoff", "--no-tests", "--limit", 1).stdout.splitlines()
    assert lines[:2] == ["1  retry_with_backoff  function, python", "   net/retry.py:4-10"]
    assert any("def retry_with_backoff(call, attempts):" in line for line in lines)
    assert not any("score" in line for line in lines)
    assert "score" in run("search", "retry with backoff", "--explain").stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"net/retry.py", "net/socket.py", "web/static.js", "tests/test_retry.py"}),
        (["--lang", "javascript"], {"web/static.js"}),
        (["--lang", "js", "--lang", "go"], {"web/static.js"}),
        (["--kind", "class"], set()),
        (["--kind", "Function", "-l", "py", "--no-tests"], {"net/retry.py", "net/socket.py"}),
        (["--no-tests"], {"net/retry.py", "net/socket.py", "web/static.js"}),
        (["--path", "net/"], {"net/retry.py", "net/socket.py"}),
        (["--path", "*.js", "--path", "socket*"], {"web/static.js", "net/socket.py"}),
        (["--exclude", "net/", "--exclude", "tests/"], {"web/static.js"}),
        (["--path", "net/", "--exclude", "*socket*"], {"net/retry.py"}),
    ],
)
def test_filters_limit_what_is_found(indexed, arguments, expected):
    query = "retry backoff open socket serve static"
    assert set(found(query, indexed, *arguments)) == expected


@pytest.mark.parametrize(
    ("place", "arguments", "expected"),
    [
        ("net", [], {"net/retry.py", "net/socket.py"}),
        ("net", ["--path", "retry*"], {"net/retry.py"}),
        ("net", ["--path", "/socket.py"], {"net/socket.py"}),
        ("net", ["--path", "*.js"], set()),
        ("web/static.js", [], {"web/static.js"}),
    ],
)
def test_a_place_inside_a_root_limits_the_search_to_it(indexed, place, arguments, expected):
    query = "retry backoff open socket serve static"
    assert set(found(query, indexed / place, *arguments)) == expected


def test_a_folder_with_glob_characters_in_its_name_is_taken_literally(tmp_path, embedder):
    for folder in ("a[b]*", "ab"):
        (tmp_path / "root" / folder).mkdir(parents=True)
        (tmp_path / "root" / folder / "x.py").write_text("def retry():\n    pass\n", encoding="utf-8")
    run("index", tmp_path / "root")
    assert found("retry", tmp_path / "root/a[b]*") == ["a[b]*/x.py"]


def test_the_innermost_root_answers(indexed):
    run("index", indexed / "net")
    assert set(found("retry open socket", indexed / "net")) == {"retry.py", "socket.py"}


def test_a_linked_folder_is_the_same_root(indexed, tmp_path):
    (tmp_path / "link").symlink_to(indexed)
    assert "net/retry.py" in found("retry", tmp_path / "link")


def test_changed_limits_to_what_differs_from_the_last_commit(indexed):
    git = ["git", "-C", str(indexed), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    assert found("retry open socket", indexed, "--changed") == []
    with (indexed / "net/socket.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert found("retry open socket", indexed, "--changed") == ["net/socket.py"]


def test_the_limit_comes_from_the_settings_or_the_flag(indexed, monkeypatch):
    query = "retry backoff open socket serve static"
    monkeypatch.setenv("CODEWHERE_LIMIT", "2")
    assert len(found(query, indexed)) == 2
    assert len(found(query, indexed, "--limit", 3)) == 3


def test_queries_from_a_file_give_one_line_each(indexed, tmp_path):
    (tmp_path / "queries.txt").write_text("retry backoff\n\nopen a socket\r\nserve static", encoding="utf-8")
    result = run("search", "--queries", tmp_path / "queries.txt", "--json", "--limit", 2, indexed)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["query"] for answer in answers] == ["retry backoff", "", "open a socket", "serve static"]
    firsts = [answer["results"][0]["path"] for answer in answers if answer["query"]]
    assert firsts[1:] == ["net/socket.py", "web/static.js"]
    assert all(len(answer["results"]) <= 2 for answer in answers)


def test_queries_from_standard_input_are_headed_by_the_query(indexed):
    output = run("search", "--queries", "-", indexed, stdin="open a socket\nserve static\n").stdout
    assert [line for line in output.splitlines() if line.startswith("#")] == [
        "# open a socket",
        "# serve static",
    ]


def test_nothing_found_is_no_error(indexed):
    result = run("search", "retry", indexed, "--kind", "enum")
    assert (result.stdout, result.stderr.splitlines()[0]) == ("", "Nothing found.")


@pytest.mark.parametrize(
    "query", ["\x1b[31m\x00", "a" * 100_000, "' OR 1=1 --", '"unclosed', "日本語", "()*"]
)
def test_any_query_gets_an_answer(indexed, query):
    answer = json.loads(run("search", query, indexed, "--json").stdout)
    assert isinstance(answer["results"], list)


def test_words_alone_load_no_model(indexed, monkeypatch):
    monkeypatch.setattr("indexer.embedding.load_embedder", None)
    assert found("retry backoff", indexed, "--words", "--no-tests") == ["net/retry.py"]


def test_an_unindexed_folder_is_indexed_when_the_person_agrees(root, monkeypatch):
    monkeypatch.setattr("indexer.commands.search._can_ask", lambda: True)
    declined = run("search", "retry", root, stdin="n\n", status=2)
    assert "Index it now?" in declined.stderr
    assert "is not indexed yet" in declined.stderr
    accepted = run("search", "retry", root, stdin="y\n")
    assert "retry_with_backoff" in accepted.stdout


def test_a_file_of_queries_that_is_not_there_is_told(indexed):
    assert "Cannot read the queries" in run("search", "--queries", "none.txt", indexed, status=2).stderr


def test_a_hostile_repository_cannot_write_to_the_terminal(tmp_path, embedder):
    root = tmp_path / "root"
    root.mkdir()
    evil = "\x1b]0;owned\x07\x1b[2J"
    (root / f"a{evil}\nb.py").write_text(
        f"def retry():\n    return '{evil}\x9b31m\u202e'\n", encoding="utf-8"
    )
    (root / os.fsdecode(b"caf\xe9.py")).write_text("def coffee(): pass\n", encoding="utf-8")
    (root / f"{evil}.png").write_bytes(b"x")
    (root / ".codewhere.toml").write_text("model = 'x'\n\"\\u001b[31m\" = 1\n", encoding="utf-8")
    outputs = [
        run("index", root, "--verbose"),
        run("search", "retry coffee", root, "--explain"),
        run("search", "retry coffee", root, "--json"),
        run("status", root),
    ]
    assert "owned" in outputs[0].stdout
    assert "\\x1b]0;owned\\x07" in outputs[1].stdout
    assert {"caf\udce9.py"} < set(found("retry coffee", root))
    for result in outputs:
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", result.output)


# similar


def test_similar_finds_the_nearest_functions(indexed, monkeypatch):
    monkeypatch.chdir(indexed)
    answer = json.loads(run("similar", "net/retry.py:8", "--json", "--limit", 1).stdout)
    assert [result["path"] for result in answer["results"]] == ["tests/test_retry.py"]
    answer = json.loads(run("similar", "net/retry.py:8:1", "--json", "--no-tests").stdout)
    assert {result["path"] for result in answer["results"]} == {"net/socket.py", "web/static.js"}
    answer = json.loads(run("similar", "net/retry.py:8", "web", "--json").stdout)
    assert {result["path"] for result in answer["results"]} == {"web/static.js"}


# status, gc


def test_status_of_all_roots_and_of_one(indexed):
    value = json.loads(run("status", "--json").stdout)
    assert [root["root"] for root in value["roots"]] == [str(indexed)]
    assert (value["roots"][0]["functions"], value["roots"][0]["coverage"]) == (4, 1.0)
    lines = run("status").stdout.splitlines()
    assert lines[0].split() == ["FUNCTIONS", "EMBEDDED", "MODEL", "DISK", "UPDATED", "FOLDER"]
    assert lines[1].split()[:3] == ["4", "4", "hash"]
    assert "functions  4, 4 embedded (100 %)" in run("status", indexed / "net").stdout


def test_status_without_any_index_says_what_to_do():
    assert "codewhere index" in run("status").stderr
    assert json.loads(run("status", "--json").stdout)["roots"] == []


def test_a_root_whose_folder_is_gone_is_shown_and_forgotten(indexed):
    indexed.rename(indexed.with_name("moved"))
    assert "folder is gone" in run("status").stdout
    assert "1 root" not in run("gc").stdout
    run("gc", "--forget", indexed, "--grace-days", 0)
    assert json.loads(run("status", "--json").stdout)["roots"] == []


def test_gc_frees_what_no_root_uses(indexed):
    report = json.loads(run("gc", "--json").stdout)
    assert report["vectors"] == 0
    (indexed / "net/retry.py").unlink()
    run("index", indexed)
    assert json.loads(run("gc", "--json").stdout)["vectors"] == 0
    assert json.loads(run("gc", "--json", "--grace-days", 0).stdout)["vectors"] == 1
    assert run("gc").stdout.startswith("Removed 0 roots, 0 functions, 0 vectors; ")


# models, bench and the tools with options of their own


def test_models_lists_what_is_shipped(tmp_path, monkeypatch):
    folder = tmp_path / "models/tiny"
    folder.mkdir(parents=True)
    (folder / "model-00001.safetensors").write_bytes(b"w" * 1000)
    ModelSpec("tiny", "decoder", "backbone/x", ("", ""), ("", ""), dims=(16, 8), licence="Apache-2.0").write(
        folder
    )
    monkeypatch.setattr("indexer.embedding.SHIPPED", tmp_path / "models")
    lines = run("models").stdout.splitlines()
    assert lines[0].split() == ["NAME", "DIMENSIONS", "TOKENS", "DISK", "LICENCE", "BACKBONE"]
    assert lines[1].split()[:4] == ["tiny", "16,", "8", "256"]
    (model,) = json.loads(run("models", "--json").stdout)["models"]
    assert (model["name"], model["dims"], model["licence"]) == ("tiny", [16, 8], "Apache-2.0")


def test_bench_measures_every_stage_and_leaves_nothing(root, home, tmp_path):
    written = tmp_path / "figures.json"
    figures = json.loads(run("bench", root, "--json", "--output", written).stdout)
    assert json.loads(written.read_text()) == figures
    assert (figures["files"], figures["index"]["functions"]) == (4, 4)
    assert figures["model"] == {"name": "hash", "dimensions": 64, "device": "cpu"}
    assert figures["graph"]["recall_at_10"] == 1.0
    positive = (
        figures["parse_mb_a_second_a_core"],
        figures["first_answer"]["words_s"],
        figures["embedding"]["windows_a_second"],
        figures["disk_bytes_a_function"],
        figures["peak_memory_bytes"],
        *(figures["queries"][kind]["p99_ms"] for kind in ("words", "words_and_vectors", "while_indexing")),
        figures["queries"]["cold_process_s"]["p50"],
    )
    assert all(value > 0 for value in positive)
    assert not home.exists()
    assert "MB/s a core" in run("bench", root).stdout


def test_bench_compares_with_the_same_weights_in_sentence_transformers(root, model_folder, monkeypatch):
    monkeypatch.undo()
    figures = json.loads(run("bench", root, "--json", "--model", model_folder, "--beside", "same").stdout)
    ours, theirs = figures["beside"]
    assert (ours["name"], theirs["name"]) == ("tiny", "tiny, the same weights in sentence-transformers")
    assert 0 < figures["embedding"]["peak_share"] < 1
    plot = run("bench", root, "--model", model_folder, "--beside", "same").stdout.splitlines()[-2:]
    assert all("█" in line and "functions/s" in line for line in plot)


def test_bench_of_an_empty_folder_is_told(tmp_path, embedder):
    (tmp_path / "empty").mkdir()
    assert "nothing to index" in run("bench", tmp_path / "empty", status=2).stderr


def test_mine_reports_what_it_took(root, tmp_path):
    (root / "LICENSE").write_text(
        "MIT License\n\nPermission is hereby granted, free of charge", encoding="utf-8"
    )
    out = tmp_path / "pairs.jsonl"
    report = json.loads(run("mine", root, "--out", out, "--licence", "MIT", "--json").stdout)
    assert report["files"] >= 1
    assert out.exists()
    assert f"in {out}" in run("mine", root, "--out", out, "--licence", "MIT").stdout


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


@pytest.mark.parametrize("name", ["lsp", "evaluate"])
def test_a_tool_gets_its_own_arguments(monkeypatch, name):
    seen = []
    module = {"lsp": "lsp_server", "evaluate": "indexer.evaluation"}[name]
    monkeypatch.setattr(f"{module}.main", lambda arguments: seen.extend(arguments) or 3)
    run(name, "--help", "x", "--port", "7", status=3)
    assert seen == ["--help", "x", "--port", "7"]


def test_a_tool_without_its_extra_says_what_to_install(monkeypatch):
    def main(arguments):
        raise ModuleNotFoundError("No module named 'mteb'", name="mteb")

    monkeypatch.setattr("indexer.evaluation.main", main)
    assert "pip install 'codewhere[evaluate]'" in run("evaluate", status=2).stderr


# the program


def start(*arguments, **options) -> subprocess.Popen:
    command = [sys.executable, "-c", "from indexer.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **options}
    )


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


def test_the_start_imports_nothing_heavy():
    code = "import sys, indexer.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "typer" in modules
    heavy = {"torch", "transformers", "numpy", "hnswlib", "tree_sitter", "pygls", "watchdog", "sqlite3"}
    assert heavy.isdisjoint(modules)


def test_a_closed_pipe_ends_quietly(indexed, tmp_path):
    (tmp_path / "queries.txt").write_text("retry\n" * 2000, encoding="utf-8")
    process = start("search", "--words", "--queries", tmp_path / "queries.txt", "--json", indexed)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""


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
