"""Numbers that speak for or against each candidate; `weights` says how much each of them counts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from indexer.rank.candidates import Array, Entry, Files, Statistics
from indexer.rank.names import (
    Matcher,
    headers_of_others,
    names_platform,
    path_words,
    superseded,
    symbol_words,
)
from indexer.types import TYPE_KINDS, Function

if TYPE_CHECKING:
    from indexer.rank.query import Query

_TERM_CEILING = 2.2
"""The most FTS5's BM25 gives one word, times its inverse document frequency: k1 + 1."""
_POOL = 100
"""Best functions of each search, whose scores set its scale: cosines differ with the model, BM25 with the query."""
FARTHEST = -3.0
_NOT_EMBEDDED = 1.0
"""The dense score of what words found and has neither vector nor draft: as of a near one, so that words decide."""
_ASKS_FOR_TESTS = re.compile(r"\b(tests?|testing|specs?|fixtures?|mocks?|benchmarks?)\b", re.I)
_ASKS_FOR_EXAMPLES = re.compile(
    r"\b(examples?|samples?|demos?|docs?|documentation|tutorials?|readme)\b", re.I
)
_ASKS_FOR_OLD = re.compile(r"deprecat|legacy|compat|\bold\b|obsolete", re.I)
_VERSION = re.compile(r"\bv(\d+)\b", re.I)
_ASKS_FOR_TEXT = re.compile(
    r"\b(docs?|documentation|readme|changelog|guides?|licen[sc]e|contributing)\b", re.I
)


def features(
    query: Query, entries: Sequence[Entry], files: Files, statistics: Statistics, has_dense: bool
) -> dict[str, Array]:
    """Of every candidate, by name; each float64 [n]."""
    idf = {term: inverse_document_frequency(statistics, term) for term in query.terms}
    found = _lexical(entries, idf, files)
    found |= _names(query, entries, files, idf)
    found |= _kinds(query, entries)
    found["file_found"] = files.spread(np.log(np.bincount(files.of)))
    found |= _demotions(query, entries, files)
    if has_dense:
        found |= _dense(entries, files)
        found["name_query_dense"] = found["dense"] * (query.kind == "symbol")
    return found


def inverse_document_frequency(statistics: Statistics, term: str) -> float:
    """How telling a word is in this root: high for a rare one, never negative."""
    df = statistics.df.get(term, 0)
    return math.log(1 + (statistics.n_functions - df + 0.5) / (df + 0.5))


def _lexical(entries: Sequence[Entry], idf: dict[str, float], files: Files) -> dict[str, Array]:
    scores = np.array([entry.lexical for entry in entries])
    found = np.array([entry.lexical_rank is not None for entry in entries])
    standard = _standardised(np.where(found, scores, np.nan))
    shares = scores / (_TERM_CEILING * (sum(idf.values()) or 1.0))
    return {
        "words": np.where(found, standard, _least(standard)),
        "verbatim": _flags(entry.verbatim for entry in entries),
        **_file_evidence("words", shares, files),
    }


def _standardised(scores: Array) -> Array:
    """How many standard deviations each score is above the mean of the best; NaN stays."""
    pool = np.sort(scores[~np.isnan(scores)])[::-1][:_POOL]
    if not len(pool):
        return scores
    standard: Array = np.maximum((scores - pool.mean()) / (float(pool.std()) or 1.0), FARTHEST)
    return standard


def _least(standard: Array) -> float:
    """What counts for whatever a search did not find."""
    return float(np.nanmin(standard)) if not np.isnan(standard).all() else 0.0


