"""What is printed: results, summaries, and nothing that steers the terminal."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from indexer import render
from indexer.types import Answer, Function, SearchResult, SkippedFile, UpdateReport, Why

SOURCE = """import time

def retry(call, attempts):
    \"\"\"Calls again after a failure.\"\"\"
    for attempt in range(attempts):
        try:
            return call()
        except OSError:
            time.sleep(2**attempt)
    raise TimeoutError
"""
EVIL = "\x1b]0;owned\x07\x1b[31mred\x9b2J\u202egnp\r\n\udcff"


def make_function(path="net/retry.py", symbol="retry", start_line=2, end_line=10, **changes) -> Function:
    start = SOURCE.index("def retry")
    values = {
        "path": path,
        "language": "python",
        "kind": "function",
        "symbol": symbol,
        "start_byte": start,
        "end_byte": len(SOURCE),
        "start_line": start_line,
        "end_line": end_line,
        "doc": "Calls again after a failure.",
        "signature": "def retry(call, attempts):",
        "body": SOURCE[start:],
    }
    return Function(**{**values, **changes})


def make_answer(root, function=None, notes=(), **why) -> Answer:
    result = SearchResult(str(root), function or make_function(), 0.83, Why(**why))
    return Answer("retry", 0.5, 12.3, (result,), notes)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net/retry.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def shown(answer, *, terminal=False, width=80, encoding="utf-8", **options) -> str:
    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, encoding=encoding, errors="backslashreplace")
    console = Console(
        file=file,
        force_terminal=terminal,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
    )
    render.print_answer(answer, console=console, **options)
    file.flush()
    return buffer.getvalue().decode(encoding)


def test_piped_output_is_plain_and_whole(root, monkeypatch):
    monkeypatch.chdir(root)
    assert shown(make_answer(root, terms=("sleep", "oserror"), lines=((7, 9),))) == (
        "1  retry  function, python\n"
        "   net/retry.py:3-10\n"
        "    3   def retry(call, attempts):\n"
        "        …\n"
        "    7               return call()\n"
        "    8 ▌         except OSError:\n"
        "    9 ▌             time.sleep(2**attempt)\n"
        "   10       raise TimeoutError\n"
        "\n"
    )


def test_without_answering_lines_the_beginning_is_shown(root):
    lines = shown(make_answer(root)).splitlines()
    assert lines[2:4] == [
        "    3   def retry(call, attempts):",
        '    4       """Calls again after a failure."""',
    ]
    assert len(lines) == 11


def test_a_line_without_any_of_the_words_is_not_marked(root):
    output = shown(make_answer(root, terms=("sleep",), lines=((4, 6), (8, 9), (300, 301))))
    assert [line for line in output.splitlines() if "▌" in line] == [
        "    9 ▌             time.sleep(2**attempt)"
    ]


def test_the_signature_is_shown_below_its_decorators(root):
    (root / "net/retry.py").write_text(f"@decorated\n# note\n{SOURCE[13:]}", encoding="utf-8")
    function = make_function(start_byte=0, start_line=0, end_byte=10_000)
    assert "    3   def retry(call, attempts):" in shown(make_answer(root, function)).splitlines()[2]


def test_what_moved_since_is_shown_as_it_was_without_numbers(root):
    (root / "net/retry.py").write_text(f"import net\n{SOURCE}", encoding="utf-8")
    rows = shown(make_answer(root, terms=("sleep",), lines=((8, 9),))).splitlines()[2:]
    assert not [row for row in rows if re.match(r" *\d+ ", row)]


def test_a_signature_of_several_lines_has_its_numbers(root):
    head, _, rest = SOURCE.partition("def retry(call, attempts):")
    (root / "net/retry.py").write_text(
        f"{head}def retry(\n    call,\n    attempts,\n):{rest}", encoding="utf-8"
    )
    body = f"def retry(\n    call,\n    attempts,\n):{rest.rstrip()}"
    function = make_function(body=body, end_byte=10_000)
    assert "    3   def retry(" in shown(make_answer(root, function)).splitlines()[2]


def test_explain_shows_score_ranks_terms_and_signals(root):
    answer = make_answer(root, dense_rank=1, lexical_rank=4, terms=("retry",), signals={"definition": 0.2})
    assert "0.8300" not in shown(answer)
    expected = "score 0.8300 · by meaning: rank 1 · by words: rank 4 (retry) · definition +0.20"
    assert expected in shown(answer, explain=True)


def test_a_terminal_gets_a_link_and_highlighted_terms(root):
    output = shown(make_answer(root, terms=("call",)), terminal=True)
    assert f"{(root / 'net/retry.py').as_uri()}\x1b\\" in output
    assert re.search(r"\x1b\[1;33mcall\x1b\[0m", output)
    assert "1 result · 12 ms · 50 % of the functions have a vector" in output


def test_a_stem_highlights_its_whole_word_but_not_the_next_one(root):
    function = make_function(symbol="SecureCookieSession")
    output = shown(make_answer(root, function, terms=("cooki",)), terminal=True)
    assert re.search(r"\x1b\[1;33mCookie\x1b\[0m\x1b\[1mSession", output)


def test_no_color_removes_colours(root, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown(make_answer(root, terms=("call",)), terminal=True))


@pytest.mark.parametrize("width", [20, 40])
def test_a_narrow_terminal_cuts_code_and_keeps_the_path_whole(root, monkeypatch, width):
    monkeypatch.chdir(root)
    plain = re.sub(
        r"\x1b\][^\x1b]*\x1b\\|\x1b\[[0-9;]*m", "", shown(make_answer(root), terminal=True, width=width)
    )
    assert "   net/retry.py:3-10\n" in plain
    code = [line for line in plain.splitlines() if re.match(r" +\d+ ", line)]
    assert len(code) == 8
    assert max(map(len, code)) <= width


def test_a_terminal_without_utf8_gets_ascii(root):
    output = shown(make_answer(root, lines=((7, 9),), terms=("oserror",)), explain=True, encoding="ascii")
    assert output.isascii()
    assert "    8 > " in output
    assert "        ..." in output


@pytest.mark.parametrize("terminal", [False, True])
def test_a_hostile_repository_cannot_write_to_the_terminal(root, terminal):
    function = make_function(path=f"{EVIL}.py", symbol=EVIL, body=f"{EVIL}\n{EVIL}", language=EVIL)
    answer = make_answer(root, function, terms=(EVIL,), signals={EVIL: 1.0})
    output = shown(answer, terminal=terminal, explain=True, width=200)
    # What remains are colours and links of our own making.
    rest = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b\x07]*\x1b\\", "", output)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", rest)
    assert r"\x1b]0;owned\x07\x1b[31mred\x9b2J\u202egnp\r\n\xff" in rest


def test_a_function_that_moved_is_shown_as_it_was_indexed(root):
    (root / "net/retry.py").write_text("# nothing here any more\n" * 30, encoding="utf-8")
    output = shown(make_answer(root))
    assert "        def retry(call, attempts):\n" in output
    assert "nothing here" not in output


def test_a_link_out_of_the_root_is_not_read(root, tmp_path_factory):
    secret = tmp_path_factory.mktemp("outside") / "secret.py"
    secret.write_text(SOURCE.replace("TimeoutError", "TopSecret"), encoding="utf-8")
    (root / "net/retry.py").unlink()
    (root / "net/retry.py").symlink_to(secret)
    assert "TopSecret" not in shown(make_answer(root))


def test_notes_and_an_empty_answer_go_to_stderr(root, capsys):
    answer = Answer("x", 0.0, 1.0, (), ("The index is \x1b[31mempty.",))
    assert shown(answer) == ""
    assert capsys.readouterr().err == "Nothing found.\nThe index is \\x1b[31mempty.\n"


def test_json_is_one_ascii_line(capsys):
    render.print_json({"path": EVIL})
    output = capsys.readouterr().out
    assert output.isascii()
    assert output.count("\n") == 1
    assert json.loads(output) == {"path": EVIL}


def test_the_summary_groups_skipped_files_by_reason(capsys):
    skipped = [SkippedFile(f"b{number}.bin", "binary") for number in range(5)]
    skipped.append(SkippedFile("big\x1b.sql", "too large: 5.0 MB, the limit is 2.0 MB"))
    report = UpdateReport(
        files=3, parsed=2, functions=1200, embedded=10, reused=4, skipped=skipped, elapsed_s=1.26
    )
    render.print_update(report)
    assert capsys.readouterr().out == (
        "3 files, 2 parsed, 1,200 functions, 10 embedded, 4 reused in 1.3 s\n"
        "  skipped 5 files, binary (b0.bin, b1.bin, b2.bin and 2 more; --verbose names them)\n"
        "  skipped 1 file, too large (big\\x1b.sql)\n"
    )
    render.print_update(report, verbose=True)
    output = capsys.readouterr().out
    assert "  skipped b4.bin: binary\n" in output
    assert "  skipped big\\x1b.sql: too large: 5.0 MB, the limit is 2.0 MB\n" in output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tab\tstop", "tab    stop"),
        ("Grüße 世界 🎉", "Grüße 世界 🎉"),
        ("a\u2066b", "a\\u2066b"),
        ("\x00\x7f", "\\x00\\x7f"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
    ],
)
def test_only_what_steers_a_terminal_is_spelled_out(text, expected):
    assert render.safe(text) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (5e7, "50.0 MB"), (3e12, "3.0 TB")]
)
def test_sizes_are_readable(size, expected):
    assert render.bytes_text(size) == expected


def test_a_table_is_aligned_and_safe(capsys):
    render.print_table([["a\x1b", "1"], ["bbbbbbb", "22"]], ["NAME", "N"])
    assert capsys.readouterr().out == "NAME     N\na\\x1b    1\nbbbbbbb  22\n"
