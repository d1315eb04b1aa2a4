"""Reading and parsing files, in this process or spread over worker processes.

The workers are plain subprocesses that exchange pickles over their pipes. So a grammar that crashes or hangs
costs one file, not the run, and no start method of `multiprocessing` runs the caller's main module again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from indexer.types import ParsedFile, SkippedFile, SourceFile

IN_PROCESS_BYTES = 400_000  # up to here parsing takes less time than starting the workers
_CHUNK_BYTES = 200_000
_CHUNK_FILES = 64
_TIMEOUT_S = 60.0  # for a chunk, which takes about 0.1 s; what takes longer hangs
_MOST_MEMORY = 2_000_000_000  # bytes for a worker; ten kilobytes of odd code have taken more
CRASHED = "parser: it crashed or did not finish on this file"
"""Reason of a file that must not be tried again before it changes."""
_START = "import sys; sys.path[:] = sys.argv[1:]; from indexer.reading import serve; serve()"


class Job(NamedTuple):
    """One file to read."""

    file: SourceFile
    known_hash: bytes
    """Of the content when it was parsed last; empty when it must be parsed in any case."""


class Read(NamedTuple):
    """What reading one file gave; `result` is None when the content is as it was."""

    file: SourceFile
    hash: bytes
    result: ParsedFile | SkippedFile | None


@dataclass(frozen=True)
class Reader:
    """Reads files of one root."""

    root: Path
    max_file_bytes: int

    def read(self, job: Job) -> Read:
        """Read one file and parse it if its content changed; never raises on what a file holds."""
        from indexer.walk import read_source

        content = read_source(self.root, job.file.path, self.max_file_bytes)
        return self._read(job, content)

    def read_here(self, job: Job) -> Read:
        """Read one file as a process does that must not die, whatever the file does to a grammar."""
        from indexer.languages.trees import is_repetitive
        from indexer.walk import read_source

        content = read_source(self.root, job.file.path, self.max_file_bytes)
        if isinstance(content, SkippedFile) or not is_repetitive(content):
            return self._read(job, content)
        worker = _Worker(self)
        try:
            return worker.read([job])[0]
        finally:
            worker.stop()

    def _read(self, job: Job, content: bytes | SkippedFile) -> Read:
        from indexer.parse import parse

        if isinstance(content, SkippedFile):
            return Read(job.file, b"", content)
        digest = hashlib.blake2b(content, digest_size=16).digest()
        if digest == job.known_hash:
            return Read(job.file, digest, None)
        return Read(job.file, digest, parse(job.file.path, content))

    def read_all(
        self, jobs: Sequence[Job], n_workers: int, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[list[Read]]:
        """Read all files and give the results in batches, in any order. Stops early when cancelled."""
        chunks = _chunks(jobs)
        if n_workers < 1 or sum(job.file.size for job in jobs) <= IN_PROCESS_BYTES:
            for chunk in chunks:
                if cancelled():
                    return
                yield [self.read_here(job) for job in chunk]
            return
        yield from self._read_parallel(chunks, min(n_workers, len(chunks)), cancelled)

    def _read_parallel(
        self, chunks: Sequence[Sequence[Job]], n_workers: int, cancelled: Callable[[], bool]
    ) -> Iterator[list[Read]]:
        local = threading.local()
        workers: list[_Worker] = []

        def work(chunk: Sequence[Job]) -> list[Read]:
            if not hasattr(local, "worker"):
                local.worker = _Worker(self)
                workers.append(local.worker)
            worker: _Worker = local.worker
            return worker.read(chunk)

        pool = ThreadPoolExecutor(n_workers)
        waiting = list(reversed(chunks))
        running: set[Future[list[Read]]] = set()
        try:
            while (waiting or running) and not cancelled():
                # Only so much is under way that results do not pile up in memory.
                while waiting and len(running) < 2 * n_workers:
                    running.add(pool.submit(work, waiting.pop()))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
            for worker in workers:
                worker.stop()


class _Worker:
    """One subprocess that parses; it is started again when it dies."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, chunk: Sequence[Job]) -> list[Read]:
        """The results of a chunk; a file that kills the worker is skipped with the reason."""
        results = self._ask(chunk)
        if results is not None:
            return results
        if len(chunk) == 1:
            job = chunk[0]
            return [Read(job.file, b"", SkippedFile(job.file.path, CRASHED))]
        return [result for job in chunk for result in self.read([job])]

    def stop(self) -> None:
        """End the subprocess."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, chunk: Sequence[Job]) -> list[Read] | None:
        process = self._process = self._process or _start()
        assert process.stdin is not None and process.stdout is not None
        timer = threading.Timer(_TIMEOUT_S, process.kill)
        timer.start()
        try:
            pickle.dump((self._reader, list(chunk)), process.stdin)
            process.stdin.flush()
            results: list[Read] = pickle.load(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            self.stop()
            return None
        finally:
            timer.cancel()
        return results


def default_workers() -> int:
    """One process per core, less one for the rest of the machine; more than 8 only wait for the writer."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, cores - 1))


def serve() -> None:
    """The main loop of a worker: chunks in from stdin, results out to stdout, until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the pipe
    out = os.fdopen(os.dup(1), "wb")
    _limit_memory()
    os.dup2(2, 1)  # whatever a library prints must not get between the pickles
    while True:
        try:
            reader, chunk = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump([reader.read(job) for job in chunk], out)
        out.flush()


def _limit_memory() -> None:
    """Die of a file that makes a grammar keep every way to read it, before the machine runs out of memory."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _START, *sys.path]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _chunks(jobs: Sequence[Job]) -> list[list[Job]]:
    chunks: list[list[Job]] = []
    size = 0
    for job in jobs:
        if not chunks or size + job.file.size > _CHUNK_BYTES or len(chunks[-1]) >= _CHUNK_FILES:
            chunks.append([])
            size = 0
        chunks[-1].append(job)
        size += job.file.size
    return chunks
