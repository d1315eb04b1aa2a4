"""From candidates to the answer: score, same-file decay, deterministic order, explanation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from indexer.rank import weights
from indexer.rank.candidates import Array, Candidate, Entry, Files, Statistics, join
from indexer.rank.explain import lines_that_answer, matched_terms, signals
from indexer.rank.features import FARTHEST, features
from indexer.rank.query import Query
from indexer.rank.tokens import contains, tokenize
from indexer.types import TYPE_KINDS, Function, Nearness, SearchResult, Why

_ROUNDING = 1e-6
_WINDOW_CHARS = 900
"""About what an embedder reads of a text at once."""

Compare = Callable[[Sequence[str]], Nearness | None]
"""How near the tokens of each text come to those of a query; None where the embedder cannot tell."""


def rank(
    query: Query,
    lexical: Sequence[Candidate],
    dense: Sequence[Candidate],
    statistics: Statistics,
    *,
    limit: int,
    root: str = "",
    explain: bool = False,
    nearness: Compare | None = None,
) -> list[SearchResult]:
    """The best candidates, best first.

    Pure: the same arguments give the same answer, whatever the order of the candidates.

    :param lexical: Found by words, scored by BM25; at most one a function.
    :param dense: Found by vectors, scored by cosine; several for one function count once, by the best.
        Empty when there are no vectors: then words alone decide, with weights of their own.
    :param root: Absolute path of the indexed folder, for the results.
    :param explain: Give every signal of a result, not only the strongest.
    :param nearness: Tells how near the tokens of texts come to those of the query; a second stage over the best few.
    """
    entries = [entry for entry in join(lexical, dense) if _has_phrases(query, entry)]
    if not entries:
        return []
    files = Files(entries)
    names, parts = contributions(query, entries, files, statistics, bool(dense))
    moved = parts - parts.mean(axis=0)
    dealt = functions_first(entries, files, parts.sum(axis=1))
    if nearness and query.kind in weights.RESCORED_KINDS:
        added = second_stage(entries, dealt, nearness)
        names, moved, dealt = [*names, "tokens"], np.column_stack((moved, added)), dealt + added
    chance = weights.CHANCE if dense else weights.WORDS_ONLY_CHANCE
    return [
        SearchResult(
            root,
            entries[at].function,
            _chance(score, chance),
            Why(
                entries[at].dense_rank,
                entries[at].lexical_rank,
                matched_terms(query, entries[at].function),
                signals(dict(zip(names, moved[at].tolist(), strict=True)), explain),
                lines_that_answer(query, entries[at].function, statistics),
            ),
            entries[at].demoted,
        )
        for at, score in decayed(entries, dealt, limit)
    ]


def contributions(
    query: Query, entries: Sequence[Entry], files: Files, statistics: Statistics, has_dense: bool
) -> tuple[list[str], Array]:
    """Names of the signals, and what each adds to each candidate's score: float64 [n, signals]."""
    found = features(query, entries, files, statistics, has_dense)
    wanted = weights.HYBRID if has_dense else weights.WORDS_ONLY
    names = [name for name in found if wanted.get(name)]
    return names, np.stack([found[name] * wanted[name] for name in names], axis=1)


def functions_first(entries: Sequence[Entry], files: Files, scores: Array) -> Array:
    """The scores of each file's candidates, dealt out among them anew.

    How good a file is all of its code says, types and loose statements too, but a function is what is looked for in it,
    and of two as good the shorter one: more of a long text comes near to anything by chance.
    """
    wanted = scores - np.array([_less_wanted(entry.function) for entry in entries])
    dealt: Array = np.empty_like(scores)
    # Both put the files in one order; they are stable, so that equals keep the order of the entries.
    dealt[np.lexsort((-wanted, files.of))] = scores[np.lexsort((-scores, files.of))]
    return dealt


def second_stage(entries: Sequence[Entry], scores: Array, nearness: Compare) -> Array:
    """What late interaction adds to the scores of the best candidates; nothing to all others.

    A longer text has more tokens that come near by chance, so what its length explains is taken off before.
    """
    best = np.argsort(-scores, kind="stable")[: weights.RESCORED]
    near = nearness([entries[at].function.text for at in best])
    added = np.zeros(len(entries))
    if near is not None and len(best) > 2:
        added[best] = weights.NEARNESS * _beyond_length(near.cosines.astype(np.float64), near.tokens)
    return added


def _beyond_length(cosines: Array, tokens: npt.NDArray[np.int64]) -> Array:
    """Standard scores of what is left of the cosines after a regression on the logarithm of the length."""
    length = np.log(tokens + 8.0)
    length -= length.mean()
    rest: Array = cosines - cosines.mean()
    if (spread := float(length @ length)) > 0:
        rest = rest - length * float(rest @ length) / spread
    deviation = float(rest.std())
    if deviation < _ROUNDING:
        return np.zeros(len(rest))
    standard: Array = np.maximum(rest / deviation, FARTHEST)
    return standard


def _less_wanted(function: Function) -> float:
    length = weights.LENGTH_IN_FILE * math.log1p(len(function.text) / _WINDOW_CHARS)
    if function.kind == "module":
        return length + weights.BLOCK_IN_FILE
    return length + weights.TYPE_IN_FILE * (function.kind in TYPE_KINDS)


def decayed(entries: Sequence[Entry], scores: Array, limit: int) -> list[tuple[int, float]]:
    """(index, score) of the best, each lowered where a better one of its file, or with its text, is before it.

    Equal scores keep the order of the entries, which is that of path and position.
    """
    order = np.argsort(-scores, kind="stable")
    paths: set[str] = set()
    texts: set[str] = set()
    waiting = [(float(scores[at]), int(at)) for at in order]
    answer: list[tuple[int, float]] = []
    while waiting and len(answer) < limit:
        best, at = _next(waiting, entries, paths, texts)
        answer.append((at, best))
        paths.add(entries[at].function.path)
        texts.add(entries[at].function.text)
    return answer


def _next(
    waiting: list[tuple[float, int]], entries: Sequence[Entry], paths: set[str], texts: set[str]
) -> tuple[float, int]:
    """Take the best of what waits, which is sorted, so the search ends at the first that no decay can reach."""
    best, where = -math.inf, -1
    for place, (score, at) in enumerate(waiting):
        if score <= best:
            break
        function = entries[at].function
        lowered = score - weights.SAME_FILE * (function.path in paths or function.text in texts)
        if lowered > best:
            best, where = lowered, place
    return best, waiting.pop(where)[1]


def _chance(score: float, fitted: tuple[float, float]) -> float:
    """A score as the fitted chance, 0 to 1, that the file is one that answers."""
    slope, offset = fitted
    return 1 / (1 + math.exp(-(slope * score + offset)))


def _has_phrases(query: Query, entry: Entry) -> bool:
    """Whether a candidate has the quoted phrases; those that words found have them already."""
    if not query.phrases or entry.lexical_rank is not None:
        return True
    function = entry.function
    fields = [tokenize(text) for text in (function.symbol, function.path, function.doc, function.body)]
    return all(any(contains(words, phrase) for words in fields) for phrase in query.phrases)
