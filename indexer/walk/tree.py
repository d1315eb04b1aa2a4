"""The walk itself: folder by folder, deciding for each entry without opening what is already known."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from indexer.errors import UserError
from indexer.types import SkippedFile, SourceFile
from indexer.walk.content import (
    BINARY_SUFFIXES,
    HEAD_BYTES,
    NOT_REGULAR,
    OUTSIDE,
    binary_reason,
    is_large_data,
    read_bytes,
    shown_path,
    too_large,
    why_unreadable,
)
from indexer.walk.demote import demotion
from indexer.walk.git import Repository, global_exclude_file, is_bare_repository, repository_at, rules_file
from indexer.walk.ignore import Rules, verdict

Known = Mapping[str, tuple[int, int, str]]
"""Path -> (size, changed_ns, demoted) of the files of an earlier walk; their content is not looked at again."""

OWN_IGNORE_FILE = ".codewhereignore"

_DEPENDENCY_FOLDERS = frozenset(
    {"node_modules", "bower_components", "jspm_packages", "__pycache__", "__pypackages__"}
)


class WalkConfig(Protocol):
    """What walking needs of the settings (`indexer.config.Config`)."""

    @property
    def max_file_bytes(self) -> int:
        """Larger files are skipped and reported."""

    @property
    def exclude(self) -> tuple[str, ...]:
        """Patterns in the syntax of `.gitignore` that win over every ignore file."""

    @property
    def include_text(self) -> bool:
        """Whether prose, data and files of unknown kind are walked too."""


@dataclass(frozen=True)
class _Folder:
    """One folder on the way down, with the rules that hold in it."""

    prefix: str
    """Its root-relative path with a slash at the end; empty for the root."""
    depth: int
    """Number of segments of the paths of its entries."""
    settings: Rules
    own: tuple[Rules, ...]
    """`.codewhereignore` files, the strongest first; they win over git's and lose to the settings."""
    git: tuple[Rules, ...]
    repository: Path | None
    """Identity of the git repository this folder belongs to."""
    ignored: bool = False
    """Entered only because a `!` pattern names something below."""
    entries: tuple[os.DirEntry[str], ...] = ()


_Found = _Folder | SourceFile | SkippedFile | None


