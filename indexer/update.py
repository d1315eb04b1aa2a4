"""One update of an index: walk, compare, parse what changed, then embed what has no vector yet.

Every batch is one transaction, so that a stop at any moment loses the batch in flight at most. Words are
written before anything is embedded. Two locks keep writers of one root apart: the one for files is held for
moments, the one for vectors as long as embedding takes, so an edit need not wait for a first index to end.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from indexer.ahead import run_ahead
from indexer.config import Config
from indexer.errors import UserError
from indexer.memory import give_back
from indexer.reading import CRASHED, Job, Read, Reader, default_workers
from indexer.store import FileRow, Store
from indexer.types import (
    Draft,
    Embedder,
    ParsedFile,
    Progress,
    SkippedFile,
    SourceFile,
    UpdateReport,
    Vectors,
)

_FIRST_BATCH = 4  # texts for the embedder at a time, until it is known how fast it is
_LARGEST_BATCH = 1_024
_WORTH_DRAFTS = 100  # functions; fewer have their vectors in seconds
_DRAFTS_AT_ONCE = 256  # a question waits for them
_REMOVED_AT_ONCE = 100  # files; writers of other roots wait for one transaction at a time
_GC_EVERY_S = 86_400.0
_RACY_NS = 2_000_000_000  # the coarsest time stamps of a file system still in use (FAT)
_VANISHED = "vanished"


@dataclass(frozen=True)
class Request:
    """What the caller of an update wants."""

    paths: tuple[str, ...] | None = None
    """Root-relative files and folders to look at; None looks at everything."""
    first: tuple[str, ...] = ()
    """Files whose functions are embedded before the others."""
    on_progress: Callable[[Progress], None] = lambda progress: None
    asked: Callable[[], Sequence[int]] = lambda: ()
    """Functions that the last searches would have liked vectors of, the last search's first; they are embedded next."""
    cancelled: Callable[[], bool] = lambda: False
    yield_to: Callable[[], None] = lambda: None
    """Called before each batch goes to the embedder; it may wait while something urgent uses the device."""
    wait: bool = True
    batch_size: int | None = None
    """Texts for the embedder at a time; None takes what it does in `batch_seconds`."""
    batch_seconds: float = 4.0
    """A kill or a stop costs one batch, so it must be short, yet long enough to fill a GPU."""


class _Computed(NamedTuple):
    """One batch that the embedder is done with."""

    n: int
    vectors: list[tuple[int, Vectors]]
    seconds: float


