"""The glossary's English beside training texts in other languages."""

from __future__ import annotations

import json

from indexer.training.mining import glossed
from tests.tiny import pair


def test_rows_get_the_english_of_what_is_not_english(tmp_path, monkeypatch):
    rows = [
        {"a": "Close the file", "b": "Die Datei wird geschlossen", "lang": "de"},
        {"a": "Xyzzy", "b": "Qwrtzp", "lang": "de"},
        {**pair(1), "query": "Wo wird die Datei geschlossen?", "natural": "de"},
        {**pair(2), "query": "Where is the file closed?"},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    out = tmp_path / "out.jsonl.zst"
    monkeypatch.setattr("sys.argv", ["glossed", str(tmp_path / "rows.jsonl"), str(out)])
    glossed.main()
    made = list(map(json.loads, glossed.lines_of(out)))
    assert [{**row, "gloss": ""} for row in made] == [{**row, "gloss": ""} for row in rows]
    found = [row.get("gloss", "") for row in made]
    assert "file" in found[0] and "closed" in found[2] and not found[1] and not found[3]