def _names(query: Query, entries: Sequence[Entry], files: Files, idf: dict[str, float]) -> dict[str, Array]:
    matcher = Matcher(idf, query.abbreviations)
    words = [path_words(path) for path in files.paths]
    stems = np.array([matcher.compare(path.stem) for path in words]).reshape(-1, 2)
    folders = np.array([matcher.compare(path.folders)[0] for path in words])
    symbols = [symbol_words(entry.function.symbol) for entry in entries]
    own = np.array([matcher.compare(leaf) for leaf, _, _ in symbols]).reshape(-1, 2)
    named = np.array([float(folded in query.names) for _, folded, _ in symbols])
    spelled = np.array([float(name in query.spelled) for _, _, name in symbols])
    is_type = np.array([float(entry.function.kind in TYPE_KINDS) for entry in entries])
    is_name = float(query.kind == "symbol")
    file_named = np.array([float(path.folded_stem in query.names) for path in words])
    return {
        "file_name": files.spread(stems[:, 0]),
        "file_name_whole": files.spread(stems[:, 1]),
        "folder": files.spread(folders),
        "symbol": own[:, 0],
        "symbol_whole": own[:, 1],
        "named": named,
        "named_as_spelled": spelled,
        "named_type": named * is_type,
        "named_in_file": files.highest(named, 0.0),
        "file_named": files.spread(file_named),
        "name_query_named": named * is_name,
        "name_query_type": files.highest(named * is_type, 0.0) * is_name,
    }


def _kinds(query: Query, entries: Sequence[Entry]) -> dict[str, Array]:
    functions = [entry.function for entry in entries]
    asks_text = bool(_ASKS_FOR_TEXT.search(query.text))
    n_lines = np.array([_n_lines(function) for function in functions])
    return {
        "is_text": np.array([float(function.kind == "text") for function in functions]) * (not asks_text),
        "is_type": np.array([float(function.kind in TYPE_KINDS) for function in functions]),
        "length": np.log1p(n_lines),
    }


def _n_lines(function: Function) -> int:
    # The lines of a type's methods are theirs; a large class would be ahead of each of them otherwise.
    is_type = function.kind in TYPE_KINDS
    return max(function.body.count("\n") + 1 if is_type else function.end_line - function.start_line, 1)


def _demotions(query: Query, entries: Sequence[Entry], files: Files) -> dict[str, Array]:
    reasons = [entry.demoted for entry in entries]
    text = query.text
    tests, examples = bool(_ASKS_FOR_TESTS.search(text)), bool(_ASKS_FOR_EXAMPLES.search(text))
    old = _superseded(text, files.paths)
    foreign = not names_platform(query.terms)
    headers = headers_of_others(files.paths)
    depths = np.array([path_words(path).depth for path in files.paths], np.float64)
    return {
        "test": _flags(reason == "test" and not tests for reason in reasons),
        "example": _flags(reason == "example" and not examples for reason in reasons),
        "vendored": _flags(reason == "vendored" for reason in reasons),
        "generated": _flags(reason in ("generated", "minified") for reason in reasons),
        "superseded": files.spread(_flags(path in old for path in files.paths)),
        "foreign_platform": files.spread(
            _flags(foreign and path_words(path).is_foreign for path in files.paths)
        ),
        "header": files.spread(_flags(path in headers for path in files.paths)),
        "depth": files.spread(depths - depths.min(initial=99.0)),
    }


def _superseded(text: str, paths: Iterable[str]) -> set[str]:
    asked = {int(version) for version in _VERSION.findall(text)}
    return set() if _ASKS_FOR_OLD.search(text) and not asked else superseded(paths, asked)


def _flags(values: object) -> Array:
    return np.fromiter(values, np.float64)  # type: ignore[call-overload, no-any-return]


def _file_evidence(name: str, values: Array, files: Files) -> dict[str, Array]:
    """What the other functions of a file say: their sum, damped, and the mean of its best three."""
    order = np.argsort(-values, kind="stable")
    seen = np.zeros(files.count, np.int64)
    top = np.zeros(files.count)
    for at in order:
        file = files.of[at]
        if seen[file] < 3:
            top[file] += values[at] / 3
        seen[file] += 1
    total = np.bincount(files.of, weights=np.maximum(values, 0.0), minlength=files.count)
    return {f"file_{name}": files.spread(np.log1p(total)), f"file_{name}_top": files.spread(top)}


def _dense(entries: Sequence[Entry], files: Files) -> dict[str, Array]:
    standard = _standardised(np.array([np.nan if entry.dense is None else entry.dense for entry in entries]))
    least = _least(standard)
    unfound = np.array([least if entry.has_vector else _NOT_EMBEDDED for entry in entries])
    scores = np.where(np.isnan(standard), unfound, standard)
    found = {"dense": scores, "file_dense": files.highest(scores, FARTHEST)}
    return found | _file_evidence("dense", np.maximum(scores + 1, 0.0), files)
