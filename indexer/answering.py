"""A running watcher or language server answers for short-lived commands, which then need not load the model.

It listens on a Unix socket in the data folder, which is private to the user. One request a connection, one
line of JSON each way. Whatever goes wrong, the command answers by itself.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from indexer.errors import UserError
from indexer.types import Answer, Function, SearchFilters, SearchResult, Why

if TYPE_CHECKING:
    from indexer.config import Config

_log = logging.getLogger(__name__)

_FOLDER = "run"
_FORMAT = 2  # of requests and replies
_MOST_BYTES = 64_000_000
_CONNECT_S = 0.2
_ANSWER_S = 10.0  # a process busy with indexing may be slower than a new one
_SAME = ("model", "device", "dtype", "dim", "store", "home")
"""Settings that decide answers: a process with others must not answer."""


class Answering(Protocol):
    """What is needed of an index."""

    config: Config

    def search(self, query: str, *, limit: int, filters: SearchFilters, explain: bool, dense: bool) -> Answer:
        """The functions that answer a query."""

    def similar(
        self,
        path: str,
        line: int,
        *,
        text: str | None = None,
        language: str = "",
        limit: int,
        filters: SearchFilters,
    ) -> Answer:
        """The functions nearest to the one at a line, or to a text."""


class AnswerServer:
    """Answers commands of the same user for the indices of this process; a context manager.

    :param find: The index of a root, None for a root that this process does not serve.
    """

    def __init__(self, home: Path, find: Callable[[Path], Answering | None]) -> None:
        self._path = home / _FOLDER / f"{os.getpid()}.sock"
        self._find = find
        self._server: socketserver.BaseServer | None = None

    def __enter__(self) -> AnswerServer:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; where that is not possible (Windows, a very long path) commands answer by themselves."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(self._path.parent)
            self._path.unlink(missing_ok=True)
            self._server = _make_server(self._path, self._respond)
        except (OSError, AttributeError) as error:
            _log.info("not answering for commands: %s", error)
            return
        threading.Thread(target=self._server.serve_forever, name="codewhere-answer", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._path.unlink(missing_ok=True)

    def _respond(self, request: dict[str, Any]) -> dict[str, Any]:
        index = self._find(Path(request["root"]))
        if index is None or request["settings"] != _settings(index.config):
            return {}
        arguments = dict(request["arguments"])
        arguments["filters"] = _filters_from(arguments["filters"])
        try:
            call: Callable[..., Answer] = index.similar if request["call"] == "similar" else index.search
            return {"answer": asdict(call(**arguments))}
        except UserError as error:
            return {"error": str(error)}


def ask(config: Config, root: Path, call: str, **arguments: object) -> Answer | None:
    """The answer of a running process; None where none serves this root with these settings.

    :param call: ``search`` or ``similar``, with the arguments of that method of `Index`.
    :raises UserError: Where the running process says so, as the method itself would.
    """
    filters = arguments["filters"]
    assert isinstance(filters, SearchFilters)
    request = {
        "root": str(root),
        "settings": _settings(config),
        "call": call,
        "arguments": {**arguments, "filters": asdict(filters)},
    }
    for path in _sockets(config.home):
        answer = _exchange(path, request)
        if answer is not None:
            return answer
    return None


def _sockets(home: Path) -> Iterator[Path]:
    if not hasattr(socket, "AF_UNIX"):
        return
    with contextlib.suppress(OSError):
        folder = home / _FOLDER
        paths = sorted(folder.glob("*.sock"))
        if paths:
            _check_private(folder)
        yield from paths


def _exchange(path: Path, request: dict[str, Any]) -> Answer | None:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_CONNECT_S)
            connection.connect(str(path))
            connection.settimeout(_ANSWER_S)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                reply = json.loads(stream.readline(_MOST_BYTES))
        if "error" in reply:
            raise UserError(reply["error"])
        return _answer_from(reply["answer"]) if reply else None
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)  # left by a process that was killed
    except (OSError, ValueError, TypeError, KeyError) as error:
        _log.info("%s gave no answer: %s", path, error)
    return None


def _make_server(path: Path, respond: Callable[[dict[str, Any]], dict[str, Any]]) -> socketserver.BaseServer:
    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        timeout = _ANSWER_S

        def handle(self) -> None:
            if not _is_same_user(self.connection):
                return
            try:
                request = json.loads(self.rfile.readline(_MOST_BYTES))
                reply = respond(request)
            except Exception:  # one bad request must not end the watcher
                _log.exception("could not answer a command")
                reply = {}
            with contextlib.suppress(OSError):
                self.wfile.write(json.dumps(reply).encode() + b"\n")

    server = Server(str(path), Handler)
    path.chmod(0o600)
    return server


def _is_same_user(connection: socket.socket) -> bool:
    """The folder keeps others out already; where the system tells who is calling, it is checked as well."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    form = "3i"
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(form))
    return bool(struct.unpack(form, credentials)[1] == os.getuid())


def _check_private(folder: Path) -> None:
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{folder} is not private to this user")


def _settings(config: Config) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(config, name) for name in _SAME}
    return {**values, "home": str(config.home), "format": _FORMAT}


def _filters_from(values: dict[str, Any]) -> SearchFilters:
    return SearchFilters(**_with_tuples(values))


def _answer_from(values: dict[str, Any]) -> Answer:
    results = tuple(_result_from(result) for result in values["results"])
    return Answer(**{**values, "results": results, "notes": tuple(values["notes"])})


def _result_from(values: dict[str, Any]) -> SearchResult:
    why = Why(**_with_tuples(values["why"]))
    return SearchResult(**{**values, "function": Function(**values["function"]), "why": why})


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) for name, value in values.items()}


def _tuple(value: object) -> object:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
