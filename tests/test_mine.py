"""The miner: what becomes a training pair, what is dropped and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.errors import UserError
from indexer.training.mine import mine
from indexer.training.mining.blocklist import Blocklist
from indexer.training.mining.licences import detect_licence
from indexer.training.mining.natural import natural_language
from indexer.training.mining.quality import is_good_code, prose_of
from tests.trees import write_files

MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy"
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007"
CLAMP = """
def clamp(value, low, high):
    \"\"\"Limit a number to the range between two bounds.\"\"\"
    if value < low:
        return low
    return min(value, high)
"""
CLAMP_GO = """package numbers

// Clamp limits a number to the range between two bounds.
func Clamp(value, low, high int) int {
	if value < low {
		return low
	}
	return min(value, high)
}
"""
SAID = "Limit a number to the range between two bounds"
GETTER = """
def size(self):
    \"\"\"Number of rows in the table.\"\"\"
    return self._size
"""


def project(folder: Path, files: dict[str, str], licence: str = MIT) -> Path:
    return write_files(folder, {"LICENSE": licence, **files})


def mined(tmp_path: Path, folder: Path, **options: object) -> tuple[list[dict[str, str]], dict[str, int]]:
    out = tmp_path / "pairs.jsonl"
    report = mine([folder], out, **options)  # type: ignore[arg-type]
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out.exists() else []
    assert report.pairs == len(rows) and not list(tmp_path.glob("*.part"))
    return rows, dict(report.dropped)


def test_a_pair_has_the_comment_as_query_and_the_function_without_it(tmp_path: Path) -> None:
    rows, _ = mined(
        tmp_path, project(tmp_path / "ada+numbers", {"lib/numbers.py": CLAMP, "clamp.go": CLAMP_GO})
    )
    python = next(row for row in rows if row["language"] == "python")
    assert python["query"] == "Limit a number to the range between two bounds."
    assert "Limit a number" not in python["code"] and "min(value, high)" in python["code"]
    assert (python["repo"], python["path"], python["licence"]) == ("ada/numbers", "lib/numbers.py", "MIT")
    assert (python["symbol"], python["natural"]) == ("clamp", "en")
    go = next(row for row in rows if row["language"] == "go")
    assert go["query"].startswith("Limits a number"), "the function's own name would give the answer away"


def test_output_named_zst_is_compressed(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    folder = project(tmp_path / "numbers", {"numbers.py": CLAMP})
    mine([folder], tmp_path / "pairs.jsonl.zst")
    with (
        (tmp_path / "pairs.jsonl.zst").open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as reader,
    ):
        assert json.loads(reader.read())["symbol"] == "clamp"


def test_two_processes_mine_the_same_as_one(tmp_path: Path) -> None:
    files = {
        f"m{number}.py": CLAMP.replace("clamp", f"clamp_{number}").replace("two", f"{number} known")
        for number in range(9)
    }
    folder = project(tmp_path / "numbers", files)
    one, _ = mined(tmp_path, folder)
    two, _ = mined(tmp_path, folder, processes=2)
    assert one == two and len(one) == 9


@pytest.mark.parametrize(
    ("reason", "files", "options"),
    [
        ("no permissive licence found", {"LICENSE": GPL, "a.py": CLAMP}, {}),
        ("blocked code", {"a.py": CLAMP}, {"exclude": "code"}),
        ("blocked repository", {"a.py": CLAMP}, {"exclude": "repository"}),
        ("comment says too little", {"a.py": CLAMP.replace(SAID, "TODO")}, {}),
        ("trivial or too long body", {"a.py": GETTER}, {}),
        ("test", {"a.py": CLAMP.replace("def clamp", "def test_clamp")}, {}),
        ("near-duplicate code", {"a.py": CLAMP, "b.py": CLAMP.replace("Limit", "Restrict")}, {}),
        ("over the repository's share", {"a.py": CLAMP, "b.py": CLAMP.replace("low", "least")}, {"per_repository": 1}),
        ("query seen twice", {f"{name}.py": CLAMP.replace("value", name) for name in ("x1", "y1", "z1")}, {}),
        ("undocumented", {"a.py": "def f(rows):\n    for row in rows:\n        print(row)\n"}, {}),
    ],
)  # fmt: skip
def test_what_is_dropped_is_counted_with_its_reason(
    tmp_path: Path, reason: str, files: dict[str, str], options: dict[str, object]
) -> None:
    body = CLAMP.replace('    """Limit a number to the range between two bounds."""\n', "")
    blocks = {"code": Blocklist.build([body], []), "repository": Blocklist.build([], ["Ada/Numbers"])}
    if "exclude" in options:
        options = {"exclude": blocks[str(options["exclude"])]}
    folder = project(tmp_path / "ada+numbers", files)
    rows, dropped = mined(tmp_path, folder, **options)
    assert dropped.get(reason), f"nothing was dropped as {reason}: {dropped}"
    assert len(rows) == {
        "near-duplicate code": 1,
        "over the repository's share": 1,
        "query seen twice": 2,
    }.get(reason, 0)


def test_code_is_blocked_however_it_is_indented_or_commented() -> None:
    total = "return sum(row.price * row.amount for row in rows if row.price and row.amount)"
    block = Blocklist.build([f"def f(rows):\n    # sum them\n    {total}"], [])
    assert block.blocks_code(f"def f(rows):\n        {total}\n")
    assert block.blocks_code(f"def g(rows, key):\n    {total}"), "under another name"
    assert not block.blocks_code("def f(rows):\n    return max(row.price for row in rows)")


def test_a_blocklist_survives_saving(tmp_path: Path) -> None:
    block = Blocklist.build(["int f() { return 1; }"], ["a/b"], ["has_close_elements"])
    assert block.blocks_name("hasCloseElements") and not block.blocks_name("elements")
    block.save(tmp_path / "block.json")
    assert Blocklist.load(tmp_path / "block.json") == block


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        mine([tmp_path / "none"], tmp_path / "pairs.jsonl")


def test_only_a_permissive_licence_may_be_given(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"GPL-3\.0 is not one of the permissive licences"):
        mine([project(tmp_path / "a", {})], tmp_path / "pairs.jsonl", licence="GPL-3.0")


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"LICENSE": MIT}, "MIT"),
        ({"LICENSE": GPL}, None),
        ({"LICENSE-APACHE": "Apache License\nVersion 2.0, January 2004", "LICENSE-GPL": GPL}, "Apache-2.0"),
        (
            {"COPYING": "Redistribution and use in source and binary forms\nNeither the name of"},
            "BSD-3-Clause",
        ),
        (
            {"LICENSE": "Mozilla Public License Version 2.0. Permission is hereby granted, free of charge"},
            None,
        ),
        ({"package.json": '{"license": "ISC"}'}, "ISC"),
        ({"package.json": '{"license": "SEE LICENSE IN FILE"}'}, None),
        ({"Cargo.toml": 'license = "MIT OR Apache-2.0"'}, "MIT"),
        (
            {"a-1.dist-info/METADATA": "Name: a\nClassifier: License :: OSI Approved :: BSD License\n"},
            "BSD-3-Clause",
        ),
        ({"a-1.dist-info/METADATA": "Name: a\nLicense-Expression: GPL-3.0-only\n"}, None),
        ({}, None),
    ],
)
def test_the_licence_of_a_folder(tmp_path: Path, files: dict[str, str], licence: str | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert detect_licence(tmp_path) == licence


@pytest.mark.parametrize(
    ("doc", "summary"),
    [
        ("Sort the rows by price. Stable.\n\n:param rows: what to sort", "Sort the rows by price."),
        ("Sort the rows\nby price\n\nArgs:\n    rows: what", "Sort the rows by price"),
        ('<summary>Sort a <see cref="T:Row"/> by price.</summary>\n<param name="x">y</param>', "Sort a Row by price."),
        ("@brief Sort the rows by price.\n@param rows what", "Sort the rows by price."),
        ("Sorts the {@code rows} by <b>price</b>.\n@return them", "Sorts the rows by price."),
        ("Sort the :class:`~shop.Row` objects by price.", "Sort the shop.Row objects by price."),
        ("Sort the rows by price.\n\n>>> sort([2, 1])\n[1, 2]", "Sort the rows by price."),
        ("按价格对行进行排序。第二句。", "按价格对行进行排序。"),
        ("Yes. Sort the rows by price.", "Yes. Sort the rows by price."),
        ("Sort the rows by price\n\nThe order is stable.", "Sort the rows by price"),
        ("Sort the rows by price.\nrows: What to sort.", "Sort the rows by price."),
        ("/O(n log n)/. Sort the rows by price.", "Sort the rows by price."),
        ("    sort(rows)\n\nSort the [Row]s by price.", "Sort the Rows by price."),
        ("@notice Sort the rows by price.", "Sort the rows by price."),
        ("node_modules/yaml/browser/dist/core.js", None),
        ("{@inheritDoc}", None),
        ("Constructor for the table of rows.", None),
        ("TODO sort the rows by price", None),
        ("@param rows what to sort", None),
        ("Copyright 2020 The Authors of the table", None),
        ("0x00 0x01 0x02 0x03 0x04 abc def ghi", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_prose_of_a_comment(doc: str, summary: str | None) -> None:
    prose = prose_of(doc, "sort")
    assert (prose.summary if prose else None) == summary


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("def f(a):\n    total = sum(a)\n    return total / len(a)", True),
        ("def f(self):\n    raise NotImplementedError('of the subclass')\n    pass", False),
        ("def f(self):\n    # a comment that is long enough to count\n    return self.x", False),
        ("const unique = (rows, key) => [...new Map(rows.map(row => [row[key], row])).values()]", True),
        ("x" * 7000, False),
        ("int f();", False),
    ],
)
def test_which_bodies_are_worth_a_pair(code: str, good: bool) -> None:
    assert is_good_code(code) is good


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sort the list of numbers", "en"),
        ("对数字列表进行排序", "zh"),
        ("数値のリストを並べ替える", "ja"),
        ("숫자 목록을 정렬합니다", "ko"),
        ("Сортирует список чисел", "ru"),
        ("Sortiert die Liste der Zahlen und gibt sie zurück", "de"),
        ("Trie la liste des nombres et retourne le premier", "fr"),
        ("Devuelve la lista de los números que se ordenan", "es"),
    ],
)
def test_the_natural_language_is_guessed(text: str, code: str) -> None:
    assert natural_language(text) == code
