"""The HNSW file of one root and model: a cache of the vectors in SQLite that may be lost at any time.

Two files: the graph as hnswlib writes it, and a small JSON header with its checksum. hnswlib trusts what it
reads, so a graph whose checksum is wrong is never given to it.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.store.records import Ids
from indexer.types import Vectors

if TYPE_CHECKING:
    from hnswlib import Index  # type: ignore[import-untyped]

FOLDER = "hnsw"
"""Of all graphs, in the data folder."""
FORMAT = 1
# Measured by benchmarks/hnsw.py: recall@10 against exact search is 0.9998 over 50,000 vectors of functions by the
# shipped model (512 dimensions), 0.9996 with half of ef, as much with half of M. Over the 232,000 vectors of
# benchmarks/scale.py, made of words and harder, it is 0.953 with half of ef and 0.971 with this, for 1.9 ms.
M = 16
EF_CONSTRUCTION = 200
EF = 256
EXACT_LIMIT = 20_000  # a scan of so many takes 3 ms, and there is no graph to build, to load and to keep
REBUILD_SHARE = 0.25  # of vectors that no function has any more; they cost time and memory, not recall
# Of new vectors, which are scanned meanwhile; every extension writes the whole file again.
EXTEND_SHARE = 0.02

_ADMITTED = "graph "
"""Begins the name of a setting that admits a graph file."""
_ADD_CHUNK = 4_096
_READ_CHUNK = 1 << 22


Load = Callable[[Ids], tuple[Ids, Vectors]]
"""Reads vectors by id: float32 [n, d] with the ids that are really there."""


@dataclass(frozen=True)
class Header:
    """What is known of a graph file without reading it."""

    format: int
    fingerprint: str
    dim: int
    count: int
    generation: int
    file: str
    size: int
    checksum: int


class Graph:
    """An HNSW graph in memory; never changed once it is shared."""

    def __init__(self, index: Index, header: Header | None = None) -> None:
        self._index = index
        self.header = header
        self.labels: Ids = np.sort(np.array(index.get_ids_list(), np.int64))

    def search(self, query: Vectors, k: int) -> tuple[Ids, Vectors]:
        """The k nearest vectors of one query, float32 [d], with their cosines."""
        k = min(k, len(self.labels))
        self._index.set_ef(max(EF, k))
        labels, distances = self._index.knn_query(query[None], k=k, num_threads=1)
        return labels[0].astype(np.int64), 1 - distances[0]

    def vectors(self, labels: Ids) -> Vectors:
        """Vectors by label, float32 [n, d]; every label must be in `labels`."""
        return np.asarray(self._index.get_items(labels, return_type="numpy"), np.float32)

    def add(
        self, labels: Ids, load: Load, threads: int, cancelled: Callable[[], bool] = lambda: False
    ) -> bool:
        """Add vectors, read a few at a time; False when it was cancelled. Only for the graph's only owner."""
        self._index.resize_index(max(len(self.labels) + len(labels), 1))
        for start in range(0, len(labels), _ADD_CHUNK):
            if cancelled():
                return False
            found, vectors = load(labels[start : start + _ADD_CHUNK])
            if len(found):
                self._index.add_items(vectors, found, num_threads=threads)
            self.labels = np.union1d(self.labels, found)
        return True

    def save(
        self,
        folder: Path,
        root_id: int,
        fingerprint: str,
        generation: int,
        admit: Callable[[str], None] = lambda name: None,
    ) -> None:
        """Write the files beside the old ones, then make them the valid ones by renaming the header.

        :param admit: Called with the name of the graph file in between, to write it down in the database.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stem = _stem(root_id, fingerprint)
        path = folder / f"{stem}.{generation}.{secrets.token_hex(8)}.graph"
        temporary = folder / f"{stem}.{os.getpid()}.tmp"
        try:
            self._index.save_index(str(path))
            path.chmod(0o600)
            size, checksum = _checksum(path)
            if size != self._index.index_file_size():
                # hnswlib does not look whether its writes succeed.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            dim = int(self._index.dim)
            header = Header(FORMAT, fingerprint, dim, len(self.labels), generation, path.name, size, checksum)
            temporary.write_text(json.dumps(asdict(header)), encoding="utf-8")
            admit(path.name)
            temporary.replace(folder / f"{stem}.json")
        except BaseException:
            path.unlink(missing_ok=True)
            temporary.unlink(missing_ok=True)
            raise
        _remove(folder, stem, keep={path.name, f"{stem}.json"})


def admit(db: sqlite3.Connection, name: str) -> None:
    """Write down that a graph file was made from this database.

    Its labels are ids of this database: beside a new one, or one that came from a backup, they would stand
    for other vectors, and nothing in the file itself could tell.
    """
    db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, '')", (_ADMITTED + name,))


def is_admitted(db: sqlite3.Connection, name: str) -> bool:
    """Whether a graph file was made from this database."""
    row = db.execute("SELECT 1 FROM settings WHERE name = ?", (_ADMITTED + name,)).fetchone()
    return row is not None


def forget_missing(db: sqlite3.Connection, folder: Path) -> None:
    """Remove the notes on graph files that are gone."""
    for (name,) in db.execute("SELECT name FROM settings WHERE name GLOB ?", (f"{_ADMITTED}*",)).fetchall():
        if not (folder / name[len(_ADMITTED) :]).exists():
            db.execute("DELETE FROM settings WHERE name = ?", (name,))


def new_graph(dim: int) -> Graph:
    """An empty graph for normalised vectors."""
    import hnswlib

    index = hnswlib.Index(space="ip", dim=dim)
    # A fixed seed: the same vectors give the same graph, so answers repeat.
    index.init_index(max_elements=1, M=M, ef_construction=EF_CONSTRUCTION, random_seed=100)
    return Graph(index)


def read_header(folder: Path, root_id: int, fingerprint: str, dim: int) -> Header | None:
    """The header of a root's graph; None when there is none or it is of another format or model."""
    try:
        values = json.loads((folder / f"{_stem(root_id, fingerprint)}.json").read_text(encoding="utf-8"))
        header = Header(**values)
    except (OSError, ValueError, TypeError):
        return None
    fits = (header.format, header.fingerprint, header.dim) == (FORMAT, fingerprint, dim)
    return header if fits else None


