"""Reader of translated Markdown pages; yields (English, the other text, its language) as `translation_files` does.

A translation keeps the original's headings, paragraphs and lists, so texts belong together that stand at the same place
below the same heading. A section whose structure differs is left out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

_CODE = r"(?P<lang>[a-z]{2,3})(?:[-_]\w{2,4})?"
_FOLDER = re.compile(_CODE)
_SUFFIX = re.compile(rf"(?P<stem>.+)\.{_CODE}")
_SENTENCE_END = re.compile(r"(?<=[.!?؟।])\s+|(?<=[。！？])")
_REGIONS = {"br": "pt", "hk": "zh", "mo": "zh", "tw": "zh"}
"""What pages below ``translations`` call languages by the countries that speak them."""


class _Block(NamedTuple):
    kind: str
    """What it is and how deep it stands, as ``paragraph 2``."""
    text: str


def pages(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Sentences of every page under `folder` whose English original lies where such originals do."""
    for path in sorted(folder.rglob("*.md*")):
        for original, language in _originals(PurePosixPath(path.relative_to(folder).as_posix())):
            if language != "en" and (folder / original).is_file():
                for english, other in _aligned(_blocks(folder / original), _blocks(path)):
                    yield from ((a, b, language) for a, b in _sentences(english, other))
                break


def _originals(path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    """Where the English page may lie, and the language of this one, as its path tells them."""
    if named := _SUFFIX.fullmatch(path.stem):
        for parent in (path.parent, path.parent.parent):
            yield parent / (named["stem"] + path.suffix), _language(named["lang"], path.parent)
    for at, part in enumerate(path.parts[:-1]):
        if match := _FOLDER.fullmatch(part):
            before, after = path.parts[:at], path.parts[at + 1 :]
            for where in ((*before, "en"), before, before[:-1]):
                yield PurePosixPath(*where, *after), _language(match["lang"], PurePosixPath(*before))


def _language(code: str, folder: PurePosixPath) -> str:
    return _REGIONS.get(code, code) if folder.name == "translations" else code


@functools.lru_cache(maxsize=1_000)
def _blocks(path: Path) -> list[_Block]:
    """Headings, paragraphs, items and cells of a page, in order, as plain text; code and HTML are left out."""
    tokens = (
        MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8", errors="replace"))
    )
    return [
        _Block(f"{before.tag} {before.level}", _plain(token))
        for before, token in pairwise(tokens)
        if token.type == "inline"
    ]


def _plain(inline: Token) -> str:
    said = {"softbreak": " ", "hardbreak": " "}
    return "".join(said.get(child.type, child.content) for child in inline.children or () if _is_read(child))


def _is_read(child: Token) -> bool:
    return child.type in ("text", "code_inline", "softbreak", "hardbreak")


def _aligned(original: list[_Block], translated: list[_Block]) -> Iterator[tuple[str, str]]:
    """Texts at the same places of sections that are built alike."""
    ours, theirs = _sections(original), _sections(translated)
    for section, counterpart in zip(ours, theirs, strict=True) if len(ours) == len(theirs) else ():
        if [block.kind for block in section] == [block.kind for block in counterpart]:
            yield from ((a.text, b.text) for a, b in zip(section, counterpart, strict=True))


def _sections(blocks: list[_Block]) -> list[list[_Block]]:
    headings = accumulate(block.kind.startswith("h") for block in blocks)
    numbered = zip(headings, blocks, strict=True)
    return [[block for _, block in group] for _, group in groupby(numbered, key=itemgetter(0))]


def _sentences(english: str, other: str) -> Iterator[tuple[str, str]]:
    """Sentence by sentence where both have as many, else the whole."""
    ours, theirs = ([part for part in _SENTENCE_END.split(text) if part.strip()] for text in (english, other))
    yield from zip(ours, theirs, strict=True) if len(ours) == len(theirs) else ((english, other),)
