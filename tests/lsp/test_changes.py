"""Changes of the disk, of folders and of settings reach a server whatever it is doing meanwhile."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server.server import create_server
from tests.fakes import HashEmbedder
from tests.lsp.conftest import FILES, command, folder, indexed, open_file, request, until, write_files


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


async def test_a_folder_that_is_about_to_be_indexed_does_not_pass_for_one_that_nobody_indexes(start, project):
    for number in range(4000):  # to listen to so many takes a moment
        (project / "empty" / str(number)).mkdir(parents=True)
    client = await start(project)
    [root] = (await request(client, "codewhere/status", {}))["roots"]
    assert root["state"] == "indexing" or root["files"]


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


@pytest.mark.parametrize("editor", ["neovim", "visual_studio_code"])
async def test_a_folder_that_was_indexed_on_demand_is_followed_after_a_change_of_settings(
    start, project, editor
):
    client = await start(project, options={"autoIndex": False}, editor=editor)
    await command(client, "reindex")
    await indexed(client)
    configure(client, {"codewhere": {"autoIndex": False, "exclude": ["nothing"]}})
    await asyncio.sleep(0.5)
    write_files(project, {"later.py": "def came_later():\n    return 1\n"})
    if editor == "visual_studio_code":
        event = lsp.FileEvent((project / "later.py").as_uri(), lsp.FileChangeType.Created)
        client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))
    await until(finds(client, "came_later"))


async def test_a_folder_is_followed_no_more_once_auto_index_is_turned_off(start, project):
    client = await start(project)
    await indexed(client)
    configure(client, {"codewhere": {"autoIndex": False}})
    await asyncio.sleep(0.5)
    write_files(project, {"unseen.py": "def not_seen():\n    return 1\n"})
    await asyncio.sleep(1.5)
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


async def test_a_folder_that_is_no_longer_indexed_by_itself_is_not_paused(start, project):
    many = "\n\n".join(f"def number_{at}(x):\n    return x + {at}" for at in range(60))
    write_files(project, {"many.py": many})
    client = await start(project, env={"HASH_SECONDS_PER_TEXT": "0.2"})
    await until(lambda: client.updates and client.updates[-1]["roots"][0]["embedded"] > 0)
    configure(client, {"codewhere": {"autoIndex": False}})
    await until(lambda: client.updates[-1]["roots"][0]["state"] == "idle")
    [root] = (await request(client, "codewhere/status", {}))["roots"]
    assert root["coverage"] < 1
    configure(client, {"codewhere": {"autoIndex": True}})
    await indexed(client)


async def test_a_file_that_is_not_indexed_is_not_found_while_it_is_open(start, project):
    write_files(project, {".gitignore": "build/\n", "build/out.py": FILES["src/config.py"]})
    (project / ".git").mkdir()
    client = await start(project)
    await indexed(client)
    open_file(client, project / "build/out.py", "def generated_away():\n    return 1\n")
    open_file(client, project / "new.py", "def typed_just_now():\n    return 1\n")
    assert await names(client, "symbol:typed_just_now") == ["typed_just_now"]
    assert await names(client, "symbol:generated_away") == []
    open_file(client, project / "build/out.py")
    where = {
        "textDocument": {"uri": (project / "build/out.py").as_uri()},
        "position": {"line": 4, "character": 0},
    }
    similar = await request(client, "codewhere/similar", where)
    assert {"parse_settings", "parse_options"} <= {hit["symbol"] for hit in similar["results"]}


async def test_a_folder_that_is_open_by_two_names_leaves_with_the_last(start, project, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(project)
    client = await start(project)
    await indexed(client)

    def change(added, removed):
        event = lsp.WorkspaceFoldersChangeEvent(added=added, removed=removed)
        client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))

    named = lsp.WorkspaceFolder(uri=link.as_uri(), name="link")
    change([named], [])
    link.unlink()
    change([], [named])
    assert "parse_settings" in await names(client, "symbol:parse_settings")
    change([], [folder(project)])
    assert await names(client, "symbol:parse_settings") == []
    assert (await request(client, "codewhere/status", {}))["roots"] == []


async def test_a_settings_file_that_is_mended_is_read_by_the_next_reindex(start, project, environment):
    file = Path(environment["XDG_CONFIG_HOME"]) / "codewhere/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("model = \n")
    client = await start(project)
    await until(lambda: client.updates and client.updates[-1]["modelState"] == "failed")
    file.write_text("")
    await command(client, "reindex")
    await indexed(client)


def many_functions(project: Path) -> None:
    write_files(project, {"many.py": "\n\n".join(f"def n_{at}(x):\n    return x + {at}" for at in range(60))})


@pytest.mark.parametrize("change", ["removed", "no longer indexed"])
async def test_the_progress_of_a_folder_ends_with_the_work_on_it(start, project, change):
    many_functions(project)
    client = await start(project, editor="visual_studio_code", env={"HASH_SECONDS_PER_TEXT": "0.2"})
    await until(lambda: any(client.progress_reports.values()))
    await until(lambda: client.updates and client.updates[-1]["roots"][0]["embedded"] > 0)
    if change == "removed":
        event = lsp.WorkspaceFoldersChangeEvent(added=[], removed=[folder(project)])
        client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))
    else:
        configure(client, {"codewhere": {"autoIndex": False}})
    await asyncio.sleep(2.5)
    kinds = [[report.kind for report in reports] for reports in client.progress_reports.values() if reports]
    assert kinds and all(kind[-1] == "end" and kind.count("end") == 1 for kind in kinds), kinds


@pytest.mark.skipif(sys.platform != "linux", reason="it counts what the kernel watches")
async def test_a_folder_that_leaves_right_after_its_settings_is_no_longer_followed(start, project, tmp_path):
    other = write_files(tmp_path / "other", {"a.py": FILES["src/config.py"]})
    client = await start(other, project)
    await indexed(client, 2)

    def watched():
        infos = Path(f"/proc/{client._server.pid}/fdinfo").iterdir()
        return sum(info.read_text().count("inotify wd:") for info in infos)

    alone = watched()
    for number in range(3):
        event = lsp.WorkspaceFoldersChangeEvent(added=[], removed=[folder(other)])
        configure(client, {"codewhere": {"folders": {other.as_uri(): {"exclude": [f"nothing_{number}"]}}}})
        client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))
        await asyncio.sleep(1.0)
        await until(lambda: watched() < alone, seconds=20)
        event = lsp.WorkspaceFoldersChangeEvent(added=[folder(other)], removed=[])
        client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))
        await indexed(client, 2)


def test_no_request_waits_until_file_events_were_looked_up(tmp_path):
    server = create_server(lambda config: HashEmbedder(), tmp_path / "home")
    root = server.workspaces.add(tmp_path.as_uri(), "root")
    touched = []
    server.follower.touch = lambda *event: touched.append(event)
    busy = threading.Event()
    server.in_background(busy.wait)
    events = [lsp.FileEvent((tmp_path / name).as_uri(), lsp.FileChangeType.Changed) for name in ("a", "b")]
    handler = server.protocol.fm.features[lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES]
    handler(lsp.DidChangeWatchedFilesParams(events))
    assert touched == []
    busy.set()
    done = threading.Event()
    server.in_background(done.set)
    assert done.wait(20)
    assert touched == [(root, ["a", "b"])]
    server.close()
