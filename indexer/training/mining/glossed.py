"""The glossary's English beside the texts in other languages, as `small` reads queries.

``python -m indexer.training.mining.glossed FILE OUT`` adds ``gloss`` to each row of a file of pairs or of translations
whose query, or translation, is not in English and has words that the glossary knows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from indexer.rank.glossary import gloss
from indexer.training.files import lines_of, open_output


def with_gloss(line: str) -> str:
    """A row of JSON with what its text that is not English is in English, word by word."""
    row: dict[str, Any] = json.loads(line)
    text = row["b"] if "b" in row else row["query"] if row.get("natural", "en") != "en" else ""
    found = gloss(text).text
    return json.dumps({**row, "gloss": found} if found else row, ensure_ascii=False) + "\n"


def glossed(lines: Iterable[str], processes: int) -> Iterator[str]:
    """The rows in their order."""
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(with_gloss, lines, chunksize=1_000)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    with open_output(given.out) as out:
        out.writelines(glossed(lines_of(given.file), given.processes))


if __name__ == "__main__":
    main()
