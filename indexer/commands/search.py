"""`codewhere search` and `codewhere similar`: from options to an answer."""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.answering import ask
from indexer.commands.common import (
    EmbedderLoader,
    Flags,
    indexed_root,
    not_indexed,
    open_root,
    settings_for,
)
from indexer.config import load_config
from indexer.errors import UserError
from indexer.filters import resolve
from indexer.render import print_answer, print_json, print_line, safe

if TYPE_CHECKING:
    from indexer.engine import Index
    from indexer.store import RootRow
    from indexer.types import Answer, Function, SearchFilters

_GLOB_SPECIAL = re.compile(r"([*?\[\]\\!#])")
_MAX_QUERIES_LINE = 1_000_000  # characters; a longer line is no query but a wrong file


@dataclass(frozen=True)
class Options:
    """What `search` and `similar` have in common."""

    languages: Sequence[str] | None
    kinds: Sequence[str] | None
    paths: Sequence[str] | None
    exclude: Sequence[str] | None
    no_tests: bool
    changed: bool
    explain: bool
    words: bool
    as_json: bool
    flags: Flags

    @property
    def home(self) -> Path:
        """Folder of the store, which no repository can change."""
        return load_config(None, **self.flags).home


def search(query: str, path: Path, queries: Path | None, options: Options) -> None:
    """Answer one query, or each line of a file."""
    query = _as_utf8(query)
    if queries is not None:
        # The query is left out then, so what stands in its place is the folder.
        if query and path != Path():
            raise UserError(f"Give either a question or --queries, not both: {query!r} is one too many.")
        path = Path(query) if query else path
    elif not query:
        raise UserError("Give a question: codewhere search 'where is the retry delay computed'.")
    place = _existing(path)
    asked = _Asked(_root_or_offer(place, options), options)
    filters = _filters(options, asked.root, _below(asked.root, place))
    for text in [query] if queries is None else _read_queries(queries):
        _show(asked.search(text, filters), options, heading=text if queries is not None else "")


def similar(place: str, path: Path | None, options: Options) -> None:
    """The functions nearest to the one at FILE:LINE, which need not be in the folder that is searched."""
    file, line = _parse_place(place)
    where = _existing(path) if path is not None else file
    row = indexed_root(options.home, where)
    if row is None:
        raise not_indexed(where if where.is_dir() else where.parent)
    asked = _Asked(row, options)
    filters = _filters(options, asked.root, _below(asked.root, where) if path is not None else "")
    if file.is_relative_to(asked.root):
        answer = asked.similar(file.relative_to(asked.root).as_posix(), line, filters)
    else:
        function = _function_at(file, line)
        answer = asked.similar("", line, filters, text=function.body, language=function.language)
        answer = replace(answer, query=f"similar to {function.symbol}")
    _show(answer, options)


def _function_at(file: Path, line: int) -> Function:
    """The innermost function of a file around a line (1-based), whether it is indexed or not."""
    from indexer.parse import parse
    from indexer.similar import innermost

    function = innermost(parse(file.name, file.read_bytes()).functions, line)
    if function is None:
        raise UserError(f"There is no function at {file}:{line}. Name a line inside a function.")
    return function


def _as_utf8(text: str) -> str:
    """An argument as it was typed, also where the locale is said to be ASCII."""
    try:
        return os.fsencode(text).decode("utf-8")
    except ValueError:
        return text


class _Asked:
    """A root that answers, through a process that has it open already, else by itself."""

    def __init__(self, row: RootRow, options: Options) -> None:
        self.root = Path(row.path)
        self._fingerprint = row.fingerprint
        self._options = options
        self._config = settings_for(self.root, options.flags)
        self._index: Index | None = None
        self._running = True

    def search(self, text: str, filters: SearchFilters) -> Answer:
        from indexer.types import Answer

        if not text.strip():
            # Only from a file, where each line gets its answer.
            return Answer(text, 0.0, 0.0, (), ("An empty query finds nothing.",))
        options = self._options
        return self._ask(
            "search",
            query=text,
            filters=filters,
            # A person is shown the lines that answer; a program asks for them.
            explain=options.explain or not options.as_json,
            dense=not options.words,
        )

    def similar(self, path: str, line: int, filters: SearchFilters, **compared: str) -> Answer:
        return self._ask("similar", path=path, line=line, filters=filters, **compared)

    def _ask(self, call: str, **arguments: object) -> Answer:
        arguments["limit"] = self._config.limit
        answer = ask(self._config, self.root, call, **arguments) if self._running else None
        if answer is None:
            self._running = False
            if self._index is None:
                loader = EmbedderLoader(self._config, self._fingerprint)
                self._index = open_root(self.root, self._config, loader)
            method: Callable[..., Answer] = self._index.similar if call == "similar" else self._index.search
            answer = method(**arguments)
        return answer


