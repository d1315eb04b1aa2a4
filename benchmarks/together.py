"""Command line, watcher, two language servers and garbage collection on one store, while files change at random.

    python benchmarks/together.py --seconds 300 --output benchmarks/results/together.json

At the end everybody must answer as a fresh index does: the store, and each of the servers. All processes are those
that users start, with the hashing embedder of the tests in place of the model.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from common import QUERIES, ROOT, answers, differences, edit, report, write_project
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.store import check

CLI = ROOT / "tests/hash_cli.py"
SERVER = ROOT / "tests/lsp/hash_server.py"
PATIENCE_S = 120.0
LIMIT = 100
"""Results of a server at most."""


class Server:
    """A language server and what it said."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=-1,
            env=environment,
        )
        self.errors: list[str] = []
        self._replies: dict[int, Any] = {}
        self._arrived = threading.Condition()
        self._number = 0
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()
        folders = [{"uri": folder.as_uri(), "name": "project"}]
        self.request("initialize", {"capabilities": {}, "workspaceFolders": folders})
        self._send({"method": "initialized", "params": {}})

    def request(self, method: str, params: object) -> Any:
        """The reply to a request."""
        with self._arrived:
            self._number += 1
            number = self._number
            self._send({"id": number, "method": method, "params": params})
            if not self._arrived.wait_for(lambda: number in self._replies, PATIENCE_S):
                raise TimeoutError(f"no reply to {method}")
            reply = self._replies.pop(number)
        if "error" in reply:
            self.errors.append(f"{method}: {json.dumps(reply['error'])[:300]}")
        return reply.get("result")

    def stop(self) -> int:
        """Its exit status."""
        self.request("shutdown", None)
        self._send({"method": "exit", "params": {}})
        return self.process.wait(PATIENCE_S)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while line := stream.readline():
            length = int(line.split(b":")[1])
            while stream.readline().strip():
                pass
            message = json.loads(stream.read(length))
            with self._arrived:
                if "method" in message and "id" in message:
                    self._send({"id": message["id"], "result": None})
                elif "id" in message:
                    self._replies[message["id"]] = message
                    self._arrived.notify_all()
                elif message["method"] == "window/showMessage":
                    self.errors.append(message["params"]["message"])

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if b"Traceback" in line or b"Error" in line:
                self.errors.append(line.decode(errors="replace").strip())


