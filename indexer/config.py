"""Settings: defaults, the user's file, the repository's file, the environment, the flags; later ones win."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import platformdirs

from indexer.errors import UserError

# Python 3.10 has no tomllib; tomli is the same module.
_toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

USER_FILE = "config.toml"
ROOT_FILE = ".codewhere.toml"
ENV_PREFIX = "CODEWHERE_"
_ROOT_FILE_MAX_BYTES = 65_536  # a settings file; anything larger is a mistake or an attack
_ROOT_MAX_FILE_BYTES = 64_000_000  # a stranger's repository may not make the parser read larger files
# Whoever wrote a repository may say what is worth indexing in it, not what runs or where data goes.
ROOT_KEYS = frozenset({"exclude", "max_file_bytes", "include_text"})
_MOST = 10**15  # of any number: the database and the system take no larger ones
_LONGEST_SHOWN = 80  # characters of a wrong value
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
DTYPES = ("auto", "int8", "bf16", "bfloat16", "fp16", "float16", "fp32", "float32")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Config:
    """All settings; `load_config` makes one."""

    home: Path
    """Folder of the store: catalogue, vectors, caches."""
    model: str = "auto"
    """Name of a shipped model, a model folder or a hub id."""
    device: str | None = None
    """``cpu``, ``cuda``, ``cuda:1``, ``mps``; None picks the best one there is."""
    dtype: str | None = None
    """``float32``, ``bfloat16``, ``float16``; None picks what is fastest on the device."""
    dim: int | None = None
    """Vectors are cut to this many dimensions; None keeps all of the model's."""
    max_file_bytes: int = 2_000_000
    """Larger files are skipped, and the summary says so."""
    exclude: tuple[str, ...] = ()
    """Gitignore-style globs left out of the index. Those of all sources count together."""
    include_text: bool = True
    """Index Markdown and plain text as well."""
    limit: int = 10
    """Number of results."""
    store: str | None = None
    """Reserved for a remote vector store (``milvus://…``), which this version refuses; None keeps vectors in `home`."""
    threads: int | None = None
    """CPU threads of the embedder; None is one a core."""
    gpu_memory_mb: int | None = None
    """Megabytes of a CUDA device that the embedder may take, for desktops that share it; None is all."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """Sentences for the person about settings that were not taken."""


def load_config(root: Path | None = None, **flags: object) -> Config:
    """Settings that hold for `root`; flags that are None do not count.

    Raises `UserError` for a setting that is unknown or has a wrong value, except in the repository's own
    file, which somebody else may have written: what is wrong there is left out and told in `Config.notes`.
    """
    config = Config(home=platformdirs.user_cache_path("codewhere"))
    config = _merge(config, _read_user_file(), str(user_file()))
    if not config.home.expanduser().is_absolute():
        raise UserError(
            f"home in {user_file()} is {str(config.home)!r}, which would be another folder wherever codewhere"
            " is run. Write the whole path, or one that begins with ~."
        )
    if root is not None:
        config = _merge_root_file(config, root / ROOT_FILE)
    config = _merge(config, _read_environment(os.environ), "the environment")
    given = {name: value for name, value in flags.items() if value is not None}
    config = _merge(config, given, "the command line")
    return replace(config, home=config.home.expanduser().absolute())


def user_file() -> Path:
    """Where the user's own settings are read from."""
    return platformdirs.user_config_path("codewhere") / USER_FILE


def _merge(config: Config, values: Mapping[str, Any], source: str) -> Config:
    checked: dict[str, Any] = {name: _checked(name, value, source) for name, value in values.items()}
    if "exclude" in checked:
        checked["exclude"] = tuple(dict.fromkeys((*config.exclude, *checked["exclude"])))
    return replace(config, **checked)


