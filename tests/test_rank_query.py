"""What a query asks for: operators, phrases, names and kinds."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.rank.query import MAX_TERMS, Query, parse_query, query_kind
from indexer.types import SearchFilters, last_name

KINDS = [
    ("Blueprint", "symbol"),
    ("Flask.route", "symbol"),
    ("std::vector::push_back", "symbol"),
    ("class OfflineStore", "symbol"),
    ("session cookies", "keyword"),
    ("reading and writing plugin state to disk", "sentence"),
    ("how does dependency injection work", "question"),
    ("wo wird die Sitzung gespeichert?", "question"),
    ("セッションはどこに保存されますか？", "question"),
    ("失败后重试上传", "keyword"),
    ("上传失败之后在哪里重新尝试", "sentence"),
    ("重试", "symbol"),
    ("for (int i = 0; i < n; i++) { sum += a[i]; }", "code"),
    ("def add(a, b): return a + b", "code"),
    ('Traceback (most recent call last): File "app.py", line 3, in main ValueError: bad', "trace"),
    ("NullPointerException at a.b.C.run(C.java:3) at a.b.D.go(D.java:9)", "trace"),
    ("", "symbol"),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_kinds_of_queries(text: str, kind: str) -> None:
    assert query_kind(text) == kind


OPERATORS = [
    ("symbol:Cart.total", SearchFilters(symbols=("Cart.total",)), "Cart.total"),
    ("tax path:src lang:Python", SearchFilters(languages=("Python",), paths=("src",)), "tax"),
    ("tax -path:docs/** -tests", SearchFilters(exclude=("docs/**",), no_tests=True), "tax"),
    ("kind:method kind:function retry", SearchFilters(kinds=("method", "function")), "retry"),
    ('path:"my folder/*.py" retry', SearchFilters(paths=("my folder/*.py",)), "retry"),
    (
        "-lang:go tax -kind:text -symbol:main",
        SearchFilters(not_languages=("go",), not_kinds=("text",), not_symbols=("main",)),
        "tax",
    ),
    ("path::Path::new join", SearchFilters(), "path::Path::new join"),
    ("std::path:x is no operator", SearchFilters(), "std::path:x is no operator"),
    ("symbol: nothing named", SearchFilters(), "symbol: nothing named"),
]


@pytest.mark.parametrize(("text", "filters", "rest"), OPERATORS)
def test_operators_are_taken_out(text: str, filters: SearchFilters, rest: str) -> None:
    query = parse_query(text)
    assert (query.filters, query.text) == (filters, rest)


def test_fillers_are_no_terms_unless_there_is_nothing_else() -> None:
    assert parse_query("how does the cart work with a voucher").terms == ("cart", "work", "voucher")
    assert parse_query("with").terms == ("with",)


def test_names_are_what_looks_like_an_identifier() -> None:
    assert parse_query("how does loadConfig call Parser and read_file").names == (
        "loadconfig",
        "parser",
        "readfile",
    )
    assert parse_query("tokenBucket.allow").names == ("allow",)
    assert parse_query("how is a cart emptied").names == ()


def _finds(query: Query, text: str) -> bool:
    from indexer.rank.tokens import tokenize

    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5(symbol, path, doc, body)")
    db.execute("INSERT INTO t VALUES ('', '', ?, '')", (" ".join(tokenize(text)),))
    return db.execute("SELECT count(*) FROM t WHERE t MATCH ?", (query.fts,)).fetchone() == (1,)


def test_a_quoted_phrase_must_be_there_in_order() -> None:
    query = parse_query('retry "error handler"')
    assert _finds(query, "registers an error handler")
    assert not _finds(query, "the handler of an error, with retry")
    assert _finds(parse_query("error handler"), "the handler of an error")


def test_quotes_in_a_message_need_not_be_in_the_code() -> None:
    query = parse_query("ProtocolError: Unexpected qop value \"b'auth-conf'\" in digest auth")
    assert _finds(query, 'raise ProtocolError(f"Unexpected qop value {qop!r} in digest auth")')
    query = parse_query('where do we raise "no such table" when the schema is missing')
    assert query.phrases == () and ("no", "such", "tabl") in query.runs


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('File "/site-packages/requests/models.py", line 433, in prepare_url', "trace"),
        (
            'Traceback (most recent call last):\n File "a.py", line 3, in f\n File "b.py", line 4, in g',
            "trace",
        ),
        ('session.mount("https://myhost/", HTTPAdapter(max_retries=3))', ""),
        ('requests.get("https://example.org/user", auth=("user", "pass"))', ""),
    ],
)
def test_the_strings_of_pasted_code_and_traces_are_no_phrases(text: str, kind: str) -> None:
    query = parse_query(text)
    assert query.phrases == () and kind in ("", query.kind)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("pattern must begin with a slash", ["pattern must begin with", "must begin with a slash"]),
        ("where is the retry delay computed", []),
    ],
)
def test_runs_are_words_that_stand_together(text: str, runs: list[str]) -> None:
    assert [" ".join(run) for run in parse_query(text).runs] == runs


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_query_that_sqlite_takes(text: str) -> None:
    query = parse_query(text)
    assert len(query.terms) <= MAX_TERMS
    if query.fts:
        db = sqlite3.connect(":memory:")
        db.execute("CREATE VIRTUAL TABLE t USING fts5(symbol, path, doc, body)")
        db.execute("SELECT * FROM t WHERE t MATCH ?", (query.fts,)).fetchall()
        db.execute("SELECT * FROM t WHERE t MATCH ?", (query.fts_names,)).fetchall()
    if query.runs:
        db.execute("SELECT * FROM t WHERE t MATCH ?", (query.fts_runs,)).fetchall()


def test_a_pasted_file_gives_no_more_terms_than_are_searched() -> None:
    assert len(parse_query(" ".join(f"word{n}x" for n in range(5000))).terms) == MAX_TERMS


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("RetryPolicy.run", "run"),
        ("shop::Cart::total", "total"),
        ("Shop.Cart.total/2", "total"),
        ("App\\Http\\Kernel->handle()", "handle"),
        ("Cart#total", "total"),
        ("Set.>>=", ">>="),
        ("<|>", "<|>"),
        ("main", "main"),
        ("", ""),
    ],
)
def test_the_last_part_of_a_name_is_found_in_every_languages_notation(symbol: str, name: str) -> None:
    assert last_name(symbol) == name