@dataclass
class Update:
    """One update of one root; `run` does it."""

    store: Store
    root: Path
    config: Config
    request: Request
    load_embedder: Callable[[], Embedder | None]
    """Called once words are written; None leaves it at words."""
    report: UpdateReport = field(default_factory=UpdateReport)
    _sources: list[SourceFile] = field(default_factory=list)
    _read_anew: set[str] = field(default_factory=set)

    def run(self) -> UpdateReport:
        """Do the update; `UserError` and `RootBusy` leave the index as far as it had come."""
        start = time.monotonic()
        root_id = self.store.ensure_root(str(self.root))
        if self.store.replaced:
            # The database that was open was removed meanwhile, and the new one has none of the other files.
            self.request = replace(self.request, paths=None)
        with self._locked(root_id, "files") as held:
            if held:
                self._write_files(root_id)
        embedder = None if self._stopped(held) else self._embed(root_id)
        if not self.report.cancelled:
            self._finish(root_id)
        self._count(root_id, embedder)
        self.report.elapsed_s = time.monotonic() - start
        return self.report

    def _stopped(self, held: bool) -> bool:
        self.report.cancelled = self.report.cancelled or not held or self.request.cancelled()
        return self.report.cancelled

    @contextlib.contextmanager
    def _locked(self, root_id: int, purpose: str) -> Iterator[bool]:
        def on_wait(pid: int | None) -> None:
            who = f"process {pid}" if pid else "another process"
            self._tell("wait", 0, 0, f"{self.root} is being indexed by {who}; waiting for it")

        lock = self.store.lock(root_id, str(self.root), purpose)
        with lock.hold(wait=self.request.wait, on_wait=on_wait, cancelled=self.request.cancelled) as held:
            yield held

    # Files

    def _write_files(self, root_id: int) -> None:
        if self.store.ensure_words(root_id):
            self.report.notes.append(
                "The index of words was made anew: this version splits words differently."
            )
        scope = _scope(self.request.paths)
        known = self.store.files(root_id, scope)
        started_ns = time.time_ns()
        skipped = self._walk(known)
        here = {source.path for source in self._sources}
        removed = [row for path, row in known.items() if path not in here]
        for start in range(0, len(removed), _REMOVED_AT_ONCE):
            self.store.write_batch(root_id, removed=removed[start : start + _REMOVED_AT_ONCE])
        self.report.removed = len(removed)
        self._read(root_id, known, started_ns, skipped)
        skipped += self._still_crashing(root_id)
        self.store.set_skipped(root_id, skipped, scope)
        self.report.skipped = skipped

    def _still_crashing(self, root_id: int) -> list[SkippedFile]:
        """Files the parser crashed on before; they did not change since, so they were not parsed again."""
        before = [item for item in self.store.skipped(root_id) if item.reason == CRASHED]
        untouched = {source.path for source in self._sources} - self._read_anew
        return [item for item in before if item.path in untouched]

    def _walk(self, known: dict[str, FileRow]) -> list[SkippedFile]:
        from indexer.walk import walk

        skipped: list[SkippedFile] = []
        self._tell("walk", 0, 0)
        # Another version of codewhere may tell tests and generated files differently.
        seen = {
            path: (row.size, row.changed_ns, row.demoted)
            for path, row in known.items()
            if row.parser_version == _parser_version()
        }
        for found in walk(self.root, self._walk_config(), known=seen, paths=self.request.paths):
            if isinstance(found, SkippedFile):
                skipped.append(found)
            else:
                self._sources.append(found)
                if len(self._sources) % 500 == 0:
                    self._tell("walk", len(self._sources), 0)
        return skipped

    def _walk_config(self) -> Config:
        """The settings, less the store itself where it lies inside the root."""
        home = self.config.home.resolve()
        if not home.is_relative_to(self.root) or home == self.root:
            return self.config
        return replace(
            self.config, exclude=(*self.config.exclude, f"/{home.relative_to(self.root).as_posix()}/")
        )

    def _read(
        self, root_id: int, known: dict[str, FileRow], started_ns: int, skipped: list[SkippedFile]
    ) -> None:
        jobs: list[Job] = []
        touched: list[FileRow] = []
        for source in self._sources:
            row = known.get(source.path)
            if row is None or row.parser_version != _parser_version():
                jobs.append(Job(source, b""))
            elif (row.size, row.changed_ns) != (source.size, source.changed_ns):
                jobs.append(Job(source, row.hash))
            elif row.demoted != source.demoted:
                touched.append(row._replace(demoted=source.demoted))
        if touched:
            self.store.write_batch(root_id, touched=touched)
        done = 0
        reader = Reader(self.root, self.config.max_file_bytes)
        self._tell("parse", 0, len(jobs))
        for batch in reader.read_all(jobs, default_workers(), self.request.cancelled):
            self._write_batch(root_id, known, batch, started_ns, skipped)
            done += len(batch)
            self._tell("parse", done, len(jobs), batch[-1].file.path)
        self.report.cancelled = done < len(jobs)

    def _write_batch(
        self,
        root_id: int,
        known: dict[str, FileRow],
        batch: Sequence[Read],
        started_ns: int,
        skipped: list[SkippedFile],
    ) -> None:
        parsed: list[tuple[FileRow, ParsedFile]] = []
        touched: list[FileRow] = []
        removed: list[FileRow] = []
        for read in batch:
            row = _row(read, started_ns)
            old = known.get(read.file.path)
            if isinstance(read.result, ParsedFile):
                parsed.append((row, read.result))
                if any(error.message == CRASHED for error in read.result.errors):
                    skipped.append(SkippedFile(read.file.path, CRASHED))
            elif isinstance(read.result, SkippedFile):
                if old is not None:
                    removed.append(old)
                # What vanished was not left out: there is nothing any more that could be found.
                skipped += [] if read.result.reason.startswith(_VANISHED) else [read.result]
            elif old is not None:
                touched.append(row._replace(id=old.id))
        self._read_anew |= {read.file.path for read in batch if read.result is not None}
        self.store.write_batch(
            root_id,
            parsed=[(row, result.functions) for row, result in parsed],
            touched=touched,
            removed=removed,
        )
        self.report.parsed += len(parsed)
        self.report.removed += len(removed)

    # Vectors

    def _embed(self, root_id: int) -> Embedder | None:
        embedder = self.load_embedder()
        if embedder is None:
            return None
        model = self.store.use_model(root_id, embedder.fingerprint, embedder.name, embedder.dim)
        if self.request.paths is not None:
            # A few files: the vectors are short work and must not wait for whoever embeds the whole root.
            only = [source.path for source in self._sources]
            self._embed_missing(embedder, model, self.store.missing(root_id, model, self.request.first, only))
            return embedder
        with self._locked(root_id, "vectors") as held:
            if held:
                missing = self.store.missing(root_id, model, self.request.first)
                self._embed_missing(embedder, model, missing)
                covered, _ = self.store.coverage(root_id, embedder.fingerprint)
                self.report.reused = covered - self.report.embedded
            if not self._stopped(held):
                self._improve_graph(root_id, embedder)
        if self.report.embedded:
            give_back()
        return embedder

    def _draft_missing(self, embedder: Embedder, model: int, missing: Sequence[int]) -> None:
        """Guess the vectors that take long to compute, so that a question finds by meaning what waits for its own."""
        draft: Draft | None = getattr(embedder, "draft", None)
        if draft is None or embedder.device != "cpu" or len(missing) < _WORTH_DRAFTS:
            return
        waiting = self.store.without_drafts(model, missing)
        try:
            for start in range(0, len(waiting), _DRAFTS_AT_ONCE):
                self._tell("draft", start, len(waiting))
                self.request.yield_to()
                if self.request.cancelled():
                    return
                texts = self.store.texts(model, waiting[start : start + _DRAFTS_AT_ONCE])
                self.store.add_drafts(model, list(texts), draft.encode(list(texts.values())))
        finally:
            draft.release()

    def _embed_missing(self, embedder: Embedder, model: int, missing: Sequence[int]) -> None:
        settle = getattr(embedder, "settle_device", None)
        if settle is not None and missing:
            settle()
        self._draft_missing(embedder, model, missing)
        self._tell("embed", 0, len(missing))
        done = 0
        size = self.request.batch_size or _FIRST_BATCH

        waiting = dict.fromkeys(missing)

        def batches() -> Iterator[Callable[[], _Computed]]:
            while waiting:
                self.request.yield_to()
                if self.request.cancelled():
                    self.report.cancelled = True
                    return
                batch = self._next_batch(waiting, size)
                yield functools.partial(self._compute, embedder, model, batch)

        # A GPU computes one batch while the CPU reads, tokenises and writes others.
        for computed in run_ahead(batches(), 0 if embedder.device == "cpu" else 2):
            self.store.add_vectors(model, computed.vectors)
            self.report.embedded += len(computed.vectors)
            done += computed.n
            self._tell("embed", done, len(missing), embedder.device)
            size = self.request.batch_size or _next_size(
                computed.n, computed.seconds, self.request.batch_seconds
            )

    def _next_batch(self, waiting: dict[int, None], size: int) -> list[int]:
        """Take up to `size` contents off those that wait: what was asked for meanwhile, then in their order."""
        functions = self.request.asked()
        asked = self.store.contents_of(functions) if functions else []
        wanted = dict.fromkeys((*filter(waiting.__contains__, asked), *islice(waiting, size)))
        batch = list(wanted)[:size]
        for content in batch:
            del waiting[content]
        return batch

    def _compute(self, embedder: Embedder, model: int, batch: Sequence[int]) -> _Computed:
        start = time.monotonic()
        # Another process may have embedded some of them meanwhile, for another root.
        vectors = embed(embedder, self.store.texts(model, batch))
        return _Computed(len(batch), vectors, time.monotonic() - start)

    def _improve_graph(self, root_id: int, embedder: Embedder) -> None:
        self._tell("finish", 0, 0, "the index of vectors")
        threads = self.config.threads or default_workers()
        try:
            self.store.improve_graph(
                root_id, embedder.fingerprint, embedder.dim, threads, self.request.cancelled
            )
        except OSError as error:
            # Only a cache: without it the vectors are scanned one by one.
            self.report.notes.append(f"The cache for fast search could not be written ({error}).")

    def _finish(self, root_id: int) -> None:
        if self.request.paths is None:
            self.store.finish(root_id)
            if time.time() - self.store.last_gc() > _GC_EVERY_S:
                self.store.gc()

    def _count(self, root_id: int, embedder: Embedder | None) -> None:
        fingerprint = embedder.fingerprint if embedder is not None else ""
        self.report.files = self.store.count_files(root_id)
        _, self.report.functions = self.store.coverage(root_id, fingerprint)

    def _tell(self, stage: str, done: int, total: int, message: str = "") -> None:
        self.request.on_progress(Progress(stage, done, total, message))


