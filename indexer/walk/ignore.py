"""Ignore rules: what `.gitignore` and `.codewhereignore` patterns say about one entry of one folder.

pathspec turns a pattern into a regular expression. Asking some fifty of them about each of 100,000 files
would take seconds, so the two commonest shapes (a bare name, `*.suffix`) become set look-ups here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from indexer.walk.globs import compile_glob, has_many_wildcards, has_odd_brackets, with_ranges

_Test = Callable[[str], bool]
"""Whether a pattern names a path, which ends with a slash for a folder."""

_LITERAL = re.compile(r"[^*?\[\\/]+")


_MANY_STARS = re.compile(r"(?:(?<=^)|(?<=^!)|(?<=/))\*{3,}(?=/|\s*$)")
"""Git reads a segment of three or more stars as two; pathspec reads it as one."""


@dataclass
class _Run:
    """Neighbouring patterns of one polarity. Within a run it does not matter which of them matches."""

    ignores: bool
    names: set[str] = field(default_factory=set)
    folder_names: set[str] = field(default_factory=set)
    suffixes: set[str] = field(default_factory=set)
    globs: list[_Test] = field(default_factory=list)
    """On the bare name, which ends with a slash for a folder."""
    by_depth: dict[int, list[_Test]] = field(default_factory=dict)
    """On the whole path, by its number of segments: `a/*.c` can only match at depth 2."""
    at_any_depth: list[_Test] = field(default_factory=list)

    def add(self, body: str, test: _Test) -> None:
        """Files one pattern (without its `!`) under the cheapest test that decides it."""
        bare = body.rstrip("/")
        if "/" not in bare:
            self._add_bare(bare, body != bare, test)
        elif "**" in body:
            self.at_any_depth.append(test)
        else:
            depth = bare.lstrip("/").count("/") + 1
            self.by_depth.setdefault(depth, []).append(test)

    def _add_bare(self, name: str, folder_only: bool, test: _Test) -> None:
        suffix = name[1:]
        if _LITERAL.fullmatch(name):
            (self.folder_names if folder_only else self.names).add(name)
        elif name[:2] == "*." and not folder_only and _LITERAL.fullmatch(suffix):
            self.suffixes.add(suffix)
        else:
            self.globs.append(test)

    def matches(self, name: str, path: str, depth: int, is_folder: bool) -> bool:
        if name in self.names or (is_folder and name in self.folder_names):
            return True
        if self.suffixes and _has_suffix(name, self.suffixes):
            return True
        slash = "/" if is_folder else ""
        if any(test(name + slash) for test in self.globs):
            return True
        whole = self.by_depth.get(depth, ())
        return any(test(path + slash) for group in (whole, self.at_any_depth) for test in group)


class Rules:
    """The patterns of one ignore file; later ones win over earlier ones, as in git.

    :param lines: The patterns, one a line.
    :param base: Root-relative folder of the ignore file with a slash at its end; empty for the root.
    :param above: For an ignore file above the root: the root's path from there, with a slash at its end.
    """

    def __init__(self, lines: Iterable[str], base: str = "", above: str = "") -> None:
        self._cut = len(base)
        self._above = above
        self._shift = above.count("/") - base.count("/")
        self._runs: list[_Run] = []
        self._ways: list[_Test] = []
        for line in lines:
            self._add(line)
        self._runs.reverse()

    def __bool__(self) -> bool:
        return bool(self._runs)

    def verdict(self, name: str, path: str, depth: int, is_folder: bool) -> bool | None:
        """True where the entry is ignored, False where a `!` pattern includes it, None where nothing matches.

        :param name: Last segment of `path`.
        :param path: Root-relative path without a slash at its end.
        :param depth: Number of its segments.
        :param is_folder: Whether it is a folder.
        """
        local = self._above + path[self._cut :]
        depth += self._shift
        for run in self._runs:
            if run.matches(name, local, depth, is_folder):
                return run.ignores
        return None

    def reaches_below(self, path: str) -> bool:
        """Whether a `!` pattern names something inside this folder, so that it is entered though ignored."""
        if not self._ways:
            return False
        local = self._above + path[self._cut :] + "/"
        return any(test(local) for test in self._ways)

    def _add(self, line: str) -> None:
        test = _compile(line)
        if test is None:
            return
        negated = line.startswith("!")
        body = line.removeprefix("!").rstrip()
        if not self._runs or self._runs[-1].ignores == negated:
            self._runs.append(_Run(ignores=not negated))
        self._runs[-1].add(body, test)
        if negated:
            self._ways.extend(_ways_to(body))


def parse_rules(content: bytes, base: str = "", above: str = "") -> Rules:
    """Rules from the bytes of an ignore file; a line that is no valid pattern is passed over, as git does."""
    text = content.decode("utf-8-sig", "surrogateescape")
    return Rules(text.split("\n"), base, above)


def verdict(levels: Sequence[Rules], name: str, path: str, depth: int, is_folder: bool) -> bool | None:
    """The first decided verdict of several sets of rules, the strongest first."""
    for rules in levels:
        decided = rules.verdict(name, path, depth, is_folder)
        if decided is not None:
            return decided
    return None


def _compile(line: str) -> _Test | None:
    # Imported late: pathspec takes 30 ms, which `codewhere --help` need not pay.
    from pathspec.patterns.gitignore.base import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    line = _MANY_STARS.sub("**", line)
    try:
        line = with_ranges(line)
        if has_odd_brackets(line) and not line.startswith("#"):
            return compile_glob(line.removeprefix("!").rstrip())
        pattern = GitIgnoreSpecPattern(line)
    except (GitIgnorePatternError, re.error):  # such as `[z-a]`, which never matches anything in git either
        return None
    if pattern.include is None or pattern.regex is None:
        return None
    # pathspec drops the stars of `a/**/` and would match the folder `a` itself.
    if has_many_wildcards(line) or line.rstrip().endswith("/**/"):
        return compile_glob(line.removeprefix("!").rstrip())
    return partial(_exact, pattern.regex)


def _exact(regex: re.Pattern[str], path: str) -> bool:
    """Whether the pattern names the entry itself; pathspec's expressions match whatever lies below it too."""
    found = regex.search(path)
    if found is None:
        return False
    if "ps_d" in regex.groupindex and found["ps_d"]:
        return found.end() == len(path)
    return found.end() < len(path) or not path.endswith("/")


def _has_suffix(name: str, suffixes: set[str]) -> bool:
    dot = name.find(".")
    while dot >= 0:
        if name[dot:] in suffixes:
            return True
        dot = name.find(".", dot + 1)
    return False


def _ways_to(body: str) -> list[_Test]:
    """Patterns of the folders that lead to what an anchored pattern names."""
    segments = body.strip("/").split("/")
    if len(segments) == 1:
        return []
    ways = []
    for length in range(1, len(segments)):
        way = "/" + "/".join(segments[:length])
        test = _compile(way if segments[length - 1] == "**" else way + "/")
        if test is not None:
            ways.append(test)
    return ways
