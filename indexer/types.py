"""Values that pass between the stages of the pipeline; none of them does any work.

Byte and line ranges are 0-based and half-open everywhere; paths are POSIX and relative to the root.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Vectors: TypeAlias = "npt.NDArray[np.float32]"
"""float32 [n, d], L2-normalised rows."""

FUNCTION_KINDS = ("function", "method", "constructor", "lambda")
TYPE_KINDS = ("class", "struct", "interface", "enum", "trait")
BLOCK_KINDS = ("module", "text")
KINDS = FUNCTION_KINDS + TYPE_KINDS + BLOCK_KINDS

INDEX_ADVICE = "Run `codewhere index`."
"""The last sentence of a note that indexing would settle; an editor gives other advice."""
NO_VECTORS = f"No vectors yet: answered by words alone. {INDEX_ADVICE}"
NOTHING_INDEXED = "Nothing is indexed in this folder: no function or text was found in it."
NO_WORDS = "The query has no words to search by. Ask for what the code does, or for a name."
NO_SUCH_PHRASE = "Nothing has the quoted words in that order. Without quotes each word counts by itself."
NO_SUCH_PATH = f"No file at these paths is indexed, or not yet. {INDEX_ADVICE}"
NOTHING_PASSES = "Nothing that passes the filters matches. Try fewer or wider filters."
NOTHING_MATCHES = "Nothing matches. Try other words."
WHY_EMPTY = (NOTHING_INDEXED, NO_WORDS, NO_SUCH_PHRASE, NO_SUCH_PATH, NOTHING_PASSES, NOTHING_MATCHES)
"""Notes of answers without results; of no interest where another folder has some."""


_QUALIFIERS = re.compile(r"->|[.:#/\\]+")
_ARITY = re.compile(r"/\d+$")  # of Elixir's names


def last_name(symbol: str) -> str:
    """The last part of a qualified name in any language's notation: ``run`` of ``RetryPolicy.run``."""
    parts = [part for part in _QUALIFIERS.split(_ARITY.sub("", symbol.rstrip("()"))) if part]
    return parts[-1] if parts else ""


def hash_of(text: bytes) -> bytes:
    """The 16 bytes by which a text is known that was embedded."""
    return hashlib.blake2b(text, digest_size=16).digest()


@dataclass(frozen=True)
class Function:
    """The unit of search: a function, the declaration part of a type, or a block of code or text outside both."""

    path: str
    language: str
    kind: str
    symbol: str
    """Qualified name in the language's own notation: ``Class.method``, ``module::Type::fn``."""
    start_byte: int
    end_byte: int
    start_line: int
    end_line: int
    doc: str
    """The doc comment without its comment markers; empty where there is none."""
    signature: str
    body: str
    """Source text without the doc comment, signature included."""
    is_test: bool = False
    """Whether it is a test, or made for tests alone, by what the source itself says of it."""

    @cached_property
    def text(self) -> str:
        """Exactly what the embedder reads. The path is left out so that a rename embeds nothing."""
        head = f"{self.language} {self.symbol}".strip()
        return "\n".join(part for part in (head, self.doc, self.body) if part)

    @cached_property
    def content_hash(self) -> str:
        """Hex BLAKE2b-128 of `text`."""
        return hash_of(self.text.encode("utf-8", "surrogatepass")).hex()


@dataclass(frozen=True)
class ParseError:
    """A place the grammar could not read; the functions around it are still returned."""

    line: int
    message: str


