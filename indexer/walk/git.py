"""What git itself keeps outside `.gitignore` files: where a work tree ends, and its other exclude files."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from indexer.walk.content import read_bytes
from indexer.walk.ignore import Rules, parse_rules

_MAX_POINTER_BYTES = 4096
_MAX_RULE_BYTES = 1_000_000
"""An ignore file beyond this is not one a person wrote; the rest of it is not read."""


@dataclass(frozen=True)
class Repository:
    """The git data of one work tree."""

    common: Path
    """The folder that all work trees of a repository share; the identity of the repository."""
    linked: bool
    """Whether this is an additional work tree (`git worktree add`)."""


def repository_at(folder: Path) -> Repository | None:
    """The repository whose work tree starts at this folder: a clone, a submodule or a linked work tree."""
    try:
        return _repository_at(folder)
    except (OSError, ValueError, RuntimeError):
        # It may not be read, or a stranger wrote what is no path: too long, a link to itself, with a zero byte.
        return None


def _repository_at(folder: Path) -> Repository | None:
    git_dir = folder / ".git"
    if git_dir.is_file():
        pointer = _first_line(git_dir)
        if not pointer.startswith("gitdir:"):
            return None
        git_dir = folder / pointer.removeprefix("gitdir:").strip()
    if not (git_dir / "HEAD").is_file():
        return None
    common = _first_line(git_dir / "commondir")
    return Repository((git_dir / common).resolve(), linked=bool(common))


def rules_file(path: Path, base: str = "", above: str = "") -> Rules:
    """The rules of an ignore file; none where it is missing, unreadable or no regular file."""
    try:
        return parse_rules(read_bytes(str(path), _MAX_RULE_BYTES), base, above)
    except OSError:
        return Rules(())


def is_bare_repository(names: set[str]) -> bool:
    """Whether a folder with these entries is a bare repository, all of it git's own data."""
    return {"HEAD", "objects", "refs", "config"} <= names


def global_exclude_file() -> Path:
    """Git's `core.excludesFile` of this user, or the file git reads where that is not set."""
    configured = _ask_git("config", "--global", "--includes", "--type=path", "--get", "core.excludesFile")
    if configured:
        return Path(configured)
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path("~/.config").expanduser()) / "git" / "ignore"


def _ask_git(*arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    try:
        answer = subprocess.run(
            [git, *arguments], capture_output=True, timeout=2, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return os.fsdecode(answer.stdout).strip()


def _first_line(path: Path) -> str:
    try:
        return os.fsdecode(read_bytes(str(path), _MAX_POINTER_BYTES)).split("\n", 1)[0].rstrip("\r")
    except OSError:
        return ""
