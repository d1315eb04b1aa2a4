"""Asks one language server many thousands of mixed requests, with edits and cancellations, and watches its memory.

    python benchmarks/soak.py --requests 10000 --output benchmarks/results/soak.json

The model is the hashing embedder of the tests unless --server names another command. Linux only (reads /proc).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import shlex
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORDS = (
    "read write open close parse render retry send cart user token cache index queue price order mail".split()
)
IN_FLIGHT = 6
WARM_UP = 0.2  # of the requests: caches fill, threads start, the allocator settles
MIX = {
    "search": 30, "symbol": 20, "similar": 10, "hover": 8, "lens": 2, "status": 5, "command": 5,
    "edit": 12, "open": 3, "close": 2, "save": 2, "malformed": 1,
}  # fmt: skip
CANCELLED = 0.1
DONE, REFUSED, CANCELLED_CODE, FAILED = "done", -32602, -32800, -32803


def function(rng: random.Random) -> str:
    verb, noun, other = (rng.choice(WORDS) for _ in range(3))
    lines = [f"    {rng.choice(WORDS)} = {rng.choice(WORDS)}({noun})" for _ in range(rng.randint(2, 8))]
    return (
        f'def {verb}_{noun}_{rng.randint(0, 999)}({noun}, {other}):\n    """{verb} the {noun} of the {other}."""\n'
        + "\n".join(lines)
        + "\n"
    )


class Client:
    """Sends messages and keeps book of what was answered."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.waiting: dict[int, asyncio.Future[dict]] = {}
        self.unexpected: list[str] = []
        self.n_sent = 0
        self.reader = asyncio.create_task(self._read())

    def send(self, message: dict) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: dict) -> None:
        self.send({"method": method, "params": params})

    def request(self, method: str, params: object) -> tuple[int, asyncio.Future[dict]]:
        self.n_sent += 1
        future = self.waiting[self.n_sent] = asyncio.get_running_loop().create_future()
        self.send({"id": self.n_sent, "method": method, "params": params})
        return self.n_sent, future

    async def _read(self) -> None:
        while line := await self.process.stdout.readline():
            length = int(line.split(b":")[1])
            while (await self.process.stdout.readline()).strip():
                pass
            self._take(json.loads(await self.process.stdout.readexactly(length)))

    def _take(self, message: dict) -> None:
        if "method" in message and "id" in message:
            self.send({"id": message["id"], "result": None})
        elif "id" in message:
            future = self.waiting.pop(message["id"], None)
            if future is None:
                self.unexpected.append(f"a second reply to {message['id']}")
            else:
                future.set_result(message)
        elif message["method"] == "window/showMessage":
            self.unexpected.append(message["params"]["message"])

    def memory_mb(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Soak:
    """One run."""

    def __init__(self, client: Client, folder: Path, rng: random.Random) -> None:
        self.client, self.folder, self.rng = client, folder, rng
        self.files = sorted(folder.rglob("*.py"))
        self.open: dict[Path, int] = {}
        self.outcomes: Counter[str] = Counter()
        self.seconds: dict[str, list[float]] = {}

    async def step(self) -> None:
        kind = self.rng.choices(list(MIX), MIX.values())[0]
        path = self.rng.choice(self.files)
        act = getattr(self, f"_{kind}", None)
        if act is not None:
            act(path)
            return
        method, params = self._request(kind, path)
        began = time.perf_counter()
        number, future = self.client.request(method, params)
        cancelled = self.rng.random() < CANCELLED
        if cancelled:
            await asyncio.sleep(self.rng.random() * 0.03)
            self.client.notify("$/cancelRequest", {"id": number})
        answer = await asyncio.wait_for(future, 120)
        code = answer["error"]["code"] if "error" in answer else DONE
        allowed = {DONE, FAILED} | ({CANCELLED_CODE} if cancelled else set())
        wrong = code != REFUSED if kind == "malformed" else code not in allowed
        if wrong or (code == FAILED and kind not in ("similar", "hover", "lens")):
            self.client.unexpected.append(f"{kind}: {json.dumps(answer)[:300]}")
        self.outcomes[f"{kind} {code}"] += 1
        if not cancelled:
            self.seconds.setdefault(kind, []).append(time.perf_counter() - began)

    def _request(self, kind: str, path: Path) -> tuple[str, object]:
        query = " ".join(self.rng.sample(WORDS, 4))
        place = {
            "textDocument": {"uri": path.as_uri()},
            "position": {"line": self.rng.randint(0, 30), "character": 6},
        }
        return {
            "search": ("codewhere/search", {"query": query, "limit": 20}),
            "symbol": ("workspace/symbol", {"query": query}),
            "similar": ("codewhere/similar", place),
            "hover": ("textDocument/hover", place),
            "lens": ("textDocument/codeLens", {"textDocument": place["textDocument"]}),
            "status": ("codewhere/status", {}),
            "command": (
                "workspace/executeCommand",
                {"command": "codewhere.server.search", "arguments": [query]},
            ),
            "malformed": ("codewhere/search", {"query": 3}),
        }[kind]

    def _open(self, path: Path) -> None:
        if path not in self.open and len(self.open) < 30:
            self.open[path] = 1
            item = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": path.read_text()}
            self.client.notify("textDocument/didOpen", {"textDocument": item})

    def _edit(self, path: Path) -> None:
        if not self.open:
            return
        path = self.rng.choice(list(self.open))
        self.open[path] += 1
        here = {"line": 0, "character": 0}
        change = {"range": {"start": here, "end": here}, "text": function(self.rng)}
        if self.rng.random() < 0.3:
            change = {"text": "".join(function(self.rng) for _ in range(8))}
        document = {"uri": path.as_uri(), "version": self.open[path]}
        self.client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def _close(self, path: Path) -> None:
        if self.open:
            path = self.rng.choice(list(self.open))
            del self.open[path]
            self.client.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})

    def _save(self, path: Path) -> None:
        path.write_text("".join(function(self.rng) for _ in range(8)))
        self.client.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}})


