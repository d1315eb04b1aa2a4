"""codewhere/search, workspace/symbol and the commands, asked over real pipes."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from indexer.answering import ask
from indexer.config import Config
from indexer.types import SearchFilters
from tests.lsp.conftest import command, indexed, request, until, write_files

QUESTION = "send a failed request again until it succeeds"


async def search(client, query, **more):
    return await request(client, "codewhere/search", {"query": query, **more})


async def test_a_sentence_finds_the_function_with_every_field(start, project):
    client = await start(project)
    await indexed(client)
    answer = await search(client, QUESTION, limit=2)
    assert list(answer) == ["query", "coverage", "elapsedMs", "notes", "results"]
    assert (answer["query"], answer["coverage"]) == (QUESTION, 1.0)
    assert answer["elapsedMs"] > 0
    best = answer["results"][0]
    assert {**best, "score": None, "why": None, "highlights": None, "snippet": None} == {
        "uri": (project / "src/net/retry.py").as_uri(),
        "range": {"start": {"line": 6, "character": 4}, "end": {"line": 12, "character": 20}},
        "selectionRange": {"start": {"line": 6, "character": 8}, "end": {"line": 6, "character": 11}},
        "path": "src/net/retry.py",
        "root": project.as_uri(),
        "symbol": "RetryPolicy.run",
        "kind": "method",
        "language": "python",
        "score": None,
        "snippet": None,
        "why": None,
        "highlights": None,
    }
    assert best["snippet"].startswith("def run(self, request):")
    assert best["why"]["denseRank"] >= 1 and best["why"]["lexicalRank"] >= 1
    assert set(best["why"]) == {"denseRank", "lexicalRank", "terms", "signals"}
    assert best["why"]["terms"]
    scores = [result["score"] for result in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    for highlight in best["highlights"]:
        assert best["range"]["start"]["line"] <= highlight["start"]["line"] <= best["range"]["end"]["line"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"languages": ["typescript"]}, {"web/cart.ts"}),
        ({"kinds": ["method"]}, {"src/net/retry.py"}),
        ({"paths": ["src/*.py"]}, {"src/config.py", "src/options.py"}),
        ({"paths": ["src/**"], "exclude": ["src/net/"]}, {"src/config.py", "src/options.py"}),
        ({"languages": ["cobol"]}, set()),
    ],
)
async def test_filters_leave_the_rest_out(start, project, filters, expected):
    client = await start(project)
    await indexed(client)
    answer = await search(client, "read the settings of a retry and put the cart", limit=50, filters=filters)
    assert {result["path"] for result in answer["results"]} == expected


async def test_tests_are_left_out_where_asked(start, project):
    client = await start(project)
    await indexed(client)
    query = "retry sends again"
    everything = [hit["path"] for hit in (await search(client, query, limit=50))["results"]]
    fewer = [
        hit["path"] for hit in (await search(client, query, limit=50, filters={"noTests": True}))["results"]
    ]
    assert "tests/test_retry.py" in everything
    assert set(fewer) == set(everything) - {"tests/test_retry.py"}


async def test_operators_in_the_query_work(start, project):
    client = await start(project)
    await indexed(client)
    answer = await search(client, "put lang:typescript")
    assert {hit["language"] for hit in answer["results"]} == {"typescript"}


async def test_the_limit_holds_over_all_folders_together(start, tmp_path):
    text = "def read_{0}(path):\n    return open(path).read()\n"
    folders = [
        write_files(tmp_path / name, {f"{name}{n}.py": text.format(f"{name}{n}") for n in range(4)})
        for name in "ab"
    ]
    client = await start(*folders)
    await indexed(client, 2)
    answer = await search(client, "read the path", limit=5)
    assert len(answer["results"]) == 5
    assert {hit["root"] for hit in answer["results"]} == {folder.as_uri() for folder in folders}


async def test_a_folder_inside_another_does_not_double_results(start, project):
    client = await start(project, project / "src")
    await indexed(client, 2)
    answer = await search(client, "parse settings toml", limit=50)
    places = [(hit["uri"], json.dumps(hit["range"])) for hit in answer["results"]]
    assert len(places) == len(set(places))


async def test_an_empty_query_is_told_and_not_a_crash(start, project):
    client = await start(project)
    await indexed(client)
    answer = await search(client, "   ")
    assert answer["results"] == [] and answer["notes"]


async def test_partial_results_come_before_the_reply(start, project):
    client = await start(project)
    await indexed(client)
    whole = await search(client, QUESTION)
    rest = await search(client, QUESTION, partialResultToken="part")
    assert rest["results"] == []
    [(token, results)] = client.partial
    assert token == "part"
    assert [result["symbol"] for result in results] == [result["symbol"] for result in whole["results"]]


async def test_a_cancelled_search_is_answered_at_once(start, project):
    client = await start(project, env={"HASH_QUERY_SECONDS": "1.5"})
    await indexed(client)
    asked = asyncio.ensure_future(request(client, "codewhere/search", {"query": QUESTION}, msg_id="slow"))
    await asyncio.sleep(0.3)
    began = time.perf_counter()
    client.cancel_request(lsp.CancelParams("slow"))
    with pytest.raises(JsonRpcException) as error:
        await asked
    assert error.value.code == -32800
    assert time.perf_counter() - began < 0.5  # 0.05 on an idle machine; the suite shares its cores


async def test_a_cancelled_command_stops_and_is_answered(start, project):
    client = await start(project, env={"HASH_QUERY_SECONDS": "1.5"})
    await indexed(client)
    asked = asyncio.ensure_future(command(client, "search", QUESTION, msg_id="slow"))
    await asyncio.sleep(0.3)
    client.cancel_request(lsp.CancelParams("slow"))
    with pytest.raises(JsonRpcException) as error:
        await asked
    assert error.value.code == -32800


async def test_slow_searches_do_not_keep_the_server_from_listening(start, project):
    client = await start(project, env={"HASH_QUERY_SECONDS": "2"})
    await indexed(client)
    slow = [asyncio.ensure_future(search(client, f"{QUESTION} {n}")) for n in range(8)]
    await asyncio.sleep(0.1)
    began = time.perf_counter()
    await client.workspace_symbol_async(lsp.WorkspaceSymbolParams(""))
    assert time.perf_counter() - began < 1
    assert all(answer["results"] for answer in await asyncio.gather(*slow))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_columns_are_in_the_units_of_the_client(start, tmp_path, encoding):
    text = '"漢😀"; function größe(a) { return "😀😀" + a; }\n'
    project = write_files(tmp_path / "project", {"wide.js": text})
    client = await start(project, encodings=[encoding])
    assert client.answer.capabilities.position_encoding == encoding
    await indexed(client)
    answer = await search(client, "größe", filters={"kinds": ["function"]})
    [hit] = answer["results"]

    def units(piece):
        return (
            len(piece)
            if encoding == "utf-32"
            else len(piece.encode(f"{encoding}-le".replace("8-le", "8")))
            // (2 if encoding == "utf-16" else 1)
        )

    begin, name = text.index("function"), text.index("größe")
    assert hit["range"]["start"] == {"line": 0, "character": units(text[:begin])}
    assert hit["range"]["end"] == {"line": 0, "character": units(text.rstrip())}
    assert hit["selectionRange"]["start"]["character"] == units(text[:name])
    assert hit["selectionRange"]["end"]["character"] == units(text[: name + 5])


async def test_uris_are_written_as_the_client_writes_them(start, tmp_path):
    real = write_files(tmp_path / "real", {"a b/größe#1.py": "def strange_path():\n    return 1\n"})
    link = tmp_path / "link to"
    link.symlink_to(real, target_is_directory=True)
    client = await start(link)
    await indexed(client)
    [hit] = (await search(client, "strange_path", filters={"kinds": ["function"]}))["results"]
    assert hit["uri"] == link.as_uri() + "/a%20b/gr%C3%B6%C3%9Fe%231.py"
    assert hit["path"] == "a b/größe#1.py"


async def test_a_file_that_changed_behind_the_index_gives_whole_lines(start, project):
    client = await start(project, options={"watch": False})
    await indexed(client)
    path = project / "src/config.py"
    path.write_text("# a new first line\n" + path.read_text())
    hit = (await search(client, "parse_settings"))["results"][0]
    assert hit["symbol"] == "parse_settings"
    assert hit["range"]["start"]["character"] == 0


async def test_a_function_that_moved_is_found_where_it_is_now(start, project):
    client = await start(project, options={"watch": False})
    await indexed(client)
    path = project / "src/config.py"
    path.write_text("# new\n" * 20 + path.read_text())
    hit = (await search(client, "read the settings from a toml file"))["results"][0]
    assert hit["symbol"] == "parse_settings"
    assert (hit["range"]["start"]["line"], hit["selectionRange"]["start"]) == (
        20,
        {"line": 20, "character": 4},
    )
    assert hit["highlights"]
    lines = path.read_text().splitlines()
    for highlight in hit["highlights"]:
        line = highlight["start"]["line"]
        assert 20 <= line <= hit["range"]["end"]["line"]
        assert any(term in lines[line].lower() for term in hit["why"]["terms"])


@pytest.mark.parametrize(
    ("path", "source", "symbol", "line", "column"),
    [
        ("a.py", "class Box:\n    def add(\n        self,  # one\n        n=1,\n    ):\n        n\n", "Box.add", 1, 8),
        ("a.ts", "class Cart {\n  add(\n    n: string,\n  ): number {\n    return 1;\n  }\n}\n", "Cart.add", 1, 2),
        ("a.ex", "defmodule Cart do\n  def scale(a, b \\\\ 2) do\n    a * b\n  end\nend\n", "Cart.scale/2", 1, 6),
        ("a.rs", "pub fn add<T>(\n    article: T, // one\n) -> usize\nwhere\n    T: Copy,\n{\n    1\n}\n", "add", 0, 7),
        ("a.c", "typedef struct {\n    struct { int point; } y;\n} *pointer, point;\n", "point", 2, 12),
        ("a.hs", "scale\n  :: Int -- ^ how much\n  -> Int\nscale n = n * 2\n", "scale", 0, 0),
    ],
)  # fmt: skip
async def test_the_name_is_selected_however_a_head_is_written(
    start, tmp_path, path, source, symbol, line, column
):
    (tmp_path / path).write_text(source)
    client = await start(tmp_path)
    await indexed(client)
    hit = next(hit for hit in (await search(client, symbol))["results"] if hit["symbol"] == symbol)
    assert hit["selectionRange"]["start"] == {"line": line, "character": column}
    name = symbol.split("/")[0].split(".")[-1]
    assert hit["selectionRange"]["end"] == {"line": line, "character": column + len(name)}


async def test_notes_of_a_folder_do_not_contradict_the_answers_of_another(start, tmp_path):
    folders = [tmp_path / "rocket", tmp_path / "boat"]
    for place in folders:
        place.mkdir()
        (place / f"{place.name}.py").write_text(
            f"def launch_{place.name}():\n    return 'the {place.name}'\n"
        )
    client = await start(*folders)
    await indexed(client, 2)
    for query in ("path:rocket.py launch", "symbol:launch_rocket", '"the rocket"'):
        answer = await search(client, query)
        assert [hit["symbol"] for hit in answer["results"]] == ["launch_rocket"]
        assert answer["notes"] == []
    assert len((await search(client, "symbol:launch_plane"))["notes"]) == 1
    assert len((await search(client, " "))["notes"]) == 1


async def test_a_file_whose_name_is_no_text_is_found(start, project):
    try:
        (project / os.fsdecode(b"caf\xe9.py")).write_text("def brew_coffee():\n    return 1\n")
    except OSError:
        pytest.skip("this file system has no such names")
    client = await start(project)
    await indexed(client)
    [hit] = (await search(client, "symbol:brew_coffee"))["results"]
    assert hit["uri"] == f"{project.as_uri()}/caf%E9.py"


async def test_a_link_out_of_the_root_is_not_followed(start, project, tmp_path):
    client = await start(project, options={"watch": False})
    await indexed(client)
    secret = tmp_path / "secret.py"
    secret.write_text("\n" * 50 + (project / "src/config.py").read_text())
    (project / "src/config.py").unlink()
    (project / "src/config.py").symlink_to(secret)
    hit = (await search(client, "parse_settings"))["results"][0]
    assert hit["range"]["start"]["line"] == 0


@pytest.mark.parametrize("editor", ["neovim", "emacs", "visual_studio_code"])
async def test_workspace_symbol_answers_a_sentence(start, project, editor):
    client = await start(project, editor=editor)
    await indexed(client)
    found = await client.workspace_symbol_async(lsp.WorkspaceSymbolParams(QUESTION))
    best = found[0]
    assert (best.name, best.kind) == ("RetryPolicy.run", lsp.SymbolKind.Method)
    score, _, path = best.container_name.partition(" · ")
    assert path == "src/net/retry.py" and float(score) > 0
    if isinstance(best.location, lsp.LocationUriOnly):
        best = await client.workspace_symbol_resolve_async(best)
    assert best.location.range.start == lsp.Position(6, 8)


async def test_workspace_symbol_resolves_ranges_where_the_client_can(start, project):
    client = await start(project, editor="visual_studio_code")
    await indexed(client)
    found = await client.workspace_symbol_async(lsp.WorkspaceSymbolParams("RetryPolicy.run"))
    support = client.capabilities.workspace.symbol.resolve_support
    lazily = support is not None and "location.range" in support.properties
    assert isinstance(found[0].location, lsp.LocationUriOnly) == lazily


async def test_a_symbol_is_resolved_to_its_range(start, project):
    client = await start(project, editor="visual_studio_code")
    await indexed(client)
    uri = (project / "src/net/retry.py").as_uri()
    bare = lsp.WorkspaceSymbol(lsp.LocationUriOnly(uri), "RetryPolicy.run", lsp.SymbolKind.Method)
    found = (await client.workspace_symbol_async(lsp.WorkspaceSymbolParams(QUESTION)))[0]
    whole = lsp.WorkspaceSymbol(found.location, found.name, found.kind)
    for asked in (whole, bare):
        resolved = await asyncio.wait_for(client.workspace_symbol_resolve_async(asked), 10)
        assert resolved.kind == lsp.SymbolKind.Method


async def test_workspace_symbol_is_empty_before_anything_is_typed(start, project):
    client = await start(project)
    assert await client.workspace_symbol_async(lsp.WorkspaceSymbolParams("")) == []


async def test_workspace_symbol_sends_partial_results(start, project):
    client = await start(project)
    await indexed(client)
    found = await client.workspace_symbol_async(
        lsp.WorkspaceSymbolParams(QUESTION, partial_result_token="symbols")
    )
    assert found == []
    [(token, values)] = client.partial
    assert token == "symbols" and values[0]["name"] == "RetryPolicy.run"


@pytest.mark.parametrize(
    "arguments",
    [
        [QUESTION, 2, {"languages": ["python"]}],
        [{"query": QUESTION, "limit": 2, "filters": {"languages": ["python"]}}],
    ],
    ids=["in order", "by name"],
)
async def test_the_search_command_answers_as_the_request(start, project, arguments):
    client = await start(project)
    await indexed(client)
    asked = await search(client, QUESTION, limit=2, filters={"languages": ["python"]})
    commanded = await command(client, "search", *arguments)
    assert {**commanded, "elapsedMs": 0} == {**asked, "elapsedMs": 0}


async def test_commands_pause_resume_and_reindex(start, project):
    client = await start(project)
    await indexed(client)

    assert (await command(client, "pause", project.as_uri()))["roots"][0]["state"] == "paused"
    (project / "late.py").write_text("def arrived_late():\n    return 1\n")
    await asyncio.sleep(0.5)
    assert "late.py" not in [hit["path"] for hit in (await search(client, "arrived_late"))["results"]]
    await command(client, "resume")
    await until(lambda: client.updates[-1]["roots"][0]["files"] == 6)
    await indexed(client)
    assert (await search(client, "arrived_late"))["results"][0]["path"] == "late.py"
    await command(client, "reindex")
    status = await indexed(client)
    assert (await command(client, "status")) == status


async def test_updates_tell_the_status_without_being_asked(start, project):
    client = await start(project)
    status = await indexed(client)
    await until(lambda: client.updates and client.updates[-1]["roots"][0]["coverage"] == 1)
    last = client.updates[-1]
    assert {**last, "reason": None, "diskBytes": 0} == {**status, "reason": None, "diskBytes": 0}
    assert {update["reason"] for update in client.updates} <= {"index", "watch", "model"}
    assert set(status["roots"][0]) == {
        *("uri", "name", "files", "functions", "embedded", "coverage", "state", "message", "etaSeconds")
    }
    assert status["diskBytes"] > 0


async def test_a_command_on_the_shell_is_answered_by_the_server(start, project, environment):
    config = Config(home=Path(environment["CODEWHERE_HOME"]))
    client = await start(project)
    await indexed(client)
    arguments = {"limit": 3, "filters": SearchFilters(), "explain": False, "dense": True}
    answer = await asyncio.to_thread(
        ask, config, project.resolve(), "search", query="read the settings", **arguments
    )
    assert answer is not None and answer.results[0].function.symbol == "parse_settings"
    elsewhere = await asyncio.to_thread(ask, config, project.parent, "search", query="read", **arguments)
    assert elsewhere is None
