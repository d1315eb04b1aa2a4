"""Names: from what a query captured as a name to a symbol path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from indexer.languages.registry import Language

if TYPE_CHECKING:
    import tree_sitter

_SPACE = re.compile(r"\s+")
_GENERIC = re.compile(r"<[^<>]*>")
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_MACRO = re.compile(r"[A-Z][A-Z0-9_]+")
_ARGUMENTS = re.compile(r"\(\s*((?!void\s*\))\w+(?:\s*,\s*\w+)*)\s*\)")
_SQL_NAME = re.compile(r"(?:\"[^\"]*\"|`[^`]*`|\[[^\[\]]*\]|[^\s\"`\[\]])+")
_SQL_QUOTES = re.compile(r"[\"`\[\]]")
_SEPARATORS = re.compile(r"\W+")
_EXPORTS = ("module.exports.", "exports.", "this.", "self.", "window.", "globalThis.", "global.")
_STATEMENTS = frozenset({"if", "else", "for", "while", "do", "switch", "return", "catch"})
_TYPES = frozenset(
    {"void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "bool", "auto", "const"}
)
_PRIMES = ("haskell", "ocaml", "ocaml_interface")
"""Languages whose names may end with an apostrophe."""
C_FAMILY = ("c", "cpp", "cuda", "objc")
_DECLARATORS = frozenset(
    {
        "function_declarator",
        "pointer_declarator",
        "pointer_type_declarator",
        "array_declarator",
        "reference_declarator",
        "parenthesized_declarator",
    }
)


def declared(node: tree_sitter.Node) -> tree_sitter.Node:
    """What a declarator of C names, at whatever depth: ``signal`` in ``(*signal(int kind))(int)``."""
    while node.type in _DECLARATORS:
        # The operand of brackets and references has no field; before it stand calling conventions.
        inner = node.child_by_field_name("declarator") or next(reversed(node.named_children), None)
        if inner is None:
            return node
        node = inner
    if node.type == "qualified_identifier":
        member = node.child_by_field_name("name")
        # A pointer to a member: (Type::*name(int kind))(int)
        return declared(member) if member is not None and member.type in _DECLARATORS else node
    return node


def clean_name(name: str, language: str) -> str:
    """A name as people write it: no type arguments, quotes or needless space."""
    name = _SPACE.sub(" ", name).strip()
    if language in _PRIMES:
        return name.replace("( ", "(").replace(" )", ")")
    if language == "sql":
        return _sql_name(name)
    name = name.strip("\"'`")
    if language in C_FAMILY:
        return _c_name(name)
    if language in ("javascript", "typescript", "tsx"):
        return _javascript_name(name)
    if language == "ruby":
        return name.lstrip(":")
    return name


def macro_name(name: str, parameters: str) -> str:
    """``TEST(Suite, Case) {`` defines ``Suite.Case``: its arguments name it, not the macro."""
    arguments = _ARGUMENTS.fullmatch(parameters.strip())
    if arguments and _MACRO.fullmatch(name):
        return ".".join(part.strip() for part in arguments[1].split(","))
    return name


def given_name(instance: str) -> str:
    """What Scala calls an instance without a name: ``given_Ordering_List`` for ``Ordering[List[A]]``."""
    kind, _, arguments = instance.rpartition("=>")[2].strip().removesuffix("]").partition("[")
    last = ""
    while last != arguments:
        last, arguments = arguments, _BRACKETS.sub("", arguments)
    words = (_SEPARATORS.split(part.strip())[-1] for part in (kind, *arguments.split(",")))
    return "_".join(["given", *filter(None, words)])


def receiver_name(receiver: str) -> str:
    """The type of a receiver or an extended type: ``(s *Stack[T])`` is ``Stack``."""
    name = _BRACKETS.sub("", without_generics(receiver)).strip("()*& ?")
    return name.split()[-1].lstrip("*&") if name.split() else ""


def without_generics(name: str) -> str:
    """A name without its type arguments, at whatever depth they nest."""
    last = ""
    while last != name:
        last, name = name, _GENERIC.sub("", name)
    return name


def arity(arguments: tree_sitter.Node) -> int:
    """The number of arguments in the head of a function."""
    return sum(not child.is_extra for child in arguments.named_children)


def selector(sign: str, names: Sequence[str], takes_arguments: bool) -> str:
    """The name of an Objective-C method: ``-initWithOwner:limit:``."""
    return sign + "".join(f"{name}:" for name in names) if takes_arguments else sign + "".join(names)


def join(within: str, name: str, language: Language, is_member: bool, is_static: bool) -> str:
    """The symbol path of `name` inside the path `within`."""
    if not within or not name:
        return within or name
    if language.name == "objc" and name[0] in "+-":
        return f"{name[0]}[{within} {name[1:]}]"
    if is_static:
        # Within `class A`, the head `def A.bar` names the class again.
        again = f"{_SEPARATORS.split(within)[-1]}."
        return f"{within}.{name.removeprefix(again)}"
    return f"{within}{(is_member and language.member_separator) or language.separator}{name}"


def is_statement(name: str, language: Language) -> bool:
    """Whether a name is a keyword: in broken code, ``else if (…) {`` looks like a function to the grammar."""
    return language.name in C_FAMILY and (name in _STATEMENTS or name in _TYPES)


def is_member(name: str, language: Language) -> bool:
    """Whether the name alone tells a member of a type: an out-of-class definition of C++."""
    return language.name in C_FAMILY and "::" in name


def _c_name(name: str) -> str:
    name = name.replace(" :: ", "::").replace(":: ", "::").lstrip("*& ")
    if "operator" in name:
        head, _, tail = name.partition("operator")
        return f"{without_generics(head)}operator{'()' if tail.lstrip().startswith('()') else tail.split('(')[0]}"
    # What stands before is a macro and the type, which the grammar takes for more of the name.
    words = without_generics(name).split()
    return words[-1] if words else ""


def _sql_name(name: str) -> str:
    # The grammar takes parameters without brackets for more of the name: dbo.Save @id INT
    found = _SQL_NAME.match(name)
    return _SQL_QUOTES.sub("", found[0] if found else name)


def _javascript_name(name: str) -> str:
    if name == "module.exports":
        return "exports"
    for prefix in _EXPORTS:
        if name.startswith(prefix):
            name = name[len(prefix) :]
            break
    name = name.removesuffix(".prototype").replace(".prototype.", ".").replace("?.", ".")
    return name.strip("[]\"'`") if not name.startswith("[Symbol") else name
