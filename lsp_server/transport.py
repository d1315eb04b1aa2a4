"""How bytes come in and go out: stdio, or TCP for one client that knows the token."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import os
import queue
import re
import secrets
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, Protocol

from pygls.io_ import StdinAsyncReader, run_async

from indexer.errors import UserError

if TYPE_CHECKING:
    from lsp_server.server import CodewhereServer

log = logging.getLogger(__name__)

TOKEN_VARIABLE = "CODEWHERE_TOKEN"
_MIN_TOKEN_CHARS = 16
_MAX_MESSAGE_BYTES = 256 * 1024 * 1024  # a buffer of any sane size; a larger header is an attack or a defect
_MAX_INITIALIZE_BYTES = 4 * 1024 * 1024  # what a stranger may make the server read
_AUTHENTICATION_SECONDS = 10.0
_WRITER_MESSAGES = 10_000  # replies that wait for a client that does not read; then the server waits too
_WRONG_TOKEN = -32001
_CONTENT_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,18})[ \t]*\r?\n$", re.IGNORECASE)


class Reader(Protocol):
    """What pygls reads from."""

    def readline(self) -> Awaitable[bytes]:
        """One line, empty at the end."""

    def readexactly(self, n: int) -> Awaitable[bytes]:
        """So many bytes."""


class QueueWriter:
    """Writes on a thread of its own: a client that is slow to read must not stop the server from reading.

    :param on_broken: Called on that thread, once, when nobody reads any more.
    """

    def __init__(self, stream: BinaryIO, on_broken: Callable[[], None]) -> None:
        self._stream = stream
        self._on_broken = on_broken
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_WRITER_MESSAGES)
        self._thread = threading.Thread(target=self._run, name="codewhere-writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Takes a message; returns before it is written."""
        self._waiting.put(data)

    def close(self) -> None:
        """Writes what is waiting."""
        self._waiting.put(None)
        self._thread.join(5.0)

    def _run(self) -> None:
        broken = False
        while (data := self._waiting.get()) is not None:
            if broken:
                continue  # what still comes is taken, so that nobody waits for room
            try:
                self._stream.write(data)
                self._stream.flush()
            except (OSError, ValueError):
                broken = True
                log.info("The client no longer reads.")
                self._on_broken()


class LimitedReader:
    """Refuses messages that are too large before a byte of them is kept, and spells headers as pygls reads them."""

    def __init__(self, inner: Reader, limit: int = _MAX_MESSAGE_BYTES) -> None:
        self._inner = inner
        self._limit = limit

    async def readline(self) -> bytes:
        """One line of a header; pygls skips a length in small letters, and with it the message."""
        line = await self._inner.readline()
        match = _CONTENT_LENGTH.match(line)
        return b"Content-Length: %d\r\n" % int(match[1]) if match else line

    async def readexactly(self, n: int) -> bytes:
        """The body of a message; empty, which ends the session, where it is too large or cut off."""
        if n > self._limit:
            log.error("A message of %d bytes is refused; the limit is %d.", n, self._limit)
            return b""
        try:
            return await self._inner.readexactly(n)
        except asyncio.IncompleteReadError:
            return b""


def serve_stdio(server: CodewhereServer) -> NoReturn:
    """Serves the process that started this one, and ends this one with the exit status of the session."""
    stdin, stdout = _private_stdio()
    # The reader may never see the end of its stream: other processes can hold the other end of the pipe.
    writer = QueueWriter(stdout, lambda: server.on_exit())
    server.protocol.set_writer(writer)
    reader = LimitedReader(StdinAsyncReader(stdin, server.thread_pool))
    asyncio.run(_run_session(server, reader))
    status = server.exit_status
    server.close()
    writer.close()
    _exit_now(status)


def serve_tcp(
    make_server: Callable[[], CodewhereServer], host: str, port: int, *, allow_remote: bool
) -> NoReturn:
    """Waits for one client with the right token, serves it, and ends the process with the exit status.

    Raises `UserError` for an address that other machines reach, unless that was allowed.
    """
    if not allow_remote and not _is_loopback(host):
        raise UserError(f"{host} can be reached from other machines; say --allow-remote if that is wanted.")
    token = _token()
    server = make_server()
    try:
        asyncio.run(_listen(server, host, port, token))
    except OSError as error:
        raise UserError(f"Cannot listen on {host}:{port}: {error.strerror}. Take another --port.") from error
    server.close()
    _exit_now(server.exit_status)


