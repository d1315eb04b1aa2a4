"""The tables of the documents say what the results and the registry of languages say."""

from __future__ import annotations

import re
import sys

from benchmarks import tables
from indexer.languages import languages_named


def test_no_table_is_out_of_date(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tables", "--check"])
    status = tables.main()
    assert (status, capsys.readouterr().out) == (0, "up to date\n")


def test_every_name_in_the_table_of_languages_is_one_that_search_takes():
    rows = [
        [re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:-1]]
        for line in tables.languages_table().splitlines()[2:]
    ]
    pairs = [(name, other) for (name,), _, others in rows for other in (name, *others)]
    assert ("csharp", "c#") in pairs
    assert [(name, other) for name, other in pairs if name not in languages_named(other)] == []
