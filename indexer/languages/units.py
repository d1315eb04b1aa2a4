"""From the matches of a query to nested units with their ranges, kinds and symbol paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from indexer.languages import comments, joining, symbols
from indexer.languages.registry import Language
from indexer.languages.trees import Match
from indexer.types import FUNCTION_KINDS, KINDS, TYPE_KINDS

if TYPE_CHECKING:
    import tree_sitter

MAX_DEPTH = 24
"""Units nested deeper are left inside the unit around them: their text would be repeated at every level."""

_KIND_OF = {"extension": "module", "bound": "function", "section": "scope"}
_MAKERS = frozenset((*KINDS, *_KIND_OF, "scope"))
_EXTRAS = frozenset(("wrap", "attribute", "comment", "doc", "header", "manual", "below", "test"))

_PREFIX = re.compile(
    rb"[ \t]*((?:[A-Z][A-Z0-9_]{2,}(?:\([^()\n]*\))?[ \t]+|[A-Z][A-Z0-9_]{2,}\("
    rb"|(?:const|let|var|static|extern)[ \t]+)+)"
)


@dataclass(eq=False)
class Unit:
    """A definition in a file. Offsets are bytes of the UTF-8 text."""

    kind: str
    """One of `KINDS`, or ``scope`` for what only adds to the symbol path."""
    node_start: int
    node_end: int
    pattern: int
    name: str = ""
    static: bool = False
    extends: bool = False
    """Whether it adds members to a type declared elsewhere."""
    bound: bool = False
    """Whether it is a function in an expression, most often one that a name is bound to."""
    body: int = -1
    """Where the body begins, -1 if there is none."""
    is_test: bool = False
    """Whether the query says so of it or of what it stands in."""
    start: int = 0
    """Of the unit with its decorators and the doc comment above it."""
    end: int = 0
    code: int = 0
    """Where the outermost wrapping node begins, after attributes and comments above."""
    above: list[tuple[int, int]] = field(default_factory=list)
    inside: list[tuple[int, int]] = field(default_factory=list)
    parent: Unit | None = None
    children: list[Unit] = field(default_factory=list)
    """Units directly inside; those inside a scope belong to the unit around the scope."""
    symbol: str = ""
    signature: str = ""
    """Of a unit whose text has been looked at; a type asks for those of its members."""

    @property
    def is_container(self) -> bool:
        """Whether the body is a declaration part, with the units inside cut to their signatures."""
        return self.kind in TYPE_KINDS or self.kind in ("module", "text")

    @property
    def docs(self) -> list[tuple[int, int]]:
        """Ranges of the doc comment; what stands inside goes before what stands above."""
        return sorted(self.inside or self.above)


@dataclass
class Captures:
    """What the query of a language found in one file."""

    units: dict[tuple[int, int], Unit] = field(default_factory=dict)
    wraps: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """Range of a node → range of the node that wraps it (export, decorators, template)."""
    attributes: dict[int, int] = field(default_factory=dict)
    """End → start of attributes, which may stand above a definition or begin it."""
    attribute_ends: dict[int, int] = field(default_factory=dict)
    comments: dict[int, int] = field(default_factory=dict)
    """End → start of nodes that document what follows them and are no plain comments."""
    docs: list[tuple[int, int]] = field(default_factory=list)
    """Nodes that document what they stand in."""
    headers: list[int] = field(default_factory=list)
    """Starts of nodes whose comment above documents the file."""
    below: dict[int, int] = field(default_factory=dict)
    """Start → end of comments that may document what stands above them."""
    manuals: list[tuple[int, int]] = field(default_factory=list)
    """Nodes with entries that document functions by name."""
    sections: list[Unit] = field(default_factory=list)
    """Scopes that reach to the next one."""
    tests: set[tuple[int, int]] = field(default_factory=set)
    """Ranges of units that are tests, and of attributes that say so of what they stand above."""


def collect(matches: Iterable[Match], text: bytes, language: Language) -> Captures:
    """Sort the captures of all matches by what they are; of two matches of a node the first pattern wins."""
    found = Captures()
    for pattern, captures in matches:
        for name in captures:
            if name in _MAKERS:
                _add_unit(found, name, pattern, captures, text, language)
                break
        if not _EXTRAS.isdisjoint(captures):
            _add_extras(found, captures, text)
    return found


def _add_extras(found: Captures, captures: Mapping[str, list[tree_sitter.Node]], text: bytes) -> None:
    if "wrap" in captures:
        wrap = captures["wrap"][0]
        for node in captures["wrapped"]:
            found.wraps[node.start_byte, node.end_byte] = (wrap.start_byte, wrap.end_byte)
    for node in captures.get("attribute", ()):
        found.attributes[node.end_byte] = node.start_byte
        found.attribute_ends[node.start_byte] = node.end_byte
    for node in captures.get("comment", ()):
        found.comments[_text_end(node.start_byte, node.end_byte, text)] = node.start_byte
    for node in captures.get("doc", ()):
        found.docs.append((node.start_byte, _text_end(node.start_byte, node.end_byte, text)))
    for node in captures.get("header", ()):
        found.headers.append(node.start_byte)
    for node in captures.get("manual", ()):
        found.manuals.append((node.start_byte, node.end_byte))
    for node in captures.get("test", ()):
        found.tests.add((node.start_byte, node.end_byte))
    for node in captures.get("below", ()):
        found.below[node.start_byte] = _text_end(node.start_byte, node.end_byte, text)


def arrange(found: Captures, text: bytes, language: Language) -> tuple[list[Unit], int]:
    """All units in the order of the file, nested and named, and how many were nested too deeply."""
    joining.close_sections(found.sections, len(text))
    for unit in found.units.values():
        _extend(unit, found, text, language)
    if found.below:
        joining.take_docs_below(list(found.units.values()), found.below, text)
    if found.manuals:
        joining.take_manual_entries(list(found.units.values()), found.manuals, text)
    ordered = sorted(found.units.values(), key=lambda unit: (unit.start, -unit.end, unit.node_start))
    if language.clauses:
        ordered = joining.join_clauses(ordered, text)
    stack: list[Unit] = []
    kept: list[Unit] = []
    too_deep = 0
    for unit in ordered:
        while stack and stack[-1].end < unit.end:
            stack.pop()
        if len(stack) >= MAX_DEPTH:
            too_deep += 1
            continue
        if unit.bound and _is_detail(unit, stack, text):
            continue
        unit.parent = stack[-1] if stack else None
        unit.is_test = unit.is_test or (unit.parent is not None and unit.parent.is_test)
        _settle(unit, stack, language)
        stack.append(unit)
        kept.append(unit)
    return kept, too_deep


def _is_detail(unit: Unit, stack: list[Unit], text: bytes) -> bool:
    """Whether a function in an expression needs no unit of its own.

    It is one line of another function, or has a unit by the name that it is bound to.
    """
    if unit.body >= 0 and any(outer.body == unit.body for outer in stack):
        return True
    inside = any(outer.kind in FUNCTION_KINDS for outer in stack)
    return inside and b"\n" not in text[unit.node_start : unit.node_end]


def enclosing(units: list[Unit], starts: list[int], offset: int) -> Unit | None:
    """The innermost unit or scope around an offset; `starts` are the starts of `units`."""
    from bisect import bisect_right

    index = bisect_right(starts, offset) - 1
    unit = units[index] if index >= 0 else None
    while unit is not None and unit.end <= offset:
        unit = unit.parent
    return unit


def _add_unit(
    found: Captures,
    maker: str,
    pattern: int,
    captures: Mapping[str, list[tree_sitter.Node]],
    text: bytes,
    language: Language,
) -> None:
    node = captures[maker][0]
    key = (node.start_byte, node.end_byte)
    known = found.units.get(key)
    name = _name(captures, text, language)
    if (known is not None and known.pattern <= pattern) or symbols.is_statement(name, language):
        return
    body = captures.get("body")
    unit = found.units[key] = Unit(
        _KIND_OF.get(maker, maker),
        node.start_byte,
        # In some grammars the body stands beside the definition.
        max(node.end_byte, body[-1].end_byte) if body else node.end_byte,
        pattern,
        name,
        "static" in captures,
        maker == "extension",
        maker in ("bound", "lambda"),
        body[0].start_byte if body else -1,
    )
    if maker == "section":
        found.sections.append(unit)


def _name(captures: Mapping[str, list[tree_sitter.Node]], text: bytes, language: Language) -> str:
    nodes = captures.get("name", [])
    if language.name in symbols.C_FAMILY:
        nodes = [symbols.declared(node) for node in nodes]
    names = [symbols.clean_name(_slice(node, text), language.name) for node in nodes]
    name = language.separator.join(names)
    if "arguments" in captures:
        name = f"{name}/{symbols.arity(captures['arguments'][0])}"
    if "given" in captures:
        name = symbols.given_name(_slice(captures["given"][0], text))
    if "category" in captures:
        name = f"{name}({_slice(captures['category'][0], text)})"
    if "sign" in captures:
        name = symbols.selector(_slice(captures["sign"][0], text), names, "argument" in captures)
    if "parameters" in captures:
        name = symbols.macro_name(name, _slice(captures["parameters"][0], text))
    if "receiver" in captures:
        receiver = symbols.receiver_name(_slice(captures["receiver"][0], text))
        separator = "." if "static" in captures else language.separator
        return f"{receiver}{separator}{name}" if receiver else name
    if "extended" in captures:
        name = symbols.without_generics(_slice(captures["extended"][0], text)).strip()
    if "implements" in captures:
        return f"<{_slice(captures['implements'][0], text)} for {name}>"
    return name


def _slice(node: tree_sitter.Node, text: bytes) -> str:
    return text[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _text_end(start: int, end: int, text: bytes) -> int:
    """Where the text of a node ends; some grammars take in the space that follows."""
    return start + len(text[start:end].rstrip()) if text[end - 1 : end].isspace() else end


def _extend(unit: Unit, found: Captures, text: bytes, language: Language) -> None:
    """Take in the wrapping nodes, then what stands above."""
    reach = (unit.node_start, unit.node_end)
    while reach in found.wraps and found.wraps[reach] != reach:
        reach = found.wraps[reach]
    unit.start, unit.end = _with_prefix(reach[0], text), _text_end(*reach, text)
    if language.name == "scala":
        unit.end = comments.without_comment_below(text, unit.start, unit.end, language)
    unit.code = unit.start
    unit.is_test = (unit.node_start, unit.node_end) in found.tests
    if unit.kind == "scope":
        start = unit.start
        _take_above(unit, found, text, language)
        # What stands above a scope is no part of it, but may say that it is made for tests.
        unit.start, unit.above = start, []
        return
    if reach[0] < unit.node_start:
        # Between decorators and what they decorate.
        between = comments.comment_above(text, unit.node_start, language)
        if reach[0] < between < unit.node_start:
            unit.above.append((between, between + len(text[between : unit.node_start].rstrip())))
    _take_above(unit, found, text, language)


def _take_above(unit: Unit, found: Captures, text: bytes, language: Language) -> None:
    """Take in attributes and comments above for as long as there are any."""
    while True:
        before = len(text[max(0, unit.start - 400) : unit.start].rstrip()) + max(0, unit.start - 400)
        if before in found.attributes and text.count(b"\n", before, unit.start) <= 1:
            unit.start = found.attributes[before]
            unit.is_test = unit.is_test or (unit.start, before) in found.tests
        elif before in found.comments:
            unit.start = found.comments[before]
            unit.above.append((unit.start, before))
        else:
            above = comments.comment_above(text, unit.start, language)
            if above == unit.start or (
                is_first(text, above) and comments.is_licence(_decode(text, above, before))
            ):
                return
            unit.above.append((above, before))
            unit.start = above


def _with_prefix(start: int, text: bytes) -> int:
    """Take in macros and keywords that stand on the same line before a node but are not in it."""
    line = text.rfind(b"\n", max(0, start - 200), start) + 1
    prefix = _PREFIX.fullmatch(text, line, start) if line < start else None
    return prefix.start(1) if prefix else start


def is_first(text: bytes, offset: int) -> bool:
    """Whether nothing but a ``#!`` line or an opening tag stands before an offset."""
    if offset > 300:
        return False
    lines = [line.strip() for line in text[:offset].splitlines()]
    return all(
        not line or line.startswith((b"#!", b"<?", b"# -*-", b"# frozen", b"# encoding")) for line in lines
    )


