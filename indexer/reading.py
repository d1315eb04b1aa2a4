"""Reading and parsing files in worker processes: one for a few files, several for many."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from indexer import workers
from indexer.types import ParsedFile, SkippedFile, SourceFile
from indexer.workers import Worker, WorkerError, limit_cpu

SHARED_BYTES = 400_000  # up to here parsing takes less time than starting more workers
_CHUNK_BYTES = 200_000
_CHUNK_FILES = 64
CRASHED = "parser: it crashed or did not finish on this file, which is found by blocks of its text"
"""Reason of a file that must not be parsed again before it changes."""


Parse = Callable[[str, bytes], ParsedFile]


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

    def read(self, job: Job, parse: Parse) -> Read:
        """Read one file and parse it if its content changed; never raises on what a file holds."""
        from indexer.walk import file_hash, read_source

        content = read_source(self.root, job.file.path, self.max_file_bytes)
        if isinstance(content, SkippedFile):
            return Read(job.file, b"", content)
        digest = file_hash(content)
        if digest == job.known_hash:
            return Read(job.file, digest, None)
        return Read(job.file, digest, parse(job.file.path, content))

    def read_all(
        self, jobs: Sequence[Job], n_workers: int, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[list[Read]]:
        """Read all files and give the results in batches, in any order. Stops early when cancelled."""
        chunks = _chunks(jobs)
        if n_workers < 1 or sum(job.file.size for job in jobs) <= SHARED_BYTES:
            for chunk in chunks:
                if cancelled():
                    return
                yield _read_in(workers.SHARED, self, chunk)
            return
        yield from self._read_parallel(chunks, min(n_workers, len(chunks)), cancelled)

    def _read_parallel(
        self, chunks: Sequence[Sequence[Job]], n_workers: int, cancelled: Callable[[], bool]
    ) -> Iterator[list[Read]]:
        local = threading.local()
        started: list[Worker] = []

        def work(chunk: Sequence[Job]) -> list[Read]:
            if not hasattr(local, "worker"):
                local.worker = Worker()
                started.append(local.worker)
            return _read_in(local.worker, self, chunk)

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
            for worker in started:
                worker.stop()


def read_chunk(reader: Reader, chunk: Sequence[Job]) -> list[Read]:
    """What a worker does."""
    return [reader.read(job, _parse_limited) for job in chunk]


def _read_in(worker: Worker, reader: Reader, chunk: Sequence[Job]) -> list[Read]:
    """The results of a chunk; a file that kills the worker is read as text."""
    try:
        return worker.call(read_chunk, reader, chunk)
    except WorkerError:
        if len(chunk) == 1:
            return [reader.read(chunk[0], _parse_as_text)]
        return [result for job in chunk for result in _read_in(worker, reader, [job])]


def parse_safely(path: str, content: bytes) -> ParsedFile:
    """The functions of a text, read in a worker; blocks of text where the grammar dies of it."""
    try:
        return workers.SHARED.call(_parse_limited, path, content)
    except WorkerError:
        return _parse_as_text(path, content)


def _parse_as_text(path: str, content: bytes) -> ParsedFile:
    from indexer.parse import parse_as_text

    return parse_as_text(path, content, CRASHED)


def _parse_limited(path: str, content: bytes) -> ParsedFile:
    from indexer.parse import parse

    limit_cpu(len(content))
    return parse(path, content)


def default_workers() -> int:
    """One process per core, less one for the rest of the machine; more than 8 only wait for the writer."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, cores - 1))


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