def load(folder: Path, header: Header) -> Graph | None:
    """The graph a header speaks of; None when the file is missing, cut or altered."""
    import hnswlib

    path = folder / Path(header.file).name
    try:
        if _checksum(path) != (header.size, header.checksum):
            return None
        index = hnswlib.Index(space="ip", dim=header.dim)
        index.load_index(str(path), max_elements=header.count)
    except (OSError, RuntimeError):
        return None
    graph = Graph(index, header)
    return graph if len(graph.labels) == header.count else None


def remove(folder: Path, root_id: int) -> None:
    """Remove all graphs of a root."""
    _remove(folder, f"{root_id}-", keep=set())


def files_in_use(folder: Path) -> set[str]:
    """Names of the headers and of the graphs they speak of."""
    used: set[str] = set()
    for path in folder.glob("*.json"):
        used.add(path.name)
        try:
            used.add(str(json.loads(path.read_text(encoding="utf-8"))["file"]))
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return used


def broken_headers(db: sqlite3.Connection, folder: Path) -> list[Path]:
    """Headers whose graph is missing, cut, altered or of another database, or that cannot be read."""
    broken = []
    for path in sorted(folder.glob("*.json")):
        try:
            header = Header(**json.loads(path.read_text(encoding="utf-8")))
            sound = is_admitted(db, header.file)
            sound = sound and _checksum(folder / Path(header.file).name) == (header.size, header.checksum)
        except (OSError, ValueError, TypeError):
            sound = False
        if not sound:
            broken.append(path)
    return broken


def disk_bytes(folder: Path, root_id: int) -> int:
    """Size of the files of a root."""
    return sum(path.stat().st_size for path in folder.glob(f"{root_id}-*"))


def _remove(folder: Path, prefix: str, keep: set[str]) -> None:
    for path in folder.glob(f"{prefix}*"):
        if path.name not in keep:
            path.unlink(missing_ok=True)


def _stem(root_id: int, fingerprint: str) -> str:
    # The fingerprint may come from a model folder: only its checksum is fit for a file name.
    return f"{root_id}-{zlib.crc32(fingerprint.encode()):08x}"


def _checksum(path: Path) -> tuple[int, int]:
    size = checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_READ_CHUNK):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
    return size, checksum