class Together:
    """One run."""

    def __init__(self, work: Path, seed: int) -> None:
        self.folder, self.home, self.fresh = work / "project", work / "home", work / "fresh"
        self.rng = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CODEWHERE_")}
        places = {"CODEWHERE_HOME": str(self.home), "XDG_CONFIG_HOME": str(work / "config")}
        self.environment = {**kept, **places}

    def run(self, seconds: float) -> dict[str, Any]:
        write_project(self.folder, 40, 4)
        watcher = self._start("watch", str(self.folder), "--json")
        servers = [Server(self.folder, self.environment) for _ in range(2)]
        end = time.monotonic() + seconds
        threads = [threading.Thread(target=self._command_line, args=(end,))]
        threads += [threading.Thread(target=self._ask, args=(server, end)) for server in servers]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            edit(self.folder, self.rng)
            self.counts["edits"] += 1
            time.sleep(self.rng.uniform(0.0, 0.2))
        for thread in threads:
            thread.join()
        self._compare(servers)
        self._stop(watcher, servers)
        return {"seconds": seconds, "counts": dict(sorted(self.counts.items())), "problems": self.problems}

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": self.environment}
        process = subprocess.Popen([sys.executable, CLI, *arguments], **pipes)
        if arguments[0] == "watch":
            threading.Thread(target=self._count_updates, args=(process,), daemon=True).start()
        return process

    def _count_updates(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for _ in process.stdout:
            self.counts["updates of the watcher"] += 1

    def _command_line(self, end: float) -> None:
        rng = random.Random(1)
        while time.monotonic() < end:
            command = rng.choice(
                [
                    ["index", str(self.folder), "--json"],
                    ["search", rng.choice(QUERIES), str(self.folder), "--json"],
                    ["gc", "--grace-days", "0", "--json"],
                    ["status", "--json"],
                ]
            )
            process = self._start(*command)
            _, errors = process.communicate(timeout=PATIENCE_S)
            self.counts[f"codewhere {command[0]}"] += 1
            # A search before the first index was written is refused; that is no fault.
            early = command[0] == "search" and b"not indexed" in errors
            if process.returncode and not early:
                self.problems.append(f"{command[0]}: {errors.decode(errors='replace')[-300:]}")

    def _ask(self, server: Server, end: float) -> None:
        rng = random.Random(server.process.pid)
        while time.monotonic() < end:
            server.request("codewhere/search", {"query": rng.choice(QUERIES), "limit": 20})
            self.counts["searches of the servers"] += 1
            time.sleep(0.1)

    def _compare(self, servers: list[Server]) -> None:
        with self._open(self.fresh) as index:
            index.update()
            expected = answers(index)
            wanted = [above_the_last(served(index, query)) for query in QUERIES]
        self._compare_store(expected)
        for number, server in enumerate(servers):
            started = time.monotonic()
            while (told := self._differs(server, wanted)) and time.monotonic() < started + PATIENCE_S / 4:
                time.sleep(0.2)  # an event may still be on its way to it
            self.problems += [f"server {number}: {sentence}" for sentence in told]
        self.problems += [f"check: {problem}" for problem in check(self.home)]

    def _compare_store(self, expected: list[Any]) -> None:
        """What the watcher has done must be all there is to do."""
        started = time.monotonic()
        with self._open(self.home) as index:
            while (
                told := differences(answers(index), expected)
            ) and time.monotonic() < started + PATIENCE_S / 4:
                time.sleep(0.2)
            self.counts["seconds until the store was up to date"] = round(time.monotonic() - started)
            self.problems += [f"store: {sentence}" for sentence in told]
            index.update()
            self.problems += [f"store, updated: {text}" for text in differences(answers(index), expected)]

    def _differs(self, server: Server, wanted: list[tuple[set[tuple[str, int]], float]]) -> list[str]:
        told = []
        for query, (right, least) in zip(QUERIES, wanted, strict=True):
            results = server.request("codewhere/search", {"query": query, "limit": LIMIT})["results"]
            places = {(r["path"], r["range"]["start"]["line"]) for r in results}
            better = {(r["path"], r["range"]["start"]["line"]) for r in results if r["score"] > least + 0.004}
            found = better | (places & right)
            if found != right:
                told.append(
                    f"{query!r}: {len(right - found)} functions lacking, {len(found - right)} too many"
                )
        return told

    def _open(self, home: Path) -> Index:
        return open_index(self.folder, config=Config(home=home), embedder=HashEmbedder())

    def _stop(self, watcher: subprocess.Popen[bytes], servers: list[Server]) -> None:
        watcher.terminate()
        errors = watcher.stderr.read() if watcher.stderr else b""
        watcher.wait(PATIENCE_S)
        if b"Traceback" in errors:
            self.problems.append(f"watcher: {errors.decode(errors='replace')[-300:]}")
        for number, server in enumerate(servers):
            status = server.stop()
            self.problems += [f"server {number}: {text}" for text in server.errors]
            self.problems += [f"server {number} ended with {status}"] if status else []


def served(index: Index, query: str) -> Any:
    return index.search(query, limit=LIMIT).results


def above_the_last(results: Any) -> tuple[set[tuple[str, int]], float]:
    """Places of the results, less those as good as the last one: which of these are cut off is open."""
    least = results[-1].score + 0.002 if len(results) == LIMIT else 0.0
    return {_place(result) for result in results if result.score > least}, least


def _place(result: Any) -> tuple[str, int]:
    return result.function.path, result.function.start_line


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="codewhere-together-") as work:
        result = Together(Path(work).resolve(), options.seed).run(options.seconds)
    report(result, options.output)
    return int(bool(result["problems"]))


if __name__ == "__main__":
    sys.exit(main())
