"""What a person asked: operators, phrases, words, names, and the kind of query that sets the weights."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from indexer.rank.tokens import UNSPACED, stem, tokenize
from indexer.types import SearchFilters, last_name

MAX_TERMS = 64
"""Distinct words a query is searched by; a pasted file has more, and its first ones say enough."""

RUN, LONGEST_RUN = 4, 7
"""Words of a run, three of which are no fillers: that they stand together elsewhere is no chance."""

MOST_BESIDE_PHRASES = 4
"""Words beside quoted ones, which a result must have; in a longer query they are a part of a message, where what is
quoted is often not in the code: ``cannot open "a.txt" for writing``."""

QUERY_KINDS = ("symbol", "keyword", "sentence", "question", "code", "trace")

_ENGLISH_FILLERS = """
a about after all also an and any are as at be been before both but by can could did do does during
each for from had has have how i if in into is it its me more most my no not of on one only or other
our out over shall should so some such than that the their them then there these they this those to
under up use used using via was we were what when where which who why will with without would you
your
"""
_STOP_WORDS = frozenset(tokenize(_ENGLISH_FILLERS))
_OPERATOR = re.compile(
    r'(?<!\S)(?P<name>-?(?:symbol|path|lang|kind)):(?!:)(?:"(?P<quoted>[^"]*)"|(?P<bare>\S+))', re.I
)
_NO_TESTS = re.compile(r"(?<!\S)-tests?(?!\S)", re.I)
_PHRASE = re.compile(r'(?<!\S)"([^"]+)"(?![^\s.,;:!?])')
"""Quotes that stand by themselves; those within code are of its strings."""
_NAME = re.compile(r"[^\W\d]\w*(?:(?:::|\.|#|->|/)[^\W\d]\w*)*")
_LOOKS_LIKE_NAME = re.compile(r"[a-z0-9][A-Z]|_|[A-Z]{2,}|::|->|#|\w\.\w")
_FRAME = re.compile(
    r"""(?x)
    \bFile\ "[^"]+",\ line\ \d+ | \bat\ [\w$.<>]+\s?\([^)]*\) | \bat\ \S+:\d+ | \S+\.\w{1,5}:\d+(:\d+)?\b
    | \bTraceback\b | \bpanicked\ at\b | \bgoroutine\ \d+ | \b\w+(Error|Exception)\b:
    """
)
_PYTHON_FRAME = re.compile(r'\bFile "[^"]+", line \d+')
_CODE = re.compile(r"[;{}]|=>|->|[=!<>]=|:=|\+=|&&|\|\||\w\([^)]*\)|\bself\.|\breturn\b|</?\w+>|= ")
_QUESTION = re.compile(r"(how|what|where|which|why|when|who|whose|does|do|is|are|can|should)\b", re.I)
_QUESTION_MARKS = ("?", "？", "؟")


def behind_english(text: str, english: str) -> str:
    """A text behind what a glossary makes of it in English, as single words may be wrong."""
    return f"{english} {text}".strip()


@dataclass(frozen=True)
class Query:
    """A query as ranking sees it."""

    text: str
    """What is left for the embedder, operators removed."""
    kind: str
    terms: tuple[str, ...]
    """Distinct search words, stop words removed."""
    names: tuple[str, ...] = ()
    """Words that look like identifiers: lower case, letters and digits only, without their qualifiers."""
    spelled: tuple[str, ...] = ()
    """The same as they were written: ``Serialize`` is a type where ``serialize`` is a method."""
    phrases: tuple[tuple[str, ...], ...] = ()
    """Search words of the quoted phrases of a short query; a result must contain each in order."""
    filters: SearchFilters = field(default_factory=SearchFilters)
    abbreviations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the searched code writes for some of the terms."""
    runs: tuple[tuple[str, ...], ...] = ()
    """Words that stand together in it; code that has them so has what was pasted, a message above all."""
    english: str = ""
    """A query in another natural language in English, word by word (`indexer.rank.glossary`)."""

    @property
    def glossed_text(self) -> str:
        """The query as a model reads it that reads glosses."""
        return behind_english(self.text, self.english)

    @property
    def words(self) -> tuple[str, ...]:
        """The terms and their abbreviations."""
        return (*self.terms, *(short for shorts in self.abbreviations.values() for short in shorts))

    @property
    def fts(self) -> str:
        """FTS5 expression: any word, and every phrase; empty when there is nothing to search by."""
        words = " OR ".join(f'"{word}"' for word in self.words)
        phrases = [f'"{" ".join(phrase)}"' for phrase in self.phrases]
        if not phrases:
            return words
        must = " AND ".join(phrases)
        return f"({must}) AND ({' OR '.join([*phrases, words])})"

    @property
    def fts_runs(self) -> str:
        """FTS5 expression for code that has some run of the query's words; empty where it has none."""
        return " OR ".join(f'"{" ".join(run)}"' for run in self.runs)

    @property
    def fts_names(self) -> str:
        """The same over symbols and paths alone; a phrase may stand anywhere."""
        words = " OR ".join(f'"{word}"' for word in self.words)
        named = f"{{symbol path}} : ({words})"
        must = " AND ".join(f'"{" ".join(phrase)}"' for phrase in self.phrases)
        return f"({must}) AND {named}" if must else named

    @property
    def fts_definitions(self) -> str:
        """FTS5 expression for symbols that hold a name of the query as a whole; empty where it has none."""
        tokens = dict.fromkeys(token for name in self.names for token in (name, stem(name)))
        words = " OR ".join(f'"{token}"' for token in tokens)
        return f"{{symbol}} : ({words})" if words and not self.phrases else ""


