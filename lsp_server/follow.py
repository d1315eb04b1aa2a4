"""Follows the disk: the watcher of the engine, or the client's own file events, feed the indexing queue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from indexer.config import Config
from indexer.errors import UserError
from indexer.types import UpdateReport
from lsp_server.indexing import Indexer
from lsp_server.workspaces import Root

if TYPE_CHECKING:
    from indexer.engine import Index
    from indexer.watch import Watcher

log = logging.getLogger(__name__)

_CLIENT_SCAN_SECONDS = 600.0  # clients miss events too; a look at everything now and then finds what is left


class Follower:
    """One watcher for each root. Used by one background thread; `touch` by any."""

    def __init__(self, indexer: Indexer) -> None:
        self._indexer = indexer
        self._watchers: dict[Root, Watcher] = {}

    def follow(self, root: Root, config: Callable[[Path], Config], *, by_client: bool) -> None:
        """Begins to follow a root; with `by_client` the events come from `touch`."""
        from indexer.watch import Watcher

        if root in self._watchers:
            return
        try:
            queue = _Queue(root, config(root.path), self._indexer)
        except UserError as error:
            root.tell("error", str(error))
            return
        # The watcher needs no more of an index than this.
        index = cast("Index", queue)
        watcher = Watcher(index, scan_every_s=_CLIENT_SCAN_SECONDS) if by_client else Watcher(index)
        self._watchers[root] = watcher
        # Who begins to follow a root asks for everything as well.
        watcher.start(scan=False)

    def touch(self, root: Root, paths: Sequence[str]) -> None:
        """The client says that these root-relative paths changed."""
        watcher = self._watchers.get(root)
        if watcher is not None:
            watcher.touch(paths)

    def drop(self, root: Root) -> bool:
        """Stops to follow a root; whether it was followed."""
        watcher = self._watchers.pop(root, None)
        if watcher is not None:
            watcher.stop()
        return watcher is not None

    def stop(self) -> None:
        """Stops to follow anything."""
        for root in list(self._watchers):
            self.drop(root)


class _Queue:
    """Looks like an index to the watcher, and puts its updates in the one queue of the server."""

    def __init__(self, root: Root, config: Config, indexer: Indexer) -> None:
        self.root = root.path
        self.config = config
        self._root = root
        self._indexer = indexer

    def update(
        self, *, paths: Sequence[str] | None = None, cancelled: Callable[[], bool] = lambda: False
    ) -> UpdateReport:
        """Returns when the files were read, so that the watcher can tell how long that takes."""
        if paths is None:
            self._indexer.request_all(self._root, "watch")
        else:
            self._indexer.request_paths(self._root, paths)
        self._indexer.wait(self._root, cancelled)
        return UpdateReport()
