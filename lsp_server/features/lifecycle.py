"""From `initialize` to `shutdown`: settings, folders, file events, and the end of the client."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterable, Mapping

from lsprotocol import types as lsp

from lsp_server.overlays import file_path
from lsp_server.server import CodewhereServer
from lsp_server.settings import SECTION, has_known, read_settings
from lsp_server.workspaces import Root, folders_of

log = logging.getLogger(__name__)

_PARENT_CHECK_SECONDS = 3.0
_ROOT_SETTINGS = (
    "model", "device", "exclude", "include_text", "max_file_bytes", "folders", "auto_index", "watch"
)  # fmt: skip
"""What a root is opened, indexed and followed by."""
_LENS_SETTINGS = ("code_lens", "code_lens_threshold", "code_lens_command", "no_tests")
"""What the code lenses that a client keeps are made by."""


def register(server: CodewhereServer) -> None:
    """Adds the handlers."""
    server.feature(lsp.INITIALIZE)(_initialize)
    server.feature(lsp.INITIALIZED)(_initialized)
    server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)(_configure)
    server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(_change_folders)
    server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)(_files_changed)
    server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)(_saved)
    server.feature(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL)(_cancel_progress)


def _initialize(ls: CodewhereServer, params: lsp.InitializeParams) -> None:
    ls.first_folders = folders_of(params)
    options = params.initialization_options
    ls.first_complaints = _take_settings(ls, options)
    # What is no object was complained of; it must not stand in the way of what comes later.
    ls.first_settings = options if isinstance(options, Mapping) else None


def _initialized(ls: CodewhereServer, params: lsp.InitializedParams) -> None:
    _complain(ls, ls.first_complaints)
    ls.begin(ls.first_folders)
    if ls.client_watches():
        ls.run_aside(_register_file_events(ls))
    if ls.process_id is not None:
        ls.run_aside(_watch_parent(ls, ls.process_id))


async def _configure(ls: CodewhereServer, params: lsp.DidChangeConfigurationParams) -> None:
    given = await _given_settings(ls, params.settings)
    before = ls.settings
    complaints = _take_settings(ls, given)
    _complain(ls, (sentence for sentence in complaints if sentence not in ls.first_complaints))
    changed = [name for name in _ROOT_SETTINGS if getattr(before, name) != getattr(ls.settings, name)]
    _apply_change(ls, changed)
    if any(getattr(before, name) != getattr(ls.settings, name) for name in _LENS_SETTINGS):
        ls.refresh_lenses()


def _change_folders(ls: CodewhereServer, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    for folder in params.event.removed:
        root = ls.workspaces.remove(folder.uri)
        if root is not None:
            ls.drop_root(root)
    for folder in params.event.added:
        ls.add_root(folder.uri, folder.name)
    ls.announce("folders")


def _files_changed(ls: CodewhereServer, params: lsp.DidChangeWatchedFilesParams) -> None:
    def work() -> None:
        for root, paths in _by_root(ls, (change.uri for change in params.changes)).items():
            ls.follower.touch(root, paths)

    # A branch that is switched changes thousands of files, and no request waits until each was looked up.
    ls.in_background(work)


def _saved(ls: CodewhereServer, params: lsp.DidSaveTextDocumentParams) -> None:
    if ls.settings.auto_index:
        for root, paths in _by_root(ls, [params.text_document.uri]).items():
            ls.indexer.request_paths(root, paths)


def _cancel_progress(ls: CodewhereServer, params: lsp.WorkDoneProgressCancelParams) -> None:
    root = ls.bars.root_of(params.token)
    if root is not None:
        pause(ls, root)
        ls.announce("pause")


def pause(ls: CodewhereServer, root: Root) -> None:
    """Stops indexing a root after the batch that is being written; it is still searched."""
    root.paused = True
    root.tell("paused", "Indexing is paused.")
    ls.bars.end(root)
    ls.indexer.wake()


def _take_settings(ls: CodewhereServer, raw: object) -> list[str]:
    """Puts settings in force over those of `initialize`; sentences for the person about what was not taken."""
    ls.workspaces.settings, problems, unknown = read_settings(raw, ls.first_settings)
    for sentence in unknown:
        log.warning("%s", sentence)
    return problems


def _complain(ls: CodewhereServer, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        ls.tell(lsp.MessageType.Warning, sentence)


async def _given_settings(ls: CodewhereServer, pushed: object) -> object:
    """The settings of a change: sent along, or asked for where the client wants it so."""
    if isinstance(pushed, dict) and isinstance(pushed.get(SECTION), dict):
        return pushed[SECTION]
    if pushed and (not isinstance(pushed, dict) or has_known(pushed)):
        return pushed
    workspace = ls.client_capabilities.workspace
    if not (workspace and workspace.configuration):
        return None
    item = lsp.ConfigurationItem(section=SECTION)
    answers = await ls.workspace_configuration_async(lsp.ConfigurationParams([item]))
    return answers[0] if answers else None


def _apply_change(ls: CodewhereServer, changed: list[str]) -> None:
    if "model" in changed or "device" in changed:
        ls.load_model()
    if changed:
        for root in ls.workspaces.all():
            # Who turns `autoIndex` off wants nothing to be indexed unasked from now on.
            ls.reopen(root, stays_followed="auto_index" not in changed)
    ls.announce("configuration")


async def _register_file_events(ls: CodewhereServer) -> None:
    watcher = lsp.FileSystemWatcher(glob_pattern="**/*")
    options = lsp.DidChangeWatchedFilesRegistrationOptions([watcher])
    method = lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES
    registration = lsp.Registration("codewhere-files", method, options)
    try:
        await ls.client_register_capability_async(lsp.RegistrationParams([registration]))
    except Exception:
        log.exception("The client refused to send file events; changes are found when files are saved.")


async def _watch_parent(ls: CodewhereServer, process_id: int) -> None:
    """Ends the server when the client is gone without a word; a process never seen is not waited for."""
    if sys.platform == "win32" or not _is_alive(process_id):
        return
    while not ls.closed.is_set():
        await asyncio.sleep(_PARENT_CHECK_SECONDS)
        if not _is_alive(process_id):
            ls.on_exit()
            return


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _by_root(ls: CodewhereServer, uris: Iterable[str]) -> dict[Root, list[str]]:
    """Root-relative paths of files by root, of one that lies in another by both; files of no root are left out."""
    found: dict[Root, list[str]] = {}
    for path in filter(None, map(file_path, uris)):
        for root, relative in ls.workspaces.all_of_path(path):
            if ".git" not in relative.split("/"):
                found.setdefault(root, []).append(relative)
    return found
