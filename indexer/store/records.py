"""What the store gives back, and how texts and vectors are laid out on disk."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.types import Function, Vectors

Ids = npt.NDArray[np.int64]

_COMPRESSION = 6  # zlib's middle: level 9 gains 1 % on functions of 900 bytes


@dataclass(frozen=True)
class RootRow:
    """One indexed folder."""

    id: int
    path: str
    generation: int
    tokens_version: int
    model: str
    """Name of the model it was last embedded with; empty before that."""
    fingerprint: str
    updated_at: float | None


class FileRow(NamedTuple):
    """One file as it was when it was last read."""

    id: int
    path: str
    size: int
    changed_ns: int
    hash: bytes
    demoted: str
    parser_version: int


@dataclass(frozen=True)
class StoredFunction:
    """A function with what the store knows of it."""

    id: int
    function: Function
    demoted: str
    """As `SourceFile.demoted`; a test among other code counts as one in a file of tests."""

    @classmethod
    def of(cls, id_: int, function: Function, file_demoted: str) -> StoredFunction:
        """With what the file and the function itself say."""
        return cls(id_, function, file_demoted or ("test" if function.is_test else ""))


class Hit(NamedTuple):
    """A function found, with a score of which more is better."""

    id: int
    score: float


class LexicalStatistics(NamedTuple):
    """Of one root's lexical index."""

    n_functions: int
    mean_lengths: tuple[float, ...]
    """Words a function in each column."""
    df: dict[str, int]
    """Functions that hold the word, for the words asked about."""


class GcReport(NamedTuple):
    """What garbage collection freed."""

    roots: int
    contents: int
    vectors: int
    freed_bytes: int


def to_blob(text: str) -> bytes:
    """UTF-8 that keeps lone surrogates, which stand for odd bytes in file names."""
    return text.encode("utf-8", "surrogatepass")


def from_blob(blob: bytes) -> str:
    """The inverse of `to_blob`."""
    return blob.decode("utf-8", "surrogatepass")


def pack_text(text: str) -> bytes:
    """A text as a compressed blob."""
    return zlib.compress(to_blob(text), _COMPRESSION)


def unpack_text(blob: bytes) -> str:
    """The inverse of `pack_text`; a blob that is none is told as SQLite tells damage that it finds itself."""
    try:
        return from_blob(zlib.decompress(blob))
    except (zlib.error, UnicodeDecodeError) as error:
        raise sqlite3.DatabaseError(f"malformed text ({error})") from error


def pack_vector(vector: Vectors) -> bytes:
    """float32 [d] as float16 bytes."""
    return vector.astype(np.float16).tobytes()


def unpack_vectors(blobs: list[bytes], dim: int) -> Vectors:
    """float16 blobs as float32 [n, dim], normalised again after the rounding."""
    if not blobs:
        return np.zeros((0, dim), np.float32)
    matrix = np.frombuffer(b"".join(blobs), np.float16).reshape(len(blobs), dim).astype(np.float32)
    norms = np.sqrt(np.einsum("nd,nd->n", matrix, matrix))
    matrix /= np.maximum(norms, 1e-12)[:, None]
    return matrix
