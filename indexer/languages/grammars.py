"""Grammars, parsers and compiled queries, each loaded when its first file comes."""

from __future__ import annotations

import ctypes
import re
import threading
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING

from indexer.languages.registry import LANGUAGES

if TYPE_CHECKING:
    import tree_sitter

_INHERITS = re.compile(r"\s*;\s*inherits:\s*([\w, ]+)")
_parsers = threading.local()


@cache
def grammar(name: str) -> tree_sitter.Language:
    """The compiled grammar of a language."""
    import tree_sitter

    module, _, function = LANGUAGES[name].grammar.partition(":")
    pointer = getattr(import_module(module), function)()
    return tree_sitter.Language(_capsule(pointer) if isinstance(pointer, int) else pointer)


def _capsule(address: int) -> object:
    """The form in which tree-sitter wants a grammar; older wheels give its bare address."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    capsule: object = new(address, b"tree_sitter.Language", None)
    return capsule


def parser(name: str) -> tree_sitter.Parser:
    """A parser of this thread; tree-sitter's parsers must not be shared between threads."""
    import tree_sitter

    known: dict[str, tree_sitter.Parser] = _parsers.__dict__.setdefault("known", {})
    if name not in known:
        known[name] = tree_sitter.Parser(grammar(name))
    return known[name]


@cache
def query(name: str) -> tree_sitter.Query:
    """The compiled query file of a language."""
    import tree_sitter

    compiled: tree_sitter.Query = tree_sitter.Query(grammar(name), query_source(name))
    return compiled


def query_source(name: str) -> str:
    """The text of a query file, after the text of those it inherits."""
    text = (files("indexer.languages") / "queries" / f"{name}.scm").read_text(encoding="utf-8")
    inherits = _INHERITS.match(text)
    bases = [base.strip() for base in inherits[1].split(",")] if inherits else []
    return "\n".join([*(query_source(base) for base in bases), text])
