"""`codewhere watch`: follows a folder until it is stopped, one line an update."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.answering import AnswerServer
from indexer.commands.common import (
    EmbedderLoader,
    Flags,
    Interruption,
    existing_folder,
    open_root,
    settings_for,
)
from indexer.commands.index import STOPPED, update
from indexer.config import load_config
from indexer.render import print_json, print_line, print_update, say, update_line
from indexer.types import UpdateReport
from indexer.watch import Watcher

if TYPE_CHECKING:
    from indexer.engine import Index


def run(path: Path, flags: Flags, *, scan_every: float | None, as_json: bool) -> int:
    """Bring the index up to date, then follow the folder; the exit status."""
    root = existing_folder(path)
    config = settings_for(root, flags)
    loader = EmbedderLoader(config)
    with open_root(root, config, loader, lambda: load_config(root, **flags)) as index:
        report = update(index, loader)
        _show(report, as_json, first=True)
        return STOPPED if report.cancelled else _follow(index, loader, scan_every, as_json)


def _follow(index: Index, loader: EmbedderLoader, scan_every: float | None, as_json: bool) -> int:
    watcher = Watcher(
        index,
        lambda report: _show(report, as_json),
        on_error=lambda error: say(f"codewhere: {error} Trying again.", "bold red"),
        scan_every_s=scan_every,
    )
    serves = AnswerServer(index.config.home, lambda root: index if root == index.root else None)
    with Interruption("") as stop, serves, watcher:
        if watcher.fallback:
            say(f"Looking at the whole folder now and then: {watcher.fallback}.", "yellow")
        say(f"Watching {index.root}. Ctrl-C ends it.")
        loader.load_now()  # the watcher listens already; the first edit shall not wait for the model
        while not stop.asked:
            time.sleep(0.1)
    return 0


def _show(report: UpdateReport, as_json: bool, *, first: bool = False) -> None:
    if as_json:
        print_json({"time": time.time(), **dataclasses.asdict(report)})
    elif first:
        print_update(report)
    else:
        print_line(f"{time.strftime('%H:%M:%S')} {update_line(report)}")
    for note in report.notes:
        say(note, "yellow")
