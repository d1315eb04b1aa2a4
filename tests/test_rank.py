"""The order of results: each signal alone, decay, ties, and the explanation."""

from __future__ import annotations

import math
import random

import pytest

from indexer.rank import Candidate, Statistics, parse_query, rank
from indexer.rank import weights as fitted
from indexer.rank.candidates import Files, join
from indexer.rank.features import features
from indexer.rank.names import superseded
from indexer.types import Function, SearchResult


def function(path: str, symbol: str, body: str = "", **given: object) -> Function:
    values = {"kind": "function", "start_line": 10, "end_line": 20, "doc": "", **given}
    body = body or f"def {symbol}(): pass"
    return Function(path, "python", values["kind"], symbol, 0, 0, values["start_line"], values["end_line"],
                    values["doc"], body.split("\n")[0], body)  # fmt: skip


def candidates(*functions: Function, scores: tuple[float, ...] = (), demoted: str = "") -> list[Candidate]:
    scores = scores or (5.0,) * len(functions)
    return [
        Candidate(at, f, demoted, score) for at, (f, score) in enumerate(zip(functions, scores, strict=True))
    ]


def statistics(query: str, df: int = 5) -> Statistics:
    return Statistics(1000, (2.0, 5.0, 10.0, 80.0), dict.fromkeys(parse_query(query).terms, df))


def ranked(
    query: str, lexical: list[Candidate], dense: list[Candidate] | None = None, **given: object
) -> list[SearchResult]:
    return rank(parse_query(query), lexical, dense or [], statistics(query), limit=10, **given)


def paths(results: list[SearchResult]) -> list[str]:
    return [result.function.path for result in results]


def test_nothing_found_is_an_empty_answer() -> None:
    assert ranked("anything", []) == []


def test_words_alone_decide_between_equal_functions() -> None:
    pair = candidates(function("a/one.py", "f"), function("a/two.py", "g"), scores=(3.0, 9.0))
    assert paths(ranked("save the basket", pair)) == ["a/two.py", "a/one.py"]


def test_vectors_alone_answer_a_query_in_another_tongue() -> None:
    pair = candidates(function("a/one.py", "f"), function("a/two.py", "g"), scores=(0.2, 0.7))
    assert paths(ranked("сохранить корзину", [], pair)) == ["a/two.py", "a/one.py"]


def test_a_class_does_not_gain_by_the_lines_of_its_methods() -> None:
    def score(kind: str, end_line: int) -> float:
        pair = function("a.py", "A", kind=kind, end_line=end_line), function("b.py", "b")
        return ranked("save the money", candidates(*pair))[0].score

    assert score("function", 1400) > score("function", 20)
    assert score("class", 1400) == score("class", 20)


def test_a_second_answer_of_a_file_gives_way_once() -> None:
    pairs = (("a.py", "f"), ("a.py", "g"), ("a.py", "h"), ("b.py", "i"))
    found = ranked("save it", candidates(*(function(*pair) for pair in pairs), scores=(9.0, 8.9, 8.8, 8.5)))
    assert [result.function.symbol for result in found] == ["f", "i", "g", "h"]


