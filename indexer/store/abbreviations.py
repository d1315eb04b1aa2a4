"""Abbreviations that the code of one root uses for a word: ``cfg`` for ``configuration``, learnt from where both occur.

No list of known ones: a short word is taken for a long one when its letters stand in it in order, and functions that
hold the short word hold the long one much more often than others do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import combinations

_LEAST_WORD = 5  # letters; shorter words are hardly abbreviated
_LONGEST = 5
_LETTERS = 8  # of a word that its abbreviations are made of
_LEAST_TOGETHER = 3  # functions
_LEAST_SHARE = 0.05  # of the functions with the short word
_LEAST_SHARE_OF_PAIRS = 0.2  # two letters say little; without a vowel, or they are words of their own
_MOST_FUNCTIONS = 40_000  # that hold one of both words; counting more would take too long
_LEAST_LIFT = 3.0
_MOST = 2  # for each word
_VOWELS = frozenset("aeiou")


def of_word(
    db: sqlite3.Connection, table: str, vocabulary: str, word: str, n_functions: int
) -> tuple[str, ...]:
    """The abbreviations of a search word, the surest first.

    :param table: FTS5 table of the root's functions.
    :param vocabulary: Its fts5vocab table of type ``row``.
    """
    if len(word) < _LEAST_WORD or not (word.isascii() and word.isalpha()):
        return ()
    scored = sorted(_scored(db, table, vocabulary, word, n_functions), reverse=True)
    return tuple(short for _, short in scored[:_MOST])


def candidates(word: str) -> set[str]:
    """What a word may be abbreviated to: its beginnings, and its first letter with some of its later consonants."""
    shorts = {word[:length] for length in range(3, min(_LONGEST, len(word) - 1) + 1)}
    consonants = [letter for letter in word[1:] if letter not in _VOWELS][:_LETTERS]
    for length in range(1 if word[0] not in _VOWELS else 2, _LONGEST - 1):
        shorts.update(word[0] + "".join(letters) for letters in combinations(consonants, length))
    return shorts - {word}


def _scored(
    db: sqlite3.Connection, table: str, vocabulary: str, word: str, n_functions: int
) -> Iterator[tuple[float, str]]:
    known = _frequencies(db, vocabulary, [word, *candidates(word)])
    with_word = known.pop(word, 0)
    if not with_word:
        return
    for short, with_short in known.items():
        # A word that is written out more often is found as it is.
        if with_short < max(_LEAST_TOGETHER, with_word) or with_short + with_word > _MOST_FUNCTIONS:
            continue
        expected = with_short * with_word / max(n_functions, 1)
        share = _LEAST_SHARE_OF_PAIRS if len(short) == 2 else _LEAST_SHARE
        least = max(_LEAST_TOGETHER, share * with_short, _LEAST_LIFT * expected)
        # Both together cannot be more than either; most candidates end here without a search.
        if least > min(with_word, with_short):
            continue
        together = _together(db, table, short, word)
        if together >= least:
            yield together / with_short, short


def _frequencies(db: sqlite3.Connection, vocabulary: str, words: list[str]) -> dict[str, int]:
    marks = ", ".join("?" * len(words))
    rows = db.execute(f"SELECT term, doc FROM {vocabulary} WHERE term IN ({marks})", words)
    return dict(rows.fetchall())


def _together(db: sqlite3.Connection, table: str, one: str, other: str) -> int:
    statement = f"SELECT count(*) FROM {table} WHERE {table} MATCH ?"
    count: int = db.execute(statement, (f'"{one}" AND "{other}"',)).fetchone()[0]
    return count
