"""What holds for every file, however odd: nothing raises, nothing is lost, ranges are right."""

from __future__ import annotations

import codecs
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.languages import LANGUAGES, language_of, languages_named
from indexer.parse import parse
from indexer.types import KINDS, ParsedFile

GOLDEN = Path(__file__).parent / "golden"
SOURCES = sorted(path for path in GOLDEN.glob("*/*") if path.suffix != ".json")
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NAMES = sorted({source.name for source in SOURCES})


def check(path: str, source: bytes) -> ParsedFile:
    """Parse and check all that must hold for any file."""
    parsed = parse(path, source)
    lines = (source.count(b"\n") or source.count(b"\r")) + 1
    covered = bytearray(len(source))
    for function in parsed.functions:
        assert function.kind in KINDS
        assert 0 <= function.start_byte < function.end_byte <= len(source)
        assert 0 <= function.start_line < function.end_line <= lines
        assert function.language == parsed.language
        covered[function.start_byte : function.end_byte] = b"\1" * (function.end_byte - function.start_byte)
    for mark in MARKS:
        covered[: len(mark)] = b"\1" * len(mark) if source.startswith(mark) else covered[: len(mark)]
    missed = bytes(byte for byte, seen in zip(source, covered, strict=True) if not seen)
    # In UTF-16 and UTF-32 a blank has zero bytes beside it.
    assert not missed.replace(b"\0", b"").strip()
    assert not any("the parser failed" in error.message for error in parsed.errors)
    starts = [(function.start_byte, -function.end_byte) for function in parsed.functions]
    assert starts == sorted(starts)
    return parsed


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_byte_of_a_golden_source_is_in_some_function(source: Path) -> None:
    content = source.read_bytes()
    parsed = check(source.name, content)
    for function in parsed.functions:
        text = content[function.start_byte : function.end_byte]
        assert text == text.strip()
        assert content[: function.start_byte].count(b"\n") == function.start_line


@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["windows", "old-mac"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_other_line_ends_change_nothing_but_offsets(source: Path, end: bytes) -> None:
    plain = parse(source.name, source.read_bytes())
    other = check(source.name, source.read_bytes().replace(b"\n", end))
    assert [f.content_hash for f in other.functions] == [f.content_hash for f in plain.functions]
    assert [f.start_line for f in other.functions] == [f.start_line for f in plain.functions]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_give_the_same_functions(encoding: str) -> None:
    source = (GOLDEN / "python" / "store.py").read_text(encoding="utf-8") + "\nname = 'Grüße 😀'\n"
    plain = parse("a.py", source.encode())
    content = source.encode(encoding)
    other = check("a.py", content)
    assert [f.content_hash for f in other.functions] == [f.content_hash for f in plain.functions]
    last = other.functions[-1]
    assert (
        content[last.start_byte : last.end_byte].decode(encoding.removesuffix("-sig")).endswith("'Grüße 😀'")
    )


def test_bytes_that_are_no_text_are_read_as_latin_1() -> None:
    parsed = check("a.py", "def grüße():\n    return 'é'\n".encode("latin-1"))
    assert [(f.symbol, f.end_byte) for f in parsed.functions] == [("grüße", 27)]


def test_a_file_of_imports_is_one_small_module() -> None:
    parsed = check("a.py", b"import os\nimport sys\n")
    assert [(f.kind, f.symbol, f.body) for f in parsed.functions] == [("module", "", "import os\nimport sys")]


def test_a_rename_embeds_nothing() -> None:
    source = (GOLDEN / "javascript" / "app.js").read_bytes()
    before, after = parse("src/app.js", source), parse("lib/other.js", source)
    assert [f.content_hash for f in before.functions] == [f.content_hash for f in after.functions]


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\n" * 1000])
@pytest.mark.parametrize("name", ["a.py", "a.c", "a.md", "a"])
def test_a_blank_file_has_no_functions(name: str, content: bytes) -> None:
    assert check(name, content).functions == ()


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(NAMES), content=st.binary(max_size=400))
def test_any_bytes_are_taken(name: str, content: bytes) -> None:
    check(name, content)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(NAMES), content=st.text(max_size=200))
