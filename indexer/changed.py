"""Which files git calls changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from indexer.errors import UserError

_TIMEOUT_S = 20.0
_DIFF = (
    "diff",
    "--raw",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    # It would look into them with a process of its own, by their settings and not by ours.
    "--ignore-submodules=all",
    "--relative",
    "-z",
)
_SUBMODULE = "160000"
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_GIT = ("git", "--no-optional-locks")
# The folder may be a stranger's: its settings must not run programs when we only look.
_HARMLESS = {"core.fsmonitor": "false", "diff.external": ""}
_FILTER_PROGRAMS = {"clean": "", "smudge": "", "process": "", "required": "false"}

# Git's hooks set them, and editors that Git starts: they would say more than the folder does.
_OF_A_REPOSITORY = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"}
    | {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_IMPLICIT_WORK_TREE"}
)


def changed_files(root: Path) -> frozenset[str]:
    """Root-relative paths that differ from the last commit, new files and those of submodules included.

    Raises `UserError` outside a git work tree.
    """
    return frozenset(_changed(root, "HEAD"))


def _changed(folder: Path, since: str) -> Iterator[str]:
    """Paths in a work tree that differ from a commit of it; of a submodule, from the commit that this one names."""
    settings = _harmless_settings(folder)
    yield from _fields(folder, settings, *_DIFF, since)[1::2]
    yield from _fields(folder, settings, "ls-files", "--others", "--exclude-standard", "-z")
    staged = _fields(folder, settings, "ls-files", "--stage", "-z")
    paths = [path for path in _submodules(staged) if (folder / path / ".git").exists()]
    named = _fields(folder, settings, "ls-tree", "-z", since, "--", *paths) if paths else []
    bases = _submodules(named)
    for path in paths:
        inner_paths = _changed(folder / path, bases.get(path, _EMPTY_TREE))
        yield from (f"{path}/{inner}" for inner in inner_paths)


def _submodules(entries: Iterable[str]) -> dict[str, str]:
    """Path -> commit of the submodules among the lines of ``ls-files --stage`` or ``ls-tree``."""
    lines = (entry.partition("\t") for entry in entries)
    found = ((head.split(), path) for head, _, path in lines)
    return {
        path: next(word for word in words if len(word) >= 40)
        for words, path in found
        if words[0] == _SUBMODULE
    }


def _harmless_settings(folder: Path) -> dict[str, str]:
    """The environment that sets what a repository says to run to nothing, whatever the names of its filters are."""
    filters = _fields(
        folder, {}, "config", "--null", "--name-only", "--get-regexp", "^filter[.]", may_fail=True
    )
    names = {name.rpartition(".")[0] for name in filters}
    values = _HARMLESS | {f"{name}.{key}": value for name in names for key, value in _FILTER_PROGRAMS.items()}
    environment = {"GIT_CONFIG_COUNT": str(len(values)), "GIT_NO_LAZY_FETCH": "1"}
    for at, (name, value) in enumerate(values.items()):
        environment |= {f"GIT_CONFIG_KEY_{at}": name, f"GIT_CONFIG_VALUE_{at}": value}
    return environment


def _fields(root: Path, settings: dict[str, str], *arguments: str, may_fail: bool = False) -> list[str]:
    try:
        done = subprocess.run(
            [*_GIT, *arguments],
            cwd=root,
            env={name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY}
            | settings,
            capture_output=True,
            check=not may_fail,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(
            f"Cannot tell which files of {root} changed: it is no git work tree with a commit, or git does"
            " not answer. Search without the restriction to changed files."
        ) from error
    return [os.fsdecode(line) for line in done.stdout.split(b"\0") if line]
