"""Changes of the disk, of folders and of settings reach a server whatever it is doing meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests.lsp.conftest import folder, indexed, request, until, write_files


async def names(client, query, **more):
    answer = await request(client, "codewhere/search", {"query": query, **more})
    return [result["symbol"] for result in answer["results"]]


def finds(client, name, **more):
    async def found():
        return name in await names(client, f"symbol:{name}", **more)

    return found


def configure(client, settings):
    client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings))


async def test_every_change_is_seen_while_vectors_are_made(start, project):
    many = "\n\n".join(f"def number_{at}(x):\n    return x + {at}" for at in range(60))
    write_files(project, {"many.py": many})
    client = await start(project, env={"HASH_SECONDS_PER_TEXT": "0.5"})
    await until(lambda: client.updates and client.updates[-1]["roots"][0]["embedded"] > 0)
    for name in ("first_change", "second_change", "third_change"):
        write_files(project, {f"{name}.py": f"def {name}():\n    return 1\n"})
        await until(finds(client, name))
    [root] = (await request(client, "codewhere/status", {}))["roots"]
    assert root["coverage"] < 1


async def test_without_auto_index_nothing_is_indexed_unasked(start, project):
    client = await start(project, options={"autoIndex": False})
    await until(lambda: client.updates and client.updates[-1]["modelState"] == "ready")
    await asyncio.sleep(1.0)
    [root] = (await request(client, "codewhere/status", {}))["roots"]
    assert root["files"] == 0
    configure(client, {"codewhere": {"autoIndex": True}})
    await indexed(client)


async def test_settings_that_change_in_a_row_leave_the_folder_followed(start, project):
    client = await start(project)
    await indexed(client)
    for number in range(6):
        configure(client, {"codewhere": {"exclude": [f"nothing_{number}"]}})
        await asyncio.sleep(0.01)
    await indexed(client)
    write_files(project, {"later.py": "def came_later():\n    return 1\n"})
    await until(finds(client, "came_later"))


async def test_a_file_of_a_folder_in_a_folder_changes_in_both(start, project):
    inner = project / "inner"
    write_files(inner, {"deep.py": "def buried_here():\n    return 1\n"})
    client = await start(workspace_folders=[folder(project), folder(inner)], editor="visual_studio_code")
    await indexed(client, 2)
    assert await finds(client, "buried_here")()
    (inner / "deep.py").unlink()
    event = lsp.FileEvent((inner / "deep.py").as_uri(), lsp.FileChangeType.Deleted)
    client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))

    async def gone():
        return not await finds(client, "buried_here")()

    await until(gone)


@pytest.mark.parametrize(
    "pushed", [{}, None, [], {"python": {"x": 1}}, {"codewhere": {}}, {"codewhere": None}]
)
async def test_what_a_change_does_not_name_stays_as_at_the_start(start, project, pushed):
    client = await start(project, options={"limit": 1})
    await indexed(client)
    configure(client, pushed)
    configure(client, {"noTests": True})
    await asyncio.sleep(0.3)
    assert len(await names(client, "read the settings")) == 1


async def test_following_the_disk_is_turned_on_and_off(start, project):
    client = await start(project, options={"watch": False})
    await indexed(client)
    configure(client, {"codewhere": {"watch": True}})
    await asyncio.sleep(0.5)
    await indexed(client)
    write_files(project, {"later.py": "def came_later():\n    return 1\n"})
    await until(finds(client, "came_later"))
    configure(client, {"codewhere": {"watch": False}})
    await asyncio.sleep(0.5)
    await indexed(client)
    write_files(project, {"unseen.py": "def not_seen():\n    return 1\n"})
    await asyncio.sleep(2.0)
    assert not await finds(client, "not_seen")()


@pytest.mark.parametrize("field", ["paths", "exclude"])
async def test_a_glob_that_cannot_be_read_is_named(start, project, field):
    client = await start(project)
    await indexed(client)
    with pytest.raises(JsonRpcException, match=rf"{field}.*glob") as caught:
        await names(client, "retry", filters={field: ["[z-a]"]})
    assert caught.value.code == -32602


async def test_wrong_options_at_the_start_do_not_stand_in_the_way_of_a_change(start, project):
    client = await start(project, options=["limit"])
    await indexed(client)
    configure(client, {"codewhere": {"limit": 1}})

    async def limited():
        return len(await names(client, "read the settings")) == 1

    await until(limited)
