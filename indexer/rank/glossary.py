"""English words for a query in another natural language, so that words find code before there are any vectors.

The glossary is a table of single words, learnt from translated software (`indexer.training.mining.glossary`). Looking
each word of a query up, and searching by what it is translated to, is the structured query of cross-language
retrieval (Pirkola, SIGIR 1998; Darwish and Oard, SIGIR 2003). A query that may well be English is left as it is.
"""

from __future__ import annotations

import functools
import math
import re
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from indexer.rank.tokens import SCRIPTS_WITHOUT_SPACES, fold

GLOSSARY = Path(__file__).with_name("glossary.sqlite")

SPACELESS = re.compile(rf"[{SCRIPTS_WITHOUT_SPACES}]+")
PIECES = (4, 3, 2)
"""Characters of a word in such a script; one alone means too many things."""
BEGINNINGS = (7, 6)
"""Letters by which inflected words are looked up. Five or four let in more wrong words than right ones."""
HANGUL_BEGINNINGS = (3, 2)
_SHORTEST_PART = 4
"""Letters of either half of a compound, two syllables in Hangul."""
_HANGUL_PART = 2
_JOINTS = ("", "s", "n", "en", "es", "e")
"""What Germanic languages put between the halves."""
_WORD = re.compile(r"(?:[^\W\d_]|[\u0900-\u0963\u0970-\u0dff]){2,}")
"""The vowel signs of Indic scripts, which belong to words, are no letters to `re`."""
_NAME = re.compile(r"\S*(?:[a-z][A-Z]|[A-Z]{2}[a-z]|\w[\d_]|[\d_]\w|\w\.\w|[^\w\s]{2}|[()<>/\\@#])\S*")
"""What is written as names in code are is no word of a language."""
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_MAX_CHARS = 600
"""Of a query; what it asks for is said by then."""
_MAX_KEYS = 900  # SQLite takes 999 at once
_UNKNOWN = math.log(1e-6)
"""Log-probability of a word in a language that does not know it."""
_ENDING = 1.0
"""Taken off where only the beginning of a word is known."""
_RELATIVES = 2
"""Languages next to the likeliest that lend it words."""
_ENGLISH_FIRST = 6.0
"""Log-odds that a query is English, before it is read: one in another language has to show it."""


class Entry(NamedTuple):
    """What one language has for a word, or for words that begin so."""

    english: tuple[str, ...]
    """The best first; none for a word that only tells the language."""
    often: float
    """Natural logarithm of the word's share of all words of the language."""


Known = dict[str, dict[str, Entry]]
"""Language → word → entry."""


def keys(word: str) -> list[str]:
    """What a folded word is looked up by, the surest first: itself, then its beginnings, which end with ``*``."""
    lengths = HANGUL_BEGINNINGS if _HANGUL.match(word) else BEGINNINGS
    return [word, *(word[:length] + "*" for length in lengths if len(word) > length)]


def halves(word: str) -> list[tuple[str, str]]:
    """Every two words that a folded word may be made of, without what joins them: ``vorlage`` and ``ordner``."""
    shortest = _HANGUL_PART if _HANGUL.match(word) else _SHORTEST_PART
    return [
        (word[: at - len(joint)], word[at:])
        for at in range(shortest, len(word) - shortest + 1)
        for joint in _JOINTS
        if word.endswith(joint, 0, at) and at - len(joint) >= shortest
    ]


def pieces(run: str) -> list[str]:
    """Every piece of a run without spaces that may be a word of it, the longest first."""
    return [run[at : at + length] for length in PIECES for at in range(len(run) - length + 1)]


def split_words(text: str) -> tuple[list[str], list[str]]:
    """The folded words of a text, and its folded runs without spaces."""
    runs = [fold(run) for run in SPACELESS.findall(text)]
    return _WORD.findall(fold(SPACELESS.sub(" ", text))), runs


