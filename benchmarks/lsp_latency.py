"""How long a client waits: for the first reply, for a query at rest and during indexing, for a cancellation.

    python benchmarks/lsp_latency.py FOLDER --output benchmarks/results/lsp_latency.json

The server is `codewhere lsp` with the settings of the environment and a data folder of its own; FOLDER is indexed anew.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from soak import WORDS, Client, percentiles

PAUSE = 0.05  # seconds between two queries: a person who types


def cpu_seconds(pid: int) -> float:
    """What a process has used so far; unlike the wall clock it does not depend on other work of the machine."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def timed(client: Client, method: str, params: object) -> tuple[float, dict]:
    began = time.perf_counter()
    answer = await client.request(method, params)[1]
    return time.perf_counter() - began, answer


def query(rng: random.Random) -> dict:
    return {"query": " ".join(rng.sample(WORDS, 5)), "limit": 20}


async def status(client: Client) -> dict:
    return (await client.request("codewhere/status", {})[1])["result"]


async def ask_while(
    client: Client, rng: random.Random, wanted: int, condition: Callable[[dict], bool]
) -> list[float]:
    """Seconds of up to `wanted` queries, as long as the condition on the status holds."""
    seconds: list[float] = []
    while len(seconds) < wanted and condition(await status(client)):
        seconds.append((await timed(client, "codewhere/search", query(rng)))[0])
        await asyncio.sleep(PAUSE)
    return seconds


async def cancellations(client: Client, rng: random.Random, n: int) -> list[float]:
    """Seconds from the cancellation to its reply, for queries that were cancelled while they ran."""
    seconds = []
    for _ in range(n):
        number, future = client.request("codewhere/search", query(rng))
        await asyncio.sleep(rng.random() * 0.01)
        began = time.perf_counter()
        client.notify("$/cancelRequest", {"id": number})
        answer = await future
        if "error" in answer:
            seconds.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE)
    return seconds


async def run(options: argparse.Namespace) -> dict:
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "CODEWHERE_HOME": home}
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *shlex.split(options.server), stdin=-1, stdout=-1, env=environment, limit=2**26
        )
        client = Client(process)
        folders = [{"uri": options.folder.resolve().as_uri(), "name": "project"}]
        await client.request("initialize", {"capabilities": {}, "workspaceFolders": folders})[1]
        first_reply, first_reply_cpu = time.perf_counter() - began, cpu_seconds(process.pid)
        client.notify("initialized", {})
        while (await status(client))["modelState"] == "loading":
            await asyncio.sleep(0.05)
        model_ready = time.perf_counter() - began

        def is_embedding(state: dict) -> bool:
            [root] = state["roots"]
            return root["coverage"] < 1

        busy = await ask_while(client, rng, options.queries, is_embedding)
        while is_embedding(await status(client)):
            await asyncio.sleep(0.2)
        indexed = time.perf_counter() - began
        idle = await ask_while(client, rng, options.queries, lambda state: True)
        cancelled = await cancellations(client, rng, options.queries)
        state = await status(client)
        memory = client.memory_mb()
        await client.request("shutdown", None)[1]
        client.notify("exit", {})
        await process.wait()
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
        "model": state["model"],
        "device": state["device"],
        "functions": state["roots"][0]["functions"],
        "first_reply_s": {"wall": round(first_reply, 2), "cpu": first_reply_cpu},
        "model_ready_s": round(model_ready, 1),
        "indexed_s": round(indexed, 1),
        "query_ms_at_rest": {**percentiles(idle), "n": len(idle)},
        "query_ms_while_embedding": {**percentiles(busy), "n": len(busy)} if busy else None,
        "cancel_ms": {**percentiles(cancelled), "n": len(cancelled)} if cancelled else None,
        "memory_mb": round(memory),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--server", default=f"{Path(sys.executable).parent / 'codewhere'} lsp")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    text = json.dumps(asyncio.run(run(options)), indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
