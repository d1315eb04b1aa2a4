"""The files of training: lines of JSON, compressed or not, and the states of runs."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from indexer.errors import UserError


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a text file, plain or zstd-compressed."""
    if path.suffix != ".zst":
        yield from path.open(encoding="utf-8")
        return
    with path.open("rb") as raw:
        yield from io.TextIOWrapper(_zstandard().ZstdDecompressor().stream_reader(raw), encoding="utf-8")


@contextmanager
def open_output(path: Path) -> Iterator[IO[str]]:
    """A UTF-8 text file that replaces `path` once all is written; compressed where the name ends in ``.zst``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with (
            part.open("wb") as raw,
            _packed(raw, path.suffix) as packed,
            io.TextIOWrapper(packed, "utf-8") as text,
        ):
            yield text
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _packed(raw: IO[bytes], suffix: str) -> AbstractContextManager[IO[bytes]]:
    if suffix != ".zst":
        return nullcontext(raw)
    packed: AbstractContextManager[IO[bytes]] = _zstandard().ZstdCompressor(level=9).stream_writer(raw)
    return packed


def _zstandard() -> ModuleType:
    try:
        import zstandard
    except ModuleNotFoundError as error:
        message = "Compressed files need zstandard: pip install 'codewhere[train]', or name the file .jsonl."
        raise UserError(message) from error
    return zstandard


def read_state(path: Path) -> Any:  # noqa: ANN401 - as of `torch.load`
    """What `torch.save` wrote, tensors and plain values; `UserError` where the file is damaged."""
    import torch  # not above: mining does without

    try:
        return torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} cannot be read ({first}). Remove it; what it held is done anew.") from error
