"""Single rules of the parser, one small source each."""

from __future__ import annotations

import textwrap
from itertools import pairwise

import pytest

from indexer.languages.blocks import MAX_BYTES, MAX_LINES, split_blocks
from indexer.languages.source import read_source
from indexer.parse import parse

DOCS = [
    (
        "a.js",
        "/**\n * Adds.\n *\n * @param {number} a - one\n */\nfunction add(a) {}\n",
        "Adds.\n\n@param {number} a - one",
    ),
    ("a.js", "/** Adds. */\n\nfunction add(a) {}\n", "Adds."),
    ("a.js", "// Adds.\n\nfunction add(a) {}\n", ""),
    ("a.js", "var x; // not a doc\nfunction add(a) {}\n", ""),
    ("a.js", "// eslint-disable-next-line\nfunction add(a) {}\n", ""),
    ("a.js", "// ---- helpers ----\n// Adds.\nfunction add(a) {}\n", "---- helpers\nAdds."),
    ("a.js", "/* Copyright 2020 A */\nfunction add(a) {}\n", ""),
    (
        "a.js",
        "use();\n/* Renders the copyright notice. */\nfunction add(a) {}\n",
        "Renders the copyright notice.",
    ),
    ("a.py", "def f():\n    '''Adds.\n\n    More.\n    '''\n", "Adds.\n\nMore."),
    ("a.py", "# Adds.\n@cache\ndef f(): pass\n", "Adds."),
    ("a.py", "@cache\n# Adds.\ndef f(): pass\n", "Adds."),
    ("a.py", "# Above.\ndef f():\n    'Inside.'\n", "Inside."),
    ("a.py", "def f():\n    x = 'no doc'\n", ""),
    ("a.py", "#!/usr/bin/python\n# -*- coding: utf-8 -*-\ndef f(): pass\n", ""),
    ("a.java", "class A {\n  /** Uses {@link B} and <b>more</b>. */\n  void f() {}\n}\n", "Uses B and more."),
    (
        "a.cs",
        'class A {\n  /// <summary>Adds.</summary>\n  /// <param name="x">one</param>\n  void F(int x) {}\n}\n',
        "Adds.\nx: one",
    ),
    ("a.rs", "/// Adds.\n#[inline]\nfn f() {}\n", "Adds."),
    ("a.rs", "#[inline]\n/// Adds.\nfn f() {}\n", "Adds."),
    ("a.go", "// F adds.\n//\n//go:noinline\nfunc F() {}\n", "F adds."),
    ("a.rb", "# Adds.\n#\n# @param x one\ndef f(x); end\n", "Adds.\n\n@param x one"),
    ("a.php", "<?php\n/** Adds. */\n#[Pure]\nfunction f() {}\n", "Adds."),
    ("a.swift", "/// Adds.\n@inlinable\nfunc f() {}\n", "Adds."),
    ("a.kt", "/** Adds. */\n@JvmStatic\nfun f() {}\n", "Adds."),
    ("a.c", "/* Adds. */\nstatic int\nf(void) { return 1; }\n", "Adds."),
    ("a.cpp", "//! Adds.\ntemplate <class T>\nT f() { return 1; }\n", "Adds."),
    ("a.hs", "f :: Int\n{-# INLINE f #-}\nf = 1\n", ""),
    ("a.rb", "# Adds.\nsig { returns(Integer) }\ndef f; end\n", "Adds."),
    ("a.rb", "# Adds.\nsig(:final) do\n  void\nend\ndef f; end\n", "Adds."),
    ("a.jsx", "/** A table. */\nexport default memo(function Table() {}, areEqual);\n", "A table."),
    ("a.jsx", "/** A table. */\nexport default memo(forwardRef(function Table() {}));\n", "A table."),
    ("a.jsx", "/** A table. */\nexport default memo(() => {});\n", "A table."),
    (
        "a.tsx",
        "/** A card. */\nexport const C = React.memo(React.forwardRef<A, B>((p, r) => {}));\n",
        "A card.",
    ),
    ("a.jsx", "/** A button. */\nexport const B = memo(forwardRef(function B(props) {}));\n", "A button."),
    ("a.ts", "/** Loads. */\nexport const load = createAsyncThunk('x', async (id) => {});\n", "Loads."),
    ("a.ts", "/** Waits. */\nexport const wait = _.debounce(() => {}, 300);\n", "Waits."),
    ("a.cpp", "// Adds.\ntemplate <class T>\ntemplate <class U>\nvoid A<T>::f(U u) {}\n", "Adds."),
]


@pytest.mark.parametrize(("path", "source", "doc"), DOCS)
def test_a_doc_comment_is_found_and_its_markers_are_dropped(path: str, source: str, doc: str) -> None:
    functions = [f for f in parse(path, source.encode()).functions if f.kind not in ("class", "module")]
    assert [f.doc for f in functions] == [doc]