def test_any_text_is_taken(name: str, content: str) -> None:
    check(name, content.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_cut_and_damaged_sources_are_taken(source: Path) -> None:
    content = source.read_bytes()
    chance = random.Random(source.name)
    for _ in range(12):
        start, end = sorted(chance.sample(range(len(content) + 1), 2))
        check(source.name, content[:end])
        check(source.name, content[start:])
        check(source.name, content[:start] + content[end:])
        check(source.name, content[:start] + chance.randbytes(4) + content[start:])
        check(source.name, content[:start] + b"\0" + content[end:] + content[start:end])


DEEP: dict[str, Callable[[int], bytes]] = {
    "open brackets": lambda n: b"(" * n,
    "closed brackets": lambda n: b"[" * n + b"]" * n,
    "braces": lambda n: b"{" * n,
    "functions": lambda n: b"function f() {\n" * n,
    "classes": lambda n: b"class A { " * n + b"}" * n,
    "prefix operators": lambda n: b"not " * n,
    "calls": lambda n: b"f(" * n + b")" * n,
    "members": lambda n: b"a." * n + b"a",
    "sums": lambda n: b"1+" * n + b"1",
    "quotes": lambda n: b'"' * n,
    "conditions": lambda n: b"if x then " * n,
    "indentation": lambda n: b"".join(b" " * i + b"if x:\n" for i in range(min(n, 1500))),
    "one line": lambda n: b"x = 1; " * n,
}


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("name", ["a.py", "a.js", "a.cpp", "a.rs"])
def test_a_hundred_thousand_levels_neither_crash_nor_take_long(name: str, shape: str) -> None:
    source = b"x = 1\n\n" + DEEP[shape](100_000)
    begin = time.process_time()
    check(name, source)
    assert time.process_time() - begin < 12


def test_sane_code_beside_endless_nesting_is_still_found() -> None:
    source = b"def before():\n    pass\n\nx = " + b"(" * 100_000 + b"\n\ndef after():\n    pass\n"
    assert {"before", "after"} <= {f.symbol for f in check("a.py", source).functions}


def test_deeply_nested_functions_are_bounded() -> None:
    depth = 200
    source = b"".join(b" " * i + b"def f%d():\n" % i for i in range(depth)) + b" " * depth + b"pass\n"
    parsed = check("a.py", source)
    assert sum(len(f.body) for f in parsed.functions) < 30 * len(source)
    assert "nested too deeply" in parsed.errors[-1].message


def test_a_long_line_becomes_several_blocks() -> None:
    parsed = check("a.js", b"var a=[" + b"1234," * 20_000 + b"0];")
    assert max(len(f.body) for f in parsed.functions) <= 3100


def test_minified_code_takes_no_longer_than_other_code() -> None:
    source = b"".join(
        b"function f%d(a){return a+1}var g%d=function(){return 1};" % (i, i) for i in range(20_000)
    )
    begin = time.process_time()
    assert len(check("a.js", source).functions) >= 40_000
    assert time.process_time() - begin < 12


def test_a_syntax_error_is_told_and_the_rest_is_read() -> None:
    parsed = check("a.py", b"def good():\n    pass\n\n\ndef bad(:\n    pass\n")
    assert parsed.functions[0].symbol == "good"
    assert parsed.errors and parsed.errors[0].line == 4


def test_many_syntax_errors_are_counted() -> None:
    parsed = check("a.py", b"x = = 1\n" * 100)
    assert len(parsed.errors) <= 21
    assert "more syntax errors" in parsed.errors[-1].message


@pytest.mark.parametrize(
    ("path", "head", "language"),
    [
        ("a.py", b"", "python"),
        ("dir.d/Rakefile", b"", "ruby"),
        ("run", b"#!/usr/bin/env python3\n", "python"),
        ("run", b"#!/usr/bin/env -S node --harmony\n", "javascript"),
        ("run", b"#!/bin/unknown\n", None),
        ("a.h", b"int f(void);\n", "c"),
        ("a.h", b"#include <vector>\nnamespace a {}\n", "cpp"),
        ("a.ts", b"export const a = 1;\n", "typescript"),
        ("a.ts", b"<?xml version='1.0'?>\n<!DOCTYPE TS>\n", None),
        ("A.PY", b"", "python"),
        (".bashrc.unknown", b"", None),
        ("LICENSE", b"MIT", None),
        ("", b"", None),
    ],
)
def test_the_language_is_told_by_name_and_first_bytes(path: str, head: bytes, language: str | None) -> None:
    assert language_of(path, head) == language


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("Python", ("python",)),
        ("py", ("python",)),
        (".rs", ("rust",)),
        ("c++", ("cpp",)),
        ("C#", ("csharp",)),
        ("golang", ("go",)),
        ("zsh", ("bash",)),
        ("ts", ("typescript", "tsx")),
        ("tsx", ("tsx",)),
        ("mli", ("ocaml",)),
        ("klingon", ()),
        ("", ()),
    ],
)
def test_a_language_goes_by_several_names(name: str, languages: tuple[str, ...]) -> None:
    assert languages_named(name) == languages


def test_no_two_languages_share_a_nickname() -> None:
    names = [*LANGUAGES, *(name for row in LANGUAGES.values() for name in row.nicknames)]
    assert len(names) == len(set(names))


def test_endings_belong_to_one_language_each() -> None:
    endings = [ending for row in LANGUAGES.values() for ending in row.extensions]
    assert len(endings) == len(set(endings))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.go", b"// Stack" + b" " * 40_000 + b"x\n// y\nfunc Push() {}\n"),
        ("a.php", b"<?php\n/** Logs" + b" \t" * 20_000 + b"x */\nfunction log() {}\n"),
        ("a.tf", b"resource " + b'"label" ' * 300 + b"{\n}\n"),
    ],
    ids=["blanks in a line comment", "blanks in a block comment", "labels of a block"],
)
def test_long_repetitions_take_no_more_than_their_length(name: str, source: bytes) -> None:
    start = time.thread_time()
    parse(name, source)
    assert time.thread_time() - start < 2
