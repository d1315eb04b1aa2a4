"""From the first byte to the last: start, folders, settings, progress, shutdown."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests.lsp.conftest import FILES, SERVER, command, folder, indexed, request, until, write_files


async def search(client, query, **more):
    return await request(client, "codewhere/search", {"query": query, **more})


def symbols(answer):
    return [result["symbol"] for result in answer["results"]]


async def test_initialize_is_answered_before_anything_is_loaded(start, project):
    client = await start(project, env={"HASH_LOAD_SECONDS": "5"})
    # What takes seconds is named, not timed: a busy machine is slow at everything.
    assert not {"torch", "safetensors", "tokenizers"} & libraries(client)
    status = await request(client, "codewhere/status", {})
    assert (status["modelState"], status["model"], status["device"]) == ("loading", None, None)


async def test_folders_that_cannot_be_searched_are_told(start):
    client = await start(workspace_folders=[lsp.WorkspaceFolder("untitled:x", "x")])
    for _ in range(2):
        assert await client.workspace_symbol_async(lsp.WorkspaceSymbolParams("anything")) == []
    said = [message.message for message in client.messages]
    assert said[0].startswith("untitled:x is no folder of this machine")
    assert said[1:] == ["No folder is open, so there is nothing to search."]


def libraries(client):
    """Packages whose compiled parts the server has loaded."""
    maps = Path(f"/proc/{client._server.pid}/maps")
    if not maps.exists():
        pytest.skip("this system does not tell what a process has loaded")
    return set(re.findall(r"site-packages/(\w+)", maps.read_text()))


async def test_words_answer_until_the_model_is_loaded(start, project):
    client = await start(project, env={"HASH_LOAD_SECONDS": "2"})

    async def by_words():
        answer = await search(client, "RetryPolicy run")
        return answer if answer["results"] else None

    answer = await until(by_words)
    assert answer["results"][0]["why"]["denseRank"] is None
    assert answer["coverage"] < 1
    await indexed(client)
    answer = await search(client, "RetryPolicy run")
    assert answer["coverage"] == 1
    assert answer["results"][0]["why"]["denseRank"] is not None


async def test_a_model_that_cannot_be_loaded_is_told_and_words_still_answer(start, project):
    client = await start(project, options={"model": "broken"})
    await until(lambda: any("no such model" in message.message for message in client.messages))

    async def by_words():
        answer = await search(client, "RetryPolicy run")
        return answer if answer["results"] else None

    assert (await until(by_words))["notes"] == ["Searched by words only: no such model"]

    async def told():
        status = await request(client, "codewhere/status", {})
        return status["modelState"] == "failed" and "no such model" in status["roots"][0]["message"]

    await until(told)


async def test_indexing_shows_progress_and_ends_it(start, project):
    client = await start(project, editor="visual_studio_code", env={"HASH_SECONDS_PER_TEXT": "0.25"})
    await indexed(client)
    await until(
        lambda: any(report and report[-1].kind == "end" for report in client.progress_reports.values())
    )
    [reports] = [report for report in client.progress_reports.values() if report]
    assert reports[0].kind == "begin" and reports[0].title == "Indexing project" and reports[0].cancellable
    assert [report.kind for report in reports].count("end") == 1
    assert any("Embedding" in (report.message or "") for report in reports[1:-1])


async def test_cancelling_the_progress_pauses_the_folder(start, project):
    client = await start(project, editor="visual_studio_code", env={"HASH_SECONDS_PER_TEXT": "1.5"})
    token = await until(
        lambda: next(
            (
                token
                for token, reports in client.progress_reports.items()
                if reports and reports[-1].kind != "end"
            ),
            None,
        )
    )
    client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
    await until(lambda: client.updates and client.updates[-1]["roots"][0]["state"] == "paused")
    await asyncio.sleep(2.5)
    [root] = (await request(client, "codewhere/status", {}))["roots"]
    assert root["state"] == "paused" and root["embedded"] < root["functions"]
    await client.workspace_execute_command_async(lsp.ExecuteCommandParams("codewhere.server.resume"))
    await indexed(client)


async def test_folders_come_and_go(start, tmp_path):
    first = write_files(tmp_path / "first", {"a.py": FILES["src/config.py"]})
    second = write_files(tmp_path / "second", {"b.py": FILES["src/net/retry.py"]})
    client = await start(first)
    await indexed(client)
    assert "RetryPolicy.run" not in symbols(await search(client, "RetryPolicy run"))

    event = lsp.WorkspaceFoldersChangeEvent(added=[folder(second)], removed=[])
    client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))
    status = await indexed(client, 2)
    assert [root["name"] for root in status["roots"]] == ["first", "second"]
    answer = await search(client, "RetryPolicy run")
    assert "RetryPolicy.run" in symbols(answer)
    assert answer["results"][0]["root"] == second.as_uri()
    only_first = await search(client, "RetryPolicy run", roots=[first.as_uri()])
    assert {result["root"] for result in only_first["results"]} <= {first.as_uri()}

    event = lsp.WorkspaceFoldersChangeEvent(added=[], removed=[folder(second)])
    client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))
    await indexed(client, 1)
    assert "RetryPolicy.run" not in symbols(await search(client, "RetryPolicy run"))


@pytest.mark.parametrize("field", ["root_uri", "root_path"])
async def test_clients_without_folders_give_a_root(start, project, field):
    value = project.as_uri() if field == "root_uri" else str(project)
    client = await start(workspace_folders=None, **{field: value})
    status = await indexed(client)
    assert (status["roots"][0]["uri"], status["roots"][0]["name"]) == (project.as_uri(), "project")


async def test_without_a_folder_a_search_says_so(start):
    client = await start(workspace_folders=None)
    answer = await search(client, "anything")
    assert answer["results"] == [] and answer["notes"] == [
        "No folder is open, so there is nothing to search."
    ]


async def test_symbols_of_a_folder_that_is_not_indexed_say_so_once(start, project):
    client = await start(project, options={"autoIndex": False})
    for query in ("settings", "settings of", "lang:no-such-language settings"):
        assert await client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query)) == []
    said = [message.message for message in client.messages]
    assert said == [f"{project.name} is not indexed yet. Reindex the folder."]


async def test_notes_give_the_advice_of_an_editor(start, project):
    client = await start(project, options={"autoIndex": False})
    await until(lambda: client.updates and client.updates[-1]["modelState"] == "ready")
    answer = await request(client, "codewhere/search", {"query": "settings"})
    assert answer["notes"] == [f"{project.name} is not indexed yet. Reindex the folder."]
    await command(client, "reindex")
    await indexed(client)
    answer = await request(client, "codewhere/search", {"query": "settings", "roots": []})
    assert answer["notes"] == [
        "roots is empty, so nothing was searched; leave it out to search every folder."
    ]
    answer = await request(client, "codewhere/search", {"query": "settings", "filters": {"paths": ["lib/"]}})
    assert answer["notes"] == ["No file at these paths is indexed, or not yet. Reindex the folder."]


async def test_folders_that_are_not_there_or_not_here_do_no_harm(start, project, tmp_path):
    folders = [folder(project), folder(tmp_path / "gone"), lsp.WorkspaceFolder("vscode-vfs://github/x", "x")]
    client = await start(workspace_folders=folders)
    await until(lambda: client.updates)
    roots = (await request(client, "codewhere/status", {}))["roots"]
    assert [root["name"] for root in roots] == ["project", "gone"]
    assert roots[1]["state"] == "error" and "no folder" in roots[1]["message"]

    async def found():
        return symbols(await search(client, "RetryPolicy run"))

    assert "RetryPolicy.run" in await until(found)


async def test_a_home_folder_is_not_indexed_by_itself(start, project, environment):
    environment["HOME"] = str(project)
    client = await start(project)
    await asyncio.sleep(0.5)
    [root] = (await request(client, "codewhere/status", {}))["roots"]
    assert root["state"] == "paused" and "reindex" in root["message"]
    await client.workspace_execute_command_async(lsp.ExecuteCommandParams("codewhere.server.reindex"))
    await indexed(client)


async def test_wrong_settings_are_told_and_replaced(start, project):
    client = await start(project, options={"limit": 0, "hover": {"threshold": 7}, "noTests": True})
    await until(lambda: len(client.messages) >= 2)
    said = " ".join(message.message for message in client.messages)
    assert "codewhere.limit" in said and "codewhere.hover.threshold" in said
    await indexed(client)
    assert "tests/test_retry.py" not in [
        hit["path"] for hit in (await search(client, "retry sends again"))["results"]
    ]


@pytest.mark.parametrize("how", ["pushed", "pulled"])
async def test_settings_can_change(start, project, how):
    wanted = {"limit": 1}
    client = await start(project, editor="visual_studio_code", configuration=wanted)
    await indexed(client)
    assert len((await search(client, "read the settings"))["results"]) > 1
    settings = {"codewhere": wanted} if how == "pushed" else None
    client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings))

    async def limited():
        return len((await search(client, "read the settings"))["results"]) == 1

    await until(limited)


async def test_the_time_of_requests_is_logged_where_asked(start, project):
    client = await start(project, options={"trace": True})
    await request(client, "codewhere/status", {})
    with pytest.raises(JsonRpcException):
        await request(client, "codewhere/search", {})
    said = await until(
        lambda: [line.message for line in client.log_messages if "codewhere/search" in line.message]
    )
    assert re.fullmatch(r"codewhere/search error -32602 after \d+\.\d ms", said[0])
    assert any(line.message.startswith("codewhere/status done") for line in client.log_messages)


async def test_another_model_embeds_again(start, project):
    client = await start(project)
    assert (await indexed(client))["model"] == "hash"
    settings = {"codewhere": {"model": "other"}}
    client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings))

    async def changed():
        status = await request(client, "codewhere/status", {})
        return status["model"] == "other" and status["roots"][0]["coverage"] == 1

    await until(changed)


async def test_excluded_files_leave_when_the_setting_changes(start, project):
    client = await start(project)
    await indexed(client)
    assert "addToCart" in symbols(await search(client, "addToCart"))
    settings = {"codewhere": {"exclude": ["web/"]}}
    client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings))

    async def gone():
        return "addToCart" not in symbols(await search(client, "addToCart"))

    await until(gone)


@pytest.mark.parametrize("editor", ["neovim", "visual_studio_code"], ids=["server watches", "client watches"])
async def test_a_file_written_by_somebody_else_is_found(start, project, editor):
    client = await start(project, editor=editor)
    await indexed(client)
    if editor == "visual_studio_code":
        [registration] = client.registrations
        assert registration.method == "workspace/didChangeWatchedFiles"
    path = project / "src" / "mail.py"
    path.write_text("def deliver_letters(box):\n    return box.letters\n")
    if editor == "visual_studio_code":
        event = lsp.FileEvent(path.as_uri(), lsp.FileChangeType.Created)
        client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event, event]))

    async def found():
        return "deliver_letters" in symbols(await search(client, "deliver letters"))

    await until(found)
    path.unlink()
    if editor == "visual_studio_code":
        event = lsp.FileEvent(path.as_uri(), lsp.FileChangeType.Deleted)
        client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))

    async def gone():
        return "deliver_letters" not in symbols(await search(client, "deliver letters"))

    await until(gone)


async def test_a_second_start_embeds_nothing(start, project):
    client = await start(project)
    await indexed(client)
    await client.shutdown_session()
    # At half a second a text, embedding again would show.
    again = await start(project, env={"HASH_SECONDS_PER_TEXT": "5"})
    began = time.monotonic()
    await indexed(again)
    assert time.monotonic() - began < 5


async def test_what_was_embedded_before_a_shutdown_is_kept(start, project):
    client = await start(project, env={"HASH_SECONDS_PER_TEXT": "0.2"})
    await until(lambda: client.updates and client.updates[-1]["modelState"] == "ready")
    await client.shutdown_session()
    assert client._server.returncode == 0
    again = await start(project)
    await indexed(again)


def frame(message: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(message), message)


HELLO = frame(b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}') + frame(
    b'{"jsonrpc":"2.0","method":"initialized","params":{}}'
)
BYE = frame(b'{"jsonrpc":"2.0","id":2,"method":"shutdown"}')
EXIT = frame(b'{"jsonrpc":"2.0","method":"exit"}')


@pytest.mark.parametrize(
    ("sent", "status"),
    [(HELLO + BYE + EXIT, 0), (HELLO + EXIT, 1), (HELLO, 1), (b"", 1), (HELLO + BYE, 0)],
    ids=[
        "shutdown and exit",
        "exit without shutdown",
        "closed stream",
        "nothing at all",
        "closed after shutdown",
    ],
)
def test_the_exit_status_tells_how_it_ended(environment, sent, status):
    done = subprocess.run(
        [sys.executable, SERVER], input=sent, capture_output=True, env=environment, timeout=30
    )
    assert done.returncode == status
    if BYE in sent:
        assert b'"id": 2' in done.stdout


def greeted(environment, hello=HELLO):
    """A server that has answered."""
    server = subprocess.Popen(
        [sys.executable, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    server.stdin.write(hello)
    server.stdin.flush()
    server.stdout.readline()
    return server


def test_a_terminated_server_ends_in_order(environment):
    server = greeted(environment)
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 1


def test_a_server_ends_when_its_client_was_killed(environment):
    # The pipe stays open in this process, as it does when an editor leaves children behind.
    client = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    hello = HELLO.replace(b'"capabilities"', b'"processId":%d,"capabilities"' % client.pid)
    hello = (
        frame(hello.split(b"\r\n\r\n")[1].split(b"Content-Length")[0])
        + HELLO[HELLO.index(b"Content-Length", 1) :]
    )
    server = greeted(environment, hello)
    time.sleep(0.5)
    assert server.poll() is None
    client.kill()
    client.wait()
    assert server.wait(20) == 1


def test_a_server_ends_when_nobody_reads_its_replies(environment):
    server = greeted(environment)
    server.stdout.close()
    server.stdin.write(frame(b'{"jsonrpc":"2.0","id":2,"method":"codewhere/status","params":{}}'))
    server.stdin.flush()
    assert server.wait(20) == 1


def test_nothing_but_the_protocol_reaches_stdout(environment, tmp_path):
    script = tmp_path / "noisy.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(SERVER.parents[2])!r})\n"
        "import os\n"
        "from lsp_server.server import create_server\n"
        "from lsp_server.transport import serve_stdio\n"
        "def load(config): print('a library prints') or os.system('echo so does a child')\n"
        "server = create_server(load)\n"
        "serve_stdio(server)\n"
    )
    done = subprocess.run(
        [sys.executable, script], input=HELLO + BYE + EXIT, capture_output=True, env=environment, timeout=30
    )
    assert done.stdout.startswith(b"Content-Length")
    assert b"prints" not in done.stdout and b"so does" not in done.stdout


def test_the_command_takes_the_option_that_vscode_adds(environment):
    done = subprocess.run(
        [sys.executable, "-c", "from indexer.cli import main; main()", "lsp", "--stdio"],
        input=HELLO + BYE + EXIT,
        capture_output=True,
        env={**environment, "PYTHONPATH": str(SERVER.parents[2])},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert b'"serverInfo"' in done.stdout
