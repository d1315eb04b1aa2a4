"""One query: candidates by words and by vectors from the store, put in order by `indexer.rank`."""

from __future__ import annotations

import functools
import re
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

from indexer.changed import changed_files
from indexer.errors import UserError
from indexer.filters import merge, resolve
from indexer.folders import why_away
from indexer.overlay import Overlay, dense_hits, having, lexical_hits, matching, words_of
from indexer.rank import FIELD_WEIGHTS, Candidate, Compare, Query, Statistics, parse_query, rank, with_english
from indexer.rank.glossary import Gloss, gloss
from indexer.stale import stale_files
from indexer.store import Hit, Store, StoredFunction
from indexer.store.filters import PathFilter, Where
from indexer.types import (
    INDEX_ADVICE,
    NO_SUCH_PATH,
    NO_SUCH_PHRASE,
    NO_VECTORS,
    NO_WORDS,
    NOTHING_INDEXED,
    NOTHING_MATCHES,
    NOTHING_PASSES,
    Answer,
    Embedder,
    SearchFilters,
    SearchResult,
    Vectors,
)
from indexer.walk import shown_path

CANDIDATES = 150  # of each kind; fusion looks no deeper
NAME_CANDIDATES = 150  # by symbol and path alone
MAX_QUERY_CHARS = 4_000  # far beyond any model's window; the rest could not count

LACKING = 48  # functions; about a second of embedding on a CPU

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class Found(NamedTuple):
    """What one query found before it is ranked."""

    query: Query
    lexical: list[Candidate]
    dense: list[Candidate]
    statistics: Statistics
    filters: SearchFilters
    """Those given and those written in the query."""


