"""One row per language: its grammar wheel, its file names and the conventions that a query cannot say."""

from __future__ import annotations

from dataclasses import dataclass

C_COMMENTS = ("//",)
C_BLOCKS = (("/*", "*/"),)
HASH_COMMENTS = ("#",)


@dataclass(frozen=True)
class Language:
    """What the parser must know of a language beside its query file."""

    name: str
    grammar: str
    """``module:function`` of the grammar wheel."""
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
    """Markup of doc comments: ``xml``, ``html`` or none."""


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
    Language("tsx", "tree_sitter_typescript:language_tsx", (".tsx",), constructors=("constructor",)),
    Language("java", "tree_sitter_java:language", (".java",), markup="html"),
    Language("go", "tree_sitter_go:language", (".go",)),
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
    Language("csharp", "tree_sitter_c_sharp:language", (".cs", ".csx"), (), ("dotnet-script",), markup="xml"),
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
    Language("scala", "tree_sitter_scala:language", (".scala", ".sc", ".sbt"), (), ("scala",)),
    Language(
        "groovy", "tree_sitter_groovy:language", (".groovy", ".gradle", ".gvy"), ("jenkinsfile",), ("groovy",)
    ),
)

LANGUAGES: dict[str, Language] = {row.name: row for row in ROWS}
