"""Long problem statements and short snippets descriptions → solutions, from collections of exercises.

Doc comments are short; people also paste whole task descriptions. Exercises with solutions in many languages teach
that style, and that the same task has an answer in every programming language.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from indexer.languages import LANGUAGES, language_of
from indexer.parse import parse
from indexer.training.data import split_name
from indexer.training.files import lines_of
from indexer.training.mine import Pair
from indexer.training.mining.natural import SPACELESS, natural_language
from indexer.training.mining.quality import MAX_CODE_CHARS
from indexer.types import FUNCTION_KINDS

MAX_STATEMENT_WORDS = 150
_TAGS = {
    **{name: name for name in "python javascript cpp java go rust typescript php c csharp".split()},
    **{name: name for name in "ruby kotlin swift scala".split()},
    **{"py": "python", "python3": "python", "js": "javascript", "c++": "cpp", "rs": "rust", "ts": "typescript"},
}  # fmt: skip
_REMARK = re.compile(r'(?s)[ \t]*""".*?"""[ \t]*\n?|/\*\*.*?\*/\s*')
_FENCED = re.compile(r"^```[ \t]*(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(
    r"\A(?:[ \t]*\n|[ \t]*(?://|#(?!include|!)|--|\*)[^\n]*\n|[ \t]*/\*[\s\S]*?\*/[ \t]*\n)*"
)


def exercism(track: Path, licence: str) -> Iterator[Pair]:
    """Exercises of one Exercism track: the blurb and the instructions, each with the example solution."""
    for config in sorted(track.glob("exercises/*/*/.meta/config.json")):
        folder = config.parent.parent
        try:
            about = json.loads(config.read_text(encoding="utf-8"))
        except ValueError:
            continue
        files = about.get("files", {})
        docs = [folder / ".docs" / name for name in ("introduction.md", "instructions.md")]
        if folder.parent.name == "concept":
            docs = docs[1:]
        text = "\n".join(path.read_text(encoding="utf-8") for path in docs if path.exists())
        for name in (files.get("example") or files.get("exemplar") or [])[:2]:
            made = _solution(folder / name, track, licence)
            if made:
                yield replace(made, query=statement(text), source="exercise")
                if about.get("blurb"):
                    yield replace(made, query=statement(about["blurb"]), source="exercise blurb")


def leetcode(
    statements: dict[str, list[str]], solutions: Path, licence: str, per_task: int = 4
) -> Iterator[Pair]:
    """Statements by task slug → the first solution in each language folder of `solutions`."""
    for path in sorted(solutions.glob("*/*")):
        texts = statements.get(path.stem)
        made = _solution(path, solutions, licence) if texts and path.is_file() else None
        if texts and made:
            code = _first_solution(made.code)
            for text in texts[:per_task]:
                yield replace(made, query=statement(text), code=code, natural=natural_language(text))


def statements_of(folder: Path) -> dict[str, list[str]]:
    """Task slug → its statements in Markdown collections of solutions (English, and Chinese where given)."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text(encoding="utf-8", errors="replace")
        slug = re.search(r"leetcode(?:-cn)?\.com/problems/([\w-]+)", text[:400])
        if slug:
            for title in ("题目", "题目大意"):
                if part := _section(text, title):
                    found[slug[1]].append(part)
    return found


def snippets(folder: Path, licence: str) -> Iterator[Pair]:
    """Front matter, a description, a code block."""
    for path in sorted(folder.rglob("*.md")):
        text = re.sub(
            r"\A---.*?---\n", "", path.read_text(encoding="utf-8", errors="replace"), flags=re.DOTALL
        )
        blocks = _FENCED.findall(text)
        if blocks and blocks[0][0].lower() in _TAGS and len(blocks[0][1]) >= 40:
            said = text.split("```")[0].strip().split("\n\n")[0]
            yield _pair(
                statement(said), blocks[0][1].strip("\n"), _TAGS[blocks[0][0].lower()], folder, path, licence
            )


def articles(folder: Path, licence: str) -> Iterator[Pair]:
    """Ways to solve a task, one a section: the idea of each in prose, and its code in several languages."""
    for path in sorted(folder.glob("articles/*.md")):
        parts = re.split(r"(?m)^## \d", path.read_text(encoding="utf-8", errors="replace"))
        # Ways beyond the second are variants: as negatives of each other they would teach little but noise.
        for part in parts[1:3]:
            idea = re.search(r"(?ms)^### Intuition\s*$\n(.*?)(?=^###? |^::|\Z)", part)
            for tag, code in _FENCED.findall(part) if idea else ():
                if idea and tag.lower() in _TAGS and len(code) >= 40:
                    language = _TAGS[tag.lower()]
                    bare = _HEADER.sub("", code).strip("\n")
                    yield _pair(statement(idea[1]), bare, language, folder, path, licence)


