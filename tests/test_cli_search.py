"""The commands that find functions, search and similar: arguments in, results out."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest

from tests.commands import embedder as embedder
from tests.commands import found, run
from tests.commands import home as home
from tests.commands import indexed as indexed
from tests.commands import root as root


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
        (["--path", "./net/"], {"net/retry.py", "net/socket.py"}),
        (["--path", "{root}/net"], {"net/retry.py", "net/socket.py"}),
        (["--path", "./retry.py"], set()),
        (["--path", "./"], {"net/retry.py", "net/socket.py", "web/static.js", "tests/test_retry.py"}),
        (["--path", "*.js", "--path", "socket*"], {"web/static.js", "net/socket.py"}),
        (["--exclude", "net/", "--exclude", "tests/"], {"web/static.js"}),
        (["--path", "net/", "--exclude", "*socket*"], {"net/retry.py"}),
        (["--exclude", "./net/", "--exclude", "{root}/tests"], {"web/static.js"}),
    ],
)
def test_filters_limit_what_is_found(indexed, arguments, expected):
    query = "retry backoff open socket serve static"
    arguments = [argument.format(root=indexed) for argument in arguments]
    assert set(found(query, indexed, *arguments)) == expected


@pytest.mark.parametrize(
    ("place", "arguments", "expected"),
    [
        ("net", [], {"net/retry.py", "net/socket.py"}),
        ("net", ["--path", "retry*"], {"net/retry.py"}),
        ("net", ["--path", "/socket.py"], {"net/socket.py"}),
        ("net", ["--path", "./socket.py"], {"net/socket.py"}),
        ("net", ["--path", "{root}/net/socket.py"], {"net/socket.py"}),
        ("net", ["--path", "*.js"], set()),
        ("net", ["--exclude", "./socket.py"], {"net/retry.py"}),
        ("net", ["--exclude", "{root}/net/socket.py"], {"net/retry.py"}),
        ("web/static.js", [], {"web/static.js"}),
    ],
)
def test_a_place_inside_a_root_limits_the_search_to_it(indexed, place, arguments, expected):
    query = "retry backoff open socket serve static"
    arguments = [argument.format(root=indexed) for argument in arguments]
    assert set(found(query, indexed / place, *arguments)) == expected


def test_a_glob_that_cannot_be_read_is_named(indexed):
    done = run("search", "retry", indexed, "--path", "[z-a]", status=2)
    assert "paths: [z-a] cannot be read as glob patterns" in done.stderr


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


def test_a_byte_order_mark_is_no_part_of_the_first_query(indexed, tmp_path):
    (tmp_path / "queries").write_bytes(b"\xef\xbb\xbfopen a socket\n")
    assert (
        json.loads(run("search", "--queries", tmp_path / "queries", "--json", indexed).stdout)["query"]
        == "open a socket"
    )


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


def test_similar_finds_the_nearest_functions(indexed, monkeypatch):
    monkeypatch.chdir(indexed)
    answer = json.loads(run("similar", "net/retry.py:8", "--json", "--limit", 1).stdout)
    assert [result["path"] for result in answer["results"]] == ["tests/test_retry.py"]
    answer = json.loads(run("similar", "net/retry.py:8:1", "--json", "--no-tests").stdout)
    assert {result["path"] for result in answer["results"]} == {"net/socket.py", "web/static.js"}
    answer = json.loads(run("similar", "net/retry.py:8", "web", "--json").stdout)
    assert {result["path"] for result in answer["results"]} == {"web/static.js"}


def test_similar_compares_a_function_of_another_folder(indexed, tmp_path):
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text("import time\n\n\n" + (indexed / "net/retry.py").read_text())
    line = elsewhere.read_text().splitlines().index("            time.sleep(2**attempt)") + 1
    answer = json.loads(run("similar", f"{elsewhere}:{line}", indexed, "--json", "--limit", 1).stdout)
    assert answer["results"][0]["path"] == "net/retry.py", "here it is a find, not the one that is asked for"
    failed = run("similar", f"{elsewhere}:2", indexed / "web", status=2)
    assert f"There is no function at {elsewhere}:2" in failed.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16", "utf-16-be", "utf-8"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_numbered_whatever_a_file_is_written_in(
    home, embedder, tmp_path, monkeypatch, encoding, end
):
    lines = ["def größe(wert):", '    """Measures the pelican."""', "    return wert", "", "def last(x):"]
    text = end.join([*lines, "    # Größe of a heron", "    return x", ""])
    if encoding == "utf-16-be":
        text = "\ufeff" + text
    (tmp_path / "birds").mkdir()
    (tmp_path / "birds" / "a.py").write_bytes(text.encode(encoding))
    run("index", tmp_path / "birds")
    monkeypatch.chdir(tmp_path / "birds")
    for query, number, shown in (("symbol:größe", 1, "def größe(wert):"), ("symbol:last", 5, "def last(x):")):
        printed = run("search", query, "--words").stdout
        assert f"a.py:{number}" in printed
        assert any(
            line.split()[0] == str(number) and shown in line for line in printed.splitlines() if line.strip()
        )
