"""`codewhere status`, `gc` and `doctor`: the store as a whole."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.commands.common import EmbedderLoader, Flags, existing_folder, indexed_root, not_indexed
from indexer.config import load_config
from indexer.folders import why_away
from indexer.render import bytes_text, count, print_finding, print_json, print_line, print_table, say

if TYPE_CHECKING:
    from indexer.config import Config
    from indexer.types import Status


def status(path: Path | None, as_json: bool) -> None:
    """One root, or all of them."""
    config = load_config()
    if path is not None:
        folder = existing_folder(path)
        row = indexed_root(config.home, folder)
        if row is None:
            raise not_indexed(folder)
        statuses = [_status_of(Path(row.path), config)]
    else:
        statuses = [_status_of(root, config) for root in _roots(config.home)]
    if as_json:
        print_json({"home": str(config.home), "roots": [dataclasses.asdict(status) for status in statuses]})
    elif path is not None:
        _print_one(statuses[0])
    else:
        _print_all(statuses, config)


def _roots(home: Path) -> list[Path]:
    from indexer.store import Store

    if not home.exists():
        return []
    store = Store(home)
    try:
        return [Path(row.path) for row in store.roots()]
    finally:
        store.close()


def _status_of(root: Path, config: Config) -> Status:
    from indexer.engine import open_index
    from indexer.types import Status

    if why_away(root):
        return Status(root=str(root), indexed=True)
    with open_index(root, config=config, embedder=EmbedderLoader(config)) as index:
        return index.status()


def _print_all(statuses: list[Status], config: Config) -> None:
    if not statuses:
        say(f"Nothing is indexed yet in {config.home}. Run `codewhere index` in a folder.")
        return
    rows = [
        [
            f"{status.functions:,}",
            f"{status.embedded:,}",
            status.model or "-",
            bytes_text(status.disk_bytes),
            f"folder is {away}" if (away := why_away(Path(status.root))) else _when(status.last_update),
            status.root,
        ]
        for status in statuses
    ]
    print_table(rows, ["FUNCTIONS", "EMBEDDED", "MODEL", "DISK", "UPDATED", "FOLDER"])
    store_bytes = max(status.store_bytes for status in statuses)
    print_line(f"{bytes_text(store_bytes)} in {config.home}; what roots share is counted for each of them")


def _print_one(status: Status) -> None:
    model = f"{status.model} ({status.fingerprint})" if status.model else "none yet"
    lines = [
        f"folder     {status.root}",
        f"files      {status.files:,}, {len(status.skipped):,} skipped",
        f"functions  {status.functions:,}, {status.embedded:,} embedded ({int(status.coverage * 100)} %)",
        f"model      {model}{f' on {status.device}' if status.device else ''}",
        f"disk       {bytes_text(status.disk_bytes)} of {bytes_text(status.store_bytes)}",
        f"updated    {_when(status.last_update)}",
    ]
    if status.indexing_pid is not None:
        lines.append(f"indexing   process {status.indexing_pid} is at it now")
    for line in lines:
        print_line(line)


def _when(seconds: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds)) if seconds else "not complete"


def collect(grace_days: float, forget: Path | None, as_json: bool) -> None:
    """Free what nobody uses."""
    from indexer.store import Store

    store = Store(load_config().home)
    try:
        if forget is not None and not store.forget(str(forget.resolve())):
            raise not_indexed(forget)
        report = store.gc(grace_days)
        if forget is not None:
            report = report._replace(roots=report.roots + 1)
    finally:
        store.close()
    if as_json:
        print_json(report._asdict())
        return
    parts = (count(report.roots, "root"), count(report.contents, "function"), count(report.vectors, "vector"))
    print_line(f"Removed {', '.join(parts)}; {bytes_text(report.freed_bytes)} freed.")


def doctor(path: Path, flags: Flags, *, repair: bool, as_json: bool) -> int:
    """Check everything; the exit status is 1 where a check failed."""
    from indexer.doctor import FAIL, examine

    findings = []
    for finding in examine(load_config(existing_folder(path), **flags), repair=repair):
        findings.append(finding)
        if not as_json:
            print_finding(finding)
    if as_json:
        print_json({"findings": [dataclasses.asdict(finding) for finding in findings]})
    return int(any(finding.level == FAIL for finding in findings))
