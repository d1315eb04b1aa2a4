"""Real servers on real pipes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

from tests.trees import write_files

SERVER = Path(__file__).parent / "hash_server.py"
FILES = {
    "src/net/retry.py": '''import time


class RetryPolicy:
    """How often a failed request is sent again."""

    def run(self, request):
        """Send the request again and again until it succeeds."""
        for attempt in range(self.attempts):
            if request.send():
                return True
            time.sleep(self.delay(attempt))
        return False

    def delay(self, attempt):
        """Seconds of back-off before the next attempt."""
        return 2 ** attempt
''',
    "src/config.py": '''def parse_settings(path):
    """Read the settings from a toml file."""
    with open(path) as file:
        text = file.read()
    values = {}
    for line in text.splitlines():
        key, value = line.split("=")
        values[key] = value
    return values
''',
    "src/options.py": '''def parse_options(path):
    """Read the options from a toml file."""
    with open(path) as file:
        text = file.read()
    values = {}
    for line in text.splitlines():
        key, value = line.split("=")
        values[key] = value
    return values
''',
    "web/cart.ts": """export function addToCart(cart: Cart, article: Article): number {
    // Puts an article into the shopping cart.
    cart.articles.push(article);
    return cart.articles.length;
}
""",
    "tests/test_retry.py": """def test_retry_sends_again():
    assert RetryPolicy(3).run(FailingRequest())
""",
}


@pytest.fixture
def project(tmp_path):
    return write_files(tmp_path / "project", FILES)


@pytest.fixture
def environment(tmp_path):
    """Of a server: its own data folder, and nothing of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CODEWHERE_")}
    return {**kept, "CODEWHERE_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def make_client() -> LanguageClient:
    client = make_test_lsp_client()
    client.registrations = []
    client.partial = []
    client.updates = []
    client.choices = []
    client.lens_refreshes = 0
    report = client.protocol.fm.features.pop(lsp.PROGRESS)

    @client.feature(lsp.PROGRESS)
    def progress(params: lsp.ProgressParams):
        # pytest-lsp expects work-done progress only; a partial result is a list.
        if isinstance(params.value, list):
            client.partial.append((params.token, params.value))
        else:
            report(params)

    @client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
    def register(params: lsp.RegistrationParams):
        client.registrations += params.registrations

    @client.feature(lsp.WORKSPACE_CODE_LENS_REFRESH)
    def refresh(params: None):
        client.lens_refreshes += 1

    @client.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)
    def choose(params: lsp.ShowMessageRequestParams):
        client.choices.append([action.title for action in params.actions])
        return params.actions[-1]

    @client.feature("codewhere/didUpdate")
    def updated(params):
        client.updates.append(as_json(params))

    return client


def as_json(value):
    """pygls makes named tuples of the objects of unknown messages; tests want them back."""
    if hasattr(value, "_asdict"):
        return {name: as_json(item) for name, item in value._asdict().items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


async def request(client, method, params=None, **options):
    return as_json(await client.protocol.send_request_async(method, params, **options))


async def command(client, name, *arguments, **options):
    params = lsp.ExecuteCommandParams(f"codewhere.server.{name}", list(arguments))
    return await request(client, "workspace/executeCommand", params, **options)


async def until(condition, seconds: float = 45.0, explain=lambda: "the condition never held"):
    """Waits until a condition holds; the condition may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        value = await value if asyncio.iscoroutine(value) else value
        if value:
            return value
        assert time.monotonic() < deadline, explain()
        await asyncio.sleep(0.02)


async def indexed(client, n_roots: int = 1):
    """Waits until everything is indexed and embedded; the status."""

    status = {}

    async def done():
        nonlocal status
        status = await request(client, "codewhere/status", {})
        ready = [
            root["state"] == "idle" and root["files"] and root["coverage"] == 1 for root in status["roots"]
        ]
        return status if len(ready) == n_roots and all(ready) and status["modelState"] == "ready" else None

    return await until(done, explain=lambda: f"never indexed: {status}")


def folder(path: Path) -> lsp.WorkspaceFolder:
    return lsp.WorkspaceFolder(uri=path.as_uri(), name=path.name)


def open_file(client, path: Path, text: str | None = None, version: int = 1) -> str:
    item = lsp.TextDocumentItem(
        uri=path.as_uri(),
        language_id="python",
        version=version,
        text=path.read_text() if text is None else text,
    )
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    return item.uri


def change_file(client, uri: str, version: int, *changes) -> None:
    identifier = lsp.VersionedTextDocumentIdentifier(uri=uri, version=version)
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, list(changes)))


def capabilities(name: str, encodings: list[str] | None = None) -> lsp.ClientCapabilities:
    found = client_capabilities(name)
    found.workspace.code_lens = lsp.CodeLensWorkspaceClientCapabilities(refresh_support=True)
    if encodings:
        found.general = found.general or lsp.GeneralClientCapabilities()
        found.general.position_encodings = encodings
    return found


@pytest_asyncio.fixture
async def start(environment):
    """Starts servers: `await start(folder, …)` gives a client whose session has begun."""
    clients = []

    async def begin(
        *folders: Path, options=None, editor="neovim", encodings=None, env=None, configuration=None, **fields
    ) -> LanguageClient:
        client = make_client()
        clients.append(client)
        if configuration is not None:
            client.set_configuration(configuration, section="codewhere")
        await client.start_io(sys.executable, str(SERVER), env={**environment, **(env or {})})
        fields = {
            "workspace_folders": [folder(path) for path in folders],
            "capabilities": capabilities(editor, encodings),
            **fields,
        }
        client.answer = await client.initialize_session(
            lsp.InitializeParams(initialization_options=options, **fields)
        )
        return client

    yield begin
    for client in clients:
        if client._server is not None and client._server.returncode is None:
            await asyncio.wait_for(client.shutdown_session(), 20)
        await client.stop()
