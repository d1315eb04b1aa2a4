"""Search filters as a condition on the rows of one root."""

from __future__ import annotations

import fnmatch
import re
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.errors import UserError
from indexer.store import catalogue
from indexer.store.records import from_blob
from indexer.types import Function, SearchFilters

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_GLOB_SIGNS = frozenset("*?[")


@dataclass(frozen=True)
class Where:
    """A condition for SQL over `functions f`; an empty `sql` lets everything pass."""

    sql: str = ""
    parameters: tuple[object, ...] = ()


class Filters:
    """Filters as conditions; the last one of each root is remembered, as questions are asked anew while typed."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[tuple[int, SearchFilters], Where]] = {}

    def where(
        self, db: sqlite3.Connection, root_id: int, filters: SearchFilters, changed: Collection[str]
    ) -> Where:
        """As `compile_filters`, which looks at the path of every file."""
        if filters.changed_only:
            return compile_filters(db, root_id, filters, changed=changed)
        key = catalogue.generation(db, root_id), filters
        known = self._last.get(root_id)
        if known is None or known[0] != key:
            known = self._last[root_id] = key, compile_filters(db, root_id, filters)
        return known[1]


def compile_filters(
    db: sqlite3.Connection,
    root_id: int,
    filters: SearchFilters,
    *,
    changed: Collection[str] = (),
) -> Where:
    """The condition for `filters`.

    :param changed: Root-relative paths that count as changed; needed for `filters.changed_only`.
    """
    conditions: list[str] = []
    parameters: list[object] = []
    for column, values in (
        ("language IN", filters.languages),
        ("language NOT IN", filters.not_languages),
        ("kind IN", filters.kinds),
        ("kind NOT IN", filters.not_kinds),
    ):
        if values:
            conditions.append(f"f.{column} ({', '.join('?' * len(values))})")
            parameters += values
    for sign, symbols in (("", filters.symbols), ("NOT ", filters.not_symbols)):
        if symbols:
            conditions.append(f"{sign}({' OR '.join(['symbol_matches(f.symbol, ?)'] * len(symbols))})")
            parameters += symbols
    if filters.no_tests:
        conditions.append("NOT f.is_test")
    if filters.paths or filters.within or filters.exclude or filters.no_tests or filters.changed_only:
        conditions.append("f.file_id IN (SELECT value FROM json_each(?))")
        parameters.append(str(_file_ids(db, root_id, filters, changed)))
    elif conditions:
        conditions.append("f.file_id IN (SELECT id FROM files WHERE root_id = ?)")
        parameters.append(root_id)
    return Where(" AND ".join(conditions), tuple(parameters))


def _file_ids(
    db: sqlite3.Connection,
    root_id: int,
    filters: SearchFilters,
    changed: Collection[str],
) -> list[int]:
    wanted = PathFilter(filters, changed)
    rows = db.execute("SELECT id, path, demoted FROM files WHERE root_id = ?", (root_id,))
    named = ((id_, from_blob(path), demoted) for id_, path, demoted in rows)
    return [id_ for id_, path, demoted in named if wanted(path, demoted)]


class PathFilter:
    """The part of the filters that looks at files."""

    def __init__(self, filters: SearchFilters, changed: Collection[str] = ()) -> None:
        self._filters = filters
        self._changed = changed
        within = filter(None, (filters.paths, *filters.within))
        self._within = [_read_field("paths", globs) for globs in within]
        self._exclude = _read_field("exclude", filters.exclude) if filters.exclude else None

    def __call__(self, path: str, demoted: str) -> bool:
        """Whether functions of this file may be found."""
        if self._filters.no_tests and demoted == "test":
            return False
        if self._filters.changed_only and path not in self._changed:
            return False
        if not all(globs.match_file(path) for globs in self._within):
            return False
        return self._exclude is None or not self._exclude.match_file(path)


def read_globs(patterns: Sequence[str]) -> GitIgnoreSpec:
    """What a list of glob patterns matches; `ValueError` where one cannot be read."""
    from pathspec import GitIgnoreSpec

    # Shells and editors write ./src for what begins at the root; as a pattern it would match nothing.
    anchored = [f"/{glob[2:] or '**'}" if glob.startswith("./") else glob for glob in patterns]
    try:
        return GitIgnoreSpec.from_lines(anchored)
    except (ValueError, re.error) as error:
        given = ", ".join(patterns)
        message = f"{given} cannot be read as glob patterns ({error}). Use * or ** for any text."
        raise ValueError(message) from error


def _read_field(field: str, patterns: Sequence[str]) -> GitIgnoreSpec:
    try:
        return read_globs(patterns)
    except ValueError as error:
        raise UserError(f"{field}: {error}") from error


def fits(function: Function, filters: SearchFilters) -> bool:
    """Whether a function passes the part of the filters that looks at functions: `compile_filters` for a buffer."""
    if filters.no_tests and function.is_test:
        return False
    if filters.languages and function.language not in filters.languages:
        return False
    if filters.kinds and function.kind not in filters.kinds:
        return False
    if function.language in filters.not_languages or function.kind in filters.not_kinds:
        return False
    if filters.symbols and not _is_named(function, filters.symbols):
        return False
    return not _is_named(function, filters.not_symbols)


def _is_named(function: Function, symbols: Sequence[str]) -> bool:
    return any(_symbol_matches(function.symbol, symbol) for symbol in symbols)


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection what the conditions call; SQLite's own `lower` and `GLOB` know ASCII alone."""

    def symbol_matches(symbol: bytes, wanted: str) -> bool:
        return _symbol_matches(from_blob(symbol), wanted)

    connection.create_function("symbol_matches", 2, symbol_matches, deterministic=True)


def _symbol_matches(symbol: str, wanted: str) -> bool:
    """Whether a symbol contains a text, or matches it as a glob, regardless of case.

    A text first: ``valid?`` and ``[]`` are names.
    """
    symbol, wanted = symbol.lower(), wanted.lower()
    return wanted in symbol or (bool(_GLOB_SIGNS & set(wanted)) and fnmatch.fnmatchcase(symbol, wanted))
