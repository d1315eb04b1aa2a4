"""Lines, columns and edits against the simplest model that is right."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from lsp_server.answers import _search
from lsp_server.overlays import Document
from lsp_server.positions import SourceText, count_units, index_of_units, split_lines

ENCODINGS = ("utf-8", "utf-16", "utf-32")
# One character of every width in every encoding, all line endings, and what str.splitlines wrongly cuts at.
TEXT = st.text(alphabet="aé漢😀\n\r\f\u2028\x85", max_size=30)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a\n", ""]),
        ("a\r\nb\rc\n\n", ["a\r\n", "b\r", "c\n", "\n", ""]),
        ("a\fb\u2028c\x85d\n", ["a\fb\u2028c\x85d\n", ""]),
    ],
)
def test_lines_end_where_editors_end_them(text, lines):
    assert split_lines(text) == lines


@pytest.mark.parametrize(
    ("encoding", "units"), [("utf-8", [1, 2, 3, 4]), ("utf-16", [1, 1, 1, 2]), ("utf-32", [1, 1, 1, 1])]
)
def test_characters_have_the_width_of_the_encoding(encoding, units):
    assert [count_units(char, encoding) for char in "aé漢😀"] == units


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(line=st.text(alphabet="aé漢😀", max_size=12))
def test_index_of_units_turns_count_units_round(encoding, line):
    for index in range(len(line) + 1):
        assert index_of_units(line + "\r\n", count_units(line[:index], encoding), encoding) == index
    assert index_of_units(line + "\r\n", 999, encoding) == len(line)


def test_a_column_inside_a_character_means_its_start():
    assert index_of_units("😀b", 1, "utf-16") == 0


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXT)
def test_byte_offsets_become_positions(encoding, text):
    source = SourceText.of(text.encode())
    for index in range(len(text) + 1):
        if text[index - 1 : index + 1] == "\r\n":
            continue  # there is no position between the two
        lines = split_lines(text[:index])
        expected = lsp.Position(len(lines) - 1, count_units(lines[-1], encoding))
        assert source.position(len(text[:index].encode()), encoding) == expected


def test_the_first_column_comes_after_a_byte_order_mark():
    source = SourceText.of(b"\xef\xbb\xbfab\ncd")
    assert source.position(4, "utf-8") == lsp.Position(0, 1)
    assert source.line_range(0, 1, "utf-8").end == lsp.Position(0, 2)


def test_a_line_range_ends_with_the_text_of_its_last_line():
    source = SourceText.of("a\n😀😀\r\nb".encode())
    assert source.line_range(0, 2, "utf-16") == lsp.Range(lsp.Position(0, 0), lsp.Position(1, 4))
    assert source.line_range(7, 9, "utf-16").start.line == 7


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=st.data())
def test_edits_give_the_text_of_the_client(encoding, data):
    text = data.draw(TEXT)
    document = Document("file:///x", None, 1, split_lines(text))
    for _ in range(data.draw(st.integers(1, 4))):
        lines = split_lines(text)
        cuts = [index for index in range(len(text) + 1) if text[index - 1 : index + 1] != "\r\n"]
        start, end = sorted((data.draw(st.sampled_from(cuts)), data.draw(st.sampled_from(cuts))))
        new = data.draw(TEXT)
        where = lsp.Range(_position(text, start, encoding), _position(text, end, encoding))
        document.apply(lsp.TextDocumentContentChangePartial(range=where, text=new), encoding)
        text = text[:start] + new + text[end:]
        assert document.text == text, lines
        assert document.lines == split_lines(text)


@pytest.mark.parametrize(
    ("text", "where", "new", "expected"),
    [
        ("ab\ncd", (1, 99, 1, 99), "!", "ab\ncd!"),
        ("ab\ncd", (0, 99, 0, 99), "!", "ab!\ncd"),
        ("ab\ncd", (9, 0, 9, 0), "!", "ab\ncd!"),
        ("ab\ncd", (0, 1, 9, 9), "", "a"),
        ("ab\ncd", (1, 1, 0, 1), "!", "ab\nc!d"),
    ],
    ids=["end of last line", "end of line", "after the end", "to after the end", "end before start"],
)
def test_edits_outside_of_the_text_are_moved_into_it(text, where, new, expected):
    document = Document("file:///x", None, 1, split_lines(text))
    start, end = lsp.Position(*where[:2]), lsp.Position(*where[2:])
    document.apply(lsp.TextDocumentContentChangePartial(range=lsp.Range(start, end), text=new), "utf-16")
    assert document.text == expected


def _position(text, index, encoding):
    lines = split_lines(text[:index])
    return lsp.Position(len(lines) - 1, count_units(lines[-1], encoding))


def test_a_head_is_looked_for_in_linear_time():
    function = SimpleNamespace(signature="def foo(a, b)")
    source = SourceText.of(b"def foo(" + b" " * 1_000_000 + b"x")
    start = time.perf_counter()
    assert _search(source, function, 0, len(source.data)) is None
    assert time.perf_counter() - start < 5


def test_a_head_longer_than_what_is_looked_for_is_found_by_its_beginning():
    arguments = [f"argument_number_{n}: usize" for n in range(60)]
    source = SourceText.of(("fn f(\n    " + ",\n    ".join(arguments) + ",\n)").encode())
    assert _search(source, SimpleNamespace(signature=f"fn f({', '.join(arguments)})"), 0, len(source.data))
