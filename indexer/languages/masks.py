"""Macros that no grammar can read, blanked out before parsing so that the code around them can be read.

Blanks are as long as what they replace, so offsets stay; bodies and signatures are cut from the text itself.
"""

from __future__ import annotations

import re

from indexer.languages.symbols import C_FAMILY

_MACRO = rb"[A-Z][A-Z0-9_]{2,}"
_CALL = rb"(?:\([^()\n]*\))?"
_NAME = rb"[A-Za-z_~][\w:]*"
# The patterns begin with a literal where they can: that is what makes a search fast.
_MASKS = (
    # class EXPORT_API Window : public Base {
    re.compile(rb"(?:class|struct|union)\s+(" + _MACRO + _CALL + rb")\s+(?=[A-Za-z_]\w*(?:\s+final)?\s*[:{])"),
    # A macro alone on its line, but not one that heads a body: TEST(Suite, Case)
    re.compile(rb"\n[ \t]*(" + _MACRO + _CALL + rb")[ \t]*(?=\n(?!\s*[{:?<>=+*/&|,.)\]}-]))"),
    # EXPORT_API ATTRIBUTE(1) static int name(
    re.compile(
        rb"\n[ \t]*((?:" + _MACRO + _CALL + rb"[ \t]+)+)"
        rb"(?=(?:" + _NAME + rb"(?:<[^;{}()\n]*>)?[ \t*&]+)+" + _NAME + rb"[ \t]*\()"
    ),
    # MACRO Constructor(int a) : member(a) {
    re.compile(rb"\n[ \t]*(" + _MACRO + rb"[ \t]+)(?=\w+\([^;{}]*\)\s*:\s*\w+[({])"),
    # Qt's signals: and public slots:
    re.compile(rb"\n[ \t]*((?:signals|Q_SIGNALS|(?:public|private|protected)[ \t]+(?:slots|Q_SLOTS))[ \t]*:)"),
)


def masked(text: bytes, language: str) -> bytes:
    """The text as the grammar gets it, of the same length."""
    if language not in C_FAMILY:
        return text
    code = b"\n" + text
    for mask in _MASKS:
        code = mask.sub(_blank, code)
    return code[1:]


def _blank(match: re.Match[bytes]) -> bytes:
    start, end = match.span(1)
    start, end = start - match.start(), end - match.start()
    whole = match[0]
    return whole[:start] + b" " * (end - start) + whole[end:]