async def _run_session(server: CodewhereServer, reader: Reader) -> None:
    """Reads messages until the client says exit, closes the stream or dies, or a signal comes."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def end() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the session with it
            loop.call_soon_threadsafe(stop.set)

    server.on_exit = end
    if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
    messages = asyncio.ensure_future(
        run_async(threading.Event(), reader, server.protocol, error_handler=server.report_broken_message)
    )
    ended = asyncio.ensure_future(stop.wait())
    await asyncio.wait({messages, ended}, return_when=asyncio.FIRST_COMPLETED)
    # The reading thread may sit in a read that never returns; nobody waits for it.
    messages.cancel()
    ended.cancel()
    await asyncio.to_thread(server.close)


async def _listen(server: CodewhereServer, host: str, port: int, token: str) -> None:
    finished = asyncio.Event()
    taken = False

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        first = await _authenticate(reader, writer, token, taken=lambda: taken)
        if first is None:
            writer.close()
            return
        taken = True
        listener.close()
        server.protocol.set_writer(_StreamWriter(writer))
        await _run_session(server, LimitedReader(_Replay(first, reader)))
        await _flush(writer)
        finished.set()

    listener = await asyncio.start_server(connect, host, port)
    address = listener.sockets[0].getsockname()
    print(f"Listening on {address[0]}:{address[1]}", file=sys.stderr, flush=True)  # noqa: T201
    await finished.wait()


async def _authenticate(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, taken: Callable[[], bool]
) -> bytes | None:
    """The first message, without the token; None where it is not an initialize request with the token."""
    try:
        body = await asyncio.wait_for(_read_message(reader), _AUTHENTICATION_SECONDS)
    except (asyncio.TimeoutError, asyncio.IncompleteReadError, OSError, ValueError):
        return None
    message, given = _take_token(body)
    if message is None or taken() or not hmac.compare_digest(given.encode(), token.encode()):
        await _refuse(writer, message)
        return None
    # The client may run on another machine, where its number means nothing here; the connection says when it is gone.
    message["params"]["processId"] = None
    return json.dumps(message).encode()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    length = 0
    while (line := await reader.readline()) not in (b"\r\n", b""):
        match = _CONTENT_LENGTH.match(line)
        length = int(match[1]) if match else length
    if not 0 < length <= _MAX_INITIALIZE_BYTES:
        raise ValueError("no message of an allowed size")
    return await reader.readexactly(length)


def _take_token(body: bytes) -> tuple[dict[str, Any] | None, str]:
    """The message without its token, and the token; None and an empty text for anything else."""
    try:
        message = json.loads(body)
        if message["method"] != "initialize":
            return None, ""
        given = message["params"]["initializationOptions"].pop("token")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None, ""
    return (message, given) if isinstance(given, str) else (None, "")


async def _refuse(writer: asyncio.StreamWriter, message: dict[str, Any] | None) -> None:
    error = {"code": _WRONG_TOKEN, "message": "initializationOptions.token is missing or wrong."}
    reply = {"jsonrpc": "2.0", "id": (message or {}).get("id"), "error": error}
    body = json.dumps(reply).encode()
    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    await _flush(writer)


async def _flush(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except OSError:
        log.info("The client closed the connection.")


class _Replay:
    """A stream that begins with a message that was read before."""

    def __init__(self, body: bytes, inner: Reader) -> None:
        self._lines = [b"Content-Length: %d\r\n" % len(body), b"\r\n"]
        self._body = body
        self._inner = inner

    async def readline(self) -> bytes:
        return self._lines.pop(0) if self._lines else await self._inner.readline()

    async def readexactly(self, n: int) -> bytes:
        body, self._body = self._body, b""
        return body or await self._inner.readexactly(n)


class _StreamWriter:
    """asyncio's writer without the pause that pygls' shutdown makes of its `close`."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def close(self) -> None:
        """The session closes the stream after its last reply."""


def _private_stdio() -> tuple[BinaryIO, BinaryIO]:
    """The protocol's own streams; whatever else reads stdin or prints to stdout can no longer disturb it."""
    stdin, stdout = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        for stream in (stdin, stdout):
            msvcrt.setmode(stream, os.O_BINARY)
    return os.fdopen(stdin, "rb"), os.fdopen(stdout, "wb")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _token() -> str:
    given = os.environ.get(TOKEN_VARIABLE)
    if given is None:
        token = secrets.token_urlsafe(32)
        print(f"Token: {token}", file=sys.stderr, flush=True)  # noqa: T201 - for the person who starts it
        return token
    if len(given) < _MIN_TOKEN_CHARS:
        raise UserError(f"{TOKEN_VARIABLE} must have at least {_MIN_TOKEN_CHARS} characters.")
    return given


def _exit_now(status: int) -> NoReturn:
    """Ends the process without waiting for threads that only compute or read; everything is written by now."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
