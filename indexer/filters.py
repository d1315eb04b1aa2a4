"""Search filters as people write them, and what the store has for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from indexer.types import KINDS, SearchFilters


def merge(given: SearchFilters, written: SearchFilters) -> SearchFilters:
    """Filters that were given beside a query together with those written in it.

    The paths of both must hold: those given are where somebody searches, a folder for example.
    """
    both = bool(given.paths and written.paths)
    return replace(
        given,
        languages=given.languages + written.languages,
        kinds=given.kinds + written.kinds,
        paths=written.paths or given.paths,
        within=(*given.within, given.paths) if both else given.within,
        exclude=given.exclude + written.exclude,
        symbols=given.symbols + written.symbols,
        not_languages=given.not_languages + written.not_languages,
        not_kinds=given.not_kinds + written.not_kinds,
        not_symbols=given.not_symbols + written.not_symbols,
        no_tests=given.no_tests or written.no_tests,
        changed_only=given.changed_only or written.changed_only,
    )


def resolve(filters: SearchFilters) -> tuple[SearchFilters, list[str]]:
    """The filters by the names that the store has, and a sentence for each name that is unknown.

    Unknown names stay and find nothing: a query may not be typed to its end yet.
    """
    notes: list[str] = []
    return replace(
        filters,
        languages=_languages(filters.languages, notes),
        not_languages=_languages(filters.not_languages, notes),
        kinds=_kinds(filters.kinds, notes),
        not_kinds=_kinds(filters.not_kinds, notes),
    ), notes


def _kinds(names: Sequence[str], notes: list[str]) -> tuple[str, ...]:
    kinds = tuple(name.lower() for name in names)
    for kind in sorted(set(kinds) - set(KINDS)):
        notes.append(f"Unknown kind {kind!r}. Known: {', '.join(KINDS)}.")
    return kinds


def _languages(names: Sequence[str], notes: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        # The table of languages is read only where it is needed.
        from indexer.languages import LANGUAGES, languages_named

        named = languages_named(name)
        if not named:
            notes.append(f"Unknown language {name!r}. Known: {', '.join(sorted(LANGUAGES))}.")
        found += named or (name,)
    return tuple(found)
