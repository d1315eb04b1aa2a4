"""Looking into files without trusting them: links, devices, binary content and odd names."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from indexer.types import SkippedFile, hash_of

HEAD_BYTES = 8192
"""What is read of a new file to tell text from binary and to see generated and minified code."""

_BINARY = """
.7z .a .aac .aar .ai .apk .avi .avif .bin .bmp .br .bz2 .cab .class .cur .dcm .deb .dex .dll .dmg .doc .docx
.dylib .ear .egg .eot .eps .exe .fbx .flac .flv .gem .gif .glb .gz .h5 .hdf5 .heic .icns .ico .idx .img .iso
.jar .jks .jpeg .jpg .keystore .ko .lib .lz4 .lzma .m4a .mkv .mmdb .mov .mp3 .mp4 .mpeg .mpg .msi .npy .npz
.nupkg .o .obj .odt .ogg .onnx .otf .parquet .pcap .pdb .pdf .pickle .pkl .png .ppt .pptx .psd .pt .pth .pyc
.pyd .pyo .rar .rlib .rmeta .rpm .safetensors .snupkg .so .sqlite .sqlite3 .svg .svgz .swf .swp .tar .tga .tgz
.tif .tiff .tflite .ttc .ttf .wasm .wav .webm .webp .whl .woff .woff2 .xls .xlsx .xz .zip .zst
"""
BINARY_SUFFIXES = frozenset(_BINARY.split())
"""Never opened: binary by nature, or (SVG) pictures whose text says nothing."""

_DATA = """
.atom .csv .diff .geojson .gml .htm .html .ini .ipynb .json .json5 .jsonc .jsonl .kml .ldif .lock .log .map
.ndjson .patch .pbxproj .plist .po .pot .properties .resx .rss .sarif .snap .srt .strings .sum .toml .topojson
.tsv .txt .vtt .xliff .xlf .xmi .xml .xsd .yaml .yml
"""
_DATA_SUFFIXES = frozenset(_DATA.split())
_DATA_BYTES = 131_072
"""Files of data, not code, are indexed up to this size; beyond it they cost much and answer nothing."""
_CODE_DESPITE_SUFFIX = "CMakeLists.txt"

OUTSIDE = "outside: the path leads out of the indexed folder, so it is not read"
NOT_REGULAR = "not a regular file: links, pipes, sockets and devices are not read"

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\r\f\v\b\x1b\x1a")) + b"\x7f"
_MOST_CONTROL = 0.05
"""Share of control bytes above which content without zero bytes still counts as binary."""
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_LINK_ERRORS = (errno.ELOOP, errno.ENXIO, errno.EMLINK)
"""What opening a link with O_NOFOLLOW, or a socket, gives on the systems there are."""


class NotRegularError(OSError):
    """The path is a link, a folder, a pipe, a device or a socket."""


def read_bytes(path: str, limit: int) -> bytes:
    """At most `limit` bytes of a regular file; never follows a link at the end of `path` and never blocks.

    :raises OSError: Where it cannot be read; `NotRegularError` where it is no regular file.
    """
    descriptor = os.open(path, _OPEN_FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegularError(NOT_REGULAR)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def read_source(root: Path, path: str, max_file_bytes: int) -> bytes | SkippedFile:
    """The whole content of a file below the root, or why it was not read.

    Nothing outside the root is ever read, whatever the path holds (`..`, links, an absolute path), and a file
    that grew beyond the cap since the walk is refused.
    """
    base = Path(root).resolve()
    folder = (base / path).parent
    if ".." in Path(path).parts or not folder.is_relative_to(base) or folder.resolve() != folder:
        return SkippedFile(path, OUTSIDE)
    try:
        content = read_bytes(str(base / path), max_file_bytes + 1)
    except OSError as error:
        return SkippedFile(path, why_unreadable(error))
    if len(content) > max_file_bytes:
        return SkippedFile(path, too_large(len(content), max_file_bytes))
    return content


def why_unreadable(error: OSError) -> str:
    """The reason a person is told for an error of the operating system."""
    if isinstance(error, FileNotFoundError):
        return "vanished: it was removed while it was being read"
    if isinstance(error, NotRegularError) or error.errno in _LINK_ERRORS:
        return NOT_REGULAR
    return f"unreadable: {error.strerror or error}; check its permissions"


def too_large(size: int, limit: int) -> str:
    """The reason for a file beyond the size cap."""
    return (
        f"too large: {_shown_size(size)}, the limit is {_shown_size(limit)}; raise max_file_bytes to index it"
    )


def is_large_data(name: str, suffix: str, size: int) -> bool:
    """Whether a file is data rather than code or prose, and large for that."""
    return size > _DATA_BYTES and suffix in _DATA_SUFFIXES and name != _CODE_DESPITE_SUFFIX


def binary_reason(head: bytes) -> str:
    """Why content with this beginning is no text; empty where it is text (UTF-16 with its mark included)."""
    if head.startswith(_LFS_POINTER):
        return "git lfs: only a pointer is here; run `git lfs pull` to get the file"
    if head.startswith(_BYTE_ORDER_MARKS):
        return ""
    if b"\0" in head:
        return "binary"
    control = len(head) - len(head.translate(None, _CONTROL_BYTES))
    return "binary" if control > _MOST_CONTROL * len(head) else ""


def file_hash(content: bytes) -> bytes:
    """What tells whether the content of a file is still the same."""
    return hash_of(content)


def shown_path(path: str) -> str:
    """A path fit for a terminal: line breaks, escape codes, direction marks and odd bytes are spelled out.

    Only for the eye. Paths pass through the program, the store and JSON unchanged; bytes that are no UTF-8
    are kept as lone surrogates (`os.fsdecode`).
    """
    if path.isprintable():
        return path
    return "".join(char if char.isprintable() else _escaped(char) for char in path)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def _shown_size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