SYMBOLS = [
    (
        "a.py",
        "class A:\n  def __init__(self): pass\n  class B:\n    def f(self): pass",
        "A A.__init__ A.B A.B.f",
    ),
    ("a.py", "def f():\n  def g(): pass", "f f.g"),
    ("a.js", "const f = () => 1; exports.g = function () {}; module.exports = () => 2;", "f g exports"),
    ("a.js", "A.prototype.run = function () {}; this.x = () => 1", "A.run x"),
    (
        "a.js",
        "const api = { get() {}, 'post': () => 1, nested: { put() {} } };",
        "api api.get api.post api.nested api.nested.put",
    ),
    ("a.js", "export default class { run() {} }", "default default.run"),
    ("a.js", "export default () => 1;", "default"),
    ("a.ts", "namespace N { export class A<T> { f = () => 1; } }", "N N.A N.A.f"),
    ("a.go", "package p\nfunc (s *Stack[T]) Push() {}\nfunc (Stack) Len() {}", "_ Stack.Push Stack.Len"),
    (
        "a.rs",
        "mod m { impl<T> A<T> { fn f() {} } impl D for A<u8> { fn g() {} } }",
        "m m::A m::A::f m::<D for A<u8>> m::<D for A<u8>>::g",
    ),
    ("a.cpp", "namespace a { void B::C::f() {} C::C() {} C::~C() {} }", "a a::B::C::f a::C::C a::C::~C"),
    ("a.cpp", "template <class T> bool V<T>::operator==(const V& o) const { return 1; }", "V::operator=="),
    ("a.cpp", "A::operator bool() const { return 1; }", "A::operator bool"),
    ("a.cpp", "TEST(Suite, Case) { f(); }", "Suite.Case"),
    ("a.c", "TEST_IMPL(name) { return 0; }", "name"),
    ("a.c", "#define MAX(a, b) ((a) > (b))\n", "MAX"),
    ("a.c", "unsigned int CLOCK(void) { return 1; }", "CLOCK"),
    ("a.cpp", "template <class T>\nalways_inline MY_API result_t<T> f(T x) { return 1; }", "f"),
    ("a.cpp", "BEGIN_EXPORT\n\n/** A view. */\ntemplate <class T> class A { void f() {} };", "_ A A::f"),
    (
        "a.c",
        "char ***f(void) {}\nint (*g(void))[3] {}\nint *(h)(int a) {}\nint **(*k(int a))[2] {}",
        "f g h k",
    ),
    ("a.c", "void (*f(int a, void (*g)(int)))(int) {}\nvoid (*(*h(int a))(int))(char) {}", "f h"),
    ("a.cpp", "int (&f())[3] {}\nconst int*& A::g() {}\nint (A::*h(int a))(int) {}", "f A::g h"),
    ("a.cpp", "A::A() try : b(1) {} catch (...) {}\nvoid A::f() try {} catch (...) {}", "A::A A::f"),
    ("a.cpp", "class A { A() try : b(1) {} catch (int) {}\nint& f() try {} catch (...) {} };", "A A::A A::f"),
    (
        "a.rb",
        "module M\n class A\n  def f; end\n  def self.g; end\n  class << self\n   def h; end\n  end\n end\nend",
        "M M::A M::A#f M::A.g M::A.h",
    ),
    ("a.php", "<?php class A { public int $f { get => 1; } public $g { get; } public $h; }", "_ A A::f"),
    ("a.php", "<?php\nclass A { function f() { $g = function () {\n}; } }", "_ A A::f A::f.g"),
    ("a.kt", "class A {\n  companion object {\n    fun f() {}\n  }\n}\nfun A.g() {}", "A A.f A.g"),
    ("a.swift", "extension A where T: B { func f() {} }", "A A.f"),
    ("a.scala", "object A { def f = 1 }", "A A.f"),
    (
        "a.scala",
        "given Ordering[Int] with\n  def f = 1\ngiven a.B = c",
        "given_Ordering_Int given_Ordering_Int.f given_B",
    ),
    ("a.scala", "given [A: B] => C[Map[A, B], D] = e", "given_C_Map_D"),
    ("a.scala", "extension (a: Int) def f = 1\nextension [A](a: List[A]) {\n  def g = 1\n}", "Int.f List.g"),
    ("a.scala", "package object a {\n  def f = 1\n}\nval b = new C { def g = 1 }", "a a.f b b.g"),
    ("a.java", "class A { A() {} void f() { new B() { void g() {} }; } }", "A A.A A.f A.f.g"),
    ("a.cs", "namespace N { class A { int P => 1; } }", "_ A A.P"),
    ("a.ts", "export const api = { get: async () => {} } as const", "api api.get api"),
    ("a.ts", "const api = { a: { get() {} } satisfies X } as const satisfies Y", "api api.a.get api.a"),
    ("a.js", "A.prototype = { f: function () {} }", "A A.f"),
    ("a.js", "const f = g('x', (y) => {}); const h = _.debounce(() => {}, 3);", "f h"),
    ("a.js", "const names = list.map((x) => {\n});\ndescribe('x', () => {\n});", "_"),
    ("a.js", "export default connect(function a() {}, function b() {})", "_ a b"),
    ("a.js", "const s = createSlice({ reducers: { add() {} } })", "s s.reducers.add"),
    (
        "a.cs",
        "class A { public static implicit operator int(A a) { return 1; } int this[int i] => 1; A() {} ~A() {} "
        "event H E { add {} remove {} } }",
        "A A.int A.this A.A A.~A A.E",
    ),
    (
        "a.rb",
        "A = Struct.new(:x) do\n def f; end\nend\nB = Module.new do\n def g; end\nend\nC = D.new do\nend",
        "A A#f B B#g _",
    ),
    ("a.rb", "class A\n def A.f; end\n def B.g; end\nend\ndef A.h; end", "A A.f A.B.g A.h"),
    ("a.rb", "class A\n define_method 'f' do |x|\n  x\n end\nend\ng = lambda do |x|\n x\nend", "A A#f g"),
    (
        "a.kt",
        "fun String?.f() {}\nval String.g: Char get() = this[0]\nval A?.h: Int get() { return 1 }",
        "String.f String.g A.h",
    ),
    (
        "a.cpp",
        "void A::f(int n) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {}\nclass A {\n  int g() const EXCLUDES(mu()) {}\n"
        "  void h()\n      REQUIRES(!a_)\n      EXCLUDES(b_, c_) {\n  }\n  void k() NO_THREAD_SAFETY_ANALYSIS {}\n};",
        "A::f A A::g A::h A::k",
    ),
    ("a.c", "int __must_check f(void) {}\nstatic void _cleanup_(done) g(void) {}\n__u32 h(void) {}", "f g h"),
]


