"""Damaged sources of every language: whatever a file holds, all of it stays findable and nothing fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.parse import parse
from indexer.types import ParsedFile

GOLDEN = Path(__file__).parent / "golden"
SOURCES = {
    f"{path.parent.name}/{path.name}": path.read_bytes()
    for path in sorted(GOLDEN.glob("*/*"))
    if path.suffix != ".json"
}


def check(path: str, content: bytes) -> ParsedFile:
    """What must hold for any file."""
    parsed = parse(path, content)
    assert not [error for error in parsed.errors if error.message.startswith("the parser failed")]
    seen = bytearray(len(content))
    last = 0
    for function in parsed.functions:
        assert last <= function.start_byte < function.end_byte <= len(content)
        assert 0 <= function.start_line < function.end_line <= content.count(b"\n") + 1
        last = function.start_byte
        seen[function.start_byte : function.end_byte] = b"\1" * (function.end_byte - function.start_byte)
        assert function.content_hash
    unseen = bytes(byte for byte, found in zip(content, seen, strict=True) if not found)
    assert not unseen.removeprefix(b"\xef\xbb\xbf").strip(b"\xff\xfe\0 \t\r\n\v\f")
    return parsed


def test_there_is_a_source_for_at_least_28_languages() -> None:
    assert len({parse(path, content).language for path, content in SOURCES.items()}) >= 28


@pytest.mark.parametrize("path", SOURCES)
def test_a_file_that_ends_too_early_is_found_up_to_there(path: str) -> None:
    content = SOURCES[path]
    for end in range(1, len(content), max(1, len(content) // 12)):
        # A cut may split a character; such a file is read as Latin-1.
        check(path, content[:end])


@settings(max_examples=150, deadline=None)
@given(
    path=st.sampled_from(sorted(SOURCES)),
    cut=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    junk=st.one_of(
        st.binary(max_size=40),
        st.text("(){}[]<>'\"`#/*-;:,.= \n\t\\@$%", max_size=60).map(str.encode),
        st.sampled_from([b"\r\n", b"\r", b"\x0c", b"\xe2\x80\xa8", b"end\n", b"\xff\xfe", b"\x1b[31m"]),
    ),
)
@example("python/store.py", (0.0, 0.0), b"\xef\xbb\xbf")
def test_a_file_with_a_piece_replaced_by_anything_is_found_whole(
    path: str, cut: tuple[float, float], junk: bytes
) -> None:
    content = SOURCES[path]
    start, end = sorted(int(place * len(content)) for place in cut)
    check(path, content[:start] + junk + content[end:])


@pytest.mark.parametrize("path", {path.partition("/")[0]: path for path in SOURCES}.values())
def test_deep_nesting_ends(path: str) -> None:
    for unit in (b"(", b"{ ", b"[", b"if x\n", b"'", b"/*", b"<a>", b"a.b(", b"begin "):
        check(path, unit * 300)