@pytest.mark.parametrize(("kind", "symbol"), [("module", ""), ("class", "Basket")])
def test_a_function_is_before_the_statements_and_types_of_its_file(
    kind: str, symbol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = function("shop.py", symbol, "items = []\n" * 10, kind=kind)
    trio = other, function("shop.py", "f"), function("other.py", "g")
    found = ranked("save the money", candidates(*trio, scores=(9.0, 8.8, 8.6)))
    assert [result.function.symbol for result in found] == ["f", "g", symbol]
    monkeypatch.setattr(fitted, "BLOCK_IN_FILE", 0.0)
    monkeypatch.setattr(fitted, "TYPE_IN_FILE", 0.0)
    plain = ranked("save the money", candidates(*trio, scores=(9.0, 8.8, 8.6)))
    assert [result.function.symbol for result in plain] == [symbol, "g", "f"]
    # The file is as good an answer as its best code says.
    assert found[0].score == plain[0].score


def test_the_shorter_of_two_functions_of_a_file_is_first_when_both_are_as_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pair = function("shop.py", "long", "total = price\n" * 400), function("shop.py", "short", start_line=500)
    found = ranked("save the money", candidates(*pair))
    assert [result.function.symbol for result in found] == ["short", "long"]
    monkeypatch.setattr(fitted, "LENGTH_IN_FILE", 0.0)
    plain = ranked("save the money", candidates(*pair))
    assert [result.function.symbol for result in plain] == ["long", "short"]
    assert found[0].score == plain[0].score


def test_it_counts_how_much_of_a_file_was_found() -> None:
    many = [function("b.py", name, start_line=at * 30) for at, name in enumerate("ghijkl")]
    entries = join(candidates(function("a.py", "f"), *many), [])
    found = features(parse_query("save"), entries, Files(entries), statistics("save"), False)
    assert found["file_found"].tolist() == pytest.approx([0.0] + [math.log(6)] * 6)


def test_a_copy_of_an_answer_gives_way() -> None:
    pairs = (("a.py", "f"), ("copy/a.py", "f"), ("b.py", "g"))
    found = ranked("save it", candidates(*(function(*pair) for pair in pairs), scores=(9.0, 8.9, 8.5)))
    assert paths(found) == ["a.py", "b.py", "copy/a.py"]


PREFERRED = [
    # (query, better path, better symbol, worse path, worse symbol)
    ("basket total", "src/basket.py", "f", "src/other.py", "f"),
    ("basket total", "src/a.py", "basket_total", "src/b.py", "run"),
    ("basket total", "basket/a.py", "f", "other/a.py", "f"),
    ("authentication of users", "src/auth.py", "f", "src/other.py", "f"),
    ("Basket", "src/shop.py", "Basket", "src/b.py", "take_basket"),
    ("parse the header", "src/v2/parse.py", "f", "src/v1/parse.py", "f"),
    ("parse the header", "src/parse.py", "f", "src/v1/parse.py", "f"),
    ("parse the header", "src/parse.py", "f", "src/deprecated/parse.py", "f"),
    ("open a file", "src/unix/fs.c", "f", "src/win/fs.c", "f"),
    ("open a file", "src/fs.c", "f", "src/fs.h", "f"),
    ("open a file", "src/fs.ts", "f", "src/fs.d.ts", "f"),
    ("open a file", "src/fs.ts", "f", "src/fs.d.cts", "f"),
    ("open a file", "src/fs.py", "f", "src/deep/down/below/fs.py", "f"),
]


@pytest.mark.parametrize(("query", "better", "better_symbol", "worse", "worse_symbol"), PREFERRED)
def test_signals_prefer(query: str, better: str, better_symbol: str, worse: str, worse_symbol: str) -> None:
    # The worse one comes first by position too, so that no tie can pass for a preference.
    pair = candidates(function(worse, worse_symbol), function(better, better_symbol))
    assert paths(ranked(query, pair)) == [better, worse]
    dense = candidates(function(worse, worse_symbol), function(better, better_symbol), scores=(0.5, 0.5))
    assert paths(ranked(query, pair, dense)) == [better, worse]


DEMOTED = [
    ("test", "how are vouchers applied", "test that vouchers are applied"),
    ("example", "how are vouchers applied", "example of applied vouchers"),
    ("vendored", "how are vouchers applied", None),
    ("generated", "how are vouchers applied", None),
    ("minified", "how are vouchers applied", None),
]


@pytest.mark.parametrize(("reason", "plain", "asking"), DEMOTED)
def test_demoted_files_come_last_unless_asked_for(reason: str, plain: str, asking: str | None) -> None:
    found = [
        Candidate(1, function("a/x.py", "apply"), reason, 9.0),
        Candidate(2, function("b/x.py", "apply"), "", 6.0),
    ]
    assert paths(ranked(plain, found)) == ["b/x.py", "a/x.py"]
    if asking:
        assert paths(ranked(asking, found)) == ["a/x.py", "b/x.py"]


def test_old_and_foreign_files_are_found_when_they_are_named() -> None:
    old = candidates(function("src/v1/parse.py", "f"), function("src/v2/parse.py", "f"), scores=(9.0, 5.0))
    assert paths(ranked("parse in v1", old))[0] == "src/v1/parse.py"
    foreign = candidates(function("src/win/fs.c", "f"), function("src/unix/fs.c", "f"), scores=(9.0, 5.0))
    assert paths(ranked("open a file on windows", foreign))[0] == "src/win/fs.c"


def test_a_version_that_is_named_is_the_one_that_is_meant() -> None:
    known = ("v3/errors.ts", "v4/core/errors.ts", "util.ts")
    assert superseded(known) == {"v3/errors.ts"}
    assert superseded(known, {4}) == {"v3/errors.ts"}
    assert superseded(known, {3}) == {"v4/core/errors.ts"}
    assert superseded(known, {7}) == {"v3/errors.ts"}
    both = candidates(function("v3/types.ts", "Tuple"), function("v4/tuples.ts", "f"), scores=(9.0, 7.0))
    assert paths(ranked("tuples of the v4 schema", both))[0] == "v4/tuples.ts"


def test_a_file_whose_functions_agree_lifts_its_best() -> None:
    alone = function("a/alone.py", "f")
    together = [function("b/many.py", name, start_line=at * 30) for at, name in enumerate("ghij")]
    found = candidates(alone, *together, scores=(6.0,) * 5)
    assert paths(ranked("apply the voucher", found))[0] == "b/many.py"


def test_further_functions_of_a_file_make_room_for_other_files() -> None:
    many = [function("a/many.py", name, start_line=at * 30) for at, name in enumerate("fghij")]
    found = candidates(*many, function("b/other.py", "k"), scores=(8.0, 8.0, 8.0, 8.0, 8.0, 5.0))
    order = paths(ranked("apply the voucher", found))
    assert order.index("b/other.py") < 3
    assert order.count("a/many.py") == 5, "nothing is dropped"


def test_several_windows_of_a_function_count_once() -> None:
    long, short = function("a/long.py", "f"), function("b/short.py", "g")
    once = [Candidate(1, long, "", 0.6), Candidate(2, short, "", 0.7)]
    windows = [Candidate(1, long, "", score) for score in (0.6, 0.59, 0.58, 0.1)]
    plain, repeated = ranked("query", [], once), ranked("query", [], [*windows, once[1]])
    assert repeated == plain


def test_the_answer_does_not_depend_on_the_order_of_the_candidates() -> None:
    found = candidates(*(function(f"src/{at % 7}.py", f"f{at}", start_line=at) for at in range(60)))
    expected = ranked("f basket", found, found)
    for seed in range(5):
        shuffled = random.Random(seed).sample(found, len(found))
        assert ranked("f basket", shuffled, shuffled[::-1]) == expected


def test_equal_scores_go_by_path_and_line() -> None:
    found = candidates(function("b.py", "f"), function("a.py", "f", start_line=30), function("a.py", "f"))
    order = [(r.function.path, r.function.start_line) for r in ranked("nothing alike", found)]
    assert order == [("a.py", 10), ("b.py", 10), ("a.py", 30)]


def test_scores_are_chances_and_fall() -> None:
    found = candidates(*(function(f"src/{at}.py", "f") for at in range(9)), scores=tuple(range(9)))
    scores = [result.score for result in ranked("f basket", found)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)


def test_what_words_alone_found_is_as_likely_as_was_fitted_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitted, "WORDS_ONLY_CHANCE", (0.0, 0.0))
    found = candidates(function("a.py", "basket"), function("b.py", "f"))
    assert [result.score for result in ranked("save the basket", found)] == [0.5, 0.5]
    assert 0.5 not in [result.score for result in ranked("save the basket", found, found)]


