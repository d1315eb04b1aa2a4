"""Patterns with many wildcards, matched in time that grows with pattern times path.

As a regular expression such a pattern may take for ever: twenty stars and a name of two hundred letters are enough,
and both come from repositories of strangers. Here each piece between two wildcards is looked for once, from left to
right; a wildcard takes anything, so what was found earliest need never be given up again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")
_Test = Callable[[_Item], bool]

_STARS = re.compile(r"\*+")
_TOKEN = re.compile(r"\*+|\?|\[[!^]?\]?(?:\\.|[^\]\\])*\]|\\.|.", re.DOTALL)

_BRACKETS = re.compile(r"\\.|\[[!^]?\]?(?:\[:\w*:\]|\\.|[^\]\\])*\]?", re.DOTALL)
_ODD_BRACKETS = re.compile(r"\[[^\]]*(?:[\[&~|\\]|--)")
_SPECIAL = re.compile(r"\\(.)|([\[&~|]|^-(?=-)|(?<=.-)-)", re.DOTALL)
_CLASS = re.compile(r"\[:(\w*):\]")
_RANGES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9a-fA-F",
    "blank": " \t",
    "space": " \t\v\f\r",
    # A slash is in none of them: it ends a segment, which no bracket does.
    "punct": ':-@"-.!\\[-`{-~',
    "graph": '0-~"-.!',
    "print": "0-~ -.",
    "cntrl": "\x01-\x09\x0b-\x1f\x7f",
}


def with_ranges(line: str) -> str:
    """A pattern with ranges for the classes of POSIX: ``[[:digit:]]`` is ``[0-9]``.

    :raises re.error: A bracket does not close or holds a class that there is not; Git matches nothing then.
    """
    return _BRACKETS.sub(_bracket_with_ranges, line) if "[:" in line else line


def _bracket_with_ranges(found: re.Match[str]) -> str:
    bracket = found[0]
    if bracket.startswith("[") and (len(bracket) == 1 or not bracket.endswith("]")):
        raise re.error(f"{bracket} does not close")
    return bracket[0] + _CLASS.sub(_range_of, bracket[1:])


def _range_of(found: re.Match[str]) -> str:
    if found[1] not in _RANGES:
        raise re.error(f"there is no class {found[1]}")
    return _RANGES[found[1]]


def has_odd_brackets(line: str) -> bool:
    """Whether a bracket holds what Git and regular expressions take for different things, such as ``[[a]``."""
    return _ODD_BRACKETS.search(line) is not None


def has_many_wildcards(line: str) -> bool:
    """Whether a pattern is one that a regular expression should not be trusted with."""
    return len(_STARS.findall(line)) > 2


def compile_glob(body: str) -> Callable[[str], bool]:
    """A test of paths, which end with a slash for folders, by one pattern of an ignore file without its ``!``."""
    bare = body.rstrip("/")
    segments = bare.lstrip("/").split("/")
    if "/" not in bare:
        segments = ["**", *segments]
    chunks: list[list[_Test[str]]] = [[]]
    for segment in segments:
        if segment == "**":
            chunks.append([])
        else:
            chunks[-1].append(_compile_segment(segment))
    if segments[-1] == "**":
        chunks[-1].append(lambda name: True)  # what is inside, not the folder itself
    folders_only = body.endswith("/")

    def matches(path: str) -> bool:
        if folders_only and not path.endswith("/"):
            return False
        return _fit(path.rstrip("/").split("/"), chunks)

    return matches


def _compile_segment(segment: str) -> _Test[str]:
    chunks: list[list[_Test[str]]] = [[]]
    for token in _TOKEN.findall(segment):
        if token.startswith("*"):
            chunks.append([])
        else:
            chunks[-1].append(_compile_token(token))
    return lambda name: _fit(name, chunks)


def _compile_token(token: str) -> _Test[str]:
    if token == "?":
        return lambda letter: True
    if len(token) > 2 and token.startswith("["):
        negated = "^" if token[1] in "!^" else ""
        inside = token[1 + len(negated) : -1]
        if inside.startswith("]"):
            inside = "\\" + inside
        inside = _SPECIAL.sub(lambda special: re.escape(special[1] or special[2]), inside)
        found = re.compile(f"[{negated}{inside}]", re.DOTALL)
        return lambda letter: found.match(letter) is not None
    literal = token[-1]
    return lambda letter: letter == literal


def _fit(items: Sequence[_Item], chunks: Sequence[Sequence[_Test[_Item]]]) -> bool:
    """Whether the items are the chunks in their order, with anything between any two of them."""
    first, *rest = chunks
    if not _fits_at(items, 0, first):
        return False
    if not rest:
        return len(first) == len(items)
    at = len(first)
    for chunk in rest[:-1]:
        while not _fits_at(items, at, chunk):
            at += 1
            if at + len(chunk) > len(items):
                return False
        at += len(chunk)
    end = len(items) - len(rest[-1])
    return end >= at and _fits_at(items, end, rest[-1])


def _fits_at(items: Sequence[_Item], at: int, chunk: Sequence[_Test[_Item]]) -> bool:
    if at + len(chunk) > len(items):
        return False
    return all(test(items[at + place]) for place, test in enumerate(chunk))
