"""The same sentence in English and in another natural language, from translated software and its documentation.

Such pairs teach the embedder that a question means the same in every language. `translation_files` reads them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from indexer.training.mining.quality import MAX_WORDS, MIN_WORDS, word_count
from indexer.training.mining.translation_files import READERS

PER_LANGUAGE = 60_000
LONG_WORDS, LONG_SHARE = 8, 2 / 3
"""Most software says little at a time, so sentences as long as a question have a share of their own."""

_RENAMED = {"iw": "he", "in": "id", "tl": "fil", "no": "nb", "ji": "yi", "gr": "el"}
_PSEUDO = {"qps", "qq", "qqq", "en", "pcm"}
"""No languages: English with odd letters, notes to translators, English of another country, and Nigerian Pidgin, whose
words are English ones."""
_PLACEHOLDER = re.compile(
    r"%\(\w+\)[sdif]|%\d*\$?[sdif@]|\$\{[^}]*\}|\{\{?[^{}]*\}?\}|\[%key:[^%]*%\]|%(?:[A-Z]|[1-9])\b"
)
_RST = re.compile(
    r":[\w:+-]+:`[~!]?([^`<]*?)\s*(?:<[^>]*>)?`|`([^`<]*?)\s*<[^>]*>`_+|`+([^`]*)`+_*|\*\*?([^*]+)\*\*?"
)
_BRACKETS = (
    (re.compile(r"!?\[([^\[\]]+)\]\([^()\s]*\)"), r"\1"),
    (re.compile(r"\[(?:param|method|member|constant|signal|enum|annotation|theme_item) ([^\[\]]+)\]"), r"\1"),
    (re.compile(r"\[(b|i|u|code|kbd|url|color)(?:[ =][^\[\]]*)?\](.*?)\[/\1\]"), r"\2"),
)
"""Links of Markdown, and the markup of Godot's class reference."""
_FOREIGN = re.compile(r"\bcrwdns\d|,\s*(?:plural|select|selectordinal)\s*,")
"""Marks of Crowdin's editor in place of a translation, and messages that hold several sentences in one."""
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Parallel:
    """One sentence twice."""

    a: str
    """English."""
    b: str
    lang: str
    """ISO 639 code of `b`."""
    source: str
    licence: str


def collect_parallel(folder: Path, source: str, licence: str) -> Iterator[Parallel]:
    """All usable pairs in the translation files under `folder`."""
    for reader in READERS:
        for a, b, lang in reader(folder):
            english, other = plain_sentence(a), plain_sentence(b)
            if lang not in _PSEUDO and _is_good(english, other):
                yield Parallel(english, other, _RENAMED.get(lang, lang), source, licence)


def sample(pairs: Iterable[Parallel], per_language: int = PER_LANGUAGE) -> list[Parallel]:
    """At most so many per language, one per English sentence, in turn from each source; the same on every run."""
    languages: dict[str, dict[str, list[Parallel]]] = defaultdict(lambda: defaultdict(list))
    seen: set[tuple[str, str]] = set()
    for pair in pairs:
        key = (pair.lang, pair.a.lower())
        if key not in seen:
            seen.add(key)
            languages[pair.lang][pair.source].append(pair)
    chosen: list[Parallel] = []
    for lang in sorted(languages):
        chosen += _long_first(list(languages[lang].values()), per_language)
    return chosen


def rows(pairs: Sequence[Parallel]) -> Iterator[str]:
    """JSON lines."""
    return (json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs)


def plain_sentence(text: str) -> str:
    """Without markup; placeholders become ``X``."""
    text = _RST.sub(lambda match: next((group for group in match.groups() if group), ""), text)
    for pattern, kept in _BRACKETS:
        text = pattern.sub(kept, text)
    return _SPACE.sub(
        " ", _TAG.sub("", _PLACEHOLDER.sub("X", text)).replace("\\'", "'").replace("\\n", " ")
    ).strip(' "')


def _is_good(english: str, other: str) -> bool:
    if not MIN_WORDS <= word_count(english) <= MAX_WORDS or not 2 <= word_count(other) <= 2 * MAX_WORDS:
        return False
    if _FOREIGN.search(english) or _FOREIGN.search(other):
        return False
    letters = sum(ch.isalpha() or ch.isspace() for ch in english)
    ours, theirs = set(_WORD.findall(english.lower())), set(_WORD.findall(other.lower()))
    same = len(ours & theirs) / max(1, len(theirs))
    return letters > 0.75 * len(english) and same <= 0.5


def _long_first(groups: list[list[Parallel]], limit: int) -> list[Parallel]:
    long = [[pair for pair in group if word_count(pair.a) >= LONG_WORDS] for group in groups]
    first = _in_turn([group for group in long if group], int(limit * LONG_SHARE))
    taken = set(first)
    rest = [[pair for pair in group if pair not in taken] for group in groups]
    return first + _in_turn([group for group in rest if group], limit - len(first))


def _in_turn(groups: list[list[Parallel]], limit: int) -> list[Parallel]:
    ordered = [sorted(group, key=_shuffled) for group in groups]
    chosen: list[Parallel] = []
    while ordered and len(chosen) < limit:
        share = max(1, (limit - len(chosen)) // len(ordered))
        chosen += [pair for group in ordered for pair in group[:share]]
        ordered = [group[share:] for group in ordered if len(group) > share]
    return chosen[:limit]


def _shuffled(pair: Parallel) -> bytes:
    return hashlib.blake2b(pair.a.encode(), digest_size=8).digest()