def walk(
    root: Path, config: WalkConfig, *, known: Known | None = None, paths: Iterable[str] | None = None
) -> Iterator[SourceFile | SkippedFile]:
    """Every file below the root that is worth indexing, and what was left out with the reason, in path order.

    Ignored and hidden entries are passed over without a word; links are never followed. Paths are relative to
    the root; bytes that are no UTF-8 are kept as surrogates, `os.fsencode` gives them back.

    :param root: An existing folder.
    :param config: The size cap, exclude patterns and whether text is wanted.
    :param known: Files of an earlier walk; those with equal size and time are passed on without opening them.
    :param paths: Only these files and folders, relative to the root; what is gone or ignored yields nothing.
    :raises UserError: Where the root is missing, no folder or unreadable.
    """
    walker = _Walker(root, config, known or {})
    top = walker.top()
    if paths is None:
        yield from walker.below(top)
    else:
        opened = {"": top}
        for path in _outermost(paths):
            yield from walker.only(path, opened)


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths without those below others of them, in order."""
    parts = {PurePosixPath(path).parts: path for path in paths}
    return sorted(
        path for own, path in parts.items() if not any(own[:depth] in parts for depth in range(len(own)))
    )


class _Walker:
    def __init__(self, root: Path, config: WalkConfig, known: Known) -> None:
        self._root = Path(root).resolve()
        self._base = str(self._root).rstrip(os.sep) + os.sep
        self._config = config
        self._known = known

    def top(self) -> _Folder:
        """The root itself."""
        try:
            entries = _entries(self._base)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            problem = "there is no such folder" if missing else str(error.strerror)
            where = shown_path(str(self._root))
            raise UserError(f"Cannot read {where}: {problem}. Name an existing, readable folder.") from error
        own, git, repository = self._rules_above()
        settings = Rules(self._config.exclude)
        return self._with_ignore_files(_Folder("", 1, settings, own, git, repository, entries=entries))

    def below(self, folder: _Folder) -> Iterator[SourceFile | SkippedFile]:
        """Everything below a folder, without recursion: trees may be deeper than Python's stack."""
        pending = [(folder, iter(folder.entries))]
        while pending:
            folder, entries = pending[-1]
            entry = next(entries, None)
            if entry is None:
                pending.pop()
                continue
            found = self._visit(entry, folder)
            if isinstance(found, _Folder):
                pending.append((found, iter(found.entries)))
            elif found is not None:
                yield found

    def only(self, path: str, opened: dict[str, _Folder]) -> Iterator[SourceFile | SkippedFile]:
        """The file at one path, or everything below the folder there. `opened` is kept from path to path."""
        parts = [part for part in path.replace(os.sep, "/").split("/") if part not in ("", ".")]
        if Path(path).is_absolute() or ".." in parts:
            yield SkippedFile(path, OUTSIDE)
            return
        here: _Found = opened[""]
        for part in parts:
            if not isinstance(here, _Folder):
                # A file where a folder was: what was below it is gone. A skipped folder hides what is below.
                here = SkippedFile(path, here.reason) if isinstance(here, SkippedFile) else None
                break
            here = self._step(here, part, opened)
        if isinstance(here, _Folder):
            yield from self.below(here)
        elif here is not None:
            yield here

    def _step(self, folder: _Folder, name: str, opened: dict[str, _Folder]) -> _Found:
        prefix = f"{folder.prefix}{name}/"
        if prefix in opened:
            return opened[prefix]
        entry = next((entry for entry in folder.entries if entry.name == name), None)
        found = self._visit(entry, folder) if entry else None
        if isinstance(found, _Folder):
            opened[prefix] = found
        return found

    def _visit(self, entry: os.DirEntry[str], folder: _Folder) -> _Found:
        name = entry.name
        if name == ".git":
            return None
        path = folder.prefix + name
        is_folder = entry.is_dir(follow_symlinks=False)
        said = folder.settings.verdict(name, path, folder.depth, is_folder)
        if said is None:
            said = verdict(folder.own, name, path, folder.depth, is_folder)
        if said:
            return None
        ignored = said is None and (
            folder.ignored
            or name.startswith(".")
            or verdict(folder.git, name, path, folder.depth, is_folder) is True
        )
        if not is_folder:
            return None if ignored else self._file(entry, path, wanted=said is False)
        if ignored and not any(rules.reaches_below(path) for rules in folder.own):
            return None
        return self._enter(path, folder, ignored, wanted=said is False)

    def _enter(self, path: str, parent: _Folder, ignored: bool, wanted: bool) -> _Found:
        try:
            entries = _entries(self._base + path)
        except OSError as error:
            return SkippedFile(path + "/", why_unreadable(error))
        names = {entry.name for entry in entries}
        reason = "" if wanted or ignored else _why_left_out(path, names)
        nested = repository_at(self._root / path) if ".git" in names else None
        if nested and nested.linked and nested.common == parent.repository and not wanted:
            reason = "work tree: another work tree of this repository; index it by itself"
        if reason and any(rules.reaches_below(path) for rules in parent.own):
            reason, ignored = "", True
        if reason:
            return SkippedFile(path + "/", f"{reason}, or name it with ! in {OWN_IGNORE_FILE}")
        folder = replace(parent, prefix=path + "/", depth=parent.depth + 1, ignored=ignored, entries=entries)
        if nested:
            # A repository of its own: git's rules of the one around it do not hold inside.
            rules = self._exclude_rules(nested, base=folder.prefix)
            folder = replace(folder, git=rules, repository=nested.common)
        return self._with_ignore_files(folder)

    def _file(self, entry: os.DirEntry[str], path: str, wanted: bool) -> SourceFile | SkippedFile | None:
        if entry.is_symlink():
            return SkippedFile(path, "link: not followed; what lies in the root is found under its own name")
        suffix = _suffix(entry.name)
        if suffix in BINARY_SUFFIXES:
            return SkippedFile(path, "binary")
        try:
            status = entry.stat(follow_symlinks=False)
            reason = self._reason(status, wanted or not is_large_data(entry.name, suffix, status.st_size))
            return SkippedFile(path, reason) if reason else self._source(path, status)
        except OSError as error:
            return SkippedFile(path, why_unreadable(error))

    def _reason(self, status: os.stat_result, wanted: bool) -> str:
        if not stat.S_ISREG(status.st_mode):
            return NOT_REGULAR
        if status.st_size > self._config.max_file_bytes:
            return too_large(status.st_size, self._config.max_file_bytes)
        return "" if wanted else f"data: a large data file; name it with ! in {OWN_IGNORE_FILE} to index it"

    def _source(self, path: str, status: os.stat_result) -> SourceFile | SkippedFile | None:
        size, time = status.st_size, changed_ns(status)
        known = self._known.get(path)
        head = b""
        if known is not None and known[0] == size and known[1] == time:
            demoted = known[2]
        else:
            head = read_bytes(self._base + path, HEAD_BYTES)
            reason = binary_reason(head)
            if reason:
                return SkippedFile(path, reason)
            demoted = demotion(path, head)
        if not self._config.include_text and not self._is_code(path, head):
            return None
        return SourceFile(path, size, time, demoted)

    def _is_code(self, path: str, head: bytes) -> bool:
        from indexer.languages import language_of

        language = language_of(path, head or read_bytes(self._base + path, HEAD_BYTES))
        return language not in (None, "text", "markdown")

    def _rules_above(self) -> tuple[tuple[Rules, ...], tuple[Rules, ...], Path | None]:
        """Rules from between the root and the top of its work tree; folders above that have no say."""
        found = next(((top, repository) for top in self._chain() if (repository := repository_at(top))), None)
        if found is None:
            return (), (), None
        top, repository = found
        own: list[Rules] = []
        git: list[Rules] = []
        for folder in self._chain()[1:]:
            if not folder.is_relative_to(top):
                break
            above = f"{self._root.relative_to(folder).as_posix()}/"
            own.append(rules_file(folder / OWN_IGNORE_FILE, above=above))
            git.append(rules_file(folder / ".gitignore", above=above))
        above = "" if top == self._root else f"{self._root.relative_to(top).as_posix()}/"
        return _present(own), _present(git) + self._exclude_rules(repository, above=above), repository.common

    def _chain(self) -> list[Path]:
        return [self._root, *self._root.parents]

    def _exclude_rules(self, repository: Repository, base: str = "", above: str = "") -> tuple[Rules, ...]:
        """`info/exclude` of a repository and the user's global exclude file, the stronger first."""
        files = (repository.common / "info" / "exclude", self._global_exclude_file)
        # They are the user's own, who may keep them as links; links inside a tree are not followed.
        return _present(rules_file(Path(os.path.realpath(file)), base, above) for file in files)

    @cached_property
    def _global_exclude_file(self) -> Path:
        return global_exclude_file()

    def _with_ignore_files(self, folder: _Folder) -> _Folder:
        names = {entry.name for entry in folder.entries if entry.name.startswith(".")}
        here = self._root / folder.prefix
        if OWN_IGNORE_FILE in names:
            rules = rules_file(here / OWN_IGNORE_FILE, base=folder.prefix)
            folder = replace(folder, own=(*_present([rules]), *folder.own))
        if ".gitignore" in names:
            rules = rules_file(here / ".gitignore", base=folder.prefix)
            folder = replace(folder, git=(*_present([rules]), *folder.git))
        return folder


def _entries(folder: str) -> tuple[os.DirEntry[str], ...]:
    with os.scandir(folder) as found:
        return tuple(sorted(found, key=lambda entry: entry.name))


def changed_ns(status: os.stat_result) -> int:
    """As `SourceFile.changed_ns`."""
    # Tools that unpack, copy or build repeatably set the time of the content as they like, and two versions
    # may have the same size; only the system sets the time of the change. On Windows it is that of creation.
    return status.st_mtime_ns if os.name == "nt" else status.st_ctime_ns


def _present(levels: Iterable[Rules]) -> tuple[Rules, ...]:
    return tuple(rules for rules in levels if rules)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :].lower() if "." in name else ""


def _why_left_out(path: str, names: set[str]) -> str:
    if path.rpartition("/")[2] in _DEPENDENCY_FOLDERS or "pyvenv.cfg" in names:
        return "dependencies: installed packages are not indexed; index the folder by itself"
    if "CACHEDIR.TAG" in names:
        return "cache: the folder is marked as a cache (CACHEDIR.TAG); index the folder by itself"
    return "git data: a bare repository; index a work tree of it" if is_bare_repository(names) else ""
