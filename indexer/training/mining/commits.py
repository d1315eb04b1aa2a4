"""Commit messages → the functions that the commit changed: code asked for by what goes wrong, not by what it is.

Doc comments say what code does; people who look for it speak of what they see. Messages of commits that changed one or
two functions are that, in the manner of SweRank (arXiv 2505.07849), which learns from issues and what resolved them.

``python -m indexer.training.mining.commits OUT REPOSITORY... --block blocklist.json`` reads the histories of clones,
bare ones too; the name of a clone, or of the folder around one called ``repo``, is ``owner+name``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from indexer.languages import LANGUAGES, language_of
from indexer.parse import parse
from indexer.training.files import open_output
from indexer.training.mine import Pair
from indexer.training.mining.blocklist import Blocklist
from indexer.training.mining.licences import LICENCE_FILE, detect_licence
from indexer.training.mining.quality import is_good_code, prose_of
from indexer.types import FUNCTION_KINDS, Function, last_name
from indexer.walk import demotion

MAX_FILES, MAX_FUNCTIONS = 3, 2
"""A commit that changed more says too little about each."""
MIN_WORDS = 4
COMMITS = 2_500
"""The newest of each history."""
PER_FUNCTION = 3
_DROPPED_FILES = ("test", "generated", "minified", "vendored", "example")
_BUILD_LANGUAGES = ("make", "cmake", "nix", "hcl", "sql")
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_AREA = re.compile(r"^(?:\[[^\]]{1,40}\]\s*|[\w./*,()!{}&+ -]{1,40}:\s+)+")
_NUMBER = re.compile(
    r"\s*\(?(?:\b(?:fix(?:es|ed)?|close[sd]?|resolve[sd]?|see|refs?|issue|pr|bug)\b:?\s*)?(?:#|gh-)\d+\)?",
    re.I,
)
_TRAILER = re.compile(
    r"^(?:[A-Z][\w-]+(?:-[\w]+)*:\s|\(cherry picked|https?://|#\s|git-svn-id|---|\* [\w./]+:)", re.I
)
_LEANS = re.compile(
    r"(this|these|those|it|also|part|so|but|and|however|initial|first|second)\b", re.IGNORECASE
)
_SAYS_NOTHING = re.compile(
    r"""\b(merge[ds]?|reverts?|bump(s|ed)?|version|release[ds]?|typos?|format(ting)?|lint(er|s)?|style|styling
      |rename[ds]?|renaming|refactor\w*|clean(s|ed|ing)?[ -]?ups?|whitespaces?|indent(ation)?|comments?|docs?
      |documentation|docstrings?|changelog|copyright|licen[cs]e|tests?|testing|unit ?tests?|coverage|ci|travis
      |dependenc\w+|deprecat\w+|unused|dead\ code|reorder\w*|simplif\w+|nits?|review|wip|minor|misc|tid(y|ies|ied)
      |clang|rustfmt|gofmt|black|prettier|eslint|clippy|rubocop|checkstyle|spotbugs|pylint|ruff|mypy|type\ ?hints?
      |annotations?|javadoc|phpdoc|spelling|grammar|benchmarks?|readme|warnings?|no-?op|cosmetic|moderni[sz]e|migrate
      |import(s|ed)?|sort(ed)?\ imports|address\ feedback|final)\b""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Change:
    """What one commit did to one file: ranges of lines before and after it, counted from 1, half-open."""

    path: str
    old: tuple[tuple[int, int], ...]
    new: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Commit:
    """One commit that changed few files."""

    hash: str
    queries: tuple[str, ...]
    changes: tuple[Change, ...]


def commits_of(repository: Path, count: int = COMMITS) -> Iterator[Commit]:
    """The newest commits whose messages say something and that changed one to three source files."""
    log = _git(repository, "log", f"-{count}", "--no-merges", "-z", "--format=%H%n%B")
    for entry in filter(None, log.split("\0")):
        commit, _, message = entry.partition("\n")
        queries = queries_of(message)
        if queries:
            patch = _git(
                repository, "diff-tree", "-r", "-p", "-U0", "--diff-filter=AM", "--no-renames", commit
            )
            changes = [change for change in _changes(patch) if _is_source(change.path)]
            if 1 <= len(changes) <= MAX_FILES:
                yield Commit(commit, tuple(queries), tuple(changes))


def _changes(patch: str) -> Iterator[Change]:
    for part in re.split(r"^diff --git ", patch, flags=re.MULTILINE)[1:]:
        name = re.search(r"^\+\+\+ b/(.*)$", part, re.MULTILINE)
        if name:
            hunks = [[int(n) if n else 1 for n in found] for found in _HUNK.findall(part)]
            old = tuple((start + (not n), start + (not n) + n) for start, n, _, _ in hunks)
            yield Change(name[1].rstrip("\t"), old, tuple((start, start + n) for _, _, start, n in hunks))


def _is_source(path: str) -> bool:
    language = language_of(path, b"")
    if not language or not LANGUAGES[language].grammar or language in _BUILD_LANGUAGES:
        return False
    return demotion(path, b"") not in _DROPPED_FILES


