"""Macros that no grammar can read, blanked out before parsing so that the code around them can be read.

Blanks are as long as what they replace, so offsets stay; bodies and signatures are cut from the text itself.
"""

from __future__ import annotations

import re
from itertools import pairwise

from indexer.languages.symbols import C_FAMILY

_MACRO = rb"[A-Z][A-Z0-9_]{2,}"
_CALL = rb"(?:\([^()\n]*\))?"
_NAME = rb"[A-Za-z_~][\w:]*"
# What Clang's analysis of threads and the kernel's Sparse know of a function: REQUIRES(mu_), __releases(&a->lock)
_LOCKING = (
    rb"(?:" + _MACRO + rb"|__(?:acquires|releases|must_hold))\([^()\n]*(?:\([^()\n]*\)[^()\n]*){0,4}\)"
    rb"|(?:[A-Z]+_)?NO_THREAD_SAFETY_ANALYSIS\b"
)
_LOCKINGS = rb"((?:(?:" + _LOCKING + rb")\s*){1,8})(?=(?:(?:override|final)\s*)?[{:](?!:))"
_AFTER_HEAD = rb"(?:(?:const|noexcept|override|final)\s+){0,4}"
# Of the kernel and of systemd: __must_check, _public_, _cleanup_(done); but __u32, __poll_t and __wsum are types.
_ATTRIBUTE = rb"(?:__(?!wsum\b)[a-z_]+(?<!_t)|(?:__(?:printf|scanf|section)|_[a-z]+_)(?:\([^()\n]*\))?)"
_QUALIFIER = (
    rb"(?:static|inline|__\w*inline|extern|virtual|explicit|friend|const|constexpr|consteval|volatile|register"
    rb"|struct|union|enum|unsigned|signed)\b"
)
_NO_TYPE = rb"(?:return|else|case|goto|namespace|class|typedef|using)\b"
# The patterns begin with a literal where they can: that is what makes a search fast.
_MASKS = (
    # class EXPORT_API Window : public Base {
    re.compile(
        rb"(?:class|struct|union)\s+(" + _MACRO + _CALL + rb")\s+(?=[A-Za-z_]\w*(?:\s+final)?\s*[:{])"
    ),
    # A macro alone on its line, but not one that heads a body: TEST(Suite, Case), a comment between them or not
    re.compile(
        rb"\n[ \t]*(" + _MACRO + rb"(?:" + _CALL + rb"[ \t]*(?=\n(?!\s*[{:?<>=+*/&|,.)\]}-]))"
        rb"|[ \t]*(?=\n\s*/[/*])))"
    ),
    # EXPORT_API ATTRIBUTE(1) static int name(
    re.compile(
        rb"\n[ \t]*((?:" + _MACRO + _CALL + rb"[ \t]+)+)"
        rb"(?=(?:" + _NAME + rb"(?:<[^;{}()\n]*>)?[ \t*&]+)+" + _NAME + rb"[ \t]*\()"
    ),
    # UNUSED(static void name(int a)) {
    re.compile(rb"\n[ \t]*([A-Z][A-Z0-9_]{2,}\()[A-Za-z_][^;{}()]*\([^;{}]*\)(\))\s*\{"),
    # MACRO Constructor(int a) : member(a) {
    re.compile(rb"\n[ \t]*(" + _MACRO + rb"[ \t]+)(?=\w+\([^;{}]*\)\s*:\s*\w+[({])"),
    # int size() const REQUIRES(mu_) {
    re.compile(rb"\)[ \t]*" + _AFTER_HEAD + _LOCKINGS),
    # The same on the next line, but not TEST(Suite, Case) { below #if defined(HERE)
    re.compile(rb"\n[ \t]*[^\s#][^\n]*\)[ \t]*" + _AFTER_HEAD + rb"\n(?:[ \t]*\n)*[ \t]+" + _LOCKINGS),
    # static int __must_check name(
    re.compile(
        rb"\n(?:" + _QUALIFIER + rb"[ \t]+){0,6}(?!" + _QUALIFIER + rb"|" + _NO_TYPE + rb")\w+[ \t*]+"
        rb"((?:" + _ATTRIBUTE + rb"[ \t]+){1,8})(?=[A-Za-z_]\w*[ \t]*\((?!\())"
    ),
    # Qt's signals: and public slots:
    re.compile(
        rb"\n[ \t]*((?:signals|Q_SIGNALS|(?:public|private|protected)[ \t]+(?:slots|Q_SLOTS))[ \t]*:)"
    ),
)
_DIRECTIVE = re.compile(rb"\n[ \t]*#[ \t]*(if|elif|else|endif)[^\n]*")
_NOT_NEWLINE = re.compile(rb"[^\n]")
_BRACKETED = re.compile(rb"(?<![\w\])\"'])\[([A-Za-z_]\w*(?: \w+)*)\]")
_GO = re.compile(rb"(?<=\n)GO(?=[ \t]*(?:\n|$))", re.IGNORECASE)
_DOLLARS = re.compile(rb"\$(?:[A-Za-z_]\w*)?\$")
_DELIMITER = re.compile(rb"^[ \t]*delimiter[ \t]+(\S+)[^\n]*", re.IGNORECASE | re.MULTILINE)
_BEGIN = re.compile(rb"^[ \t]*(?=begin\b)", re.IGNORECASE | re.MULTILINE)
_END = re.compile(rb"\bend\b", re.IGNORECASE)