@pytest.mark.parametrize(("path", "source", "symbols"), SYMBOLS)
def test_symbol_paths_are_in_the_notation_of_the_language(path: str, source: str, symbols: str) -> None:
    assert [f.symbol or "_" for f in parse(path, source.encode()).functions] == [
        symbol for symbol in _split(symbols)
    ]


def _split(symbols: str) -> list[str]:
    """Symbols are divided by blanks, but ``<D for A>`` and ``operator bool`` contain some."""
    joined = symbols.replace(" for ", "~for~").replace("operator bool", "operator~bool")
    return [
        symbol.replace("~for~", " for ").replace("operator~bool", "operator bool")
        for symbol in joined.split()
    ]


KINDS = [
    (
        "a.py",
        "class A:\n  def __init__(self): pass\n  def f(self): pass\ndef g(): pass\nh = lambda: 1",
        "class constructor method function lambda",
    ),
    (
        "a.rs",
        "trait T { fn f() {} }\nenum E { A }\nimpl E { fn new() {} }\nstruct S;",
        "trait method enum module constructor struct",
    ),
    (
        "a.cpp",
        "struct S { S() {} void f() {} };\nenum E { A };\nauto g = [] { return 1; };",
        "struct constructor method enum lambda",
    ),
    ("a.go", "type S struct{}\ntype I interface{}\nfunc f() {}", "struct interface function"),
    (
        "a.java",
        "interface I { default void f() {} }\nenum E { A }\nrecord R() {}",
        "interface method enum class",
    ),
    ("a.js", "import x from 'y';\nclass A {}\nx();", "module class module"),
]


@pytest.mark.parametrize(("path", "source", "kinds"), KINDS)
def test_kinds(path: str, source: str, kinds: str) -> None:
    assert [f.kind for f in parse(path, source.encode()).functions] == kinds.split()


TESTS = [
    ("a.rs", "#[cfg(test)]\nmod tests {\n    fn helper() {}\n}\nfn work() {}\n", "helper"),
    ("a.rs", "#[cfg(test)]\n// Only here.\nmod checks {\n    impl A { fn make() {} }\n}\n", "make"),
    ("a.rs", "#[test]\n#[should_panic]\n/// Works.\nfn works() {}\nfn work() {}\n", "works"),
    ("a.rs", '#[tokio::test(flavor = "x")]\nasync fn works() {}\n', "works"),
    ("a.rs", '#[cfg(all(test, feature = "x"))]\nfn helper() {}\n', "helper"),
    ("a.rs", "#[cfg(not(test))]\nfn work() {}\n#[derive(Debug)]\nstruct Test;\n", ""),
    ("a.zig", 'fn add() void {}\ntest "adds" {}\n', "adds"),
]