def queries_of(message: str) -> list[str]:
    """What a person might have asked who saw the same: the subject, and the first paragraph below it."""
    subject, _, body = message.strip().partition("\n")
    if _SAYS_NOTHING.search(subject):
        return []
    asked = [_plain(subject)]
    paragraph = body.strip().split("\n\n")[0].splitlines()
    if paragraph and not any(map(_TRAILER.match, paragraph)) and not _LEANS.match(paragraph[0]):
        asked.append(_plain(" ".join(paragraph), sentences=2))
    return [query for query in asked if query]


def _plain(text: str, sentences: int = 1) -> str:
    prose = prose_of(_AREA.sub("", _NUMBER.sub("", text)).strip())
    if prose is None or len(prose.summary.split()) < MIN_WORDS or prose.natural != "en":
        return ""
    more = prose.rest.split(". ")[0].strip() if sentences > 1 else ""
    query = f"{prose.summary} {more}".strip()
    return query[0].upper() + query[1:]


def changed_functions(repository: Path, commit: Commit) -> list[Function]:
    """The functions as they were before the commit; those that it added, as they were after it."""
    found: list[Function] = []
    for change in commit.changes:
        before = _touched(repository, f"{commit.hash}^:{change.path}", change.path, change.old)
        found += before or _touched(repository, f"{commit.hash}:{change.path}", change.path, change.new)
    return found


def _touched(repository: Path, blob: str, path: str, ranges: tuple[tuple[int, int], ...]) -> list[Function]:
    source = _output(repository, "cat-file", "blob", blob)
    if len(source) > 500_000:
        return []
    functions = [f for f in parse(path, source).functions if f.kind in FUNCTION_KINDS and not f.is_test]
    touched = [f for f in functions if any(_meet(f, start, end) for start, end in ranges)]
    # A change of a nested function is no change of the one around it.
    return [f for f in touched if not any(_inside(other, f) for other in touched)]


def _meet(function: Function, start: int, end: int) -> bool:
    # An insertion is within a function where there are lines of it on both sides.
    return function.start_line + 1 < end and start <= function.end_line


def _inside(function: Function, other: Function) -> bool:
    return (
        function is not other
        and other.start_byte <= function.start_byte
        and function.end_byte <= other.end_byte
    )


def pairs_of(repository: Path, block: Blocklist) -> list[Pair]:
    """The pairs that a history gives; none where the repository is blocked or under no permissive licence."""
    name = _name(repository).replace("+", "/", 1)
    licence = _licence(repository)
    if licence is None or block.blocks_repository(name):
        return []
    pairs: list[Pair] = []
    times: Counter[tuple[str, str]] = Counter()
    for commit in commits_of(repository):
        functions = changed_functions(repository, commit)
        for function in functions if len(functions) <= MAX_FUNCTIONS else ():
            place = (function.path, function.symbol)
            if times[place] < PER_FUNCTION and _is_good(function, block):
                times[place] += 1
                asked = (query for query in commit.queries if not _names(query, function))
                pairs += [_pair(query, function, name, licence) for query in asked]
    return pairs


def _is_good(function: Function, block: Blocklist) -> bool:
    return is_good_code(function.body) and not block.blocks_code(function.body)


def _pair(query: str, function: Function, repo: str, licence: str) -> Pair:
    return Pair(
        query, "", function.body, function.symbol, function.kind, function.language, "en", repo, function.path, licence,
        source="commit",
    )  # fmt: skip


def _names(query: str, function: Function) -> bool:
    """Whether the query names the function, so that there is nothing to learn but its name."""
    name = last_name(function.symbol)
    return not re.fullmatch("[a-z]*|.{1,4}", name) and name.lower() in query.lower()


def _licence(repository: Path) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        for name in _git(repository, "ls-tree", "--name-only", "HEAD").splitlines():
            if LICENCE_FILE.match(name):
                (Path(folder) / name).write_bytes(_output(repository, "show", f"HEAD:{name}"))
        return detect_licence(Path(folder))


def _name(repository: Path) -> str:
    repository = repository.resolve()
    return repository.parent.name if repository.name == "repo" else repository.name


def _git(repository: Path, *arguments: str) -> str:
    return _output(repository, *arguments).decode("utf-8", "replace")


def _output(repository: Path, *arguments: str) -> bytes:
    """What git prints, which is nothing for a file that a commit does not have."""
    return subprocess.run(["git", "-C", repository, *arguments], capture_output=True, check=False).stdout


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("repositories", type=Path, nargs="+")
    parser.add_argument("--block", type=Path, required=True, help="what must not be trained on")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args(arguments)
    block = Blocklist.load(given.block)
    with open_output(given.out) as lines, ProcessPoolExecutor(given.processes) as pool:
        for pairs in pool.map(partial(pairs_of, block=block), given.repositories):
            lines.writelines(json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs)


if __name__ == "__main__":
    main()
