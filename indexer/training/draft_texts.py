"""What a draft encoder learns from: functions with the vectors of the model it is for, some with a question to them."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from indexer.config import Config
from indexer.errors import UserError
from indexer.parse import parse
from indexer.training.files import lines_of
from indexer.training.mining.licences import detect_licence
from indexer.types import BLOCK_KINDS, Embedder, Function, SkippedFile, SourceFile, Vectors
from indexer.walk import walk

log = logging.getLogger(__name__)

WITH_COMMENT = 0.35
"""Share of the documented functions that are read with their comment, which then gives the answer away."""
LATER_WINDOWS = 0.2
"""Share of the long functions that are read from another window on than the first."""
A_FILE, A_FOLDER = 12, 460
"""At most so many functions of a file and of a folder that need have no comment."""
_FILES = 400
_CHARS = range(30, 20_000)
_STEP = 512


@dataclass(frozen=True)
class Example:
    """A text as the index has it (`Function.text`)."""

    text: str
    query: str = ""


class Learnt(NamedTuple):
    """Examples and what the model says of them."""

    texts: list[str]
    vectors: Vectors
    """float32 [n, dim], of the texts."""
    queries: Vectors
    """float32 [m, dim]"""
    query_of: list[int]
    """The row in `queries` of each text's question; -1 for none."""


def examples(pairs: Sequence[Path], folders: Sequence[Path], seed: int) -> list[Example]:
    """What `codewhere mine` wrote, and functions of folders of source code, in random order."""
    draw = random.Random(seed)
    found = [_documented(json.loads(line), draw) for path in pairs for line in lines_of(path)]
    for folder in folders:
        found += [Example(function.text) for function in functions_of(folder, draw)]
    if not found:
        raise UserError(
            "There is nothing to learn from. Name files of `codewhere mine`, or folders of source code."
        )
    draw.shuffle(found)
    return found


def _documented(row: dict[str, str], draw: random.Random) -> Example:
    comment = f"{row['query']} {row['doc_rest']}".strip() if draw.random() < WITH_COMMENT else ""
    head = f"{row['language']} {row['symbol']}".strip()
    return Example("\n".join(part for part in (head, comment, row["code"]) if part), row["query"])


def functions_of(folder: Path, draw: random.Random) -> list[Function]:
    """Some functions of a folder, from all over it; neither tests nor generated ones."""
    if detect_licence(folder) is None:
        raise UserError(f"No permissive licence was found in {folder}. Leave it out.")
    config = Config(home=folder / ".codewhere")
    files = [
        found for found in walk(folder, config) if not isinstance(found, SkippedFile) and not found.demoted
    ]
    draw.shuffle(files)
    found = [function for file in files[:_FILES] for function in _some(folder, file, draw)]
    return draw.sample(found, min(A_FOLDER, len(found)))


def _some(folder: Path, file: SourceFile, draw: random.Random) -> Iterator[Function]:
    parsed = parse(file.path, (folder / file.path).read_bytes()).functions
    whole = [function for function in parsed if len(function.text) in _CHARS]
    named = [function for function in whole if function.kind not in BLOCK_KINDS]
    blocks = [function for function in whole if function.kind in BLOCK_KINDS]
    yield from draw.sample(named, min(A_FILE, len(named)))
    yield from draw.sample(blocks, min(1, len(blocks)))


def learn(embedder: Embedder, of: Sequence[Example], work: Path, seed: int) -> Learnt:
    """The vectors of a model, kept in `work`, so that a run that was stopped goes on."""
    work.mkdir(parents=True, exist_ok=True)
    known = work / "examples.json"
    written = json.dumps([asdict(example) for example in of])
    if known.exists() and known.read_text(encoding="utf-8") != written:
        raise UserError(f"{work} holds the vectors of other examples. Name another folder, or remove it.")
    known.write_text(written, encoding="utf-8")
    texts = list(_windows(embedder, [example.text for example in of], random.Random(seed)))
    asked = [example.query for example in of if example.query]
    queries = _kept(work / "queries", asked, embedder.encode_queries)
    numbers = iter(range(len(asked)))
    return Learnt(
        texts,
        _kept(work / "texts", texts, embedder.encode_code),
        queries,
        [next(numbers) if example.query else -1 for example in of],
    )


def _windows(embedder: Embedder, texts: Sequence[str], draw: random.Random) -> Iterator[str]:
    for start in range(0, len(texts), _STEP):
        for first, *others in embedder.split_windows(texts[start : start + _STEP]):
            yield draw.choice(others) if others and draw.random() < LATER_WINDOWS else first


def _kept(folder: Path, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
    folder.mkdir(exist_ok=True)
    parts = []
    for start in range(0, len(texts), _STEP):
        file = folder / f"{start:07}.npy"
        if not file.exists():
            np.save(file, encode(texts[start : start + _STEP]).astype(np.float16))
            log.info("%d of %d %s", min(start + _STEP, len(texts)), len(texts), folder.name)
        parts.append(np.load(file).astype(np.float32))
    return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