@dataclass(frozen=True)
class ParsedFile:
    """What `parse` makes of one file."""

    language: str
    functions: tuple[Function, ...]
    errors: tuple[ParseError, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """A file that walking found worth indexing."""

    path: str
    size: int
    changed_ns: int
    """When the system last noted a change of the file."""
    demoted: str = ""
    """Why ranking puts it lower (``generated``, ``minified``, ``vendored``, ``test``, ``example``); else empty."""


@dataclass(frozen=True)
class SkippedFile:
    """A file or folder that was left out, with the reason a person is told."""

    path: str
    reason: str


@dataclass(frozen=True)
class SearchFilters:
    """Restrictions on what may be found. Globs are gitignore-style and match root-relative paths."""

    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    within: tuple[tuple[str, ...], ...] = ()
    """More such lists of globs: a path must match one glob of each, and one of `paths`."""
    exclude: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    not_symbols: tuple[str, ...] = ()
    no_tests: bool = False
    changed_only: bool = False


@dataclass(frozen=True)
class Why:
    """What put a result where it is."""

    dense_rank: int | None = None
    lexical_rank: int | None = None
    terms: tuple[str, ...] = ()
    signals: dict[str, float] = field(default_factory=dict)
    lines: tuple[tuple[int, int], ...] = ()
    """Line ranges of the file that answer the query best."""


@dataclass(frozen=True)
class SearchResult:
    """One function that answers a query."""

    root: str
    """Absolute path of the indexed folder."""
    function: Function
    score: float
    why: Why = field(default_factory=Why)
    demoted: str = ""

    def to_json(self) -> dict[str, Any]:
        """The contract of the command line's JSON: 1-based inclusive lines."""
        function = self.function
        return {
            "path": function.path,
            "start_line": function.start_line + 1,
            "end_line": max(function.end_line, function.start_line + 1),
            "symbol": function.symbol,
            "kind": function.kind,
            "language": function.language,
            "score": round(self.score, 4),
            "snippet": function.body,
            "why": {
                "dense_rank": self.why.dense_rank,
                "lexical_rank": self.why.lexical_rank,
                "terms": list(self.why.terms),
                "signals": {name: round(value, 4) for name, value in self.why.signals.items()},
                "lines": [[start + 1, end] for start, end in self.why.lines],
            },
        }


@dataclass(frozen=True)
class Answer:
    """The answer to one query."""

    query: str
    coverage: float
    elapsed_ms: float
    results: tuple[SearchResult, ...]
    notes: tuple[str, ...] = ()
    """Sentences for the person: why nothing was found, what was left out, that words alone were used."""

    def to_json(self) -> dict[str, Any]:
        """The contract of the command line's JSON."""
        return {
            "query": self.query,
            "coverage": round(self.coverage, 4),
            "elapsed_ms": round(self.elapsed_ms, 1),
            "results": [result.to_json() for result in self.results],
            "notes": list(self.notes),
        }


@dataclass
class UpdateReport:
    """What one update of an index did."""

    files: int = 0
    parsed: int = 0
    removed: int = 0
    functions: int = 0
    embedded: int = 0
    """Texts that got vectors."""
    reused: int = 0
    """Functions that needed none: their text had been embedded before, or is that of another function."""
    skipped: list[SkippedFile] = field(default_factory=list)
    elapsed_s: float = 0.0
    cancelled: bool = False
    notes: list[str] = field(default_factory=list)
    """Sentences for the person, such as why nothing was embedded."""


@dataclass(frozen=True)
class Progress:
    """How far a running update is."""

    stage: str
    """``wait``, ``walk``, ``parse``, ``draft``, ``embed`` or ``finish``."""
    done: int
    total: int
    """0 while it is not known."""
    message: str = ""


@dataclass(frozen=True)
class Status:
    """What the index of one root holds."""

    root: str
    indexed: bool
    """False for a folder that was never indexed."""
    files: int = 0
    functions: int = 0
    embedded: int = 0
    """Functions that have a vector of `fingerprint`."""
    coverage: float = 0.0
    model: str = ""
    """Name of the model the root was last embedded with; empty before that."""
    fingerprint: str = ""
    device: str = ""
    """Device of the model; empty while it is not loaded."""
    skipped: tuple[SkippedFile, ...] = ()
    last_update: float | None = None
    """Seconds since 1970."""
    disk_bytes: int = 0
    """Of this root; content shared with other roots counts fully."""
    store_bytes: int = 0
    """Of the whole store."""
    indexing_pid: int | None = None
    """Process that is updating this root now."""


class Nearness(NamedTuple):
    """How near single tokens of some texts come to those of one query."""

    cosines: npt.NDArray[np.float32]
    """[texts], the mean over the query's tokens of the highest cosine with a token of the text."""
    tokens: npt.NDArray[np.int64]
    """[texts], how many tokens each has, of which more come near by chance."""


class Embedder(Protocol):
    """What the engine needs of an embedder; `indexer.embedding.load_embedder` returns one."""

    name: str
    fingerprint: str
    """Of the model spec, its weights and the dimensions in use."""
    dim: int
    device: str
    max_tokens: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, float32 [n, dim], L2-normalised."""

    def encode_code(self, texts: Sequence[str]) -> Vectors:
        """Vectors of code texts, float32 [n, dim], L2-normalised; texts longer than the window are cut."""

    def split_windows(self, texts: Sequence[str]) -> list[list[str]]:
        """The overlapping windows of each text, each within `max_tokens`; one for a short text."""


class Draft(Protocol):
    """What an embedder may have as ``draft``: vectors of functions guessed at once, until theirs are there."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Drafts of code texts, float32 [n, dim], whose products with queries are like the cosines of vectors."""

    def release(self) -> None:
        """Free the memory it takes until it is needed again."""