def _decode(text: bytes, start: int, end: int) -> str:
    return text[start:end].decode("utf-8", "replace")


def _settle(unit: Unit, stack: list[Unit], language: Language) -> None:
    owner = next((outer for outer in reversed(stack) if outer.kind != "scope"), None)
    # A scope without a name, such as a companion object, holds members of the type around it.
    parent = next((outer for outer in reversed(stack) if outer.kind != "scope" or outer.name), None)
    if owner is not None and unit.kind != "scope":
        owner.children.append(unit)
    if unit.kind in FUNCTION_KINDS:
        unit.kind = _function_kind(unit, parent, language)
    within = next((outer.symbol for outer in reversed(stack) if outer.symbol), "")
    is_member = unit.kind in FUNCTION_KINDS and _has_members(parent)
    # Where namespaces and members are joined differently, neither sign fits what is local to a function.
    is_local = bool(language.member_separator) and owner is not None and owner.kind in FUNCTION_KINDS
    unit.symbol = symbols.join(within, unit.name, language, is_member, unit.static or is_local)


def _has_members(unit: Unit | None) -> bool:
    return unit is not None and (unit.extends or unit.kind in TYPE_KINDS)


def _function_kind(unit: Unit, parent: Unit | None, language: Language) -> str:
    kind = unit.kind
    if kind == "function" and (symbols.is_member(unit.name, language) or _has_members(parent)):
        kind = "method"
    if kind != "method":
        return kind
    parts = [*(parent.name.split(language.separator) if parent else ()), *unit.name.split(language.separator)]
    makes = parts[-1] in language.constructors or (
        "<type>" in language.constructors and len(parts) > 1 and parts[-1] == parts[-2]
    )
    return "constructor" if makes else kind
