"""Functions written as several clauses, and packages that hold until the next one."""

from __future__ import annotations

import pytest

from indexer.parse import parse

CASES = {
    "equations of one name are one function": ("a.hs", "f 0 = 1\nf n = n\n", [("f", 1, 2)]),
    "a type signature begins it": ("a.hs", "f :: Int\n\nf = 1\n", [("f", 1, 3)]),
    "another name ends it": ("a.hs", "f 0 = 1\ng 0 = 1\nf n = n\n", [("f", 1, 1), ("g", 2, 2), ("f", 3, 3)]),
    "the operator between its arguments": (
        "a.hs",
        "(<>) :: A\nx <> y = x\n_ <> y = y\n",
        [("<>", 1, 3)],
    ),
    "clauses differ by the number of arguments": (
        "a.ex",
        "defmodule A do\n  def f(a), do: f(a, 1)\n  def f(0, b), do: b\n  def f(a, b), do: a\nend\n",
        [("A", 1, 5), ("A.f/1", 2, 2), ("A.f/2", 3, 4)],
    ),
    "a clause with a guard": (
        "a.ex",
        "defmodule A do\n  def f(a) when a > 0, do: 1\n  def f(_), do: 2\nend\n",
        [("A", 1, 4), ("A.f/1", 2, 3)],
    ),
    "no arguments": (
        "a.ex",
        "defmodule A do\n  def f do\n    1\n  end\nend\n",
        [("A", 1, 5), ("A.f/0", 2, 4)],
    ),
    "a package reaches to the next": (
        "a.pm",
        "package A;\nsub f { 1 }\npackage B::C;\nsub g { 2 }\n",
        [("A", 1, 1), ("A::f", 2, 2), ("B::C", 3, 3), ("B::C::g", 4, 4)],
    ),
    "overloads stay apart": ("a.jl", "f(x) = 1\nf(x, y) = 2\n", [("f", 1, 1), ("f", 2, 2)]),
}


@pytest.mark.parametrize(("path", "source", "expected"), CASES.values(), ids=CASES)
def test_clauses_and_sections(path, source, expected):
    found = parse(path, source.encode()).functions
    assert [(function.symbol, function.start_line + 1, function.end_line) for function in found] == expected


def test_the_type_signature_is_the_signature_of_all_equations():
    source = b"-- | Adds.\nadd :: Int -> Int -> Int\nadd 0 y = y\nadd x y = x + y\n"
    (function,) = parse("a.hs", source).functions
    assert (function.signature, function.doc) == ("add :: Int -> Int -> Int", "Adds.")
    assert function.body.count("\n") == 2


DOCS = {
    "ocaml above": ("a.mli", "(** Adds. *)\nval f : int\n", "Adds."),
    "ocaml below": ("a.mli", "val f : int\n(** Adds. *)\n\nval g : int\n", "Adds."),
    "elixir heredoc": ("a.ex", '@doc """\nAdds.\n"""\ndef f(a), do: a\n', "Adds."),
    "elixir sigil": ("a.ex", '@doc ~S"""\nAdds.\n"""\n@doc since: 1\ndef f(a), do: a\n', "Adds."),
    "julia string": ("a.jl", '"""\n    f(x)\n\nAdds.\n"""\nf(x) = 1\n', "f(x)\n\nAdds."),
    "perl pod": ("a.pl", "=head2 f\n\nAdds C<x>.\n\n=cut\n\nsub f { 1 }\n", "f\n\nAdds x."),
    "perl manual at the end": (
        "a.pl",
        "sub f { 1 }\n__END__\n=head2 A->f(x)\n\nAdds.\n\n=head2 g\n\nNo.\n",
        "A->f(x)\n\nAdds.",
    ),
    "powershell inside": ("a.ps1", "function f {\n<#\n.SYNOPSIS\nAdds.\n#>\n1 }\n", "Adds."),
    "matlab below": ("a.m", "function y = f(x)\n% Adds.\ny = x;\nend\n", "Adds."),
    "fortran ford": ("a.f90", "subroutine f(x)\n!! Adds.\nx = 1\nend subroutine\n", "Adds."),
    "haskell block": ("a.hs", "{- | Adds. -}\nf x = x\n", "Adds."),
    "lua block": ("a.lua", "--[[ Adds. ]]\nfunction f() end\n", "Adds."),
    "code that ends like a comment": ("a.lua", "--[[ Old. ]]\nx = t[u[1]]\nfunction f() end\n", ""),
    "cmake block": ("a.cmake", "#[[ Adds. ]]\nfunction(f)\nendfunction()\n", "Adds."),
}


@pytest.mark.parametrize(("path", "source", "doc"), DOCS.values(), ids=DOCS)
def test_doc_comments_in_the_convention_of_their_language(path, source, doc):
    function = next(one for one in parse(path, source.encode()).functions if one.kind == "function")
    assert function.doc == doc


SHARED = {
    "objc": (".m", "#import <A.h>\n@implementation A\n@end\n"),
    "matlab": (".m", "function y = f(x)\n  y = x;\nend\n"),
    "text": (".m", "(* Mathematica *)\nf[x_] := x\n"),
    "verilog": (".v", "module a;\nendmodule\n"),
    "perl": (".pl", "use strict;\nsub f { 1 }\n"),
}


@pytest.mark.parametrize(("language", "ending", "source"), [(name, *row) for name, row in SHARED.items()])
def test_the_content_settles_a_shared_ending(language, ending, source):
    assert parse("a" + ending, source.encode()).language == language


@pytest.mark.parametrize(
    ("ending", "source"),
    [
        (".v", "Theorem a : True.\nProof. auto. Qed.\n"),
        (".v", "module main\n\nimport os\n\nfn main() {}\n"),
        (".pl", ":- module(a, []).\nf(X) :- g(X).\n"),
    ],
)
def test_coq_v_and_prolog_are_not_taken_for_verilog_and_perl(ending, source):
    assert parse("a" + ending, source.encode()).language == "text"
