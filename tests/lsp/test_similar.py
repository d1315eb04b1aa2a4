"""codewhere/similar, hover and code lens."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests.lsp.conftest import (
    FILES,
    capabilities,
    command,
    indexed,
    open_file,
    request,
    until,
    write_files,
)


async def similar(client, path=None, **more):
    document = {} if path is None else {"textDocument": {"uri": path.as_uri()}}
    return await request(client, "codewhere/similar", {**document, **more})


def at(line, character=0):
    return {"line": line, "character": character}


@pytest.mark.parametrize(
    "where",
    [
        {"position": at(4)},
        {"range": {"start": at(4), "end": at(4)}},
        {"range": {"start": at(0), "end": at(8, 17)}},
    ],
    ids=["position", "empty range", "selected text"],
)
async def test_the_nearest_function_is_the_copy(start, project, where):
    client = await start(project)
    await indexed(client)
    answer = await similar(client, project / "src/config.py", **where, limit=3)
    found = [hit["symbol"] for hit in answer["results"] if hit["symbol"] != "parse_settings"]
    assert found[0] == "parse_options"
    assert list(answer) == ["query", "coverage", "elapsedMs", "notes", "results"]


async def test_a_function_is_not_similar_to_itself(start, project):
    client = await start(project)
    await indexed(client)
    answer = await similar(client, project / "src/config.py", position=at(4), limit=50)
    assert answer["query"] == "parse_settings"
    assert "parse_settings" not in [hit["symbol"] for hit in answer["results"]]


async def test_a_function_of_a_folder_in_a_folder_is_not_similar_to_itself(start, project):
    client = await start(project, project / "src", options={"codeLens.enabled": True})
    await indexed(client, 2)
    answer = await similar(client, project / "src/config.py", position=at(4), limit=50)
    assert answer["results"] and "parse_settings" not in [hit["symbol"] for hit in answer["results"]]


async def test_any_text_can_be_compared(start, project):
    client = await start(project)
    await indexed(client)
    text = FILES["web/cart.ts"]
    answer = await similar(client, text=text, language="typescript")
    assert answer["results"][0]["symbol"] == "addToCart"


async def test_other_folders_are_compared_too(start, tmp_path):
    first = write_files(tmp_path / "first", {"a.py": FILES["src/config.py"]})
    second = write_files(tmp_path / "second", {"b.py": FILES["src/options.py"]})
    client = await start(first, second)
    await indexed(client, 2)
    answer = await similar(client, first / "a.py", position=at(4))
    assert answer["results"][0]["uri"] == (second / "b.py").as_uri()


async def test_a_position_in_no_function_is_told(start, project):
    client = await start(project)
    await indexed(client)
    answer = await similar(client, project / "src/config.py", position=at(500))
    assert answer["results"] == [] and answer["notes"] == ["There is no function at this position."]


async def test_a_file_outside_of_the_folders_is_refused(start, project, tmp_path):
    client = await start(project)
    await indexed(client)
    outside = write_files(tmp_path / "outside", {"x.py": FILES["src/config.py"]}) / "x.py"
    for uri in (outside.as_uri(), project.as_uri() + "/../outside/x.py", "untitled:Untitled-1"):
        with pytest.raises(JsonRpcException, match="in no folder"):
            params = {"textDocument": {"uri": uri}, "position": at(1)}
            await request(client, "codewhere/similar", params)


async def test_this_machine_may_be_named_in_a_uri(start, project):
    client = await start(project)
    await indexed(client)
    uri = (project / "src/config.py").as_uri().replace("file://", "file://localhost")
    answer = await request(client, "codewhere/similar", {"textDocument": {"uri": uri}, "position": at(4)})
    assert answer["query"] == "parse_settings"


async def test_a_range_that_ends_before_it_starts_is_refused(start, project):
    client = await start(project)
    await indexed(client)
    with pytest.raises(JsonRpcException, match="range: a range that ends after it starts"):
        await similar(client, project / "src/config.py", range={"start": at(4, 2), "end": at(4, 1)})


async def test_without_a_model_the_reason_is_told(start, project):
    client = await start(project, options={"model": "broken"})
    await until(lambda: client.updates and client.updates[-1]["modelState"] == "failed")
    with pytest.raises(JsonRpcException, match="There is no model to compare with: no such model"):
        await similar(client, text="def x(): pass")


async def test_the_similar_command_answers_as_the_request(start, project):
    client = await start(project)
    await indexed(client)
    path = project / "src/config.py"
    asked = await similar(client, path, position=at(4), limit=2)
    commanded = await command(client, "similar", path.as_uri(), 4, 2)
    assert {**commanded, "elapsedMs": 0} == {**asked, "elapsedMs": 0}


async def hover(client, path, line, character):
    identifier = lsp.TextDocumentIdentifier(path.as_uri())
    return await client.text_document_hover_async(lsp.HoverParams(identifier, lsp.Position(line, character)))


async def test_hover_over_a_name_links_the_nearest_functions(start, project):
    client = await start(project)
    await indexed(client)
    shown = await hover(client, project / "src/config.py", 0, 6)
    assert shown.range == lsp.Range(lsp.Position(0, 4), lsp.Position(0, 18))
    lines = shown.contents.value.splitlines()
    assert lines[0] == "**Similar functions**"
    uri = (project / "src/options.py").as_uri()
    assert lines[2].startswith(f"- [parse\\_options]({uri}#L1) src/options\\.py:1, 0.")
    assert len(lines) <= 5


async def test_hover_is_plain_text_for_a_client_that_knows_nothing_else(start, project):
    known = capabilities("neovim")
    known.text_document.hover = lsp.HoverClientCapabilities(content_format=[lsp.MarkupKind.PlainText])
    client = await start(project, capabilities=known)
    await indexed(client)
    shown = await hover(client, project / "src/config.py", 0, 6)
    assert shown.contents.kind == lsp.MarkupKind.PlainText
    title, blank, first, *_ = shown.contents.value.splitlines()
    assert (title, blank) == ("Similar functions", "")
    assert first.startswith("parse_options  src/options.py:1, 0.")


@pytest.mark.parametrize(
    "place", [(0, 0), (0, 25), (3, 8), (99, 0)], ids=["def", "parameter", "body", "nowhere"]
)
async def test_hover_anywhere_else_shows_nothing(start, project, place):
    client = await start(project)
    await indexed(client)
    assert await hover(client, project / "src/config.py", *place) is None


async def test_hover_can_be_turned_off(start, project):
    client = await start(project, options={"hover": {"enabled": False}})
    await indexed(client)
    assert await hover(client, project / "src/config.py", 0, 6) is None


async def test_hover_shows_hostile_names_as_text(start, tmp_path):
    body = FILES["src/config.py"]
    names = {"a.py": body.replace("settings", "plain"), "[x](http`:)\x1b[31m<b>.py": body}
    project = write_files(tmp_path / "project", names)
    client = await start(project)
    await indexed(client)
    text = (await hover(client, project / "a.py", 0, 6)).contents.value
    assert "\x1b" not in text and "<b>" not in text.replace("\\<b\\>", "")
    assert "\\[x\\]\\(http\\`:\\)" in text


async def lenses(client, path):
    identifier = lsp.TextDocumentIdentifier(path.as_uri())
    return list(await client.text_document_code_lens_async(lsp.CodeLensParams(identifier)))


async def test_lenses_are_shown_above_near_duplicates_only(start, project):
    client = await start(project, options={"codeLens": {"enabled": True, "threshold": 0.9}})
    await indexed(client)
    [lens] = await lenses(client, project / "src/config.py")
    assert lens.range.start == lsp.Position(0, 4)
    assert lens.command.title == "1 similar function"
    uri, position, places = lens.command.arguments
    assert (uri, position) == ((project / "src/config.py").as_uri(), {"line": 0, "character": 4})
    assert [place["uri"] for place in places] == [(project / "src/options.py").as_uri()]
    assert await lenses(client, project / "src/net/retry.py") == []


async def test_lenses_are_asked_for_again_when_a_folder_is_indexed_or_the_setting_changes(start, project):
    client = await start(project, options={"codeLens": {"enabled": True}})
    await indexed(client)
    await until(lambda: client.lens_refreshes)
    before = client.lens_refreshes
    off = {"settings": {"codewhere": {"codeLens": {"enabled": False}}}}
    client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(**off))
    await until(lambda: client.lens_refreshes == before + 1)
    client.workspace_did_change_configuration(
        lsp.DidChangeConfigurationParams({"codewhere": {"codeLens": {"enabled": True}}})
    )
    await until(lambda: client.lens_refreshes == before + 2)
    client.workspace_did_change_configuration(
        lsp.DidChangeConfigurationParams({"codewhere": {"codeLens": {"enabled": True}, "noTests": True}})
    )
    await until(lambda: client.lens_refreshes == before + 3, seconds=5)


async def test_lenses_are_asked_for_again_when_the_model_is_there(start, project):
    await indexed(await start(project))
    options = {"codeLens": {"enabled": True, "threshold": 0.9}, "autoIndex": False}
    client = await start(project, options=options, env={"HASH_LOAD_SECONDS": "1"})
    assert await lenses(client, project / "src/config.py") == []
    await until(lambda: client.updates and client.updates[-1]["modelState"] == "ready")
    await until(lambda: client.lens_refreshes, seconds=5)
    assert await lenses(client, project / "src/config.py")


async def test_lenses_are_off_by_default(start, project):
    client = await start(project)
    await indexed(client)
    assert await lenses(client, project / "src/config.py") == []


async def test_the_command_of_a_lens_opens_the_function(start, project):
    client = await start(project, options={"codeLens": {"enabled": True, "threshold": 0.9}})
    await indexed(client)
    [lens] = await lenses(client, project / "src/config.py")
    as_object = dict(zip(("uri", "position", "locations"), lens.command.arguments, strict=True))
    for arguments in (lens.command.arguments, [as_object]):
        client.shown_documents.clear()
        params = lsp.ExecuteCommandParams(lens.command.command, arguments)
        await client.workspace_execute_command_async(params)
        [shown] = client.shown_documents
        assert shown.uri == (project / "src/options.py").as_uri()
        assert shown.selection.start == lsp.Position(0, 4)


async def test_the_command_of_a_lens_asks_where_there_are_several(start, project):
    third = project / "third 文件.py"
    third.write_text(FILES["src/config.py"].replace("parse_settings", "parse_flags"))
    client = await start(project, options={"codeLens": {"enabled": True, "threshold": 0.9}})
    await indexed(client)
    [lens] = await lenses(client, project / "src/config.py")
    assert lens.command.title == "2 similar functions"
    await client.workspace_execute_command_async(
        lsp.ExecuteCommandParams(lens.command.command, lens.command.arguments)
    )
    [choices] = client.choices
    assert sorted(choice.split(". ")[1] for choice in choices) == ["options.py:1", "third 文件.py:1"]
    assert len(client.shown_documents) == 1


async def test_a_lens_runs_the_command_of_the_client(start, project):
    options = {"codeLens": {"enabled": True, "threshold": 0.9, "command": "myEditor.show"}}
    client = await start(project, options=options)
    await indexed(client)
    [lens] = await lenses(client, project / "src/config.py")
    assert lens.command.command == "myEditor.show"


async def test_an_unsaved_function_is_compared_as_on_the_screen(start, project):
    client = await start(project)
    await indexed(client)
    text = FILES["web/cart.ts"].replace("addToCart", "putIntoBasket")
    path = project / "web/basket.ts"
    open_file(client, path, text)
    answer = await similar(client, path, position=at(1))
    assert (answer["query"], answer["results"][0]["symbol"]) == ("putIntoBasket", "addToCart")
