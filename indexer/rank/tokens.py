"""Text to search words: what the lexical index stores and what a query is compared by.

Both sides go through `tokenize`, so a change here needs every lexical index rebuilt: raise `TOKENS_VERSION`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

TOKENS_VERSION = 2
"""Of the rules below; a lexical index made with another version must be rebuilt."""

MAX_WORD_CHARS = 64
"""Longer runs are data (base64, hashes), not names; only their head is kept, unsplit."""

_WORD = re.compile(r"\w+")
_ASCII_PARTS = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PARTS = re.compile(r"[^\W\d_]+|\d+")
SCRIPTS_WITHOUT_SPACES = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Ranges of the scripts that have no spaces between words: Thai, Lao, Burmese, Khmer, Kana, Han."""
# Hangul has spaces, but its particles stick to the nouns.
UNSPACED = re.compile(rf"[{SCRIPTS_WITHOUT_SPACES}\uac00-\ud7af]+")
_COMBINING = re.compile(r"[\u0300-\u036f]")


def tokenize(text: str) -> list[str]:
    """Lower-case, stemmed words of code or prose, in order; identifiers give their parts and themselves.

    ``parseHTTPRequest`` and ``parse_http_request`` both give parse, http, request, parsehttprequest.
    Tokens hold letters and digits only. CJK, Thai and the like become overlapping pairs of characters.
    """
    tokens: list[str] = []
    for word in _WORD.findall(text):
        tokens += _word_tokens(word)
    return tokens


@lru_cache(maxsize=1 << 17)
def _word_tokens(word: str) -> tuple[str, ...]:
    if len(word) > MAX_WORD_CHARS:
        word = word[:MAX_WORD_CHARS]
        return (fold(word).replace("_", ""),) if word.strip("_") else ()
    if not word.isascii():
        return tuple(_foreign_tokens(word))
    parts = [part.lower() for part in _ASCII_PARTS.findall(word)]
    tokens = [stem(part) for part in parts]
    if len(parts) > 1:
        tokens.append("".join(parts))
    return tuple(tokens)


def _foreign_tokens(word: str) -> list[str]:
    """Tokens of a word with letters outside ASCII: pairs for unspaced scripts, folded words for the rest."""
    tokens: list[str] = []
    start = 0
    for match in UNSPACED.finditer(word):
        tokens += _spaced_tokens(word[start : match.start()])
        # Normalising takes the Thai and Lao letter am apart, into a mark and a letter.
        for run in _WORD.findall(unicodedata.normalize("NFKC", match.group())):
            tokens += _pairs(run)
        start = match.end()
    return tokens + _spaced_tokens(word[start:])


def _spaced_tokens(word: str) -> list[str]:
    if word.isascii():
        return list(_word_tokens(word)) if word else []
    parts = _PARTS.findall(fold(word))
    tokens = [stem(part) if part.isascii() else part for part in parts]
    return [*tokens, "".join(parts)] if len(parts) > 1 else tokens


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]


def fold(word: str) -> str:
    """Case folded, compatibility forms unified, accents removed, so that ``Función`` meets ``funcion``."""
    # Folding comes last: the decomposition of a mathematical letter is a plain capital.
    decomposed = unicodedata.normalize("NFKD", word).casefold()
    return unicodedata.normalize("NFC", _COMBINING.sub("", decomposed))


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The word without its English inflection; a light stemmer that never goes below three letters."""
    if len(word) <= 3 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("sses") or word.endswith(("xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix in ("ing", "ed"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and _has_vowel(word[: -len(suffix)]):
            return _undouble(word[: -len(suffix)])
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _has_vowel(word: str) -> bool:
    return any(letter in "aeiouy" for letter in word)


def _undouble(word: str) -> str:
    """``runn`` to ``run``, but ``call`` and ``pass`` keep their double letter."""
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word


def contains(words: Sequence[str], run: Sequence[str]) -> bool:
    """Whether the words of a run stand together among the others, in its order."""
    return any(tuple(words[at : at + len(run)]) == tuple(run) for at in range(len(words)))
