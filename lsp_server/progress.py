"""Work-done progress of indexing: one bar for each root, shown only for work that takes a while."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from lsp_server.server import CodewhereServer
    from lsp_server.workspaces import Root

log = logging.getLogger(__name__)

_SHOW_AFTER_SECONDS = 0.3  # a bar for every saved file would flicker
_numbers = itertools.count(1)


class ProgressBars:
    """The bars of all roots. Used by the event loop only."""

    def __init__(self, server: CodewhereServer) -> None:
        self._server = server
        self._bars: dict[Root, _Bar] = {}
        self._timers: dict[Root, asyncio.TimerHandle] = {}

    def update(self, root: Root, fraction: float | None) -> None:
        """Shows how far the indexing of a root is; one on which work is stopped gets no bar."""
        if root.paused or root.held or not self._is_supported():
            return
        if root in self._bars:
            self._bars[root].report(fraction, root.state.message)
        elif root not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[root] = loop.call_later(_SHOW_AFTER_SECONDS, self._show, root)

    def end(self, root: Root) -> None:
        """Takes the bar of a root away."""
        timer = self._timers.pop(root, None)
        if timer is not None:
            timer.cancel()
        bar = self._bars.pop(root, None)
        if bar is not None:
            bar.end(root.state.message)

    def _show(self, root: Root) -> None:
        del self._timers[root]
        self._bars[root] = _Bar(self._server, root)

    def root_of(self, token: str | int) -> Root | None:
        """The root whose bar has this token."""
        return next((root for root, bar in self._bars.items() if bar.token == token), None)

    def _is_supported(self) -> bool:
        window = self._server.client_capabilities.window
        return bool(window and window.work_done_progress)


class _Bar:
    """One bar; nothing is sent before the client has agreed to its token."""

    def __init__(self, server: CodewhereServer, root: Root) -> None:
        self.token = f"codewhere-{next(_numbers)}"
        self._server = server
        self._title = f"Indexing {root.name}"
        self._begun = False
        self._ended = False
        self._message = root.state.message
        self._task = asyncio.get_running_loop().create_task(self._begin())

    def report(self, fraction: float | None, message: str) -> None:
        percentage = None if fraction is None else int(100 * fraction)
        self._message = message
        if self._begun:
            self._send(lsp.WorkDoneProgressReport(message=message, percentage=percentage))

    def end(self, message: str) -> None:
        self._ended = True
        if self._begun:
            self._send(lsp.WorkDoneProgressEnd(message=message or "Done"))

    async def _begin(self) -> None:
        request = lsp.WorkDoneProgressCreateParams(self.token)
        try:
            await self._server.window_work_done_progress_create_async(request)
        except Exception:
            log.info("The client refused a progress bar.")
            return
        if not self._ended:
            begin = lsp.WorkDoneProgressBegin(
                self._title, cancellable=True, message=self._message, percentage=0
            )
            self._send(begin)
            self._begun = True

    def _send(self, value: object) -> None:
        self._server.progress(lsp.ProgressParams(self.token, value))