def gloss(text: str, path: Path = GLOSSARY) -> tuple[str, ...]:
    """Distinct English words for a query, in its order; none where it may well be English, or nothing is known."""
    split, runs = split_words(_NAME.sub(" ", text[:_MAX_CHARS]))
    words = [keys(word) for word in split]
    known = _look_up([*chain.from_iterable(words), *chain.from_iterable(map(pieces, runs))], path)
    languages = _languages(words, runs, known)
    if languages[0] == "en":
        return ()
    entries = _with_relatives([known[language] for language in languages if language != "en"])
    # Only now: most queries are English and end above.
    parts = [half for whole, *_ in words if whole not in entries for pair in halves(whole) for half in pair]
    entries |= _look_up(parts, path).get(languages[0], {})
    found = [*_of_words(words, entries), *(english for run in runs for english in _of_run(run, entries))]
    return tuple(dict.fromkeys(found))


def _languages(words: Sequence[Sequence[str]], runs: Sequence[str], known: Known) -> list[str]:
    """Languages by how likely they are the query's: English first unless another one is much likelier."""
    scores = {language: _likelihood(words, runs, entries) for language, entries in known.items()}
    scores["en"] = scores.get("en", _likelihood(words, runs, {})) + _ENGLISH_FIRST
    return sorted(scores, key=lambda language: (-scores[language], language))


def _with_relatives(known: Sequence[Mapping[str, Entry]]) -> dict[str, Entry]:
    """Entries of the likeliest language; whole words that it lacks from those next to it, as Dutch is to Afrikaans."""
    entries = dict(known[0])
    for relative in known[1 : 1 + _RELATIVES]:
        entries |= {
            key: entry for key, entry in relative.items() if key not in entries and not key.endswith("*")
        }
    return entries


def _likelihood(words: Sequence[Sequence[str]], runs: Sequence[str], entries: Mapping[str, Entry]) -> float:
    total = 0.0
    for word in words:
        for number, key in enumerate(word):
            if key in entries:
                total += max(_UNKNOWN, entries[key].often - number * _ENDING)
                break
        else:
            total += _UNKNOWN
    for run in runs:
        total += sum(max(_UNKNOWN, entry.often) for entry in _cut(run, entries))
    return total


def _of_words(words: Sequence[Sequence[str]], entries: Mapping[str, Entry]) -> Iterator[str]:
    for whole, *beginnings in words:
        if whole in entries:
            yield from entries[whole].english
        elif compound := _compound(whole, entries):
            yield from compound
        else:
            found = (entries[key].english for key in beginnings if key in entries)
            yield from next(filter(None, found), ())


def _compound(word: str, entries: Mapping[str, Entry]) -> tuple[str, ...]:
    """English for the two words that a word is likeliest made of (Koehn and Knight, EACL 2003), if it is."""
    known = [
        (entries[left], entries[right])
        for left, right in halves(word)
        if left in entries and right in entries and entries[left].english and entries[right].english
    ]
    if not known:
        return ()
    left, right = max(known, key=lambda pair: pair[0].often + pair[1].often)
    return (*left.english, *right.english)


def _of_run(run: str, entries: Mapping[str, Entry]) -> Iterator[str]:
    for entry in _cut(run, entries):
        yield from entry.english


_NOTHING = Entry((), _UNKNOWN)


def _cut(run: str, entries: Mapping[str, Entry]) -> list[Entry]:
    """The likeliest words of a run, from left to right; a character in none of them is nothing."""
    best: list[tuple[float, list[Entry]]] = [(0.0, [])]
    for end in range(1, len(run) + 1):
        score, cut = best[end - 1]
        options = [(score + _UNKNOWN, [*cut, _NOTHING])]
        for length in PIECES:
            entry = entries.get(run[end - length : end]) if length <= end else None
            if entry is not None:
                score, cut = best[end - length]
                options.append((score + entry.often, [*cut, entry]))
        best.append(max(options, key=lambda option: option[0]))
    return best[-1][1]


def _look_up(wanted: Sequence[str], path: Path) -> Known:
    wanted = tuple(dict.fromkeys(wanted))[:_MAX_KEYS]
    found: Known = defaultdict(dict)
    marks = ", ".join("?" * len(wanted))
    statement = f"SELECT word, language, english, often FROM words WHERE word IN ({marks})"
    for word, language, english, often in _open(path, threading.get_ident()).execute(statement, wanted):
        found[language][word] = Entry(tuple(english.split()), often / 100)
    return found


@functools.lru_cache(maxsize=16)
def _open(path: Path, thread: int) -> sqlite3.Connection:
    # A connection serves the thread that opened it.
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
