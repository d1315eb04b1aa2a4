"""A store on trial: a small project, a record of all that was embedded for it, and processes to be hurt."""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import sqlite3
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from common import answers, differences, write_project
from fakes import HashEmbedder

import indexer.parse
from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.rank import tokens
from indexer.store import check, hnsw, lexical, schema, write
from indexer.store import store as store_module
from indexer.store.database import FILE_NAME
from indexer.types import Progress, Vectors

BATCH = 4
FILES, PER_FILE = 16, 5
GRAPH_FROM = 20
"""Vectors from which there is a graph, so few that these small projects have one."""
STEPS = """
ALTER TABLE roots ADD COLUMN colour TEXT;
CREATE TABLE rewritten AS SELECT a.* FROM vectors a JOIN (SELECT id FROM vectors LIMIT 40) b;
DROP TABLE rewritten;
CREATE INDEX functions_by_kind ON functions(kind);
"""
"""A format to come: migrating to it takes a while and touches most pages."""


class Recorder(HashEmbedder):
    """Writes down a digest of each text that it embeds, in a file that outlives a kill."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def encode_code(self, texts: Sequence[str]) -> Vectors:
        vectors = super().encode_code(texts)
        # Written before the store gets the vectors: what is on its way at a kill counts as embedded.
        os.write(self._log, b"".join(b"%016x\n" % (hash_text(text)) for text in texts))
        return vectors


def hash_text(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Trial:
    """One store of one project, in a folder of its own."""

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self.home, self.root, self.log = folder / "home", folder / "project", folder / "embedded"
        self.fresh = folder / "fresh"
        self.stage = mmap.mmap(-1, 16)
        folder.mkdir()
        if template is None:
            write_project(self.root, FILES, PER_FILE)
        else:
            shutil.copytree(template / "project", self.root, symlinks=True)
            shutil.copytree(template / "home", self.home)
            shutil.copy(template / "embedded", self.log)
            self._point_to_copy()
        self.log.touch()

    def _point_to_copy(self) -> None:
        path = self.home / FILE_NAME
        if path.exists():
            with closing(sqlite3.connect(path)) as db, db:
                db.execute("UPDATE roots SET path = ?", (str(self.root).encode(),))

    def open(self, home: Path | None = None) -> Index:
        embedder = Recorder(self.log) if home is None else HashEmbedder()
        return open_index(self.root, config=Config(home=home or self.home), embedder=embedder)

    def update(self, index: Index, **options: Any) -> Any:
        return index.update(batch_size=BATCH, on_progress=self.tell, **options)

    def tell(self, progress: Progress) -> None:
        self.stage[:16] = progress.stage.encode().ljust(16)[:16]

    def embedded_again(self, only: set[str] | None = None) -> int:
        counts = Counter(self.log.read_text().split())
        return sum(count - 1 for text, count in counts.items() if only is None or text in only)

    def verify(self, allowed_again: int, only: set[str] | None = None) -> list[str]:
        """Sentences on what is wrong after a fault and one more update."""
        told = [f"check: {problem}" for problem in check(self.home)]
        with self.open() as index:
            if index.indexed:
                answers(index)
            self.update(index)
            found = answers(index)
            if index.status().coverage != 1.0:
                told.append("coverage is not complete")
        again = self.embedded_again(only)
        if again > allowed_again:
            told.append(f"{again} texts embedded again, {allowed_again} allowed")
        told += [f"check afterwards: {problem}" for problem in check(self.home)]
        with self.open(self.fresh) as index:
            index.update()
            return told + differences(found, answers(index))


@contextmanager
def newer_version() -> Iterator[None]:
    """The program as a later version may be: another format, other words, another parser."""
    before = schema.MIGRATIONS, schema.VERSION, tokens.TOKENS_VERSION, indexer.parse.PARSER_VERSION
    set_version(((*schema.MIGRATIONS, STEPS)), schema.VERSION + 1, before[2] + 1, before[3] + 1)
    try:
        yield
    finally:
        set_version(*before)


def set_version(migrations: tuple[str, ...], version: int, words: int, parser: int) -> None:
    schema.MIGRATIONS, schema.VERSION = migrations, version
    for module in (lexical, store_module, write):
        module.TOKENS_VERSION = words
    indexer.parse.PARSER_VERSION = parser


def fork(job: Callable[[], Any]) -> int:
    """Run something in a process of its own, in the state this one is in."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        hnsw.EXACT_LIMIT = GRAPH_FROM
        job()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def wait_for(child: int) -> None:
    status = os.waitpid(child, 0)[1]
    if status:
        raise RuntimeError(f"a process ended with {status}")


def told_by(job: Callable[[], list[str] | None]) -> list[str]:
    """What a job in a process of its own returns; how it ended, if it did not."""
    with tempfile.TemporaryFile() as file:

        def write_down() -> None:
            try:
                lines = job() or []
            except BaseException as error:
                traceback.print_exc()
                lines = [f"{type(error).__name__}: {error}"[:300]]
            os.write(file.fileno(), "\0".join(lines).encode())

        child = fork(write_down)
        status = os.waitpid(child, 0)[1]
        file.seek(0)
        lines = [line for line in file.read().decode().split("\0") if line]
    return lines + ([f"ended with status {status}"] if status else [])