def titled(folder: Path, licence: str, paths: str = "*/*") -> Iterator[Pair]:
    """Solutions that are files with the name of their task: its words and the code."""
    for path in sorted(folder.glob(paths)):
        made = _solution(path, folder, licence)
        if made:
            title = " ".join(split_name(re.sub(r"^\d+-", "", path.stem)))
            yield replace(made, query=title, code=_first_solution(made.code), symbol="")


def tasks(folder: Path, licence: str) -> Iterator[Pair]:
    """MBXP (arXiv 2210.14868): small tasks, each with solutions in up to nine languages."""
    for path in sorted(folder.glob("mb*_release_*.jsonl")):
        for line in lines_of(path):
            row = json.loads(line)
            code = _named(row) if row.get("canonical_solution") else ""
            if code:
                made = _pair(row["description"], code, row["language"], folder, path, licence)
                yield replace(made, symbol=row["entry_point"], repo="amazon-science/mxeval")


def _named(row: dict[str, str]) -> str:
    """The function that solves a task, without the task's text and without what stands around it."""
    source = row["prompt"] + row["canonical_solution"]
    found = parse(f"task{LANGUAGES[row['language']].extensions[0]}", source.encode()).functions
    name = row["entry_point"].lower()
    wanted = [f for f in found if f.kind in FUNCTION_KINDS and f.symbol.rpartition(".")[2].lower() == name]
    return _REMARK.sub("", wanted[0].body).strip("\n") if wanted else ""


def statement(text: str) -> str:
    """A task as one paragraph: no headings, examples, tables or markup, at most `MAX_STATEMENT_WORDS` words."""
    text = re.split(
        r"(?mi)^\W*(example|示例|constraints|提示|note|进阶|follow[ -]?up)\s*\d*\W*$", text.replace("\r", "")
    )[0]
    text = re.split(r"(?mi)^(\*\*)?(example|示例)\s*\d*\s*[:：]", text)[0]
    text = re.sub(
        r"(?ms)^(```|~~~).*?^\1\w*|^\s*\|.*?$|^#+ (Instructions|Introduction|Description)\b.*?$|<!--.*?-->"
        r"|^\[[^\]]*\]:.*?$",
        " ",
        text,
    )
    text = re.sub(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(
        r"</?[a-zA-Z][^<>]*>|https?://\S+|^[#>~]+ ?|\[\^\w+\]:?|[`*]+|^exercism/\S+",
        " ",
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(r"(?<!\w)_|_(?!\w)", "", re.sub(r"\s+", " ", text)).strip()
    if len(SPACELESS.findall(text)) > 40:
        return text[: 2 * MAX_STATEMENT_WORDS]
    return " ".join(text.split(" ")[:MAX_STATEMENT_WORDS])


def _solution(path: Path, root: Path, licence: str) -> Pair | None:
    language = language_of(path.name) if path.is_file() else None
    if language is None or language in ("text", "markdown"):
        return None
    code = _HEADER.sub("", path.read_text(encoding="utf-8", errors="replace")).strip("\n")
    return _pair("", code[:MAX_CODE_CHARS], language, root, path, licence) if len(code) >= 40 else None


def _first_solution(code: str) -> str:
    return _first_class(re.split(r"(?m)^(?:#|//) Time:.*\n", code)[0])


def _first_class(code: str) -> str:
    parts = re.split(r"(?m)^(?=class |impl )", code)
    keep = next((index for index, part in enumerate(parts) if "Solution" in part), len(parts) - 1)
    return re.sub(r'(?s)[ \t]*"""\s*:type.*?"""\n?', "", "".join(parts[: keep + 1])).strip("\n")


def _section(text: str, title: str) -> str:
    match = re.search(rf"(?ms)^##\s*{re.escape(title)}\s*$\n(.*?)(?=^##\s|\Z)", text)
    part = match[1] if match else ""
    fenced = re.fullmatch(r"\s*```\w*\n(.*?)```\s*", part, re.DOTALL)
    return (fenced[1] if fenced else part).strip()


def _pair(query: str, code: str, language: str, root: Path, path: Path, licence: str) -> Pair:
    return Pair(
        query, "", code, path.stem, "function", language, natural_language(query), root.name.replace("+", "/", 1),
        path.relative_to(root).as_posix(), licence, "exercise",
    )  # fmt: skip