def embed(embedder: Embedder, texts: dict[int, str]) -> list[tuple[int, Vectors]]:
    """Content id -> float32 [windows, dim]: the windows of all texts go to the embedder together."""
    windows = embedder.split_windows(list(texts.values()))
    flat = [window for group in windows for window in group]
    if not flat:
        return []
    vectors = embedder.encode_code(flat)
    if vectors.shape != (len(flat), embedder.dim):
        raise UserError(
            f"The model {embedder.name} gave vectors of shape {vectors.shape} for {len(flat)} texts of"
            f" dimension {embedder.dim}. Use another model (`codewhere models`)."
        )
    result: list[tuple[int, Vectors]] = []
    start = 0
    for content, group in zip(texts, windows, strict=True):
        result.append((content, vectors[start : start + len(group)]))
        start += len(group)
    return result


def _scope(paths: Sequence[str] | None) -> list[str] | None:
    """The paths as they are in the store; None for the whole root. What leads out of it is left out."""
    if paths is None:
        return None
    inside = [PurePosixPath(path).parts for path in paths if not path.startswith("/")]
    scope = ["/".join(parts) for parts in inside if ".." not in parts]
    return None if "" in scope else scope


def _next_size(size: int, elapsed: float, longest: float) -> int:
    """Size of the next batch after one of `size` texts took so many seconds."""
    wanted = size
    if elapsed < longest / 3:
        wanted = size * 4 if elapsed < longest / 12 else size * 2
    elif elapsed > longest:
        wanted = size // 2
    return max(1, min(_LARGEST_BATCH, wanted))


def _row(read: Read, started_ns: int) -> FileRow:
    file = read.file
    # A file changed this recently could change again within the same tick of its time stamp.
    racy = file.changed_ns >= started_ns - _RACY_NS
    changed_ns = -1 if racy else file.changed_ns
    return FileRow(0, file.path, file.size, changed_ns, read.hash, file.demoted, _parser_version())


def _parser_version() -> int:
    from indexer.parse import PARSER_VERSION

    return PARSER_VERSION