def parse_query(text: str) -> Query:
    """Read the operators (``symbol:`` ``path:`` ``lang:`` ``kind:``, ``-lang:`` and so on, ``-tests``) and phrases."""
    rest, filters = _take_operators(text)
    plain = " ".join(rest.replace('"', " ").split())
    # A query of operators alone still needs words to rank by: those of the operators.
    plain = plain or " ".join([*filters.symbols, *filters.paths]).replace("*", " ").strip()
    kind = query_kind(rest)
    pasted = kind in ("code", "trace")
    kind = kind if pasted else query_kind(plain)
    quoted = () if pasted else _PHRASE.findall(rest)
    phrases = tuple(words for phrase in quoted if (words := tuple(tokenize(phrase))))
    runs = _runs(plain)
    if len(_PHRASE.sub(" ", rest).split()) > MOST_BESIDE_PHRASES:
        runs = tuple(dict.fromkeys((*(phrase for phrase in phrases if len(phrase) > 1), *runs)))
        phrases = ()
    spelled = _spelled_names(plain, kind)
    names = tuple(dict.fromkeys(filter(None, map(folded_name, spelled))))
    return Query(plain, kind, _terms(plain), names, spelled, phrases, filters, runs=runs)


def with_english(query: Query, words: Sequence[str], text: str, kept: Collection[str]) -> Query:
    """The query with what English has for it; of its own terms only those `kept`: the rest is nowhere in the code."""
    own = [term for term in query.terms if term in kept]
    terms = tuple(dict.fromkeys((*own, *_terms(" ".join(words)))))
    return replace(query, terms=terms[:MAX_TERMS] or query.terms, english=text)


def query_kind(text: str) -> str:
    """One of `QUERY_KINDS`."""
    words = UNSPACED.sub(_spaced, text).split()
    if len(_FRAME.findall(text)) >= 2 or _PYTHON_FRAME.search(text):
        return "trace"
    if len(words) > 1 and len(_CODE.findall(text)) >= 2:
        return "code"
    if len(words) <= 1 or (len(words) == 2 and any(_LOOKS_LIKE_NAME.search(word) for word in words)):
        return "symbol"
    if _QUESTION.match(text) or text.endswith(_QUESTION_MARKS):
        return "question"
    return "sentence" if len(words) > 4 else "keyword"


def _spaced(match: re.Match[str]) -> str:
    # Two characters are about a word where words are written without spaces between them.
    run = match.group()
    return " ".join(("", *(run[at : at + 2] for at in range(0, len(run), 2)), ""))


def is_filler(word: str) -> bool:
    """Whether an English word says nothing about what is searched."""
    return all(token in _STOP_WORDS for token in tokenize(word))


def folded_name(name: str) -> str:
    """A name for comparison: ``parse_URL`` and ``parseUrl`` are the same."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _take_operators(text: str) -> tuple[str, SearchFilters]:
    values: dict[str, list[str]] = {}
    for match in _OPERATOR.finditer(text):
        value = match["quoted"] if match["quoted"] is not None else match["bare"]
        if value:
            values.setdefault(match["name"].lower(), []).append(value)
    rest = _OPERATOR.sub(" ", text)
    no_tests = _NO_TESTS.search(rest) is not None
    filters = SearchFilters(
        languages=tuple(values.get("lang", ())),
        kinds=tuple(values.get("kind", ())),
        paths=tuple(values.get("path", ())),
        exclude=tuple(values.get("-path", ())),
        symbols=tuple(values.get("symbol", ())),
        not_languages=tuple(values.get("-lang", ())),
        not_kinds=tuple(values.get("-kind", ())),
        not_symbols=tuple(values.get("-symbol", ())),
        no_tests=no_tests,
    )
    return _NO_TESTS.sub(" ", rest), filters


def _terms(text: str) -> tuple[str, ...]:
    words = list(dict.fromkeys(tokenize(text)))
    telling = [word for word in words if word not in _STOP_WORDS]
    return tuple((telling or words)[:MAX_TERMS])


def _runs(text: str) -> tuple[tuple[str, ...], ...]:
    words = tokenize(text)[:MAX_TERMS]
    telling = [at for at, word in enumerate(words) if word not in _STOP_WORDS]
    spans = ((first, max(last + 1, first + RUN)) for first, last in zip(telling, telling[2:], strict=False))
    runs = (tuple(words[first:end]) for first, end in spans if end <= len(words))
    return tuple(dict.fromkeys(run for run in runs if len(run) <= LONGEST_RUN))


def _spelled_names(text: str, kind: str) -> tuple[str, ...]:
    found = []
    for match in _NAME.finditer(text):
        word = match.group()
        proper = word[0].isupper() and match.start() > 0
        if kind == "symbol" or proper or _LOOKS_LIKE_NAME.search(word):
            found.append(last_name(word))
    return tuple(dict.fromkeys(found))[:MAX_TERMS]
