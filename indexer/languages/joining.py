"""What one query match cannot say: functions written as several clauses, sections, doc comments below."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.languages.units import Unit


_ENTRY = re.compile(rb"^=(?:head[2-6]|item)[ \t]+(?:[\w:$]+->)?(\w+)", re.MULTILINE)
_ENTRY_END = re.compile(rb"^=(?:head\d|item|back|cut)\b", re.MULTILINE)


def close_sections(sections: list[Unit], end: int) -> None:
    """Let each section reach to the next one: ``package A;`` holds until ``package B;``."""
    sections.sort(key=lambda unit: unit.node_start)
    for unit, following in zip(sections, [*sections[1:], None], strict=False):
        unit.node_end = following.node_start if following else end


def take_docs_below(units: list[Unit], below: dict[int, int], text: bytes) -> None:
    """Give a comment on the line after a unit to it, where a blank line sets it off from what follows."""
    for unit in units:
        gap = text[unit.end : unit.end + 200]
        start = unit.end + len(gap) - len(gap.lstrip())
        if start not in below or text.count(b"\n", unit.end, start) != 1:
            continue
        end = below[start]
        line = text[end : end + 200].partition(b"\n")[2].partition(b"\n")[0]
        if not line.strip() or line.lstrip().startswith(b"end"):
            unit.inside.append((start, end))
            unit.end = end


def join_clauses(units: list[Unit], text: bytes) -> list[Unit]:
    """Make neighbouring clauses of one name one unit; `units` are in the order of the file.

    The first clause gives the signature: a type signature alone, or the head of the first equation.
    """
    kept: list[Unit] = []
    open_units: list[Unit] = []
    for unit in units:
        while open_units and open_units[-1].end <= unit.start and not _continues(open_units[-1], unit, text):
            open_units.pop()
        last = open_units[-1] if open_units else None
        if last is not None and last.end <= unit.start:
            if last.body < 0:
                last.body = unit.start
            last.end = last.node_end = unit.end
        else:
            open_units.append(unit)
            kept.append(unit)
    return kept


def _continues(first: Unit, unit: Unit, text: bytes) -> bool:
    return (
        first.kind == unit.kind == "function"
        and first.name == unit.name != ""
        and not text[first.end : unit.start].strip()
    )


def take_manual_entries(units: list[Unit], manuals: list[tuple[int, int]], text: bytes) -> None:
    """Give the entry of a manual elsewhere in the file to the function of that name, if it has no other doc."""
    undocumented = {unit.name.encode(): unit for unit in reversed(units) if not unit.docs and unit.name}
    for start, end in manuals:
        for entry in _ENTRY.finditer(text, start, end):
            unit = undocumented.pop(entry[1], None)
            if unit is not None:
                following = _ENTRY_END.search(text, entry.end(), end)
                unit.above.append((entry.start(), following.start() if following else end))
