"""Code lens: "2 similar functions" above near-duplicates, and nothing above anything else. Off by default."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from lsprotocol import types as lsp

from indexer.types import BLOCK_KINDS, TYPE_KINDS, Function
from lsp_server import checks
from lsp_server.answers import Locator, range_to_json
from lsp_server.features.similar import similar_to, target_of
from lsp_server.params import named, position
from lsp_server.protocol import guarded
from lsp_server.server import CodewhereServer
from lsp_server.settings import SHOW_SIMILAR
from lsp_server.workspaces import Root

_MIN_LINES = 4  # one-line getters are alike everywhere; nobody wants to know
_MAX_NEAR = 20
_Lens = tuple[Function, list[dict[str, Any]]]


def register(server: CodewhereServer) -> None:
    """Adds the handlers."""
    server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)(_lenses)
    server.command(SHOW_SIMILAR)(_show)


@guarded
async def _lenses(ls: CodewhereServer, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    uri = params.text_document.uri
    home = ls.workspaces.of_uri(uri)
    if home is None or not (ls.settings.code_lens and ls.model.ready):
        return []
    root, path = home
    snapshots = ls.documents.snapshots()
    functions = await ls.query(lambda: root.functions_of(path, snapshots))
    locator = Locator(ls.encoding, snapshots)
    found = []
    for function in filter(_is_shown, functions):
        places = await _near_duplicates(ls, root, function)
        if places:
            found.append(_lens(ls, uri, locator.name(root, function), places))
    return found


@guarded
async def _show(ls: CodewhereServer, arguments: list[Any]) -> None:
    await _choose(ls, arguments)


def _is_shown(function: Function) -> bool:
    long_enough = function.end_line - function.start_line >= _MIN_LINES
    return long_enough and function.kind not in (*BLOCK_KINDS, *TYPE_KINDS)


async def _near_duplicates(ls: CodewhereServer, root: Root, function: Function) -> list[dict[str, Any]]:
    threshold = ls.settings.code_lens_threshold
    target = target_of(root, function)
    near = (await similar_to(ls, target, _MAX_NEAR, min_score=threshold, as_json=False)).hits

    def locate() -> list[dict[str, Any]]:
        locator = Locator(ls.encoding, ls.documents.snapshots())
        return [
            {
                "uri": hit.root.file_uri(hit.result.function.path),
                "range": range_to_json(locator.name(hit.root, hit.result.function)),
            }
            for hit in near
        ]

    return await ls.query(locate) if near else []


def _lens(ls: CodewhereServer, uri: str, where: lsp.Range, places: list[dict[str, Any]]) -> lsp.CodeLens:
    title = "1 similar function" if len(places) == 1 else f"{len(places)} similar functions"
    start = range_to_json(where)["start"]
    return lsp.CodeLens(
        where, lsp.Command(title, ls.settings.code_lens_command, arguments=[uri, start, places])
    )


async def _choose(ls: CodewhereServer, arguments: list[Any]) -> None:
    """Lets the person choose one of the places and opens it, with nothing but requests of LSP."""
    places = _read_places(arguments)
    names = [f"{number}. {_label(place)}" for number, place in enumerate(places, 1)]
    chosen = names[0]
    if len(places) > 1:
        actions = [lsp.MessageActionItem(name) for name in names]
        request = lsp.ShowMessageRequestParams(lsp.MessageType.Info, "Similar functions", actions)
        answer = await ls.window_show_message_request_async(request)
        if answer is None or answer.title not in names:
            return
        chosen = answer.title
    place = places[names.index(chosen)]
    await ls.window_show_document_async(
        lsp.ShowDocumentParams(place.uri, take_focus=True, selection=place.range)
    )


def _read_places(arguments: list[Any]) -> list[lsp.Location]:
    locations = named(arguments, ("uri", "position", "locations")).get("locations")
    if not isinstance(locations, list) or not locations:
        raise ValueError("the arguments uri, position and locations are expected")
    fields = {"uri": checks.name, "range": lambda raw: raw}
    raw = [checks.read_object(place, fields, required=("uri", "range")) for place in locations]
    return [lsp.Location(place["uri"], _range(place["range"])) for place in raw]


def _range(raw: object) -> lsp.Range:
    ends = checks.read_object(raw, {"start": position, "end": position}, required=("start", "end"))
    return lsp.Range(ends["start"], ends["end"])


def _label(place: lsp.Location) -> str:
    return f"{unquote(place.uri.rpartition('/')[2])}:{place.range.start.line + 1}"
