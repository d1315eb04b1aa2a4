"""The wire: what pygls 2 leaves open is closed here, so that every request gets exactly one reply."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs
from cattrs import Converter
from lsprotocol import types as lsp
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method
from pygls.protocol.json_rpc import RPCMessage

from indexer.errors import UserError
from lsp_server import checks
from lsp_server.reasons import drop_unknown, reason

if TYPE_CHECKING:
    from lsp_server.server import CodewhereServer

log = logging.getLogger(__name__)

SEARCH = "codewhere/search"
SIMILAR = "codewhere/similar"
STATUS = "codewhere/status"
DID_UPDATE = "codewhere/didUpdate"
_OWN_REQUESTS = (SEARCH, SIMILAR, STATUS)
_REQUEST_FAILED = -32803

Handler = Callable[["CodewhereServer", Any], Awaitable[object]]


@attrs.define
class RawRequest:
    """A request whose parameters stay JSON, to be checked by `lsp_server.params`."""

    id: int | str
    method: str
    params: Any = None
    jsonrpc: str = "2.0"


def make_converter() -> Converter:
    """The converter of lsprotocol without its kindness: ``null`` is no text and ``"3"`` is no number.

    What it writes is text to every client: Neovim and Emacs can read nothing of a message with half a surrogate pair
    in it, as in the name of a file that is no UTF-8.
    """
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    converter.register_unstructure_hook(str, _readable)
    _read_exactly(converter, str, checks.text)
    _read_exactly(converter, bool, checks.switch)
    _read_exactly(converter, int, checks.integer)
    return converter


def _readable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _read_exactly(converter: Converter, kind: type, check: Callable[[Any], Any]) -> None:
    """Read a type by a check of ours; enumerations made of it come here too, and stay what they are."""

    def read(value: object, wanted: type) -> object:
        return check(value) if wanted is kind else wanted(check(value))

    converter.register_structure_hook(kind, read)


class Protocol(LanguageServerProtocol):
    """The server's side of the conversation."""

    _server: CodewhereServer
    _shutdown_task: asyncio.Task[Any] | None = None

    def __init__(self, server: CodewhereServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self._running: dict[int | str, tuple[str, float]] = {}  # method and start of each unanswered request

    @functools.cache  # noqa: B019 - one protocol lives as long as the process
    def get_message_type(self, method: str) -> type[Any] | None:
        """Own requests stay JSON; the others have the types of lsprotocol."""
        return RawRequest if method in _OWN_REQUESTS else super().get_message_type(method)

    def structure_message(self, data: dict[str, Any]) -> object:
        """Answers messages that do not fit their type; pygls only logs them, and the client waits forever."""
        if isinstance(data, dict) and data.get("method") == lsp.INITIALIZE:
            self._forgive_unknown(data.get("params"))
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            self._answer_malformed(data, error)
            raise

    def _forgive_unknown(self, params: object) -> None:
        capabilities = params.get("capabilities") if isinstance(params, dict) else None
        if isinstance(capabilities, dict) and (dropped := drop_unknown(capabilities, self._converter)):
            log.info("Capabilities of the client that are not known here: %s.", ", ".join(dropped))

    def _answer_malformed(self, data: dict[str, Any], error: JsonRpcException) -> None:
        if "id" not in data:
            return
        if "method" in data:
            wrong = not isinstance(data.get("params", {}), dict)
            text = "an object is expected" if wrong else reason(error)
            failure = JsonRpcInvalidParams(f"Invalid parameters of {data['method']}: {text}")
            self._send_response(data["id"], error=failure.to_response_error())
        elif (future := self._request_futures.pop(data["id"], None)) is not None:
            future.set_exception(error)

    def handle_message(self, message: RPCMessage) -> None:
        """Requests before `initialize` and after `shutdown` get the errors that LSP names."""
        method = getattr(message, "method", None)
        refusal = self._refusal(method)
        if refusal is None:
            if method is not None and hasattr(message, "id"):
                self._running[message.id] = (method, time.perf_counter())
            super().handle_message(message)
        elif hasattr(message, "id"):
            self._send_response(message.id, error=refusal.to_response_error())

    def _send_response(
        self, msg_id: int | str, result: object = None, error: lsp.ResponseError | None = None
    ) -> None:
        super()._send_response(msg_id, result, error)
        method, started = self._running.pop(msg_id, ("", 0.0))
        if method and self._server.settings.trace:
            outcome = f"error {error.code}" if error else "done"
            elapsed_ms = 1000 * (time.perf_counter() - started)
            message = f"{method} {outcome} after {elapsed_ms:.1f} ms"
            self._server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Log, message))

    def _refusal(self, method: str | None) -> JsonRpcException | None:
        if method is None or method == lsp.EXIT:
            return None
        if self._shutdown:
            return JsonRpcInvalidRequest("The server is shutting down.")
        initialized = self._workspace is not None
        if initialized and method == lsp.INITIALIZE:
            return JsonRpcInvalidRequest("The server was initialized before.")
        if not initialized and method != lsp.INITIALIZE:
            return JsonRpcServerNotInitialized("Send initialize first.")
        return None

    @lsp_method(lsp.SHUTDOWN)
    async def lsp_shutdown(self, *args: object) -> None:  # type: ignore[override]
        """Ends all work, and answers when what is done is written."""
        self._shutdown = True
        self._shutdown_task = asyncio.current_task()
        await asyncio.to_thread(self._server.close)

    @lsp_method(lsp.EXIT)
    async def lsp_exit(self, *args: object) -> None:  # type: ignore[override]
        """Ends the session in order, after the reply to `shutdown`; pygls leaves with `sys.exit`."""
        if self._shutdown_task is not None:
            await asyncio.wait({self._shutdown_task})
        self._server.on_exit()

    @property
    def was_shut_down(self) -> bool:
        """Whether the client has asked for `shutdown`."""
        return self._shutdown

    def answer_unreadable(self) -> None:
        """The reply to bytes that are no JSON; there is no id to answer to."""
        error = {"code": -32700, "message": "The message is not valid JSON."}
        self._send_data({"jsonrpc": self.VERSION, "id": None, "error": error})

    @lsp_method(lsp.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: lsp.ExecuteCommandParams
    ) -> object:
        """Runs inside the request, so that a cancelled command stops; in pygls it runs on."""
        handler = self.fm.commands.get(params.command)
        if handler is None:
            known = ", ".join(self.fm.commands)
            raise JsonRpcInvalidParams(f"Unknown command {params.command!r}. Known commands: {known}.")
        return await handler(list(params.arguments or []))

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        """The server keeps buffers itself: pygls cuts lines where editors do not."""
        self._server.documents.open(params.text_document)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        """Applies the edits in the order given."""
        self._server.documents.change(params.text_document, params.content_changes)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        """Forgets the buffer; from now on the file counts."""
        self._server.documents.close(params.text_document.uri)


def _is_defect(record: logging.LogRecord) -> bool:
    """Whether a line of pygls' log tells of more than a request that was answered with its error."""
    error = record.exc_info[1] if record.exc_info else None
    answered = isinstance(error, JsonRpcException) and error.code in (
        JsonRpcInvalidParams.CODE,
        _REQUEST_FAILED,
    )
    late_cancel = isinstance(record.msg, str) and record.msg.startswith("Cancel notification for unknown")
    return not answered and not late_cancel


logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_defect)


def guarded(handler: Handler) -> Handler:
    """Turns the errors of a request handler into replies: bad parameters, failed requests, cancelled work.

    Any other exception is a defect: pygls answers it with an internal error and the server lives on.
    """

    @functools.wraps(handler)
    async def run(ls: CodewhereServer, params: object) -> object:
        try:
            return await handler(ls, params)
        except asyncio.CancelledError:
            raise
        except ValueError as error:
            raise JsonRpcInvalidParams(f"Invalid parameters: {error}") from error
        except UserError as error:
            raise JsonRpcException(str(error), code=_REQUEST_FAILED) from error

    return run
