"""`codewhere index`: one update of an index, with its progress and a summary."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.commands.common import (
    EmbedderLoader,
    Flags,
    Interruption,
    existing_folder,
    open_root,
    settings_for,
)
from indexer.commands.progress import ProgressDisplay
from indexer.render import print_json, print_update, say

if TYPE_CHECKING:
    from indexer.engine import Index
    from indexer.types import UpdateReport

STOPPED = 130
"""Exit status that a shell expects of a command ended by Ctrl-C."""


def run(path: Path, flags: Flags, *, embed: bool, verbose: bool, as_json: bool) -> int:
    """Index a folder; the exit status."""
    root = existing_folder(path)
    config = settings_for(root, flags)
    loader = EmbedderLoader(config)
    with open_root(root, config, loader) as index:
        report = update(index, loader, embed=embed)
    if as_json:
        print_json({"root": str(root), **dataclasses.asdict(report)})
    else:
        print_update(report, verbose=verbose)
        for note in report.notes:
            say(note, "yellow")
    if report.cancelled:
        return tell_stopped()
    return 0


def tell_stopped() -> int:
    """Say that a stop costs nothing; the exit status."""
    say("Stopped. Nothing is lost: run the same command to go on.", "bold yellow")
    return STOPPED


def update(index: Index, loader: EmbedderLoader, *, embed: bool = True) -> UpdateReport:
    """One update, with its progress on stderr; Ctrl-C stops it after the batch in flight."""
    with (
        ProgressDisplay(loader) as display,
        Interruption("Stopping after this batch. Ctrl-C again stops at once.") as stop,
    ):
        return index.update(on_progress=display, cancelled=stop, embed=embed)
