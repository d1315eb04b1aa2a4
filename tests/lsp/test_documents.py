"""Unsaved buffers are searched as they are on the screen, and the index on disk does not change."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock
from lsprotocol import types as lsp

from lsp_server.overlays import Documents
from lsp_server.positions import count_units
from tests.lsp.conftest import change_file, indexed, open_file, request, until


async def found(client, query):
    answer = await request(client, "codewhere/search", {"query": query, "limit": 50})
    return {hit["symbol"]: hit for hit in answer["results"]}


def replaced(start_line, start, end_line, end, text):
    where = lsp.Range(lsp.Position(start_line, start), lsp.Position(end_line, end))
    return lsp.TextDocumentContentChangePartial(range=where, text=text)


async def test_a_function_typed_a_moment_ago_is_found(start, project):
    client = await start(project)
    before = await indexed(client)
    uri = open_file(client, project / "src/config.py")
    change_file(client, uri, 2, replaced(0, 0, 0, 0, "def whisper_gently(ear):\n    return ear.quiet\n\n\n"))
    hits = await found(client, "whisper gently")
    assert hits["whisper_gently"]["range"]["start"] == {"line": 0, "character": 0}
    assert hits["parse_settings"]["range"]["start"]["line"] == 4
    after = await request(client, "codewhere/status", {})
    assert after["roots"][0]["functions"] == before["roots"][0]["functions"]


async def test_a_deleted_function_is_gone_and_comes_back_when_closed(start, project):
    client = await start(project)
    await indexed(client)
    uri = open_file(client, project / "src/config.py")
    change_file(client, uri, 2, lsp.TextDocumentContentChangeWholeDocument(""))
    assert "parse_settings" not in await found(client, "parse settings")
    client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))
    assert "parse_settings" in await found(client, "parse settings")


async def test_a_new_file_is_found_before_it_is_saved(start, project):
    client = await start(project)
    await indexed(client)
    open_file(client, project / "new/poem.py", "def recite_verses(poem):\n    return poem.verses\n")
    hits = await found(client, "recite verses")
    assert hits["recite_verses"]["uri"] == (project / "new/poem.py").as_uri()


async def test_unsaved_functions_are_found_by_meaning_too(start, project):
    client = await start(project)
    await indexed(client)
    open_file(client, project / "poem.py", "def recite_verses(poem):\n    return poem.verses\n")

    async def dense():
        return (await found(client, "recite verses"))["recite_verses"]["why"]["denseRank"]

    assert await until(dense) == 1


def save(client, uri, path, text):
    """The first change of an open file, and saved."""
    change_file(client, uri, 2, lsp.TextDocumentContentChangeWholeDocument(text))
    path.write_text(text)
    client.text_document_did_save(lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(uri)))


async def test_saving_moves_the_function_into_the_index(start, project):
    client = await start(project)
    before = (await indexed(client))["roots"][0]["functions"]
    path = project / "src/config.py"
    uri = open_file(client, path)
    text = path.read_text() + "\n\ndef saved_at_last():\n    return 1\n"
    save(client, uri, path, text)

    async def stored():
        return (await request(client, "codewhere/status", {}))["roots"][0]["functions"] == before + 1

    await until(stored)
    answer = await request(client, "codewhere/search", {"query": "saved_at_last", "limit": 50})
    assert [hit["symbol"] for hit in answer["results"]].count("saved_at_last") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_edits_after_astral_characters_hit_the_right_place(start, project, encoding):
    client = await start(project, encodings=[encoding])
    await indexed(client)
    line = 'def smile(): return "😀漢é" + grin()'
    uri = open_file(client, project / "smile.py", line + "\n")
    column = count_units(line[: line.index("grin")], encoding)
    change_file(client, uri, 2, replaced(0, column, 0, column + 4, "laugh_out_loud"))
    change_file(client, uri, 3, replaced(0, 4, 0, 9, "grimace"))
    hit = (await found(client, "grimace"))["grimace"]
    assert hit["snippet"] == 'def grimace(): return "😀漢é" + laugh_out_loud()'
    assert hit["range"]["end"]["character"] == count_units(hit["snippet"], encoding)


async def test_buffers_outside_of_the_folders_are_not_searched(start, project, tmp_path):
    client = await start(project)
    await indexed(client)
    open_file(client, tmp_path / "outside.py", "def never_found_here():\n    return 1\n")
    link = project / "link.py"
    link.symlink_to(tmp_path / "outside.py")
    open_file(client, link, "def never_found_here():\n    return 1\n")
    assert "never_found_here" not in await found(client, "never found here")


async def test_a_broken_buffer_harms_nothing(start, project):
    client = await start(project)
    await indexed(client)
    open_file(client, project / "broken.py", "def (((\ud83d \x00 class" * 50)
    open_file(client, project / "deep.py", "(" * 5000)
    assert "parse_settings" in await found(client, "parse settings")


def test_snapshots_are_taken_while_buffers_come_and_go():
    documents = Documents(lambda: lsp.PositionEncodingKind.Utf16, lambda document: None)
    item = lsp.TextDocumentItem("file:///kept.py", "python", 1, "x" * 10_000)
    documents.open(item)
    failures = []
    stop = threading.Event()

    def take():
        try:
            while not stop.is_set():
                assert documents.snapshots()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for round_ in range(300):
        for at in range(20):
            text = "y\n" * 200 + str(round_)
            documents.open(lsp.TextDocumentItem(f"file:///{at}.py", "python", 1, text))
        for at in range(20):
            documents.close(f"file:///{at}.py")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


async def test_a_saved_buffer_is_searched_while_another_process_keeps_the_folder(start, project, environment):
    client = await start(project)
    await indexed(client)
    path = project / "src/config.py"
    uri = open_file(client, path)
    locks = [FileLock(file) for file in (Path(environment["CODEWHERE_HOME"]) / "locks").glob("*.lock")]
    text = path.read_text() + "\n\ndef saved_while_busy():\n    return 1\n"
    change_file(client, uri, 2, lsp.TextDocumentContentChangeWholeDocument(text))
    with ExitStack() as held:
        for lock in locks:
            held.enter_context(lock.acquire(timeout=5))
        path.write_text(text)
        client.text_document_did_save(lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(uri)))
        await until(
            lambda: client.updates and client.updates[-1]["roots"][0]["message"].startswith("Another process")
        )
        assert "saved_while_busy" in await found(client, "saved_while_busy")


async def test_a_buffer_that_the_editor_does_not_read_again_is_searched_as_shown(start, project):
    client = await start(project)
    await indexed(client)
    path = project / "src/config.py"
    uri = open_file(client, path)
    text = path.read_text() + "\n\ndef still_on_the_screen():\n    return 1\n"
    save(client, uri, path, text)
    before = len(client.updates)
    await until(lambda: any(update["reason"] == "watch" for update in client.updates[before:]))
    await asyncio.sleep(1.0)
    path.write_text("def of_another_branch():\n    return 2\n")
    (project / "other.py").write_text("def written_beside():\n    return 3\n")

    async def followed():
        return "written_beside" in await found(client, "written_beside")

    await until(followed)
    await asyncio.sleep(1.0)
    assert "still_on_the_screen" in await found(client, "still_on_the_screen")
    assert "of_another_branch" not in await found(client, "of_another_branch")
    client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))
    assert "of_another_branch" in await found(client, "of_another_branch")
