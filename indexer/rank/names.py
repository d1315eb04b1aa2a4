"""What paths and symbols say: their words, how far a query names them, and signs of mere copies."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from indexer.rank.query import folded_name
from indexer.rank.tokens import stem, tokenize
from indexer.types import last_name

_OLD = frozenset({"deprecated", "legacy", "compat", "old", "obsolete"})
_PLATFORMS = frozenset(
    {"win", "win32", "win64", "windows", "darwin", "macos", "mac", "osx", "ios", "tvos", "watchos", "android"}
    | {"sunos", "solaris", "aix", "os390", "zos", "haiku", "qnx", "cygwin", "hurd", "ibmi", "wasm", "wasi"}
    | {"bsd", "freebsd", "netbsd", "openbsd", "emscripten"}
)
_ENTRY_FILES = frozenset({"__init__", "index", "mod", "lib", "main", "init"})
_VERSION = re.compile(r"v(\d+)")
_LEAST_ABBREVIATION = 3
_ABBREVIATED = 0.8


@dataclass(frozen=True)
class PathWords:
    """A path taken apart."""

    stem: tuple[str, ...]
    """Search words of the file name without its ending; for ``__init__`` and the like, of the folder."""
    folders: tuple[str, ...]
    folded_stem: str
    depth: int
    is_old: bool
    is_foreign: bool
    """Written for one platform that is not the common one."""
    versions: tuple[tuple[str, int, str], ...]
    """Of each folder ``v<n>``: the path before it, n, and the whole path without it."""


@lru_cache(maxsize=1 << 15)
def path_words(path: str) -> PathWords:
    """The parts of a root-relative path."""
    *folders, name = path.split("/")
    base = name[: name.rfind(".")] if "." in name[1:] else name
    named = folders[-1] if folders and base in _ENTRY_FILES else base
    words = {word.lower() for part in [*folders, base] for word in re.split(r"[\W_]+", part)}
    return PathWords(
        parts(named),
        tuple(dict.fromkeys(tokenize(" ".join(folders)))),
        folded_name(named),
        len(folders),
        bool(words & _OLD),
        bool(words & _PLATFORMS),
        _versions(folders, name),
    )


def _versions(folders: list[str], name: str) -> tuple[tuple[str, int, str], ...]:
    found = []
    for at, folder in enumerate(folders):
        if match := _VERSION.fullmatch(folder):
            without = "/".join([*folders[:at], *folders[at + 1 :], name])
            found.append(("/".join(folders[:at]), int(match[1]), without))
    return tuple(found)


def superseded(paths: Iterable[str], asked: Collection[int] = ()) -> set[str]:
    """Paths of copies that something newer replaces: ``v1`` beside ``v2`` or beside an unversioned twin.

    :param asked: Versions that a query names. Where paths have one of them, it does not mean the others.
    """
    known = set(paths)
    versions = {path: path_words(path).versions for path in known}
    meant = {version for found in versions.values() for _, version, _ in found} & set(asked)
    if meant:
        return {path for path in known if any(version not in meant for _, version, _ in versions[path])}
    newest: dict[str, int] = {}
    for before, version, _ in itertools.chain.from_iterable(versions.values()):
        newest[before] = max(version, newest.get(before, 0))
    return {
        path
        for path in known
        if path_words(path).is_old
        or any(version < newest[before] or twin in known for before, version, twin in versions[path])
    }


def headers_of_others(paths: Iterable[str]) -> set[str]:
    """Paths that only declare what a file beside them implements."""
    known = set(paths)
    twins = {
        ".h": (".c", ".cc", ".cpp", ".cxx", ".m", ".mm"),
        ".hpp": (".cpp", ".cc", ".cxx"),
        ".pyi": (".py",),
    }
    twins[".mli"] = (".ml",)
    found = {path for path in known if path.endswith((".d.ts", ".d.mts", ".d.cts"))}
    for path in known:
        at = path.rfind(".")
        if at > 0 and any(path[:at] + ending in known for ending in twins.get(path[at:], ())):
            found.add(path)
    return found


def names_platform(words: Iterable[str]) -> bool:
    """Whether a query asks about one of the platforms whose files are otherwise put lower."""
    return any(word in _STEMMED_PLATFORMS for word in words)


_STEMMED_PLATFORMS = _PLATFORMS | {stem(word) for word in _PLATFORMS}


@lru_cache(maxsize=1 << 16)
def symbol_words(symbol: str) -> tuple[tuple[str, ...], str, str]:
    """Search words of a symbol's own name, the folded name, and the name as it is; its scopes are left out."""
    leaf = last_name(symbol)
    return parts(leaf), folded_name(leaf), leaf


def parts(name: str) -> tuple[str, ...]:
    """Distinct search words of one name, without the token of the whole."""
    tokens = tokenize(name)
    whole = folded_name(name)
    return tuple(dict.fromkeys(token for token in tokens if token != whole or len(tokens) == 1))


class Matcher:
    """How far names say the words of one query; remembers what it has compared."""

    def __init__(
        self, weights: Mapping[str, float], abbreviations: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        """`weights` of the query's words; `abbreviations` of some of them count as much as similar words."""
        self._weights = weights
        self._full = {short: term for term, shorts in (abbreviations or {}).items() for short in shorts}
        self._total = sum(weights.values()) or 1.0
        self._best: dict[str, tuple[float, str]] = {}

    def compare(self, words: Iterable[str]) -> tuple[float, float]:
        """(share of the query's weight that the words say, share of the words that the query says)."""
        said: dict[str, float] = {}
        n_words = 0
        covered = 0.0
        for word in words:
            n_words += 1
            likeness, term = self._match(word)
            if likeness:
                covered += likeness
                said[term] = max(likeness, said.get(term, 0.0))
        mass = sum(self._weights[term] * likeness for term, likeness in said.items())
        return mass / self._total, covered / n_words if n_words else 0.0

    def _match(self, word: str) -> tuple[float, str]:
        if word not in self._best:
            best = (0.0, "")
            for term in self._weights:
                best = max(best, (likeness(term, word), term))
            if word in self._full:
                best = max(best, (_ABBREVIATED, self._full[word]))
            self._best[word] = best
        return self._best[word]


def likeness(one: str, other: str) -> float:
    """How far two search words mean the same, 0 to 1: ``auth`` and ``authentication`` do to 0.8."""
    if one == other:
        return 1.0
    if one[0] != other[0]:
        return 0.0
    short, long = sorted((one, other), key=len)
    if len(short) >= _LEAST_ABBREVIATION and long.startswith(short):
        return 0.8 if len(short) > _LEAST_ABBREVIATION else 0.5
    shared = sum(
        1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(short, long, strict=False))
    )
    return 0.6 if shared >= 5 and shared >= 0.6 * len(long) else 0.0
