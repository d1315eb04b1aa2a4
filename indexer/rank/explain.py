"""Why a result stands where it does: the words it has, the signals that moved it, the lines that answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexer.rank.candidates import Statistics
from indexer.rank.features import inverse_document_frequency
from indexer.rank.query import Query
from indexer.rank.tokens import tokenize
from indexer.types import TYPE_KINDS, Function

_DOC_INSIDE = frozenset({"python", "powershell", "matlab"})
MAX_RANGES = 3
"""Places a result highlights; more would highlight nothing."""
_LINES_READ = 400
"""Of a longer function only the head is searched for lines to highlight."""
_NEAR_BEST = 0.6
"""Share of the best line's weight that another line needs to be highlighted as well."""


def matched_terms(query: Query, function: Function) -> tuple[str, ...]:
    """The query's words that the function has, in the order of the query."""
    held = set(tokenize(f"{function.path} {function.symbol} {function.doc} {function.body}"))
    return tuple(word for word in query.words if word in held)


def lines_that_answer(
    query: Query, function: Function, statistics: Statistics
) -> tuple[tuple[int, int], ...]:
    """Ranges of the file's lines, 0-based and half-open, in which the query's rarest words meet."""
    weights = {term: inverse_document_frequency(statistics, term) for term in query.terms}
    weights |= {short: weights[term] for term, shorts in query.abbreviations.items() for short in shorts}
    lines = _file_lines(function)
    scores = [sum(weights.get(token, 0.0) for token in set(tokenize(text))) for _, text in lines]
    best = max(scores, default=0.0)
    if best <= 0:
        return ()
    order = sorted(range(len(lines)), key=lambda at: (-scores[at], at))
    chosen = [lines[at][0] for at in order if scores[at] >= _NEAR_BEST * best]
    return _merged(chosen)


def _file_lines(function: Function) -> list[tuple[int, str]]:
    """(line of the file, its text) for the lines of the body; nothing where they cannot be placed.

    The body leaves out the doc comment, which stands above it or, in a few languages, below the signature.
    The body of a type also leaves out those of its members, so its lines cannot be counted.
    """
    body = function.body.split("\n")
    n_left_out = function.end_line - function.start_line - len(body)
    if n_left_out < 0 or (n_left_out > 0 and function.kind in TYPE_KINDS):
        return []
    n_above = _n_signature_lines(body) if function.language in _DOC_INSIDE else 0
    return [
        (function.start_line + at + (n_left_out if at >= n_above else 0), text)
        for at, text in enumerate(body[:_LINES_READ])
    ]


def _n_signature_lines(body: Sequence[str]) -> int:
    """Lines up to the one that opens the block."""
    opening = (
        at for at, line in enumerate(body, 1) if line.split("#")[0].rstrip().endswith((":", "{", " do"))
    )
    return next(opening, 1)


def _merged(lines: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The best lines as ranges, neighbours joined, in the order of the file."""
    ranges: list[tuple[int, int]] = []
    for line in sorted(lines[: MAX_RANGES * 3]):
        if ranges and line <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], line + 1)
        else:
            ranges.append((line, line + 1))
    first = {line: at for at, line in reversed(list(enumerate(lines)))}
    ranges.sort(key=lambda span: min(first.get(line, len(lines)) for line in range(*span)))
    return tuple(sorted(ranges[:MAX_RANGES]))


def signals(contributions: Mapping[str, float], everything: bool) -> dict[str, float]:
    """What moved a result most against the average candidate, strongest first; all of it when asked."""
    ordered = sorted(contributions.items(), key=lambda item: (-abs(item[1]), item[0]))
    telling = [(name, value) for name, value in ordered if abs(value) >= 0.005]
    return dict(telling if everything else telling[:5])