def _read_user_file() -> dict[str, Any]:
    path = user_file()
    try:
        return _parse_toml(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(
            f"Cannot read the settings in {path}: {error}. Correct the file or remove it."
        ) from error


def _read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {ENV_PREFIX + name.upper(): name for name in _CHECKS}
    return {name: environ[key] for key, name in names.items() if environ.get(key)}


def _merge_root_file(config: Config, path: Path) -> Config:
    try:
        values = _read_root_file(path)
    except (OSError, ValueError) as error:
        return _note(config, f"{ROOT_FILE} of this folder is not used: {error}")
    for name, value in values.items():
        if name not in ROOT_KEYS:
            config = _note(config, f"{ROOT_FILE} may not set {name!r}; set it in {user_file()}.")
            continue
        try:
            merged = _merge(config, {name: value}, ROOT_FILE)
        except UserError as error:
            config = _note(config, str(error))
            continue
        if name == "max_file_bytes" and merged.max_file_bytes > _ROOT_MAX_FILE_BYTES:
            merged = replace(merged, max_file_bytes=_ROOT_MAX_FILE_BYTES)
            merged = _note(merged, f"max_file_bytes of {ROOT_FILE} is cut to {_ROOT_MAX_FILE_BYTES:,}.")
        config = merged
    return config


def _read_root_file(path: Path) -> dict[str, Any]:
    # A link could lead out of the repository, and a pipe would wait forever.
    if path.is_symlink() or not path.is_file():
        if path.is_symlink() or path.exists():
            raise ValueError("it is not a regular file")
        return {}
    if path.stat().st_size > _ROOT_FILE_MAX_BYTES:
        raise ValueError(f"it is larger than {_ROOT_FILE_MAX_BYTES:,} bytes")
    return _parse_toml(path)


def _parse_toml(path: Path) -> dict[str, Any]:
    # Editors on Windows begin a file with a byte order mark.
    text = path.read_text(encoding="utf-8-sig")
    try:
        values: dict[str, Any] = _toml.loads(text)
    except RecursionError as error:
        raise ValueError("its lists lie too deep in one another") from error
    return values


def _note(config: Config, sentence: str) -> Config:
    return replace(config, notes=(*config.notes, sentence))


def _checked(name: str, value: object, source: str) -> object:
    check = _CHECKS.get(name)
    if check is None:
        known = ", ".join(sorted(_CHECKS))
        raise UserError(f"Unknown setting {name!r} in {source}. Known settings: {known}.")
    try:
        return check(value)
    except (TypeError, ValueError) as error:
        raise UserError(f"Wrong value {_shown(value)} for {name!r} in {source}: {error}.") from error


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no numbers of thousands of digits
        return "(a number of thousands of digits)"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _text(value: object) -> str:
    if not isinstance(value, (str, os.PathLike)) or not str(value).strip():
        raise ValueError("a text that is not empty is expected")
    return str(value)


def _folder(value: object) -> Path:
    return Path(_text(value))


def _positive(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError("a whole number above 0 is expected")
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number <= 0:
        raise ValueError("a whole number above 0 is expected")
    if number > _MOST:
        raise ValueError(f"a whole number up to {_MOST:,} is expected")
    return number


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("true or false is expected")
    return word in _TRUE


def _remote_store(value: object) -> str:
    raise ValueError(f"this version keeps vectors on this machine alone, so {_text(value)} cannot be used")


def _device(value: object) -> str:
    text = _text(value)
    if not _DEVICE.fullmatch(text):
        raise ValueError("cpu, cuda, cuda:N or mps is expected")
    return text


def _dtype(value: object) -> str:
    text = _text(value).lower()
    if text not in DTYPES:
        raise ValueError(f"one of {', '.join(DTYPES)} is expected")
    return text


def _globs(value: object) -> tuple[str, ...]:
    """A list of globs, or one text with a glob a line or separated by ``:`` (``;`` on Windows)."""
    if isinstance(value, str):
        value = [part for line in value.splitlines() for part in line.split(os.pathsep)]
    if not isinstance(value, (list, tuple)) or not all(isinstance(glob, str) for glob in value):
        raise ValueError("a list of globs is expected")
    return tuple(glob.strip() for glob in value if glob.strip())


_CHECKS: dict[str, Callable[[Any], object]] = {
    "home": _folder,
    "model": _text,
    "device": _device,
    "dtype": _dtype,
    "dim": _positive,
    "max_file_bytes": _positive,
    "exclude": _globs,
    "include_text": _switch,
    "limit": _positive,
    "store": _remote_store,
    "threads": _positive,
    "gpu_memory_mb": _positive,
}
if set(_CHECKS) | {"notes"} != {setting.name for setting in fields(Config)}:  # pragma: no cover
    raise AssertionError("every setting needs a check")
