"""One row per language: its grammar wheel, its file names and the conventions that a query cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

C_COMMENTS = ("//",)
C_BLOCKS = (("/*", "*/"),)
HASH_COMMENTS = ("#",)
OCAML_BLOCKS = (("(*", "*)"),)


@dataclass(frozen=True)
class Language:
    """What the parser must know of a language beside its query file."""

    name: str
    grammar: str
    """``module:function`` of the grammar wheel; empty for prose."""
    extensions: tuple[str, ...] = ()
    """File name endings, lower case, with the dot."""
    filenames: tuple[str, ...] = ()
    """Whole file names, lower case."""
    interpreters: tuple[str, ...] = ()
    """Names in a ``#!`` line."""
    separator: str = "."
    """Between the parts of a symbol."""
    member_separator: str = ""
    """Between a type and its member, where it differs from `separator`."""
    line_comments: tuple[str, ...] = C_COMMENTS
    block_comments: tuple[tuple[str, str], ...] = C_BLOCKS
    constructors: tuple[str, ...] = ()
    """Names of methods that make an object; ``<type>`` stands for the name of the enclosing type."""
    markup: str = ""
    """Markup of doc comments: ``xml``, ``html``, ``pod`` or none."""
    clauses: bool = False
    """Whether neighbouring definitions of one name are one function (equations, clauses)."""
    alias: str = ""
    """The name its files go by, where one language has several grammars."""
    dialect_of: str = ""
    """A language that people mean this one with as well."""
    nicknames: tuple[str, ...] = ()
    """What people call it beside its name and its file name endings, lower case."""

    @cached_property
    def line_marks(self) -> tuple[bytes, ...]:
        """`line_comments` as they stand in a file."""
        return tuple(mark.encode() for mark in self.line_comments)

    @cached_property
    def block_marks(self) -> tuple[tuple[bytes, bytes], ...]:
        """`block_comments` as they stand in a file."""
        return tuple((opening.encode(), closing.encode()) for opening, closing in self.block_comments)


