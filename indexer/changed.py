"""Which files git calls changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from indexer.errors import UserError

_TIMEOUT_S = 20.0
_DIFF = (
    "diff",
    "--raw",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--ignore-submodules=none",
    "--relative",
    "-z",
)
_SUBMODULE = "160000"
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
# The folder may be a stranger's: its settings must not run programs when we only look.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "diff.external=", "--no-optional-locks")


def changed_files(root: Path) -> frozenset[str]:
    """Root-relative paths that differ from the last commit, new files and those of submodules included.

    Raises `UserError` outside a git work tree.
    """
    return frozenset(_changed(root, "HEAD"))


def _changed(folder: Path, since: str) -> Iterator[str]:
    """Paths in a work tree that differ from a commit of it; of a submodule, from the commit that this one names."""
    entries = _fields(folder, *_DIFF, since)
    for change, path in zip(entries[::2], entries[1::2], strict=True):
        before, now, commit = change.lstrip(":").split()[:3]
        if now != _SUBMODULE:
            yield path
        elif (folder / path / ".git").exists():
            base = commit if before == _SUBMODULE else _EMPTY_TREE
            yield from (f"{path}/{inner}" for inner in _changed(folder / path, base))
    yield from _fields(folder, "ls-files", "--others", "--exclude-standard", "-z")


def _fields(root: Path, *arguments: str) -> list[str]:
    try:
        done = subprocess.run(
            [*_GIT, *arguments], cwd=root, capture_output=True, check=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(
            f"Cannot tell which files of {root} changed: it is no git work tree with a commit, or git does"
            " not answer. Search without the restriction to changed files."
        ) from error
    return [os.fsdecode(line) for line in done.stdout.split(b"\0") if line]