async def run(options: argparse.Namespace) -> dict:
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        for number in range(options.files):
            path = folder / f"package{number % 20}" / f"module{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(function(rng) for _ in range(8)))
        environment = {**os.environ, "CODEWHERE_HOME": str(Path(scratch) / "home")}
        process = await asyncio.create_subprocess_exec(
            *shlex.split(options.server), stdin=-1, stdout=-1, env=environment, limit=2**26
        )
        client = Client(process)
        settings = {"codeLens": {"enabled": True}}
        folders = [{"uri": folder.as_uri(), "name": "project"}]
        params = {"capabilities": {}, "workspaceFolders": folders, "initializationOptions": settings}
        await client.request("initialize", params)[1]
        client.notify("initialized", {})
        await wait_until_indexed(client)
        result = await ask(Soak(client, folder, rng), options.requests)
        await client.request("shutdown", None)[1]
        client.notify("exit", {})
        result["exit_status"] = await asyncio.wait_for(process.wait(), 30)
        return result


async def wait_until_indexed(client: Client) -> None:
    while True:
        [root] = (await client.request("codewhere/status", {})[1])["result"]["roots"]
        if root["state"] == "idle" and root["files"] and root["coverage"] == 1:
            return
        await asyncio.sleep(0.2)


async def ask(soak: Soak, n_requests: int) -> dict:
    began = time.perf_counter()
    memory: list[float] = []
    n_steps = 0

    async def worker() -> None:
        nonlocal n_steps
        while n_steps < n_requests:
            n_steps += 1
            await soak.step()
            if n_steps % max(1, n_requests // 50) == 0:
                memory.append(soak.client.memory_mb())

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    elapsed = time.perf_counter() - began
    warm = memory[int(len(memory) * WARM_UP) :]
    early, late = statistics.median(warm[:5]), statistics.median(warm[-5:])
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
        "requests": n_steps,
        "seconds": round(elapsed, 1),
        "outcomes": dict(sorted(soak.outcomes.items())),
        "unexpected": soak.client.unexpected[:20],
        "unanswered": len(soak.client.waiting),
        "memory_mb": {
            "after_warm_up": round(early, 1),
            "at_the_end": round(late, 1),
            "growth": round(late / early - 1, 4),
        },
        "latency_ms": {kind: percentiles(values) for kind, values in sorted(soak.seconds.items())},
    }


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(1000 * value for value in values)
    return {
        name: round(ordered[int(share * (len(ordered) - 1))], 1)
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", default=f"{sys.executable} {ROOT / 'tests/lsp/hash_server.py'}")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    result = asyncio.run(run(options))
    text = json.dumps(result, indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")
    passed = not result["unexpected"] and not result["unanswered"] and not result["exit_status"]
    return 0 if passed and result["memory_mb"]["growth"] < 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
