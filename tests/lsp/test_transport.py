"""TCP: one client, only with the token, only from this machine unless told otherwise."""

from __future__ import annotations

import asyncio
import json
import re
import sys

import pytest

from indexer.errors import UserError
from lsp_server.features.lifecycle import _PARENT_CHECK_SECONDS
from lsp_server.transport import LimitedReader, serve_tcp
from tests.lsp.conftest import SERVER

TOKEN = "0123456789abcdef"


def frame(message) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def initialize(token=None, process_id=None):
    options = {} if token is None else {"token": token, "limit": 3}
    params = {"capabilities": {}, "processId": process_id, "initializationOptions": options}
    return {"id": 1, "method": "initialize", "params": params}


async def read(reader):
    length = 0
    while (line := await asyncio.wait_for(reader.readline(), 20)).strip():
        length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length") else length
    return json.loads(await reader.readexactly(length)) if length else None


@pytest.fixture
async def port(environment):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SERVER),
        "--tcp",
        stderr=asyncio.subprocess.PIPE,
        env={**environment, "CODEWHERE_TOKEN": TOKEN},
    )
    line = await asyncio.wait_for(process.stderr.readline(), 20)
    yield int(re.search(rb"127\.0\.0\.1:(\d+)", line)[1])
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_a_client_with_the_token_is_served_to_the_end(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(frame(initialize(TOKEN)))
    assert (await read(reader))["result"]["serverInfo"]["name"] == "codewhere"
    writer.write(frame({"method": "initialized", "params": {}}))
    writer.write(frame({"id": 2, "method": "codewhere/status", "params": {}}))
    while (message := await read(reader)).get("id") != 2:
        pass
    assert message["result"]["roots"] == []
    writer.write(frame({"id": 3, "method": "shutdown"}) + frame({"method": "exit"}))
    while (message := await read(reader)).get("id") != 3:
        pass
    assert message["result"] is None
    assert await asyncio.wait_for(reader.read(), 20) == b""


async def test_a_process_id_of_another_machine_ends_nothing(port):
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(frame(initialize(TOKEN, other.pid)) + frame({"method": "initialized", "params": {}}))
    assert (await read(reader))["id"] == 1
    await asyncio.sleep(0.5)
    other.kill()
    await other.wait()
    await asyncio.sleep(_PARENT_CHECK_SECONDS + 0.5)
    writer.write(frame({"id": 2, "method": "codewhere/status", "params": {}}))
    while (message := await read(reader)).get("id") != 2:
        pass
    assert message["result"]["roots"] == []


@pytest.mark.parametrize(
    "header", [b"content-length:%d\r\n", b"Content-Type: a/b\r\nCONTENT-LENGTH: %d \r\n"]
)
async def test_headers_are_read_however_they_are_spelt(environment, header):
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SERVER), stdin=-1, stdout=-1, stderr=asyncio.subprocess.DEVNULL, env=environment
    )
    for message in (initialize(), {"id": 2, "method": "shutdown"}, {"method": "exit"}):
        body = frame(message).partition(b"\r\n\r\n")[2]
        process.stdin.write(header % len(body) + b"\r\n" + body)
    assert (await read(process.stdout))["result"]["serverInfo"]["name"] == "codewhere"
    assert (await read(process.stdout))["result"] is None
    assert await asyncio.wait_for(process.wait(), 20) == 0


@pytest.mark.parametrize(
    "first",
    [
        frame(initialize()),
        frame(initialize("0123456789abcdeF")),
        frame(initialize("")),
        frame({"id": 1, "method": "codewhere/status", "params": {}}),
        b"Content-Length: 99999999999\r\n\r\n",
        b"Content-Length: 3\r\n\r\n[[[",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"\r\n\r\n",
    ],
    ids=["none", "wrong", "empty", "no initialize", "huge", "no json", "http", "no header"],
)
async def test_a_stranger_is_turned_away_and_the_next_one_is_served(port, first):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    rest = await asyncio.wait_for(reader.read(), 20)
    assert b'"result"' not in rest
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(frame(initialize(TOKEN)))
    assert "result" in await read(reader)


async def test_a_second_client_does_not_get_in(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(frame(initialize(TOKEN)))
    assert "result" in await read(reader)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        other, other_writer = await asyncio.open_connection("127.0.0.1", port)
        other_writer.write(frame(initialize(TOKEN)))
        await other.readexactly(1)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_only_this_machine_unless_told_otherwise(host):
    with pytest.raises(UserError, match="--allow-remote"):
        serve_tcp(lambda: None, host, 0, allow_remote=False)


def test_a_short_token_is_refused(monkeypatch):
    monkeypatch.setenv("CODEWHERE_TOKEN", "short")
    with pytest.raises(UserError, match="at least 16"):
        serve_tcp(lambda: None, "127.0.0.1", 0, allow_remote=False)


def test_an_address_in_use_is_told(monkeypatch):
    import socket

    monkeypatch.setenv("CODEWHERE_TOKEN", TOKEN)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="Take another --port"):
            serve_tcp(lambda: None, "127.0.0.1", taken.getsockname()[1], allow_remote=False)


async def test_a_message_of_absurd_size_ends_the_session():
    reader = asyncio.StreamReader()
    assert await LimitedReader(reader, limit=10).readexactly(11) == b""