@pytest.mark.parametrize(("path", "source", "names"), TESTS)
def test_tests_among_other_code_are_known(path: str, source: str, names: str) -> None:
    functions = [f for f in parse(path, source.encode()).functions if f.is_test and f.kind != "module"]
    assert " ".join(f.symbol.split("::")[-1] for f in functions) == names


def test_the_body_of_a_type_is_its_declaration() -> None:
    source = b"class A {\n  x = 1;\n\n  /** Doc. */\n  f(a,\n    b) {\n    return secret;\n  }\n}\n"
    declaration, method = parse("a.js", source).functions
    assert declaration.body == "class A {\n  x = 1;\n  f(a, b)\n}"
    assert method.body == "f(a,\n  b) {\n  return secret;\n}"


def test_a_type_with_very_many_members_stays_bounded() -> None:
    members = b"".join(b"  def method_%d(self, first, second): pass\n" % i for i in range(3000))
    declaration = parse("a.py", b"class A:\n" + members).functions[0]
    assert len(declaration.body) < 20_000


def test_a_one_line_lambda_inside_a_function_is_found_with_the_function() -> None:
    source = b"function f() {\n  const a = x => x;\n  const b = x => {\n    return x;\n  };\n}\n"
    assert [f.symbol for f in parse("a.js", source).functions] == ["f", "f.b"]


def test_brackets_after_a_unit_belong_to_it() -> None:
    source = b"namespace a {\nvoid f() {}\n}  // namespace a\n"
    head, function = parse("a.cpp", source).functions
    assert (head.body, function.body) == ("namespace a {", "void f() {}")
    assert function.end_byte == len(source.strip())


def test_methods_of_a_broken_class_are_found() -> None:
    source = textwrap.dedent("""\
        class A {
            val broken = (1

            fun first() {
                println(1)
            }

            fun second() {
                println(2)
            }
        }
        """)
    parsed = parse("a.kt", source.encode())
    assert {"first", "second"} <= {f.symbol.rpartition(".")[2] for f in parsed.functions}
    assert parsed.errors


def test_blocks_are_cut_at_blank_lines_and_cover_everything() -> None:
    text = b"".join(b"x%d = 1\n" % i + (b"\n" if i % 20 == 19 else b"") for i in range(200))
    blocks = list(split_blocks(text, 0, len(text)))
    assert len(blocks) > 3
    for start, end in blocks:
        assert end - start <= MAX_BYTES and text.count(b"\n", start, end) < MAX_LINES
    for (_, before), (after, _) in pairwise(blocks):
        assert text[before:after] == b"\n\n"


def test_offsets_go_back_to_the_file() -> None:
    source = read_source("é\r\nab\r\n".encode("utf-16"))
    assert source.text == "é\nab\n".encode()
    assert source.original_offsets([0, 2, 3, 5]) == {0: 2, 2: 4, 3: 8, 5: 12}


@pytest.mark.parametrize(
    ("path", "source", "signatures"),
    [
        ("a.rb", "class A\n  # c\n  def f(a)\n    # d\n    a\n  end\nend\n", ["class A", "def f(a)"]),
        (
            "a.rb",
            "module M\n  # The server's\n\n  def f(a)\n    # It's \"d\"\n    a\n  end\nend\n",
            ["module M", "def f(a)"],
        ),
        ("a.py", "def f(a, # one\n      b='# c'): # two\n    # three\n    return a\n", ["def f(a, b='# c')"]),
        ("a.lua", "function M.f(a)\n  -- c\n  return a\nend\n", ["function M.f(a)"]),
        ("a.ml", "let f a =\n  (* c *)\n  a + 1\n", ["f a"]),
        ("a.lua", "function f(a)\n  ---@type A[]\n  return a\nend\n", ["function f(a)"]),
        ("a.php", "<?php\nfunction f(\n #[A] $a, # c\n $b) { return $a; }\n", ["function f(#[A] $a, $b)"]),
    ],
)
def test_comments_between_head_and_body_are_no_part_of_the_signature(path, source, signatures) -> None:
    assert [f.signature for f in parse(path, source.encode()).functions if f.symbol] == signatures


def test_the_comment_above_what_follows_is_no_part_of_a_scala_function() -> None:
    source = (
        b"object A:\n  def f =\n    g\n    // Done.\n\n  /** Adds. */\n  def h = 1\n\n// Ends.\ndef i = 1\n"
    )
    functions = parse("a.scala", source).functions
    assert [(f.symbol, f.start_line, f.end_line, f.doc) for f in functions] == [
        ("A", 0, 7, ""),
        ("A.f", 1, 4, ""),
        ("A.h", 5, 7, "Adds."),
        ("i", 8, 10, "Ends."),
    ]
