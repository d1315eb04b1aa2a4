"""What the parser makes of one source file per language, compared with the JSON beside it.

``UPDATE_GOLDEN=1 pytest tests/test_parse_golden.py`` rewrites the JSON; read the difference before you
commit it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from indexer.languages import LANGUAGES
from indexer.parse import parse
from indexer.types import ParsedFile

GOLDEN = Path(__file__).parent / "golden"
SOURCES = sorted(path for path in GOLDEN.glob("*/*") if path.suffix != ".json")


def described(parsed: ParsedFile) -> dict[str, Any]:
    """A parsed file as people can read it: 1-based inclusive lines, texts as lists of lines."""
    return {
        "language": parsed.language,
        "functions": [
            {
                "symbol": function.symbol,
                "kind": function.kind,
                "lines": [function.start_line + 1, function.end_line],
                "bytes": [function.start_byte, function.end_byte],
                "doc": function.doc.split("\n") if function.doc else [],
                "signature": function.signature,
                "body": function.body.split("\n"),
                **({"test": True} if function.is_test else {}),
            }
            for function in parsed.functions
        ],
        "errors": [[error.line + 1, error.message] for error in parsed.errors],
    }


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_source_file_gives_the_functions_beside_it(source: Path) -> None:
    expected = source.with_name(source.name + ".json")
    found = described(parse(source.name, source.read_bytes()))
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"))
    assert found["functions"]


def test_every_language_has_a_golden_source() -> None:
    shown = {json.loads(path.read_text(encoding="utf-8"))["language"] for path in GOLDEN.glob("*/*.json")}
    assert {row.alias or row.name for row in LANGUAGES.values()} - shown == set()
