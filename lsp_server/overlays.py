"""Buffers as they are on the screen, and what a search needs to know of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types as lsp
from pygls import uris

from indexer.errors import UserError
from indexer.types import ParsedFile
from lsp_server.positions import Encoding, index_of_units, split_lines

log = logging.getLogger(__name__)


@dataclass
class Document:
    """One open buffer. `Documents` alone changes it; other threads get a `Snapshot`."""

    uri: str
    path: Path | None
    """None for what is no file, such as an unnamed buffer."""
    version: int
    lines: list[str]
    indexed_version: int | None = None
    """The version that is known to be in the index on disk; the overlay is not needed for it."""
    _text: str | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """The whole buffer."""
        if self._text is None:
            self._text = "".join(self.lines)
        return self._text

    def apply(self, change: lsp.TextDocumentContentChangeEvent, encoding: Encoding) -> None:
        """One edit, or the whole text where the change has no range."""
        if isinstance(change, lsp.TextDocumentContentChangeWholeDocument):
            self.lines = split_lines(change.text)
        else:
            self._replace(change.range, change.text, encoding)
        self._text = None

    def _replace(self, where: lsp.Range, text: str, encoding: Encoding) -> None:
        start_line, start = self._locate(where.start, encoding)
        end_line, end = max(self._locate(where.end, encoding), (start_line, start))
        before, after = self.lines[start_line][:start], self.lines[end_line][end:]
        # A neighbour is cut again as well: an edit may split or complete a carriage return with its newline.
        first, last = max(0, start_line - 1), min(len(self.lines), end_line + 2)
        head = "".join(self.lines[first:start_line]) + before
        tail = after + "".join(self.lines[end_line + 1 : last])
        lines = split_lines(head + text + tail)
        if last < len(self.lines):
            # The piece ends with a newline, after which `split_lines` sees one more, empty line.
            lines.pop()
        self.lines[first:last] = lines

    def _locate(self, position: lsp.Position, encoding: Encoding) -> tuple[int, int]:
        if position.line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return position.line, index_of_units(self.lines[position.line], position.character, encoding)


@dataclass(frozen=True)
class Snapshot:
    """A buffer at one moment; safe to hand to a worker thread."""

    uri: str
    path: Path
    version: int
    text: str

    @property
    def data(self) -> bytes:
        """What saving the buffer as UTF-8 would write."""
        return self.text.encode("utf-8", "surrogatepass")


class Documents:
    """All open buffers. The event loop changes them; any thread may take snapshots."""

    def __init__(self, encoding: Callable[[], Encoding], on_change: Callable[[Document], None]) -> None:
        self._encoding = encoding
        self._on_change = on_change
        self._documents: dict[str, Document] = {}
        self._lock = threading.Lock()

    def open(self, item: lsp.TextDocumentItem) -> None:
        """Starts with the text of the client; opening twice starts again."""
        document = Document(item.uri, file_path(item.uri), item.version, split_lines(item.text))
        with self._lock:
            self._documents[uri_key(item.uri)] = document
        self._on_change(document)

    def change(
        self,
        identifier: lsp.VersionedTextDocumentIdentifier,
        changes: Sequence[lsp.TextDocumentContentChangeEvent],
    ) -> None:
        """Applies edits in their order; those of a buffer that is not open are logged and left out."""
        document = self._documents.get(uri_key(identifier.uri))
        if document is None:
            log.warning("The client changed %r, which is not open.", identifier.uri)
            return
        with self._lock:
            for change in changes:
                document.apply(change, self._encoding())
            document.version = identifier.version
        self._on_change(document)

    def close(self, uri: str) -> None:
        """Forgets the buffer."""
        with self._lock:
            document = self._documents.pop(uri_key(uri), None)
        if document is not None:
            self._on_change(document)

    def mark_indexed(self, uri: str, version: int, same: bool) -> None:
        """The index on disk has this version now or, where it is not the `same`, another text."""
        document = self._documents.get(uri_key(uri))
        if document is None or document.version != version:
            return
        before, document.indexed_version = document.indexed_version, version if same else None
        if before == version and not same:
            self._on_change(document)

    def get(self, uri: str) -> Document | None:
        """The open buffer of a URI."""
        return self._documents.get(uri_key(uri))

    def text_of(self, path: Path) -> str:
        """Text of a file as on the screen where it is open, else as on the disk. Raises `UserError`."""
        for snapshot in self.snapshots(pending_only=False):
            if snapshot.path == path:
                return snapshot.text
        try:
            return path.read_bytes().decode("utf-8", "replace")
        except OSError as error:
            raise UserError(f"Cannot read {path}: {error.strerror}.") from error

    def all(self) -> list[Document]:
        """All open buffers, the last opened one last."""
        with self._lock:
            return list(self._documents.values())

    def snapshots(self, *, pending_only: bool = True) -> list[Snapshot]:
        """The buffers that are files; with `pending_only` those that the index on disk does not have yet."""
        with self._lock:
            return [
                Snapshot(document.uri, document.path, document.version, document.text)
                for document in self._documents.values()
                if document.path is not None
                and not (pending_only and document.indexed_version == document.version)
            ]


class ParseCache:
    """Parsed buffers by path; each version is parsed once, whichever thread asks first."""

    def __init__(self) -> None:
        self._parsed: dict[str, tuple[str, ParsedFile]] = {}
        self._lock = threading.Lock()

    def parse(self, path: str, snapshot: Snapshot) -> ParsedFile:
        """Functions of a buffer as they are on the screen."""
        from indexer.reading import parse_safely

        key = str(snapshot.path)
        with self._lock:
            known = self._parsed.get(key)
            if known is None or known[0] != snapshot.text:
                known = self._parsed[key] = (snapshot.text, parse_safely(path, snapshot.data))
            return known[1]

    def keep(self, paths: set[str]) -> None:
        """Frees what belongs to other buffers than these."""
        with self._lock:
            self._parsed = {path: parsed for path, parsed in self._parsed.items() if path in paths}


def file_path(uri: str) -> Path | None:
    """Absolute path of a file URI with ``..`` and symbolic links resolved; None for any other URI."""
    path = _fs_path(uri)
    if not path or "\0" in path:
        return None
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def uri_key(uri: str) -> str:
    """The same for all ways to write a URI: clients escape differently (`%3A`, `:`), so the path is what counts."""
    return _fs_path(uri) or uri


def _fs_path(uri: str) -> str | None:
    # The host of a file URI may be empty or this one (RFC 8089); pygls takes any for a Windows share.
    return uris.to_fs_path(uri.replace("file://localhost/", "file:///", 1))