class Search:
    """One search over one root."""

    def __init__(
        self,
        store: Store,
        root: Path,
        load_embedder: Callable[[], Embedder | None],
        overlay: Overlay | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self._store = store
        self._path = root
        self._root = store.indexed_root(str(root))
        self._load_embedder = load_embedder
        self._cancelled = cancelled
        self._fingerprint = self._root.fingerprint
        self._notes: list[str] = []
        self.lacking: list[int] = []
        """The likeliest functions, by words and by drafts, that have no vector yet."""
        self._nearness: Compare | None = None
        overlay = overlay or Overlay({})
        self._hidden = store.files(self._root.id, overlay.files)
        self._buffers = overlay.functions(self._hidden)
        self._buffer_vectors = overlay.vectors

    def answer(self, text: str, *, limit: int, filters: SearchFilters, explain: bool) -> Answer:
        """The answer; `UserError` for an empty query."""
        start = time.perf_counter()
        found = self.candidates(text, filters, limit=limit)
        results = rank(
            found.query,
            found.lexical,
            found.dense,
            found.statistics,
            limit=limit,
            root=str(self._path),
            explain=explain,
            nearness=self._nearness,
        )
        coverage = self._coverage()
        self._explain_emptiness(results, found)
        self._tell_stale(results)
        elapsed_ms = (time.perf_counter() - start) * 1000
        return Answer(text, coverage, elapsed_ms, tuple(results), tuple(self._notes))

    def candidates(self, text: str, filters: SearchFilters, *, limit: int = CANDIDATES) -> Found:
        """What ranking is given; benchmarks fit its weights on this. `UserError` for an empty query."""
        query = self._with_abbreviations(self._with_english(parse_query(self._clean(text))))
        filters, unknown_names = resolve(merge(filters, query.filters))
        self._notes += unknown_names
        changed = changed_files(self._path) if filters.changed_only else frozenset()
        where = self._store.filter(self._root.id, filters, changed=changed)
        self._buffers = matching(self._buffers, filters, changed)
        n_candidates = max(CANDIDATES, limit)
        lexical, statistics = self._lexical(query, n_candidates, where)
        # Something is nearest to question marks, too, but it answers nothing.
        embedder = self._embedder() if query.terms and not self._cancelled() else None
        dense = self._dense(embedder, query, n_candidates, where) if embedder else []
        functions = self._functions({hit.id for hit in [*lexical, *dense] if hit.id >= 0})
        partial = self._coverage() < 1
        unknown = (
            self._without_vectors({hit.id for hit in lexical} - {hit.id for hit in dense}, partial)
            if dense
            else set()
        )
        by_words = _candidates(lexical, functions, unknown, self._verbatim(query, where))
        by_vectors = _candidates(dense, functions)
        if partial:
            self.lacking = self._likely(by_words, by_vectors)
        self._nearness = _nearness(embedder, query) if embedder and dense else None
        return Found(query, by_words, by_vectors, statistics, filters)

    def _clean(self, text: str) -> str:
        cleaned = _CONTROL.sub(" ", text).strip()
        if not cleaned:
            raise UserError("The query is empty. Ask for what the code does, or for a name.")
        if len(cleaned) > MAX_QUERY_CHARS:
            self._notes.append(
                f"The query has {len(cleaned):,} characters; only the first {MAX_QUERY_CHARS:,} were used."
            )
        return cleaned[:MAX_QUERY_CHARS]

    def _with_english(self, query: Query) -> Query:
        if query.kind in ("code", "trace") or not (english := self._gloss(query.text)).words:
            return query
        known, typed = self._store.lexical_statistics(self._root.id, query.terms).df, words_of(self._buffers)
        kept = [term for term in query.terms if known.get(term) or term in typed]
        # A name that the code has is asked for, whatever it means elsewhere.
        return query if query.kind == "symbol" and kept else with_english(query, *english, kept)

    def _gloss(self, text: str) -> Gloss:
        try:
            return gloss(text)
        except sqlite3.Error as error:
            self._notes.append(f"The glossary cannot be read ({error}): install codewhere again.")
            return Gloss()

    def _with_abbreviations(self, query: Query) -> Query:
        if query.kind == "symbol":
            return query  # a name is asked for as it is written
        return replace(query, abbreviations=self._store.abbreviations(self._root, query.terms))

    def _lexical(self, query: Query, limit: int, where: Where) -> tuple[list[Hit], Statistics]:
        known = self._store.lexical_statistics(self._root.id, query.terms)
        hits: list[Hit] = []
        if query.fts:
            stored = self._stored_lexical(query, limit + self._n_hidden(), where)
            hits = [*stored, *lexical_hits(self._buffers, query.terms, FIELD_WEIGHTS, known)]
        return hits, Statistics(known.n_functions, known.mean_lengths, known.df)

    def _stored_lexical(self, query: Query, limit: int, where: Where) -> list[Hit]:
        """The best by all fields, and more by symbol and path: a common name drowns its definition in uses."""
        best = self._store.lexical(self._root.id, query.fts, FIELD_WEIGHTS, limit, where)
        if len(best) < limit:
            return best
        # Over all fields these score no higher than the last that was kept.
        last = best[-1].score
        named = self._store.lexical(self._root.id, query.fts_names, FIELD_WEIGHTS, NAME_CANDIDATES, where)
        scores = {hit.id: min(hit.score, last) for hit in named}
        if match := query.fts_definitions:
            for id_ in self._store.shortest_symbols(self._root.id, match, NAME_CANDIDATES, where):
                scores.setdefault(id_, last)
        scores |= {hit.id: hit.score for hit in best}
        return [Hit(id_, score) for id_, score in scores.items()]

    def _verbatim(self, query: Query, where: Where) -> set[int]:
        """The functions with a run of the query's words, those of buffers included."""
        if not query.runs:
            return set()
        stored = self._store.shortest_symbols(self._root.id, query.fts_runs, CANDIDATES, where)
        return {*stored, *having(self._buffers, query.runs)}

    def _dense(self, embedder: Embedder, query: Query, limit: int, where: Where) -> list[Hit]:
        vector = embedder.encode_queries([_asked(embedder, query)])[0]
        found = self._store.dense(
            self._root.id, embedder.fingerprint, vector, limit + self._n_hidden(), where
        )
        return [*found, *dense_hits(self._buffers, self._vectors_of_buffers(embedder), vector)]

    def _embedder(self) -> Embedder | None:
        """The embedder, unless words have to do; the notes say why."""
        if not self._root.fingerprint and not self._store.has_vectors(self._root.id):
            self._notes.append(NO_VECTORS)
            return None
        try:
            embedder = self._load_embedder()
        except Exception as error:  # whatever is wrong with the model, words still answer
            self._notes.append(f"Answered by words alone, because the model cannot be used: {error}")
            return None
        if embedder is not None:
            self._fingerprint = embedder.fingerprint
            embedded, _ = self._store.coverage(self._root.id, embedder.fingerprint)
            if not embedded and self._root.fingerprint not in ("", embedder.fingerprint):
                other = "" if self._root.model != embedder.name else " of these dimensions and weights"
                self._notes.append(
                    f"This folder was indexed with the model {self._root.model}, not with {embedder.name}{other}:"
                    f" answered by words alone. {INDEX_ADVICE}"
                )
        return embedder

    def _without_vectors(self, ids: set[int], partial: bool) -> set[int]:
        """Those of the functions whose nearness nobody knows yet; of buffers all that vectors did not find."""
        unknown = {id_ for id_ in ids if id_ < 0}
        if partial:
            unknown |= self._store.without_vectors(self._fingerprint, ids - unknown, or_drafts=True)
        return unknown

    def _likely(self, *candidates: list[Candidate]) -> list[int]:
        """The functions that would gain most by a vector, the first by words and by drafts in turn."""
        turns = chain.from_iterable(zip_longest(*candidates))
        ids = dict.fromkeys(found.id for found in turns if found is not None and found.id >= 0)
        lacking = self._store.without_vectors(self._fingerprint, ids)
        return [id_ for id_ in ids if id_ in lacking][:LACKING]

    def _vectors_of_buffers(self, embedder: Embedder) -> dict[str, Vectors]:
        hashes = {stored.function.content_hash for stored in self._buffers.values()}
        lacking = hashes - self._buffer_vectors.keys()
        stored = self._store.vectors_of(embedder.fingerprint, lacking)
        return {**self._buffer_vectors, **stored}

    def _n_hidden(self) -> int:
        """How many stored functions the overlay hides: so many more candidates are asked for."""
        return self._store.count_functions(row.id for row in self._hidden.values())

    def _functions(self, ids: set[int]) -> dict[int, StoredFunction]:
        """The stored functions that no buffer hides, and those of the buffers."""
        stored = self._store.functions_of(self._root, ids).items()
        shown = {id_: found for id_, found in stored if found.function.path not in self._hidden}
        return {**shown, **self._buffers}

    def _coverage(self) -> float:
        embedded, functions = self._store.coverage(self._root.id, self._fingerprint)
        return embedded / functions if functions else 0.0

    def _explain_emptiness(self, results: list[SearchResult], found: Found) -> None:
        if results:
            return
        _, functions = self._store.coverage(self._root.id, self._fingerprint)
        if not functions:
            self._notes.append(NOTHING_INDEXED)
        elif not found.query.terms:
            self._notes.append(NO_WORDS)
        elif found.query.phrases:
            self._notes.append(NO_SUCH_PHRASE)
        elif found.filters.paths and not self._has_files(found.filters):
            self._notes.append(NO_SUCH_PATH)
        elif found.filters != SearchFilters():
            self._notes.append(NOTHING_PASSES)
        else:
            self._notes.append(NOTHING_MATCHES)

    def _has_files(self, filters: SearchFilters) -> bool:
        wanted = PathFilter(SearchFilters(paths=filters.paths, within=filters.within))
        return any(wanted(path, row.demoted) for path, row in self._store.files(self._root.id).items())

    def _tell_stale(self, results: list[SearchResult]) -> None:
        """Say which files of the answer changed since; buffers stand for their own."""
        if results and (away := why_away(self._path)):
            self._notes.append(f"The folder {shown_path(str(self._path))} is {away}; this was indexed of it.")
            return
        paths = {result.function.path for result in results} - self._hidden.keys()
        rows = self._store.files(self._root.id, paths).values()
        if stale := stale_files(self._path, rows):
            others = f" and {len(stale) - 1} more" if len(stale) > 1 else ""
            self._notes.append(f"{shown_path(stale[0])}{others} changed since it was indexed. {INDEX_ADVICE}")


def _asked(embedder: Embedder, query: Query) -> str:
    # An embedder of somebody else's need not know of glosses.
    return query.glossed_text if getattr(embedder, "reads_glosses", False) else query.text


def _nearness(embedder: Embedder, query: Query) -> Compare | None:
    # Nor of tokens.
    compare = getattr(embedder, "nearness", None)
    return functools.partial(compare, _asked(embedder, query)) if compare else None


def _candidates(
    hits: Iterable[Hit],
    functions: dict[int, StoredFunction],
    unknown: Collection[int] = (),
    verbatim: Collection[int] = (),
) -> list[Candidate]:
    """Hits with their functions, best first; those deleted meanwhile are left out.

    :param unknown: Those that have neither a vector nor a draft.
    :param verbatim: Those with a run of the query's words.
    """
    ordered = sorted(hits, key=lambda hit: (-hit.score, hit.id))
    return [
        Candidate(
            hit.id, stored.function, stored.demoted, hit.score, hit.id not in unknown, hit.id in verbatim
        )
        for hit in ordered
        if (stored := functions.get(hit.id)) is not None
    ]
