"""Headings of prose: what is one, what only looks like one, and what the blocks below are called."""

from __future__ import annotations

from itertools import pairwise

import pytest

from indexer.parse import parse

CASES = {
    "a.md": {
        "levels nest": ("# A\n\nx\n\n## B\n\ny\n\n# C\n\nz\n", ["A", "A > B", "C"]),
        "a level may be skipped": ("# A\nx\n#### B\ny\n## C\nz\n", ["A", "A > B", "A > C"]),
        "a heading without text goes with the next": ("# A\n\n## B\n\ny\n", ["A > B"]),
        "text before the first heading": ("hello\n\n# A\nx\n", ["", "A"]),
        "a fence hides headings": ("# A\n```sh\n# no\n```\n~~~~\n```\n# no\n~~~~\n# B\nx\n", ["A", "B"]),
        "a fence that is never closed": ("# A\n```\n# no\n", ["A"]),
        "front matter": ("---\ntitle: x\n---\n# A\nx\n", ["", "A"]),
        "underlined headings": ("A\n===\nx\n\nB\n---\ny\n", ["A", "A > B"]),
        "a rule is no heading": ("# A\nx\n\n---\n\ny\n", ["A"]),
        "a table is no heading": ("# A\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", ["A"]),
        "the end of a list is no heading": ("# A\n\n- x\n---\n", ["A"]),
        "hashes need a space": ("#no\n\n#!/bin/no\n", [""]),
        "markup in headings": ("# The `run` [call](x.md) **now** {#id} ##\nx\n", ["The run call now"]),
        "windows line ends": ("# A\r\n\r\nx\r\n\r\n## B\r\n\r\ny\r\n", ["A", "A > B"]),
    },
    "a.rst": {
        "levels by order of use": (
            "A\n=\n===\n\nB\n===\n\nx\n\nC\n---\n\ny\n\nD\n===\n\nz\n",
            ["", "B", "B > C", "D"],
        ),
        "overlined titles": ("===\nA\n===\n\nx\n\nB\n===\n\ny\n", ["A", "A > B"]),
        "an underline must be long enough": ("A long title\n===\n\nx\n", [""]),
    },
    "a.adoc": {"equal signs": ("= A\n\nx\n\n== B\n\ny\n", ["A", "A > B"])},
    "a.org": {"stars": ("* A\nx\n** B\ny\n", ["A", "A > B"])},
    "a.txt": {"none at all": ("# A\n\nx\n\nB\n===\n", [""])},
    "LICENSE": {"no ending": ("Free.\n", [""])},
}
ROWS = [(path, name, *case) for path, cases in CASES.items() for name, case in cases.items()]


@pytest.mark.parametrize(
    ("path", "name", "text", "symbols"), ROWS, ids=[f"{path}: {name}" for path, name, *_ in ROWS]
)
def test_headings_give_the_symbols_of_the_blocks_below(path, name, text, symbols):
    parsed = parse(path, text.encode())
    assert [function.symbol for function in parsed.functions] == symbols
    assert {function.kind for function in parsed.functions} == {"text"}
    assert parsed.language == ("markdown" if path.endswith(".md") else "text")


def test_long_prose_becomes_bounded_blocks_without_gaps_or_overlaps():
    text = "# A\n\n" + "\n\n".join(f"Paragraph {n} of a long text.\nIt has two lines." for n in range(300))
    functions = parse("a.md", text.encode()).functions
    assert len(functions) > 10
    assert {function.symbol for function in functions} == {"A"}
    assert all(function.end_byte - function.start_byte <= 3000 for function in functions)
    assert all(function.end_line - function.start_line <= 60 for function in functions)
    assert all(one.end_byte <= two.start_byte for one, two in pairwise(functions))
    assert "\n".join(function.body for function in functions).split() == text.split()
    # Cuts are between paragraphs.
    assert all(function.body.startswith(("# A", "Paragraph")) for function in functions)


def test_one_endless_line_is_cut():
    functions = parse("a.json", b"[" + b"1234," * 20_000 + b"0]").functions
    assert len(functions) > 30
    assert sum(function.end_byte - function.start_byte for function in functions) == 100_003


@pytest.mark.parametrize("path", ["a.md", "a.rst", "a.adoc", "a.org"])
def test_hostile_lines_do_not_slow_the_search_for_headings(path):
    text = (
        b"# a" + b" " * 200_000 + b"b\n" + b"#" * 200_000 + b"\n" + b"= " * 100_000 + b"\n" + b"[" * 100_000
    )
    assert parse(path, text).functions
