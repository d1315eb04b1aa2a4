"""Which language a file is in, by its name, its ending and its first bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from indexer.languages.registry import LANGUAGES

_CPP = re.compile(
    rb"^[ \t]*(?:class|namespace|template\s*<|using\s|public:|private:|protected:|inline\s+namespace)"
    rb"|\bstd::|^[ \t]*#\s*include\s*<[a-z_]+>|\bconstexpr\b|\bnullptr\b|\boperator\s*[=+\[(<]",
    re.MULTILINE,
)
_OBJECTIVE_C = re.compile(
    rb"^[ \t]*(?:@(?:interface|implementation|protocol|class|import)\b|#\s*import\b)", re.MULTILINE
)
_MATLAB = re.compile(
    rb"^[ \t]*(?:%|(?:function|classdef)\b|end\s*;?\s*$|disp\s*\(|clear\b|clc\b)", re.MULTILINE
)
_VERILOG = re.compile(
    rb"^[ \t]*(?:`\w+|(?:macro)?module\s+\w+\s*(?:[#(;]|import\s+\w+::)|endmodule\b|primitive\b|always\b)",
    re.MULTILINE,
)
_PROLOG = re.compile(rb"^[ \t]*:-\s|^[a-z]\w*\(.*\)\s*:-", re.MULTILINE)
_LONGEST_SHEBANG = 256
"""Bytes; systems read no more of it."""
_SHEBANG = re.compile(rb"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*)?(?:\S*/)?([A-Za-z_+-]+)")


def language_of(path: str, head: bytes = b"") -> str | None:
    """The language of a file, or None for one that is read as plain text.

    `head` is the beginning of the file (a few kilobytes are enough); it settles shared endings such as
    ``.h`` and, for a file without an ending, the ``#!`` line.
    """
    filenames, extensions, interpreters = _tables()
    name = path.rsplit("/", 1)[-1].lower()
    if name in filenames:
        return filenames[name]
    stem, dot, ending = name.rpartition(".")
    if dot and (stem or ending):
        language = extensions.get("." + ending)
        if language is not None:
            return _settle("." + ending, language, head)
        if stem:
            return None
    shebang = _SHEBANG.match(head[:_LONGEST_SHEBANG])
    return interpreters.get(shebang[1].decode().lower()) if shebang else None


def languages_named(name: str) -> tuple[str, ...]:
    """The languages that a person calls so (``TypeScript``, ``py``, ``.rs``, ``c++``), as files are stored.

    Empty for a name that is unknown.
    """
    name = name.lower()
    row = LANGUAGES.get(name) or LANGUAGES.get(_nicknames().get(name.lstrip("."), ""))
    if row is None:
        return ()
    dialects = (other.name for other in LANGUAGES.values() if other.dialect_of == row.name)
    return (row.alias or row.name, *dialects)


def _settle(extension: str, language: str, head: bytes) -> str | None:
    decide = _SHARED.get(extension)
    decided = decide(head) if decide and head else language
    return decided if decided in LANGUAGES else language if decided else None


def _header(head: bytes) -> str:
    if _OBJECTIVE_C.search(head):
        return "objc"
    return "cpp" if _CPP.search(head) else "c"


def _typescript(head: bytes) -> str:
    # Qt keeps translations in XML files with the same ending.
    return "" if head.lstrip().startswith((b"<?xml", b"<!DOCTYPE TS")) else "typescript"


def _dot_m(head: bytes) -> str:
    if _OBJECTIVE_C.search(head):
        return "objc"
    if _MATLAB.search(head):
        return "matlab"
    # Mathematica begins with comments of its own.
    return "" if head.lstrip().startswith(b"(*") else "objc"


def _verilog(head: bytes) -> str:
    # Coq and V have the same ending.
    return "verilog" if _VERILOG.search(head) else ""


def _perl(head: bytes) -> str:
    return "" if _PROLOG.search(head) else "perl"


_SHARED: dict[str, Callable[[bytes], str]] = {
    ".h": _header,
    ".ts": _typescript,
    ".m": _dot_m,
    ".v": _verilog,
    ".pl": _perl,
}
"""What decides between the languages of an ending; an empty answer means none of them."""


@lru_cache(maxsize=1)
def _nicknames() -> dict[str, str]:
    """Endings of files without their dot, names of interpreters and what else a language is called."""
    _, extensions, interpreters = _tables()
    endings = {extension[1:]: language for extension, language in extensions.items()}
    nicknames = {name: row.name for row in LANGUAGES.values() for name in row.nicknames}
    return {**interpreters, **endings, **nicknames}


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    filenames: dict[str, str] = {}
    extensions: dict[str, str] = {}
    interpreters: dict[str, str] = {}
    for row in LANGUAGES.values():
        filenames.update(dict.fromkeys(row.filenames, row.name))
        extensions.update(dict.fromkeys(row.extensions, row.name))
        interpreters.update(dict.fromkeys(row.interpreters, row.name))
    return filenames, extensions, interpreters
