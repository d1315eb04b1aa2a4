"""Translations and exercise collections as training data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.training.mining.blocklist import Blocklist
from indexer.training.mining.collect import main
from indexer.training.mining.parallel import Parallel, collect_parallel, plain_sentence, sample
from indexer.training.mining.problems import (
    articles,
    exercism,
    leetcode,
    snippets,
    statement,
    statements_of,
    titled,
)
from tests.trees import write_files

CATALOGUE = """msgid ""
msgstr "Language: de\\n"

msgid ""
"The file %(name)s could "
"not be opened."
msgstr ""
"Die Datei %(name)s lässt sich "
"nicht öffnen."

#, fuzzy
msgid "A fuzzy entry is dropped"
msgstr "Falsches"
"""
PAGE = """# A [title](x.md)

The file `{name}` could
**not** be opened.

```sh
cat name
```

## A section in one language alone

This paragraph is not there.
"""
SEITE = """# Ein [Titel](x.md)

Die Datei `{name}` lässt
sich **nicht** öffnen.

```sh
cat name
```

## Ein anderer Abschnitt
"""
TRANSLATIONS = {
    "gettext": {
        "app/locale/de/LC_MESSAGES/app.po": CATALOGUE,
    },
    "android": {
        "res/values/strings.xml": '<resources><string name="a">The file %1$s could not be opened.</string></resources>',
        "res/values-de/strings.xml": '<resources><string name="a">Die Datei %1$s lässt sich nicht öffnen.</string>'
        "</resources>",
    },
    "json": {
        "translations/en.json": json.dumps({"error": {"open": "The file {name} could not be opened."}}),
        "translations/de.json": json.dumps({"error": {"open": "Die Datei {name} lässt sich nicht öffnen."}}),
    },
    "catalogue named after its language": {"po/de.po": CATALOGUE},
    "json named after the country": {
        "locales/en-US.json": json.dumps({"open": {"message": "The file {name} could not be opened."}}),
        "locales/de.json": json.dumps({"open": {"message": "Die Datei {name} lässt sich nicht öffnen."}}),
        "locales/ar-XB.json": json.dumps({"open": {"message": "The‏ ‮elif‬‏ could‏ ‮ton‬‏ opened."}}),
        "locales/qps-ploc.json": json.dumps({"open": {"message": "Țħë ƒīļë {name} çöûļđ ñöť ƀë öƥëñëđ."}}),
    },
    "arb": {
        "l10n/app_en.arb": json.dumps({"open": "The file {name} could not be opened.", "@open": {}}),
        "l10n/app_de.arb": json.dumps({"open": "Die Datei {name} lässt sich nicht öffnen."}),
    },
    "xliff": {
        "xlf/Strings.de.xlf": '<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2">'
        '<file source-language="en" target-language="de"><body><group id="g">'
        "<trans-unit><source>The file {0} could not be opened.</source>"
        '<target state="translated">Die Datei {0} lässt sich nicht öffnen.</target></trans-unit>'
        "<trans-unit><source>The folder could not be opened.</source>"
        '<target state="needs-review-translation">Nicht geprüfter Text.</target></trans-unit>'
        "</group></body></file></xliff>",
    },
    "qt": {
        "locale/app_de.ts": '<!DOCTYPE TS><TS version="2.1" language="de_DE"><context><name>A</name>'
        "<message><source>The &amp;file %1 could not be opened.</source>"
        "<translation>Die &amp;Datei %1 lässt sich nicht öffnen.</translation></message>"
        "<message><source>The folder could not be opened.</source>"
        '<translation type="unfinished">Noch nicht fertig.</translation></message></context></TS>',
        "src/other_code.ts": "export const x = 1;",
    },
    "properties": {
        "org/Messages.properties": "# Of the files\nopen=The file {0} could \\\n  not be opened.\n",
        "org/Messages_de.properties": "open = Die Datei {0} l\\u00e4sst sich nicht \\u00f6ffnen.\n",
    },
    "tldr": {
        "pages/common/x.md": "# x\n\n> A tool.\n\n- The file {{name}} could not be opened.:\n\n`x {{name}}`\n",
        "pages.de/common/x.md": "# x\n\n> Tool.\n\n- Die Datei {{name}} lässt sich nicht öffnen.:\n\n`x {{datei}}`\n",
    },
    "pages below translations": {"docs/a.md": PAGE, "translations/de/docs/a.md": SEITE},
    "pages beside an English folder": {"docs/en/a.md": PAGE, "docs/de-DE/a.md": SEITE},
    "pages below the originals": {"articles/a.md": PAGE, "articles/de/a.md": SEITE},
    "a page named after its language": {"README.md": PAGE, "README.de-DE.md": SEITE},
    "pages in a folder of their own": {"lesson/README.md": PAGE, "lesson/translations/README.de.md": SEITE},
}


@pytest.mark.parametrize("form", TRANSLATIONS)
def test_translations_are_read_from_every_form(tmp_path: Path, form: str) -> None:
    pairs = list(collect_parallel(write_files(tmp_path, TRANSLATIONS[form]), "app", "MIT"))
    expected = Parallel(
        "The file X could not be opened.", "Die Datei X lässt sich nicht öffnen.", "de", "app", "MIT"
    )
    assert pairs == [expected]


def test_pages_are_aligned_below_their_headings(tmp_path: Path) -> None:
    page = (
        "# One\n\nOpen the file first. Then close it again.\n\n- Read every line\n\n# Two\n\nWrite it down.\n"
    )
    seite = "# Eins\n\nZuerst die Datei öffnen. Dann wieder schließen.\n\n- Jede Zeile lesen\n\n# Zwei\n\n- Anders\n"
    files = {"a.md": page, "translations/br/a.md": seite, "translations/pcm/a.md": seite}
    pairs = [
        (pair.a, pair.b, pair.lang) for pair in collect_parallel(write_files(tmp_path, files), "x", "MIT")
    ]
    assert pairs == [
        ("Open the file first.", "Zuerst die Datei öffnen.", "pt"),
        ("Then close it again.", "Dann wieder schließen.", "pt"),
        ("Read every line", "Jede Zeile lesen", "pt"),
    ]
    fewer = {"b.md": page, "translations/de/b.md": seite.partition("# Zwei")[0]}
    assert not list(collect_parallel(write_files(tmp_path / "fewer", fewer), "x", "MIT"))


def test_untranslated_text_is_no_pair(tmp_path: Path) -> None:
    entry = 'msgid "The file could not be opened"\nmsgstr "The file could not be opened"\n'
    assert not list(
        collect_parallel(write_files(tmp_path, {"locale/de/LC_MESSAGES/a.po": entry}), "app", "MIT")
    )


@pytest.mark.parametrize(
    "other",
    ["crwdns29435:0crwdne29435:0 crwdns1:0", "{count, plural, one {Eine Datei} other {Viele Dateien}}"],
)
def test_what_is_no_sentence_is_no_pair(tmp_path: Path, other: str) -> None:
    entry = f'msgid "The file could not be opened"\nmsgstr "{other}"\n'
    files = {"locale/ach/LC_MESSAGES/a.po": entry}
    assert not list(collect_parallel(write_files(tmp_path, files), "app", "MIT"))


def test_a_sample_takes_from_every_source_and_keeps_one_per_sentence() -> None:
    big = [Parallel(f"Sentence {number} of it", "Satz", "de", "big", "MIT") for number in range(100)]
    small = [Parallel(f"Other {number} of it", "Satz", "de", "small", "MIT") for number in range(5)]
    chosen = sample([*big, *big, *small], per_language=20)
    assert len(chosen) == len({pair.a for pair in chosen}) == 20
    assert sum(pair.source == "small" for pair in chosen) == 5
    assert chosen == sample([*small, *big], per_language=20) or {p.a for p in chosen} == {
        p.a for p in sample([*small, *big], per_language=20)
    }


def test_a_sample_prefers_long_sentences_and_keeps_short_ones() -> None:
    long = [
        Parallel(f"One sentence of the many that have number {n}", "Satz", "de", "a", "MIT")
        for n in range(90)
    ]
    short = [Parallel(f"Short one {n}", "Satz", "de", source, "MIT") for n in range(90) for source in "abc"]
    chosen = sample([*long, *short], per_language=60)
    assert sum(pair.a.startswith("One") for pair in chosen) == 40 and len(chosen) == 60


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Open :ref:`the file <file>` with ``open``", "Open the file with open"),
        ("<b>Delete</b> {count} files", "Delete X files"),
        ("See [the page](https://a.b/c) of it", "See the page of it"),
        ("Read items[i] and [b] of it", "Read items[i] and [b] of it"),
        (
            "Same as [method open], [code]true[/code] if [param path] is there",
            "Same as open, true if path is there",
        ),
        ("It\\'s  done\\nnow", "It's done now"),
    ],
)
def test_markup_and_placeholders_go(text: str, plain: str) -> None:
    assert plain_sentence(text) == plain


def test_an_exercise_gives_its_instructions_and_its_blurb(tmp_path: Path) -> None:
    folder = "exercises/practice/leap/"
    track = write_files(
        tmp_path / "exercism+python",
        {
            folder + ".meta/config.json": json.dumps(
                {"files": {"example": [".meta/example.py"]}, "blurb": "Tell leap years."}
            ),
            folder
            + ".meta/example.py": "# by hand\n\ndef leap(year):\n    return year % 4 == 0 and year % 100 != 0\n",
            folder
            + ".docs/instructions.md": "# Instructions\n\nGiven a year, report leap years.\n\n```text\n2000\n```\n",
            "exercises/practice/broken/.meta/config.json": "{",
        },
    )
    queries = {pair.query: pair for pair in exercism(track, "MIT")}
    assert set(queries) == {"Given a year, report leap years.", "Tell leap years."}
    assert all(pair.code.startswith("def leap") and pair.language == "python" for pair in queries.values())


def test_statements_join_solutions_in_other_collections(tmp_path: Path) -> None:
    texts = write_files(
        tmp_path / "texts",
        {
            "1.md": "# [Sum](https://leetcode.com/problems/two-sum/)\n\n## 题目\n\nFind two numbers.\n\nExample:\n\n1\n"
        },
    )
    solution = (
        "// Time: O(n)\n\nclass Solution { int f(int a) { return a; } };\n\n// Time: O(1)\nclass Other {};\n"
    )
    (pair,) = leetcode(
        statements_of(texts), write_files(tmp_path / "ada+all", {"C++/two-sum.cpp": solution}), "MIT"
    )
    assert pair.query == "Find two numbers."
    assert pair.code.startswith("class Solution {") and "Other" not in pair.code and pair.language == "cpp"


def test_two_ways_of_an_article_give_their_idea_and_their_code(tmp_path: Path) -> None:
    way = (
        "## {0}. Way\n\n### Intuition\n\nIdea `{0}` of it.\n\n### Algorithm\n\nSteps.\n\n::tabs-start\n\n"
        "```python\n# class Node:\ndef way_{0}(rows):\n    return sorted(rows)[{0}]\n```\n\n"
        "```mermaid\ngraph of more than forty characters in some language\n```\n\n### Complexity\n\n"
    )
    page = "## Prerequisites\n\nSorting.\n\n" + "".join(way.format(number) for number in (1, 2, 3))
    pairs = list(articles(write_files(tmp_path, {"articles/sorted-rows.md": page}), "MIT"))
    assert [pair.query for pair in pairs] == ["Idea 1 of it.", "Idea 2 of it."]
    assert [pair.code for pair in pairs] == [
        f"def way_{number}(rows):\n    return sorted(rows)[{number}]" for number in (1, 2)
    ]
    assert {pair.language for pair in pairs} == {"python"}


def test_a_solution_is_asked_for_by_the_name_of_its_file(tmp_path: Path) -> None:
    code = "// Time: O(n)\n\nclass Solution { int maxArea(int[] a) { return a[0]; } }\n"
    (pair,) = titled(write_files(tmp_path, {"java/0011-container-with-most-water.java": code}), "MIT")
    assert pair.query == "container with most water" and pair.code.startswith("class Solution")
    assert (pair.symbol, pair.language) == ("", "java")


def test_a_snippet_page(tmp_path: Path) -> None:
    page = (
        "---\ntitle: a\n---\n\nConverts to text.\n\n```js\nconst text = (rows) => rows.join('\\n')+'';\n```\n"
    )
    (pair,) = snippets(write_files(tmp_path, {"a.md": page}), "CC0-1.0")
    assert pair.query == "Converts to text." and pair.code.startswith("const text")


def test_a_statement_is_cut_before_its_examples() -> None:
    assert statement("# T\n\nFind `x` in [a](b).\n\nExample 1:\n\n1, 2") == "T Find x in a."


def test_collecting_writes_all_three_files_without_blocked_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zstandard = pytest.importorskip("zstandard")
    exercise = "exercism+python/exercises/practice/{0}/.meta/{1}"
    about = json.dumps({"files": {"example": [".meta/example.py"]}, "blurb": "Tell whether years are leap."})
    tasks = {
        "leap": "def leap(year):\n    return year % 4 == 0\n",
        "prime": "def is_prime(n):\n    return n in PRIMES\n",
    }
    files = {exercise.format(name, "config.json"): about for name in tasks}
    files |= {exercise.format(name, "example.py"): code for name, code in tasks.items()}
    files |= {f"tldr-pages+tldr/{name}": text for name, text in TRANSLATIONS["tldr"].items()}
    files |= {"TellinaTool+nl2bash/data/bash/all.nl": "List all the files\n", "conala-train.json": "[]"}
    files |= {"TellinaTool+nl2bash/data/bash/all.cm": "ls -a .\n"}
    mit = "MIT License. Permission is hereby granted, free of charge, to any person"
    files |= {f"{name}/LICENSE": mit for name in ("exercism+python", "tldr-pages+tldr")}
    files["TellinaTool+nl2bash/data/bash/LICENSE"] = mit
    files["exercism+go/LICENSE"] = "Attribution-NonCommercial-NoDerivatives 4.0 International"
    files["exercism+go/exercises/practice/leap/.meta/config.json"] = about
    files["exercism+go/exercises/practice/leap/.meta/example.py"] = (
        "def other(year):\n    return year % 4 == 0\n"
    )
    Blocklist.build([], [], ["isPrime"]).save(tmp_path / "block.json")
    write_files(tmp_path / "sources", files)
    arguments = [str(tmp_path / "sources"), str(tmp_path), "--block", str(tmp_path / "block.json")]
    monkeypatch.setattr("sys.argv", ["collect", *arguments])
    main()
    rows = {}
    for name in ("problems", "commands", "parallel"):
        with (tmp_path / f"{name}.jsonl.zst").open("rb") as file:
            text = zstandard.ZstdDecompressor().stream_reader(file).read().decode()
            rows[name] = [json.loads(line) for line in text.splitlines()]
    assert [row["symbol"] for row in rows["problems"]] == ["example"]
    assert rows["problems"][0]["code"].startswith("def leap")
    assert {(row["query"], row["code"]) for row in rows["commands"]} >= {("List all the files", "ls -a .")}
    assert {row["natural"] for row in rows["commands"]} == {"en", "de"}
    assert [row["lang"] for row in rows["parallel"]] == ["de"]