def masked(text: bytes, language: str) -> bytes:
    """The text as the grammar gets it, of the same length."""
    if language == "sql":
        # Microsoft's dialect writes "Name" as [Name], and GO on a line of its own after statements.
        return _GO.sub(b"; ", _BRACKETED.sub(rb'"\1"', _without_routines(text)))
    if language not in C_FAMILY:
        return text
    code = _without_split_branches(b"\n" + text)
    for mask in _MASKS:
        code = mask.sub(_blank, code)
    return code[1:]


def _blank(match: re.Match[bytes]) -> bytes:
    whole = match[0]
    for group in range(1, (match.lastindex or 0) + 1):
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        whole = whole[:start] + _NOT_NEWLINE.sub(b" ", whole[start:end]) + whole[end:]
    return whole


def _without_split_branches(code: bytes) -> bytes:
    """Of conditions that split a function, such as two heads for one body, leave the first branch alone."""
    blanks: list[tuple[int, int]] = []
    open_groups: list[list[re.Match[bytes]]] = []
    for directive in _DIRECTIVE.finditer(code):
        if directive[1].startswith(b"if"):
            open_groups.append([directive])
        elif open_groups:
            open_groups[-1].append(directive)
            if directive[1] == b"endif":
                blanks += _unbalanced(code, open_groups.pop())
    for start, end in blanks:
        code = code[:start] + _NOT_NEWLINE.sub(b" ", code[start:end]) + code[end:]
    return code


def _unbalanced(code: bytes, group: list[re.Match[bytes]]) -> list[tuple[int, int]]:
    """What to blank of a group of branches, one of which opens more braces than it closes."""
    branches = [(head.end(), tail.start()) for head, tail in pairwise(group)]
    if all(code.count(b"{", *branch) == code.count(b"}", *branch) for branch in branches):
        return []
    return [group[0].span(), (group[1].start(), group[-1].end())]


def _without_routines(text: bytes) -> bytes:
    """SQL with the bodies of routines as strings, for the grammar knows little of what is written in them."""
    directives = list(_DELIMITER.finditer(text))
    if not directives:
        return _without_dollars(text)
    parts = [text[: directives[0].start()]]
    ends = [*(directive.start() for directive in directives[1:]), len(text)]
    for directive, end in zip(directives, ends, strict=True):
        statements = text[directive.end() : end].split(directive[1])
        separator = b";".ljust(len(directive[1]))
        parts.append(_NOT_NEWLINE.sub(b" ", directive[0]))
        parts.append(separator.join(_without_body(statement) for statement in statements))
    return b"".join(parts)


def _without_dollars(text: bytes) -> bytes:
    """What stands between dollar quotes, as a string in plain quotes."""
    opening: re.Match[bytes] | None = None
    parts, last = [], 0
    for quote in _DOLLARS.finditer(text):
        if opening is None:
            opening = quote
        elif quote[0] == opening[0]:
            parts += [text[last : opening.start()], _as_string(text[opening.start() : quote.end()])]
            opening, last = None, quote.end()
    return b"".join([*parts, text[last:]])


def _without_body(statement: bytes) -> bytes:
    """A statement with ``AS '…'`` in place of what is between its first BEGIN and its last END."""
    begin = _BEGIN.search(statement)
    ends = [end.end() for end in _END.finditer(statement, begin.end())] if begin else []
    if begin is None or not ends:
        return statement
    start = begin.end()
    return statement[:start] + b"AS " + _as_string(statement[start + 3 : ends[-1]]) + statement[ends[-1] :]


def _as_string(text: bytes) -> bytes:
    return b"'" + _NOT_NEWLINE.sub(b" ", text[1:-1]) + b"'"
