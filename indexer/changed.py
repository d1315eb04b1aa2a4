"""Which files git calls changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from indexer.errors import UserError

_TIMEOUT_S = 20.0
# The folder may be a stranger's: its settings must not run programs when we only look.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "diff.external=", "--no-optional-locks")


def changed_files(root: Path) -> frozenset[str]:
    """Root-relative paths that differ from the last commit, new files included.

    Raises `UserError` outside a git work tree.
    """
    tracked = _lines(root, "diff", "--name-only", "--no-ext-diff", "--relative", "-z", "HEAD")
    untracked = _lines(root, "ls-files", "--others", "--exclude-standard", "-z")
    return frozenset(tracked + untracked)


def _lines(root: Path, *arguments: str) -> list[str]:
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