ROWS = (
    Language(
        "python",
        "tree_sitter_python:language",
        (".py", ".pyi", ".pyw", ".bzl", ".bazel"),
        ("sconstruct", "sconscript", "wscript"),
        ("python", "python2", "python3"),
        line_comments=HASH_COMMENTS,
        block_comments=(),
        constructors=("__init__", "__new__"),
    ),
    Language(
        "javascript",
        "tree_sitter_javascript:language",
        (".js", ".mjs", ".cjs", ".jsx", ".es6"),
        ("jakefile",),
        ("node", "nodejs", "bun"),
        constructors=("constructor",),
    ),
    Language(
        "typescript",
        "tree_sitter_typescript:language_typescript",
        (".ts", ".mts", ".cts"),
        (),
        ("deno", "ts-node", "tsx"),
        constructors=("constructor",),
    ),
    Language(
        "tsx",
        "tree_sitter_typescript:language_tsx",
        (".tsx",),
        constructors=("constructor",),
        dialect_of="typescript",
    ),
    Language("java", "tree_sitter_java:language", (".java",), markup="html"),
    Language("go", "tree_sitter_go:language", (".go",), nicknames=("golang",)),
    Language("rust", "tree_sitter_rust:language", (".rs",), separator="::", constructors=("new",)),
    Language("c", "tree_sitter_c:language", (".c", ".h"), separator="::"),
    Language(
        "cpp",
        "tree_sitter_cpp:language",
        (
            ".cc",
            ".cpp",
            ".cxx",
            ".c++",
            ".hpp",
            ".hh",
            ".hxx",
            ".h++",
            ".ipp",
            ".tpp",
            ".inl",
            ".ino",
            ".cppm",
        ),
        separator="::",
        constructors=("<type>",),
    ),
    Language(
        "cuda",
        "tree_sitter_cuda:language",
        (".cu", ".cuh"),
        separator="::",
        constructors=("<type>",),
    ),
    Language(
        "csharp",
        "tree_sitter_c_sharp:language",
        (".cs", ".csx"),
        (),
        ("dotnet-script",),
        markup="xml",
        nicknames=("c#",),
    ),
    Language(
        "php",
        "tree_sitter_php:language_php",
        (".php", ".phtml", ".php5", ".php7", ".phps"),
        (),
        ("php",),
        separator="\\",
        member_separator="::",
        line_comments=("//", "#"),
        constructors=("__construct",),
    ),
    Language(
        "ruby",
        "tree_sitter_ruby:language",
        (".rb", ".rake", ".gemspec", ".ru", ".rbw", ".podspec", ".thor"),
        ("rakefile", "gemfile", "guardfile", "podfile", "capfile", "vagrantfile", "brewfile", "fastfile"),
        ("ruby", "jruby", "rake"),
        separator="::",
        member_separator="#",
        line_comments=HASH_COMMENTS,
        block_comments=(("=begin", "=end"),),
        constructors=("initialize",),
    ),
    Language("swift", "tree_sitter_swift:language", (".swift",), (), ("swift",), constructors=("init",)),
    Language("kotlin", "tree_sitter_kotlin:language", (".kt", ".kts"), (), ("kotlin",)),
    Language(
        "scala",
        "tree_sitter_scala:language",
        (".scala", ".sc", ".sbt"),
        (),
        ("scala",),
        constructors=("this",),
    ),
    Language(
        "groovy", "tree_sitter_groovy:language", (".groovy", ".gradle", ".gvy"), ("jenkinsfile",), ("groovy",)
    ),
    Language("dart", "tree_sitter_dart:language", (".dart",), (), ("dart",), constructors=("<type>",)),
    Language(
        "lua",
        "tree_sitter_lua:language",
        (".lua", ".rockspec", ".wlua"),
        (),
        ("lua", "luajit", "texlua"),
        line_comments=("---", "--"),
        block_comments=(("--[[", "]]"), ("--[=[", "]=]")),
    ),
    Language(
        "bash",
        "tree_sitter_bash:language",
        (".sh", ".bash", ".zsh", ".ksh", ".bats", ".ebuild", ".eclass", ".command"),
        ("pkgbuild", "apkbuild", "configure.ac"),
        ("sh", "bash", "zsh", "dash", "ksh", "ash", "bats"),
        line_comments=HASH_COMMENTS,
        block_comments=(),
        nicknames=("shell", "shellscript"),
    ),
    Language(
        "elixir",
        "tree_sitter_elixir:language",
        (".ex", ".exs"),
        ("mix.lock",),
        ("elixir",),
        line_comments=HASH_COMMENTS,
        block_comments=(),
        clauses=True,
    ),
    Language(
        "haskell",
        "tree_sitter_haskell:language",
        (".hs", ".hs-boot", ".hsc"),
        (),
        ("runhaskell", "runghc", "stack"),
        line_comments=("-- |", "-- ^", "--"),
        block_comments=(("{-", "-}"),),
        clauses=True,
    ),
    Language(
        "ocaml",
        "tree_sitter_ocaml:language_ocaml",
        (".ml",),
        (),
        ("ocaml",),
        line_comments=(),
        block_comments=OCAML_BLOCKS,
    ),
    Language(
        "ocaml_interface",
        "tree_sitter_ocaml:language_ocaml_interface",
        (".mli",),
        line_comments=(),
        block_comments=OCAML_BLOCKS,
        alias="ocaml",
    ),
    Language(
        "julia",
        "tree_sitter_julia:language",
        (".jl",),
        (),
        ("julia",),
        line_comments=HASH_COMMENTS,
        block_comments=(("#=", "=#"),),
        constructors=("<type>",),
    ),
    Language("zig", "tree_sitter_zig:language", (".zig",), block_comments=(), constructors=("init",)),
    Language(
        "perl",
        "tree_sitter_perl:language",
        (".pl", ".pm", ".t", ".psgi", ".pod"),
        ("makefile.pl", "build.pl", "cpanfile"),
        ("perl",),
        separator="::",
        line_comments=HASH_COMMENTS,
        block_comments=(),
        constructors=("new",),
        markup="pod",
    ),
    Language(
        "sql",
        "tree_sitter_sql:language",
        (".sql", ".psql", ".pgsql", ".mysql", ".ddl"),
        line_comments=("--",),
    ),
    Language(
        "powershell",
        "tree_sitter_powershell:language",
        (".ps1", ".psm1", ".psd1"),
        (),
        ("pwsh", "powershell"),
        line_comments=HASH_COMMENTS,
        block_comments=(("<#", "#>"),),
        constructors=("<type>",),
    ),
    Language("solidity", "tree_sitter_solidity:language", (".sol",), constructors=("constructor",)),
    Language(
        "fortran",
        "tree_sitter_fortran:language",
        (".f90", ".f95", ".f03", ".f08", ".f18", ".f", ".for", ".ftn", ".f77"),
        line_comments=("!>", "!<", "!"),
        block_comments=(),
    ),
    Language(
        "objc", "tree_sitter_objc:language", (".m", ".mm"), nicknames=("objective-c", "objectivec", "obj-c")
    ),
    Language(
        "matlab",
        "tree_sitter_matlab:language",
        (".matlab",),
        (),
        ("octave",),
        line_comments=("%", "#"),
        block_comments=(("%{", "%}"),),
        constructors=("<type>",),
    ),
    Language("nix", "tree_sitter_nix:language", (".nix",), line_comments=HASH_COMMENTS),
    Language(
        "hcl",
        "tree_sitter_hcl:language",
        (".tf", ".hcl", ".tfvars", ".nomad"),
        line_comments=("#", "//"),
        nicknames=("terraform",),
    ),
    Language(
        "make",
        "tree_sitter_make:language",
        (".mk", ".mak", ".make"),
        ("makefile", "gnumakefile", "bsdmakefile", "makefile.am", "makefile.in", "kbuild"),
        ("make",),
        line_comments=HASH_COMMENTS,
        block_comments=(),
        nicknames=("makefile",),
    ),
    Language(
        "cmake",
        "tree_sitter_cmake:language",
        (".cmake",),
        ("cmakelists.txt", "cmakelists.txt.in"),
        line_comments=HASH_COMMENTS,
        block_comments=(("#[[", "]]"), ("#[=[", "]=]")),
    ),
    Language("markdown", "", (".md", ".markdown", ".mdx", ".mkd", ".mdown", ".qmd", ".rmd")),
    Language("text", "", (".txt", ".rst", ".rest", ".adoc", ".asciidoc", ".org")),
    Language(
        "verilog",
        "tree_sitter_verilog:language",
        (".sv", ".svh", ".v", ".vh"),
        constructors=("new",),
        nicknames=("systemverilog",),
    ),
)

LANGUAGES: dict[str, Language] = {row.name: row for row in ROWS}
