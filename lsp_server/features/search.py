"""`codewhere/search`, and the way every other feature asks the roots."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from indexer.errors import NotIndexed, UserError
from indexer.types import (
    INDEX_ADVICE,
    NO_VECTORS,
    NOTHING_INDEXED,
    WHY_EMPTY,
    Answer,
    SearchFilters,
    SearchResult,
)
from lsp_server.answers import Locator, result_to_json
from lsp_server.params import SearchParams, Token, read_search
from lsp_server.protocol import SEARCH, guarded
from lsp_server.server import CodewhereServer
from lsp_server.workspaces import Root

NO_FOLDER = "No folder is open, so there is nothing to search."
_NO_ROOT_NAMED = "roots is empty, so nothing was searched; leave it out to search every folder."
_EDITOR_ADVICE = "Reindex the folder."

if TYPE_CHECKING:
    from indexer.overlay import Overlay

AskRoot = Callable[[Root, "Overlay | None"], Answer]


def register(server: CodewhereServer) -> None:
    """Adds the handler."""
    server.feature(SEARCH)(_handle)


@guarded
async def _handle(ls: CodewhereServer, raw: object) -> dict[str, Any]:
    return await search(ls, read_search(raw))


async def search(ls: CodewhereServer, params: SearchParams) -> dict[str, Any]:
    """The answer to a query as docs/protocol.md has it. Raises ValueError for a root that is not there."""
    limit = params.limit or ls.settings.limit
    filters = params.filters or default_filters(ls)

    def ask_root(root: Root, overlay: Overlay | None) -> Answer:
        return root.open().search(
            params.query, limit=limit, filters=filters, explain=True, overlay=overlay, dense=ls.model.ready
        )

    found = await ask(ls, ls.workspaces.select(params.roots), ask_root, limit, params.partial_result_token)
    return found.to_json(params.query)


def default_filters(ls: CodewhereServer) -> SearchFilters:
    """Restrictions of a search that names none."""
    return SearchFilters(no_tests=ls.settings.no_tests)


@dataclass(frozen=True)
class Hit:
    """A result and the root it is from."""

    root: Root
    result: SearchResult


@dataclass(frozen=True)
class Found:
    """The answers of several roots as one, best first."""

    hits: tuple[Hit, ...]
    coverage: float
    notes: tuple[str, ...]
    elapsed_ms: float
    results: tuple[dict[str, Any], ...] = ()

    def to_json(self, query: str) -> dict[str, Any]:
        """As docs/protocol.md has it."""
        return {
            "query": query,
            "coverage": round(self.coverage, 4),
            "elapsedMs": round(self.elapsed_ms, 1),
            "notes": list(self.notes),
            "results": list(self.results),
        }


async def ask(
    ls: CodewhereServer,
    roots: Sequence[Root],
    ask_root: AskRoot,
    limit: int,
    token: Token | None = None,
    *,
    as_json: bool = True,
) -> Found:
    """Asks each root on a query thread and puts the answers together.

    With a token the results go out as partial results, root by root, and none are left in the reply.
    """
    stop = threading.Event()
    started = time.perf_counter()
    snapshots = ls.documents.snapshots()
    locator = Locator(ls.encoding, snapshots)

    def send(hits: Sequence[Hit]) -> None:
        values = [result_to_json(hit.root, hit.result, locator) for hit in hits]
        if token is not None and values and not stop.is_set():
            ls.post(ls.progress, lsp.ProgressParams(token, values))

    def work() -> Found:
        answers: list[tuple[Root, Answer]] = []
        notes: list[str] = [] if roots else [_NO_ROOT_NAMED if ls.workspaces.all() else NO_FOLDER]
        errors: list[tuple[Root, UserError]] = []
        for root in roots:
            if stop.is_set():
                break
            try:
                answer = ask_root(root, root.overlay(snapshots))
            except UserError as error:
                errors.append((root, error))
                continue
            if why := ls.model.words_only:
                answer = _without_model(answer, why)
            answers.append((root, answer))
            send([Hit(root, result) for result in answer.results] if token is not None else [])
        found = _merge(answers, [*notes, *_excuses(errors)], limit)
        results = [result_to_json(hit.root, hit.result, locator) for hit in found.hits] if as_json else []
        elapsed_ms = 1000 * (time.perf_counter() - started)
        return replace(found, results=() if token is not None else tuple(results), elapsed_ms=elapsed_ms)

    try:
        return await ls.query(work)
    finally:
        stop.set()


def _without_model(answer: Answer, why: str) -> Answer:
    """Without a model vectors are of no use and indexing makes none, so the advice would be wrong."""
    return replace(answer, notes=(why, *(note for note in answer.notes if note != NO_VECTORS)))


def _merge(answers: Sequence[tuple[Root, Answer]], notes: Sequence[str], limit: int) -> Found:
    hits: dict[tuple[str, int], Hit] = {}
    for root, answer in answers:
        for result in answer.results:
            # One folder inside the other: the same function comes from both.
            place = (str(root.path / result.function.path), result.function.start_byte)
            if place not in hits or hits[place].result.score < result.score:
                hits[place] = Hit(root, result)
    best = sorted(hits.values(), key=lambda hit: -hit.result.score)[:limit]
    told = (
        _for_editor(root, note)
        for root, answer in answers
        for note in answer.notes
        if not (best and note in WHY_EMPTY)
    )
    all_notes = dict.fromkeys([*notes, *told])
    return Found(tuple(best), _coverage(answers), tuple(all_notes), 0.0)


def _excuses(errors: Sequence[tuple[Root, UserError]]) -> list[str]:
    """Why roots gave no answer; what is wrong for all of them alike, as a query can be, is said once."""
    same = {str(error) for _, error in errors}
    if len(errors) > 1 and len(same) == 1:
        return list(same)
    return [_excuse(root, error) for root, error in errors]


def _excuse(root: Root, error: UserError) -> str:
    """Why a root gave no answer; the advice of the engine is for the command line."""
    if isinstance(error, NotIndexed):
        return _being_read(root) if root.state.state == "indexing" else _not_indexed(root)
    return _for_editor(root, f"{root.name}: {error}")


def _being_read(root: Root) -> str:
    return f"{root.name} is being read for the first time; ask again in a moment."


def _not_indexed(root: Root) -> str:
    return f"{root.name} is not indexed yet. {_EDITOR_ADVICE}"


def not_read(root: Root) -> tuple[str, ...]:
    """What an answer may say of a root of which nothing is known yet."""
    return _being_read(root), _not_indexed(root)


def _for_editor(root: Root, note: str) -> str:
    """A note of the engine, with other advice than the command line's: none where indexing is under way."""
    indexing = root.state.state == "indexing"
    if note == NOTHING_INDEXED:
        return _being_read(root) if indexing else note.replace("this folder", root.name)
    said = note.removesuffix(INDEX_ADVICE)
    return note if said == note else said.rstrip() if indexing else said + _EDITOR_ADVICE


def _coverage(answers: Sequence[tuple[Root, Answer]]) -> float:
    """Share over all roots, each counted by its functions."""
    weights = [(root.state.counts.functions if root.state.counts else 0) for root, _ in answers]
    if not sum(weights):
        return min((answer.coverage for _, answer in answers), default=0.0)
    shares = [weight * answer.coverage for weight, (_, answer) in zip(weights, answers, strict=True)]
    return sum(shares) / sum(weights)
