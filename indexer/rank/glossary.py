"""A query in another natural language put into English, so that words find code before there are any vectors.

The glossary is a table of single words, learnt from translated software (`indexer.training.mining.glossary`). Searching
by what each word of a query is translated to is the structured query of cross-language retrieval (Pirkola, SIGIR 1998;
Darwish and Oard, SIGIR 2003); a small embedder reads the query so, word by word. One that may well be English is left
as it is.
"""

from __future__ import annotations

import functools
import math
import re
import sqlite3
import threading
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from indexer.rank.query import is_filler
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
_INDIC = r"\u0900-\u0963\u0970-\u0dff"
"""Scripts whose vowel signs, which belong to words, are no letters to `re`."""
_MARKS = rf"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670{_INDIC}"
"""The same and all other marks that stand behind letters until they are folded."""
_WORD = re.compile(rf"(?:[^\W\d_]|[{_INDIC}]){{2,}}")
_NAME = re.compile(
    r"\S*(?:[a-z][A-Z]|[A-Z]{2}[a-z]|\w[\d_]|[\d_]\w|\w\.\w|\w[^\w\s]{2,}\w|\w\(|[<>/\\@#])\S*"
)
_TOKEN = re.compile(
    rf"(?P<name>{_NAME.pattern})|(?P<run>{SPACELESS.pattern})|(?P<word>(?:[^\W\d_]|[{_MARKS}])+)"
)
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_MAX_CHARS = 1_000
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

    @property
    def best(self) -> str:
        """The likeliest English word, empty where there is none."""
        return self.english[0] if self.english else ""


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


def without_names(text: str) -> str:
    """The text without what is written as names in code are, which is no word of a language."""
    return _NAME.sub(" ", text)


class Gloss(NamedTuple):
    """What English has for a query; nothing for one that may well be English, or of which nothing is known."""

    words: tuple[str, ...] = ()
    """Distinct words to search by, in the query's order."""
    text: str = ""
    """The query with each word that is known in English, the likeliest, and all else as it was."""


def gloss(text: str, path: Path = GLOSSARY) -> Gloss:
    """A query in English, word by word."""
    text = unicodedata.normalize("NFC", text)
    split, runs = split_words(without_names(text[:_MAX_CHARS]))
    words = [keys(word) for word in split]
    known = _look_up([*chain.from_iterable(words), *chain.from_iterable(map(pieces, runs))], path)
    languages = _languages(words, runs, known)
    if languages[0] == "en":
        return Gloss()
    entries = _with_relatives([known[language] for language in languages if language != "en"])
    # Only now: most queries are English and end above.
    parts = [half for whole, *_ in words if whole not in entries for pair in halves(whole) for half in pair]
    entries |= _look_up(parts, path).get(languages[0], {})
    found = chain(_of_words(words, entries), (entry for run in runs for _, entry in _cut(run, entries)))
    english = dict.fromkeys(word for entry in found for word in entry.english if not is_filler(word))
    said = _TOKEN.sub(lambda token: _said(token, entries), text[:_MAX_CHARS])
    return Gloss(tuple(english), " ".join((said + text[_MAX_CHARS:]).split())) if english else Gloss()


def _said(token: re.Match[str], entries: Mapping[str, Entry]) -> str:
    """A word or a run as English says it; itself, where it is a name or unknown."""
    if token["run"]:
        cut = _cut(fold(token["run"]), entries)
        return "".join(piece if entry is _NOTHING else f" {entry.best} " for piece, entry in cut)
    if token["word"] and (words := split_words(token["word"])[0]):
        known = list(_of_words(map(keys, words), entries))
        return " ".join(entry.best for entry in known) if known else token[0]
    return token[0]


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
        total += sum(max(_UNKNOWN, entry.often) for _, entry in _cut(run, entries))
    return total


def _of_words(words: Iterable[Sequence[str]], entries: Mapping[str, Entry]) -> Iterator[Entry]:
    for whole, *beginnings in words:
        if whole in entries:
            yield entries[whole]
        elif compound := _compound(whole, entries):
            yield from compound
        else:
            known = [entries[key] for key in beginnings if key in entries]
            yield from [entry for entry in known if entry.english][:1] or known[:1]


def _compound(word: str, entries: Mapping[str, Entry]) -> tuple[Entry, ...]:
    """The two words that a word is likeliest made of (Koehn and Knight, EACL 2003), if it is."""
    known = [
        (entries[left], entries[right])
        for left, right in halves(word)
        if left in entries and right in entries and entries[left].english and entries[right].english
    ]
    return max(known, key=lambda pair: pair[0].often + pair[1].often, default=())


_NOTHING = Entry((), _UNKNOWN)


def _cut(run: str, entries: Mapping[str, Entry]) -> list[tuple[str, Entry]]:
    """The likeliest words of a run, from left to right; a character in none of them is nothing."""
    best: list[tuple[float, list[tuple[str, Entry]]]] = [(0.0, [])]
    for end in range(1, len(run) + 1):
        score, cut = best[end - 1]
        options = [(score + _UNKNOWN, [*cut, (run[end - 1], _NOTHING)])]
        for length in PIECES:
            piece = run[end - length : end] if length <= end else ""
            if piece in entries:
                score, cut = best[end - length]
                options.append((score + entries[piece].often, [*cut, (piece, entries[piece])]))
        best.append(max(options, key=lambda option: option[0]))
    return best[-1][1]


def _look_up(wanted: Iterable[str], path: Path) -> Known:
    distinct = list(dict.fromkeys(wanted))
    found: Known = defaultdict(dict)
    for at in range(0, len(distinct), _MAX_KEYS):
        some = distinct[at : at + _MAX_KEYS]
        statement = (
            f"SELECT word, language, english, often FROM words WHERE word IN ({', '.join('?' * len(some))})"
        )
        for word, language, english, often in _open(path, threading.get_ident()).execute(statement, some):
            found[language][word] = Entry(tuple(english.split()), often / 100)
    return found


@functools.lru_cache(maxsize=16)
def _open(path: Path, thread: int) -> sqlite3.Connection:
    # A connection serves the thread that opened it.
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
