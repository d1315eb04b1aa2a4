"""Doc comments: where they stand, which comments are none, and their text without markers."""

from __future__ import annotations

import html
import re

from indexer.languages.registry import Language

MAX_INDENT = 400
"""Bytes; looking further would take long for each of the many functions on one line of minified code."""

_LICENCE = re.compile(
    r"copyright|\(c\)\s*\d{4}|©|spdx-license|licensed (?:under|to)|all rights reserved|permission is hereby"
    r"|redistribution and use|this (?:program|library|file) is (?:free|part)|general public licen[cs]e"
    r"|apache licen[cs]e|mozilla public|public domain",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(
    r"(?:eslint|tslint|prettier-|jshint|jslint|istanbul|c8 ignore|v8 ignore|@ts-|biome-|noqa|nosec|nolint|NOLINT"
    r"|pylint|flake8|type: ?ignore|mypy:|pyright:|ruff:|fmt: ?(?:on|off|skip)|isort:|yapf:|clang-format|rubocop:"
    r"|swiftlint:|swiftformat:|ktlint|noinspection|go:[a-z]|\+build |pragma[: ]|#?region\b|#?endregion\b|-\*-|vim?:"
    r"|shellcheck |frozen_string_literal|typed: |sourcery|coverage:|LCOV_|GCOV|phpcs:|@codingStandards"
    r"|\.SYNOPSIS\s*$|\.DESCRIPTION\s*$|scalastyle:|hlint |spell-checker:|cspell:|MARK: ?-?$)"
)
_TRAILING_RULES = (("/", 3), ("*", 2), ("-=#~", 3))
"""Characters that a comment's line is closed with, and how many of them at least."""
_RULE = re.compile(r"[\W_]*")
_PREFIX = re.compile(r"^[ \t]*(?:\*+(?!/)[ \t]?)?")
_TAG = {
    "xml": re.compile(r"</?[A-Za-z][^<>\n]*/?>"),
    "html": re.compile(
        r"</?(?:p|br|hr|code|pre|tt|a|b|i|u|em|strong|ul|ol|li|dl|dt|dd|h[1-6]|div|span|blockquote|table|t[rhd]"
        r"|thead|tbody|sup|sub|img|small|center|font)(?:\s[^<>]*)?/?>",
        re.IGNORECASE,
    ),
}
_XML_REFERENCE = re.compile(
    r"<(?:see|seealso|paramref|typeparamref)\s+(?:cref|name|langword|href)=\"([^\"]*)\"\s*/?>"
)
_XML_NAMED = re.compile(r"<(?:param|typeparam|exception)\s+(?:name|cref)=\"([^\"]*)\"\s*>")
_POD_COMMAND = re.compile(r"^=(?:(?:cut|pod|over|back|begin|end|encoding|for)\b.*|\w+[ \t]*)", re.MULTILINE)
_POD_INLINE = re.compile(r"\b[BCEFILSXZ]<([^<>]*)>")
_EMPTY_NAMED = re.compile(r"\w+:")
_INLINE_TAG = re.compile(r"\{@\w+\s+([^{}]*)\}")
_STRING = re.compile(r"^(?:@\w+\s*\(?\s*)?~?[A-Za-z]{0,2}(\"\"\"|'''|\"|')(.*)\1$", re.DOTALL)


def is_licence(text: str) -> bool:
    """Whether a comment states a licence or a copyright."""
    return _LICENCE.search(text[:3000]) is not None


def line_start(text: bytes, offset: int) -> int:
    """Where the line of an offset begins, -1 if that is too far to the left to be an indentation."""
    line = text.rfind(b"\n", max(0, offset - MAX_INDENT), offset) + 1
    return line if line or offset <= MAX_INDENT else -1


def comment_above(text: bytes, start: int, language: Language) -> int:
    """The offset where the comment right above `start` begins, or `start` where there is none.

    Consecutive line comments are one comment; a blank line ends it, but one may follow a ``/** */``. Only
    comments that stand alone on their lines count.
    """
    line = line_start(text, start)
    if line <= 0 or text[line:start].strip():
        return start
    above = text.rfind(b"\n", 0, line - 1) + 1
    stripped = text[above : line - 1].strip()
    if not stripped:
        return _doc_block_above(text, above, start, language)
    for opening, closing in language.block_marks:
        if stripped.endswith(closing):
            return _block_above(text, line, opening, closing, start)
    prefixes = language.line_marks
    found = start
    while stripped and stripped.startswith(prefixes) and not stripped.startswith(b"#!"):
        found = above + text[above:line].index(stripped)
        line = above
        if not line:
            break
        above = text.rfind(b"\n", 0, line - 1) + 1
        stripped = text[above : line - 1].strip()
    return found


def _doc_block_above(text: bytes, end: int, start: int, language: Language) -> int:
    """A comment marked as documentation may be followed by one blank line."""
    if ("/*", "*/") not in language.block_comments or not text.endswith(b"*/\n", 0, end):
        return start
    found = _block_above(text, end, b"/*", b"*/", start)
    return found if text.startswith(b"/**", found) else start


def _block_above(text: bytes, end: int, opening: bytes, closing: bytes, start: int) -> int:
    last = text.rfind(closing, 0, end)
    found = text.rfind(opening, 0, last)
    if found < 0 or text.find(closing, found, last) >= 0 or text.startswith(b"{-#", found):
        return start
    line = text.rfind(b"\n", 0, found) + 1
    return start if text[line:found].strip() else found


def without_comment_below(text: bytes, start: int, end: int, language: Language) -> int:
    """Where a definition ends whose node takes in the comment above what follows it.

    A comment that is indented further than the definition is its own.
    """
    newline = text.find(b"\n", end)
    while newline >= 0 and not text[end:newline].strip():
        found = comment_above(text, newline + 1, language)
        if not start < found <= newline or _indent(text, found) > _indent(text, start):
            break
        end = start + len(text[start:found].rstrip())
        newline = text.find(b"\n", end)
    return end


def _indent(text: bytes, offset: int) -> int:
    line = text[max(0, line_start(text, offset)) : offset]
    return len(line) - len(line.lstrip())


def clean_comment(comment: str, language: Language) -> str:
    """The words of a comment: no markers, no decoration, no directives to tools."""
    lines = []
    for opening, closing in language.block_comments:
        if comment.lstrip().startswith(opening):
            lines = _block_lines(comment.strip(), opening, closing)
            break
    else:
        lines = [_without_marker(line, language) for line in comment.splitlines()]
    kept = [_without_trailing_rule(line) for line in lines if not _is_noise(line)]
    text = "\n".join(_dedented(kept)).strip()
    return _without_markup(text, language.markup) if language.markup else text


def _without_trailing_rule(line: str) -> str:
    line = line.rstrip()
    for marks, least in _TRAILING_RULES:
        bare = line.rstrip(marks)
        if len(line) - len(bare) >= least:
            return bare.rstrip()
    return line


def is_string(raw: str) -> bool:
    """Whether a doc is a string literal, perhaps behind an attribute, and no comment."""
    return _STRING.match(raw.strip()) is not None


def clean_docstring(literal: str) -> str:
    """The words of a string literal that documents what it stands in."""
    match = _STRING.match(literal.strip())
    lines = (match[2] if match else literal).splitlines()
    first = lines[0].strip() if lines else ""
    return "\n".join([first, *_dedented([line.rstrip() for line in lines[1:]])]).strip()


def _block_lines(comment: str, opening: str, closing: str) -> list[str]:
    inner = comment[len(opening) :]
    if inner.endswith(closing):
        inner = inner[: -len(closing)]
    first, *rest = inner.split("\n")
    return [
        first.strip().lstrip("*!|^").strip(),
        *(_PREFIX.sub("", line.rstrip("\r"), count=1) if "*" in opening else line for line in rest),
    ]


def _without_marker(line: str, language: Language) -> str:
    line = line.strip()
    for marker in sorted(language.line_comments, key=len, reverse=True):
        if line.startswith(marker):
            last = marker[-1]
            rest = line[len(marker) :].lstrip(last)
            return rest[1:] if rest[:1] in "!^|" and rest[1:2] in ("", " ") else rest
    return line


def _is_noise(line: str) -> bool:
    words = line.strip()
    return bool(words) and (_RULE.fullmatch(words) is not None or _DIRECTIVE.match(words) is not None)


def _dedented(lines: list[str]) -> list[str]:
    margins = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = min(margins, default=0)
    return [line[margin:] for line in lines]


def _without_markup(text: str, markup: str) -> str:
    if markup == "pod":
        return _POD_INLINE.sub(r"\1", _POD_COMMAND.sub("", text)).strip()
    text = _XML_REFERENCE.sub(lambda match: match[1].partition(":")[2] or match[1], text)
    text = _XML_NAMED.sub(lambda match: f"{match[1]}: ", text)
    text = _INLINE_TAG.sub(lambda match: match[1].strip(), text)
    lines = (
        line.strip() if markup == "xml" else line.rstrip()
        for line in html.unescape(_TAG[markup].sub("", text)).split("\n")
    )
    return "\n".join(
        line for line in lines if markup != "xml" or (line and not _EMPTY_NAMED.fullmatch(line))
    ).strip()
