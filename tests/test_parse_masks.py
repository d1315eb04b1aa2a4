"""What is blanked or replaced in a source before a grammar reads it."""

from __future__ import annotations

import time

import pytest

from indexer.languages.masks import masked

MASKS = [
    ("class API Window : Base {", "class     Window : Base {"),
    ("struct A_B(c) Name {", "struct        Name {"),
    ("class Window {", "class Window {"),
    ("BEGIN_NAMESPACE\nint x;", "               \nint x;"),
    ("BEGIN_NAMESPACE\n\n/* c */ int x;", "               \n\n/* c */ int x;"),
    ("TEST(A, B)\n{", "TEST(A, B)\n{"),
    ("TEST(A, B)\n// c\n{", "TEST(A, B)\n// c\n{"),
    ("API INLINE int f(void) {", "           int f(void) {"),
    ("DWORD f(void) {", "DWORD f(void) {"),
    ("UNUSED(static int f(void)) {", "       static int f(void)  {"),
    (" signals:", "         "),
    ("void f() const REQUIRES(m_) override {", "void f() const              override {"),
    ("A(int n) EXCLUDES(m()) : n_(n) {", "A(int n)               : n_(n) {"),
    ("void f()\n  REQUIRES(a) EXCLUDES(b) {", "void f()\n                          {"),
    ("void f()\n  REQUIRES(a)\n  EXCLUDES(b) {", "void f()\n             \n              {"),
    ("#if defined(A)\n  TEST(A, B) {", "#if defined(A)\n  TEST(A, B) {"),
    ("return (A *) TO_A(b);", "return (A *) TO_A(b);"),
    ("struct alignas(8) HEADER {", "struct alignas(8) HEADER {"),
    ("static int __init __weak f(", "static int               f("),
    ("static inline __u32 f(", "static inline __u32 f("),
    ("namespace __gnu_cxx VISIBILITY(a)\n{", "namespace __gnu_cxx VISIBILITY(a)\n{"),
    ("#ifdef A\nint f() {\n#else\nint g() {\n#endif\n}", "        \nint f() {\n     \n         \n      \n}"),
    (
        "#ifdef A\nint f() {}\n#else\nint g() {}\n#endif\n",
        "#ifdef A\nint f() {}\n#else\nint g() {}\n#endif\n",
    ),
]


@pytest.mark.parametrize(("source", "expected"), MASKS)
def test_macros_are_blanked_for_the_grammar(source: str, expected: str) -> None:
    assert masked(source.encode(), "cpp").decode() == expected
    assert masked(source.encode(), "java").decode() == source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("AS $$ a 'b' $$;", "AS '         ';"),
        ("$x$ $$\n$$ $x$ $1 $$", "'     \n     ' $1 $$"),
        (
            "DELIMITER //\nbegin\n a; end//\nDELIMITER ;\n$$",
            "            \nAS ' \n      '; \n           \n$$",
        ),
        ("[a].[b c] int[] x[i]\nGO\n", '"a"."b c" int[] x[i]\n; \n'),
    ],
)
def test_what_no_grammar_of_sql_knows_is_replaced(source: str, expected: str) -> None:
    assert masked(source.encode(), "sql").decode() == expected


@pytest.mark.parametrize(
    "source", [b"DELIMITER x\n" + b"begin\n" * 100_000, b"$a$ $b$" * 50_000, b"[a b" * 100_000]
)
def test_sql_is_masked_in_time_that_grows_with_the_length(source: bytes) -> None:
    begin = time.thread_time()
    assert len(masked(source, "sql")) == len(source)
    assert time.thread_time() - begin < 2


@pytest.mark.parametrize(
    "source",
    [b") " + b"AAA() " * 50_000, b")" + b" " * 100_000, b"f() const" * 20_000, b"\nint " + b"__a " * 50_000],
    ids=["macros", "blanks", "heads", "attributes"],
)
def test_macros_are_blanked_in_time_that_grows_with_the_length(source: bytes) -> None:
    begin = time.thread_time()
    masked(source, "cpp")
    assert time.thread_time() - begin < 2