def test_phrases_must_be_in_what_vectors_found() -> None:
    both = candidates(
        function("a.py", "f", "handle the error"),
        function("b.py", "g", "an error handler"),
        scores=(0.9, 0.1),
    )
    assert paths(ranked('"error handler"', [], both)) == ["b.py"]


def test_the_explanation_names_ranks_terms_and_signals() -> None:
    found = candidates(
        function("a.py", "apply_voucher", "x = 1\nvoucher.apply()"), function("b.py", "g"), scores=(9.0, 1.0)
    )
    first = ranked("apply the voucher", found, found[::-1], explain=True)[0]
    assert (first.why.lexical_rank, first.why.dense_rank) == (1, 1)
    assert first.why.terms == ("apply", "voucher")
    assert first.why.signals["words"] > 0
    assert len(ranked("apply the voucher", found)[0].why.signals) <= 5


LINES = [
    # (language, doc, body, lines of the range, expected highlights)
    ("go", "", "func f() {\n\n\tvoucher.apply()\n}", (10, 14), ((12, 13),)),
    ("go", "Doc above.", "func f() {\n\n\tvoucher.apply()\n}", (10, 15), ((13, 14),)),
    ("python", "Doc inside.\n\nMore.", "def f(\n    a,\n):\n    voucher.apply()", (10, 17), ((16, 17),)),
    ("python", "", "def f():\n    a = 1", (10, 12), ()),
]


@pytest.mark.parametrize(("language", "doc", "body", "span", "expected"), LINES)
def test_lines_that_answer_are_highlighted(
    language: str, doc: str, body: str, span: tuple[int, int], expected: tuple[tuple[int, int], ...]
) -> None:
    found = Function("a", language, "function", "f", 0, 0, *span, doc, body.split("\n")[0], body)
    result = ranked("apply the voucher", [Candidate(1, found, "", 3.0)])[0]
    assert result.why.lines == expected


def test_lines_of_a_type_are_left_alone_where_they_cannot_be_placed() -> None:
    found = function("a.py", "Voucher", "class Voucher:\n    def apply(self)", kind="class", end_line=40)
    assert ranked("apply the voucher", candidates(found))[0].why.lines == ()


def test_every_weight_belongs_to_a_signal() -> None:
    from indexer.rank.candidates import join

    found = join(candidates(function("a.py", "f")), candidates(function("a.py", "f")))
    known = features(parse_query("f"), found, Files(found), statistics("f"), has_dense=True)
    assert set(fitted.HYBRID) <= set(known)
    assert set(fitted.WORDS_ONLY) <= set(known) - {name for name in known if "dense" in name}


def test_no_rule_names_a_repository_of_the_benchmark() -> None:
    from pathlib import Path

    import indexer.rank

    source = "\n".join(
        path.read_text("utf-8") for path in Path(indexer.rank.__file__).parent.glob("*.py")
    ).lower()
    for name in (
        "fastapi",
        "flask",
        "pydantic",
        "alamofire",
        "xmonad",
        "libuv",
        "monolog",
        "lazy.nvim",
        "dapper",
    ):
        assert name not in source