def _show(answer: Answer, options: Options, heading: str = "") -> None:
    if options.as_json:
        print_json(answer.to_json())
        return
    if heading:
        print_line(f"# {heading}")
    print_answer(answer, explain=options.explain)


def _existing(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise UserError(f"There is no {path}. Name an indexed folder, or something inside one.") from error


def _root_or_offer(place: Path, options: Options) -> RootRow:
    """The root that holds a place; a person at a terminal may have it indexed now."""
    row = indexed_root(options.home, place)
    if row is not None:
        return row
    folder = place if place.is_dir() else place.parent
    if options.as_json or not _can_ask():
        raise not_indexed(folder)
    import typer

    from indexer.commands.index import update

    if not typer.confirm(f"{safe(str(folder))} is not indexed yet. Index it now?", default=True, err=True):
        raise not_indexed(folder)
    loader = EmbedderLoader(settings_for(folder, options.flags))
    with open_root(folder, loader.config, loader) as index:
        update(index, loader)
    row = indexed_root(options.home, place)
    assert row is not None
    return row


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _parse_place(place: str) -> tuple[Path, int]:
    found = re.fullmatch(r"(.+?):(\d+)(?::\d+)?", place, re.DOTALL)
    if found is None or int(found[2]) < 1:
        raise UserError(f"{place!r} is not of the form FILE:LINE with lines from 1, such as src/net.py:40.")
    file = _existing(Path(found[1]))
    if not file.is_file():
        raise UserError(f"{file} is not a file. Name a file and a line in it, such as src/net.py:40.")
    return file, int(found[2])


def _below(root: Path, place: Path) -> str:
    """The place inside its root: empty, a folder with a slash at its end, or a file."""
    relative = place.relative_to(root).as_posix()
    if relative == ".":
        return ""
    return f"{relative}/" if place.is_dir() else relative


def _filters(options: Options, root: Path, below: str) -> SearchFilters:
    from indexer.types import SearchFilters

    filters = SearchFilters(
        languages=tuple(options.languages or ()),
        kinds=tuple(options.kinds or ()),
        paths=tuple(_inside(below, [_relative(glob, root / below) for glob in options.paths or ()])),
        exclude=tuple(_without(glob, root, below) for glob in options.exclude or ()),
        no_tests=options.no_tests,
        changed_only=options.changed,
    )
    _, unknown = resolve(filters)
    if unknown:
        raise UserError(unknown[0])
    return filters


def _relative(glob: str, folder: Path) -> str:
    """A glob as a shell completes it, `./src` or an absolute path, as one that begins in the folder."""
    for start in ("./", f"{folder.as_posix().rstrip('/')}/"):
        if glob.startswith(start):
            return f"/{glob.removeprefix(start) or '**'}"
    return glob


def _without(glob: str, root: Path, below: str) -> str:
    """A glob to leave out: where a shell completed it, it begins in the folder of the root that is searched."""
    relative = _relative(glob, root / below)
    return glob if relative == glob else f"/{_literal(below)}{relative[1:]}"


def _literal(path: str) -> str:
    """A path as a glob that matches nothing else."""
    return _GLOB_SPECIAL.sub(r"\\\1", path)


def _inside(below: str, globs: Iterable[str]) -> Iterator[str]:
    """Globs that hold only inside a folder of the root; the folder itself where there are none."""
    if not below:
        yield from globs
        return
    base = f"/{_literal(below)}"
    given = False
    for glob in globs:
        given = True
        if not below.endswith("/"):
            break
        anchored = "/" in glob.rstrip("/")
        yield base + (glob.lstrip("/") if anchored else f"**/{glob}")
    if not given or not below.endswith("/"):
        yield base


def _read_queries(path: Path) -> Iterator[str]:
    """The lines of a file, each a query, also the empty ones, so that answers stay aligned."""
    try:
        source = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    except OSError as error:
        raise UserError(f"Cannot read the queries in {path}: {error.strerror}.") from error
    with source:
        mark = codecs.BOM_UTF8  # which editors and shells on Windows begin a file with
        while line := source.readline(_MAX_QUERIES_LINE):
            yield line.removeprefix(mark).decode("utf-8", "replace").rstrip("\r\n")
            mark = b""
