"""Every request gets exactly one reply, whatever it is, and nothing a client sends ends the server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests.lsp.conftest import SERVER, indexed, request

# These share one server, which is the point: none of them may harm it.
together = pytest.mark.asyncio(loop_scope="module")

PLACE = {"textDocument": {"uri": "file:///nowhere.py"}, "position": {"line": 0, "character": 0}}


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("codewhere/search", None, "an object is expected"),
        ("codewhere/search", [1], "an object is expected"),
        ("codewhere/search", {}, "'query' is missing"),
        ("codewhere/search", {"query": 3}, "query: a text is expected"),
        ("codewhere/search", {"query": "x", "limit": 0}, "limit: a whole number from 1 to 200"),
        ("codewhere/search", {"query": "x", "class": 1, "_u": 2, "a-b": 3}, "unknown field 'class'"),
        ("codewhere/search", {"query": "x", "roots": ["file:///other"]}, "is not a workspace folder"),
        ("codewhere/similar", {}, "exactly one of position, range and text"),
        ("codewhere/status", {"verbose": True}, "unknown field 'verbose'"),
        ("workspace/symbol", {}, "query"),
        ("workspace/symbol", {"query": None}, "query: a text is expected"),
        ("workspace/symbol", [], "an object is expected"),
        ("textDocument/hover", {**PLACE, "position": {"line": "3", "character": 0}}, "line: a whole number"),
        ("textDocument/hover", {"textDocument": 3, "position": {}}, "textDocument"),
        ("textDocument/codeLens", {}, "textDocument"),
        ("workspaceSymbol/resolve", {"name": 1}, "name: a text is expected"),
        ("workspace/executeCommand", {}, "command"),
        ("workspace/executeCommand", {"command": "codewhere.server.nothing"}, "Unknown command"),
        ("workspace/executeCommand", {"command": "codewhere.server.search", "arguments": []}, "'query'"),
        (
            "workspace/executeCommand",
            {"command": "codewhere.server.search", "arguments": ["x", 1, {}, 4]},
            "4 arguments were given",
        ),
        (
            "workspace/executeCommand",
            {"command": "codewhere.server.similar", "arguments": ["file:///x", "y"]},
            "line: a whole number",
        ),
        ("workspace/executeCommand", {"command": "codewhere.server.pause", "arguments": [3]}, "uri: a text"),
        (
            "workspace/executeCommand",
            {"command": "codewhere.server.showSimilar", "arguments": ["a"]},
            "expected",
        ),
    ],
)
@together
async def test_a_malformed_request_is_answered_with_the_reason(server, method, params, words):
    answer = await server.call(method, params)
    assert answer["error"]["code"] == -32602, answer
    assert words in answer["error"]["message"]
    assert (await server.call("codewhere/status", {}))["result"]["version"]


@together
async def test_a_command_without_arguments_takes_an_empty_object(server):
    params = {"command": "codewhere.server.status", "arguments": [{}]}
    assert (await server.call("workspace/executeCommand", params))["result"]["version"]


@together
async def test_an_unknown_method_is_answered(server):
    assert (await server.call("codewhere/dance", {}))["error"]["code"] == -32601


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b"3",
        b"null",
        b"{}",
        b'{"jsonrpc": "2.0"}',
        b'{"jsonrpc": "1.0", "id": 1, "method": "codewhere/status"}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {}}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": '
        b'{"uri": "file:///never/opened.py", "version": 1}, "contentChanges": [{"text": ""}]}}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": '
        b'{"uri": "untitled:1", "languageId": "x", "version": 1, "text": "a"}}}',
        b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "unknown"}}',
        b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {}}',
        b'{"jsonrpc": "2.0", "id": "never-asked", "result": 3}',
        b'{"jsonrpc": "2.0", "method": "window/workDoneProgress/cancel", "params": {"token": "none"}}',
        b'{"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": {"settings": 3}}',
        b'{"jsonrpc": "2.0", "method": "workspace/didChangeWatchedFiles", "params": {"changes": '
        b'[{"uri": "file:///etc/passwd", "type": 2}, {"uri": "ftp://x/y", "type": 1}]}}',
        b"[" * 100_000,
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)
@together
async def test_a_broken_message_does_not_end_the_server(server, body):
    server.send_bytes(body)
    assert (await server.call("codewhere/status", {}))["result"]["version"]


@together
async def test_bytes_that_are_no_json_are_answered(server):
    server.send_bytes(b"{")
    answer = await server.read(lambda message: "error" in message)
    assert answer["error"]["code"] == -32700 and answer["id"] is None


async def test_requests_before_initialize_are_refused(new_server):
    assert (await new_server.call("codewhere/status", {}))["error"]["code"] == -32002


async def test_a_client_that_is_newer_or_careless_is_taken_for_what_is_known_of_it(new_server):
    capabilities = {
        "workspace": {"symbol": {"symbolKind": {"valueSet": [1, 300]}, "tagSupport": {"valueSet": [7]}}},
        "textDocument": {"hover": {"contentFormat": ["html"]}, "publishDiagnostics": {"tagSupport": True}},
        "general": {"positionEncodings": ["utf-9", "utf-8"]},
        "window": {"workDoneProgress": "yes", "dances": True},
    }
    answer = await new_server.call("initialize", {"capabilities": capabilities, "processId": None})
    assert answer["result"]["capabilities"]["positionEncoding"] == "utf-8"
    assert (await new_server.call("codewhere/status", {}))["result"]["version"]


@together
async def test_a_second_initialize_is_refused(server):
    assert (await server.call("initialize", {"capabilities": {}}))["error"]["code"] == -32600


async def test_requests_after_shutdown_are_refused(own_server):
    assert (await own_server.call("shutdown", None))["result"] is None
    assert (await own_server.call("codewhere/status", {}))["error"]["code"] == -32600


async def test_a_crash_in_a_feature_is_an_error_reply_and_no_more(start, project):
    client = await start(project, env={"HASH_CRASH": "explode"})
    await indexed(client)
    with pytest.raises(JsonRpcException, match="explode"):
        await request(client, "codewhere/search", {"query": "please explode"})
    found = await request(client, "codewhere/search", {"query": "retry policy"})
    assert found["results"]


class RawServer:
    """A server process and nothing between it and the test but the framing of messages."""

    def __init__(self, process):
        self.process = process
        self.n_calls = 0

    def send_bytes(self, body: bytes) -> None:
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def send(self, message) -> None:
        self.send_bytes(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def begin(self):
        assert "result" in await self.call("initialize", {"capabilities": {}, "processId": None})
        self.send({"method": "initialized", "params": {}})
        return self

    async def call(self, method, params):
        self.n_calls += 1
        self.send({"id": self.n_calls, "method": method, "params": params})
        return await self.read(lambda message: message.get("id") == self.n_calls and "method" not in message)

    async def read(self, wanted):
        while True:
            length = 0
            while (line := await asyncio.wait_for(self.process.stdout.readline(), 20)).strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            assert length, "the server closed its output"
            message = json.loads(await self.process.stdout.readexactly(length))
            if wanted(message):
                return message


@asynccontextmanager
async def running(environment):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SERVER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    yield RawServer(process)
    process.kill()
    await process.wait()


@pytest_asyncio.fixture
async def new_server(environment):
    async with running(environment) as server:
        yield server


@pytest_asyncio.fixture
async def own_server(new_server):
    return await new_server.begin()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    async with running({**os.environ, "CODEWHERE_HOME": str(home)}) as server:
        yield await server.begin()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
async def test_names_of_files_that_are_no_text_do_not_spoil_an_answer(start, project):
    (project / os.fsdecode(b"caf\xe9.py")).write_text("def brew_coffee_now(x):\n    return x\n")
    client = await start(project)
    await indexed(client)
    hit = (await request(client, "codewhere/search", {"query": "brew_coffee_now"}))["results"][0]
    assert (hit["path"], hit["uri"]) == ("caf?.py", f"{project.as_uri()}/caf%E9.py")
    symbol = (await client.workspace_symbol_async(lsp.WorkspaceSymbolParams("brew_coffee_now")))[0]
    assert symbol.container_name.endswith("caf?.py")
