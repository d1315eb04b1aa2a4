"""Mining of training pairs: doc comment → function with the comment cut, from any folders of source code.

Each pair keeps where it came from and under which licence. What may not be used is dropped and counted, never in
silence: folders without a permissive licence, blocked repositories and code, tests, generated and vendored files,
boilerplate comments, trivial bodies, near-duplicates.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from indexer.errors import UserError
from indexer.parse import parse
from indexer.training.files import open_output
from indexer.training.mining.blocklist import Blocklist, shape_key
from indexer.training.mining.licences import PERMISSIVE, detect_licence
from indexer.training.mining.quality import is_good_code, prose_of
from indexer.types import FUNCTION_KINDS, Function, SourceFile
from indexer.walk import walk

PAIRS_PER_QUERY = 2
_DROPPED_FILES = ("test", "generated", "minified", "vendored")
_TEST_NAMES = ("test", "bench", "example_", "mock")


@dataclass(frozen=True)
class Pair:
    """One training pair and where it is from."""

    query: str
    """First sentence of the doc comment."""
    doc_rest: str
    code: str
    """The function without its doc comment."""
    symbol: str
    kind: str
    language: str
    """Programming language."""
    natural: str
    """ISO 639-1 code of the language of `query`."""
    repo: str
    path: str
    licence: str
    source: str = "doc"


@dataclass
class MineReport:
    """What was mined, and why the rest was not."""

    pairs: int = 0
    files: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    natural: Counter[str] = field(default_factory=Counter)
    repositories: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Repository → (licence, pairs)."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason → number of functions or folders."""


@dataclass(frozen=True)
class _WalkConfig:
    max_file_bytes: int = 1_000_000
    exclude: tuple[str, ...] = ()
    include_text: bool = False


@dataclass(frozen=True)
class _Job:
    root: Path
    repo: str
    licence: str
    paths: tuple[str, ...]
    block: Blocklist


def mine(
    folders: Sequence[Path],
    out: Path,
    *,
    licence: str | None = None,
    exclude: Blocklist | None = None,
    processes: int = 1,
    per_repository: int | None = None,
    own: bool = False,
) -> MineReport:
    """Write one JSON line per pair to `out` (zstd-compressed for ``.zst``), which stays as it is where there is none.

    Args:
        folders: one repository or package each; a name of the form ``owner+name`` is read as ``owner/name``.
        licence: SPDX identifier of folders whose own licence is not found; without it they are dropped.
        exclude: code and repositories that must not be trained on.
        processes: worker processes for parsing.
        per_repository: at most so many pairs from one folder, so that none outweighs the rest.
        own: the folders are the user's own, and their licence is not asked.

    Raises:
        UserError: a folder does not exist, or `licence` is not permissive.
    """
    _check(folders, licence)
    report, block = MineReport(), exclude or Blocklist()
    seen = _Seen(report, per_repository)
    with suppress(_NothingFoundError), open_output(out) as lines, ProcessPoolExecutor(processes) as pool:
        jobs = _jobs(folders, "own" if own else licence, block, report)
        for pairs, dropped in pool.map(_mine_files, jobs) if processes > 1 else map(_mine_files, jobs):
            report.dropped.update(dropped)
            for pair in filter(seen.is_new, pairs):
                lines.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")
                _count(pair, report)
        if not report.pairs:
            raise _NothingFoundError
    return report


class _NothingFoundError(Exception):
    """What stands at `out` must not give way to an empty file."""


def pair_of(function: Function, repo: str, licence: str, block: Blocklist) -> Pair | str:
    """The pair that a documented function makes, or the reason why it makes none."""
    if function.kind not in FUNCTION_KINDS or not function.doc:
        return "undocumented"
    name = function.symbol.rpartition(".")[2].lower()
    if name.startswith(_TEST_NAMES):
        return "test"
    prose = prose_of(function.doc, function.symbol)
    if prose is None:
        return "comment says too little"
    if not is_good_code(function.body):
        return "trivial or too long body"
    if block.blocks_code(function.body):
        return "blocked code"
    return Pair(
        prose.summary, prose.rest, function.body, function.symbol, function.kind, function.language, prose.natural,
        repo, function.path, licence,
    )  # fmt: skip


def _check(folders: Sequence[Path], licence: str | None) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder. Name the folders of source code to mine.")
    if licence is not None and licence not in PERMISSIVE:
        raise UserError(f"{licence} is not one of the permissive licences: {', '.join(sorted(PERMISSIVE))}.")


def _jobs(
    folders: Iterable[Path], licence: str | None, block: Blocklist, report: MineReport, batch: int = 64
) -> Iterator[_Job]:
    for folder in folders:
        repo = folder.resolve().name.replace("+", "/", 1)
        found = detect_licence(folder) or licence
        if block.blocks_repository(repo):
            report.dropped["blocked repository"] += 1
        elif found is None:
            report.dropped["no permissive licence found"] += 1
        else:
            paths = [
                entry.path
                for entry in walk(folder, _WalkConfig())
                if isinstance(entry, SourceFile) and _is_wanted(entry)
            ]
            report.files += len(paths)
            report.repositories[repo] = (found, 0)
            for start in range(0, len(paths), batch):
                yield _Job(folder, repo, found, tuple(paths[start : start + batch]), block)


def _is_wanted(entry: SourceFile) -> bool:
    return entry.demoted not in _DROPPED_FILES


def _mine_files(job: _Job) -> tuple[list[Pair], Counter[str]]:
    pairs: list[Pair] = []
    dropped: Counter[str] = Counter()
    for path in job.paths:
        for function in parse(path, (job.root / os.fsdecode(path)).read_bytes()).functions:
            made = pair_of(function, job.repo, job.licence, job.block)
            if isinstance(made, Pair):
                pairs.append(made)
            else:
                dropped[made] += 1
    return pairs, dropped


class _Seen:
    """Drops near-duplicate code, the third pair of one query, and what is over a repository's share."""

    def __init__(self, report: MineReport, per_repository: int | None) -> None:
        self._report, self._limit = report, per_repository
        self._codes: set[str] = set()
        self._queries: Counter[str] = Counter()

    def is_new(self, pair: Pair) -> bool:
        reason = self._reason(pair)
        if reason:
            self._report.dropped[reason] += 1
        return not reason

    def _reason(self, pair: Pair) -> str:
        query = pair.query.lower().rstrip(".")
        if self._limit and self._report.repositories[pair.repo][1] >= self._limit:
            return "over the repository's share"
        if self._queries[query] >= PAIRS_PER_QUERY:
            return "query seen twice"
        key = shape_key(pair.code)
        if key in self._codes:
            return "near-duplicate code"
        self._codes.add(key)
        self._queries[query] += 1
        return ""


def _count(pair: Pair, report: MineReport) -> None:
    report.pairs += 1
    report.languages[pair.language] += 1
    report.natural[pair.natural] += 1
    licence, pairs = report.repositories[pair.repo]
    report.repositories[pair.repo] = (licence, pairs + 1)
