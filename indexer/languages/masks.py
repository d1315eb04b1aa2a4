"""Macros that no grammar can read, blanked out before parsing so that the code around them can be read.

Blanks are as long as what they replace, so offsets stay; bodies and signatures are cut from the text itself.
"""

from __future__ import annotations

import re

from indexer.languages.symbols import C_FAMILY

_MACRO = rb"[A-Z][A-Z0-9_]{2,}"
_CALL = rb"(?:\([^()\n]*\))?"
_NAME = rb"[A-Za-z_~][\w:]*"
_MASKS = (
    # class EXPORT_API Window : public Base {
    re.compile(
        rb"\b(?:class|struct|union)\s+(" + _MACRO + _CALL + rb")\s+(?=[A-Za-z_]\w*(?:\s+final)?\s*[:{])"
    ),
    # A macro alone on its line, but not one that heads a body: TEST(Suite, Case)
    re.compile(rb"^[ \t]*(" + _MACRO + _CALL + rb")[ \t]*\r?\n(?!\s*[{:?<>=+*/&|,.)\]}-])", re.MULTILINE),
    # EXPORT_API ATTRIBUTE(1) static int name(
    re.compile(
        rb"^[ \t]*((?:" + _MACRO + _CALL + rb"[ \t]+)+)"
        rb"(?=(?:" + _NAME + rb"(?:<[^;{}()\n]*>)?[ \t*&]+)+" + _NAME + rb"[ \t]*\()",
        re.MULTILINE,
    ),
    # MACRO Constructor(int a) : member(a) {
    re.compile(rb"^[ \t]*(" + _MACRO + rb"[ \t]+)(?=\w+\([^;{}]*\)\s*:\s*\w+[({])", re.MULTILINE),
    # Qt's signals: and public slots:
    re.compile(
        rb"^[ \t]*((?:signals|Q_SIGNALS|(?:public|private|protected)[ \t]+(?:slots|Q_SLOTS))[ \t]*:)", re.M
    ),
)


def masked(text: bytes, language: str) -> bytes:
    """The text as the grammar gets it, of the same length."""
    if language not in C_FAMILY:
        return text
    for mask in _MASKS:
        text = mask.sub(_blank, text)
    return text


def _blank(match: re.Match[bytes]) -> bytes:
    start, end = match.span(1)
    start, end = start - match.start(), end - match.start()
    whole = match[0]
    return whole[:start] + b" " * (end - start) + whole[end:]
