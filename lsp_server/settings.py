"""The settings a client may give; a wrong value falls back to its default and is reported, never fatal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lsp_server import checks
from lsp_server.params import MAX_LIMIT

SECTION = "codewhere"
SHOW_SIMILAR = "codewhere.server.showSimilar"


@dataclass(frozen=True)
class FolderSettings:
    """What a workspace folder has of its own; None leaves it to the settings of all folders."""

    exclude: tuple[str, ...] | None = None
    include_text: bool | None = None
    max_file_bytes: int | None = None


@dataclass(frozen=True)
class Settings:
    """All settings; the names on the wire are in docs/protocol.md."""

    model: str = "auto"
    device: str | None = None
    limit: int = 20
    exclude: tuple[str, ...] = ()
    include_text: bool | None = None
    max_file_bytes: int | None = None
    no_tests: bool = False
    auto_index: bool = True
    watch: bool = True
    hover: bool = True
    hover_threshold: float = 0.65
    code_lens: bool = False
    code_lens_threshold: float = 0.88
    code_lens_command: str = SHOW_SIMILAR
    trace: bool = False
    folders: Mapping[str, FolderSettings] = field(default_factory=dict)
    """By the URI of the folder."""


_FIELDS: dict[str, tuple[str, checks.Check]] = {
    "model": ("model", checks.name),
    "device": ("device", checks.name),
    "limit": ("limit", checks.whole(1, MAX_LIMIT)),
    "exclude": ("exclude", checks.texts),
    "includeText": ("include_text", checks.switch),
    "maxFileBytes": ("max_file_bytes", checks.whole(1000)),
    "noTests": ("no_tests", checks.switch),
    "autoIndex": ("auto_index", checks.switch),
    "watch": ("watch", checks.switch),
    "hover.enabled": ("hover", checks.switch),
    "hover.threshold": ("hover_threshold", checks.share),
    "codeLens.enabled": ("code_lens", checks.switch),
    "codeLens.threshold": ("code_lens_threshold", checks.share),
    "codeLens.command": ("code_lens_command", checks.name),
    "trace": ("trace", checks.switch),
}
_FOLDER_FIELDS = {key: _FIELDS[key] for key in ("exclude", "includeText", "maxFileBytes")}
_GROUPS = ("hover", "codeLens")
_FOLDERS = "folders"


def has_known(raw: Mapping[str, Any]) -> bool:
    """Whether an object has a setting of ours; clients send those of other servers too."""
    return any(key in _FIELDS or key == _FOLDERS for key in _flat(raw))


def read_settings(raw: object, base: object = None) -> tuple[Settings, list[str], list[str]]:
    """Settings, sentences for the person about wrong values, and sentences for the log about unknown keys.

    None means nothing is said; what is not said is as in `base`, else the default.
    """
    flat: dict[str, Any] = {}
    for given in (base, raw):
        if given is None or given == []:
            continue
        if not isinstance(given, Mapping):
            return Settings(), ["The settings must be an object; the defaults are used."], []
        flat |= _flat(given)
    folders, folder_problems, unknown_of_folders = _read_folders(flat.pop(_FOLDERS, None))
    values, problems, unknown = _read(flat, _FIELDS, Settings())
    settings = Settings(**values, folders=folders)
    return settings, problems + folder_problems, unknown + unknown_of_folders


def _read(
    flat: Mapping[str, Any],
    fields: Mapping[str, tuple[str, checks.Check]],
    defaults: Settings | FolderSettings,
) -> tuple[dict[str, Any], list[str], list[str]]:
    problems: list[str] = []
    unknown: list[str] = []
    values: dict[str, Any] = {}
    for key, value in flat.items():
        if key not in fields:
            unknown.append(f"Unknown setting {SECTION}.{key}. Known settings: {', '.join(fields)}.")
            continue
        name, check = fields[key]
        if value is None:
            continue
        try:
            values[name] = check(value)
        except ValueError as error:
            default = getattr(defaults, name)
            problems.append(f"{SECTION}.{key}: {error}, not {_json(value):.100}; {_json(default)} is used.")
    return values, problems, unknown


def _json(value: object) -> str:
    """A value as the person wrote it in the settings of the editor."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _read_folders(raw: object) -> tuple[dict[str, FolderSettings], list[str], list[str]]:
    if raw is None or raw == []:
        return {}, [], []
    if not isinstance(raw, Mapping) or not all(isinstance(value, Mapping) for value in raw.values()):
        return {}, [f"{SECTION}.{_FOLDERS}: an object of objects is expected; it is left out."], []
    folders: dict[str, FolderSettings] = {}
    problems: list[str] = []
    unknown: list[str] = []
    for uri, given in raw.items():
        values, wrong, strange = _read(given, _FOLDER_FIELDS, FolderSettings())
        if values:
            folders[str(uri)] = FolderSettings(**values)
        problems += [f"{uri}: {sentence}" for sentence in wrong]
        unknown += [f"{uri}: {sentence}" for sentence in strange]
    return folders, problems, unknown


def _flat(raw: Mapping[str, Any]) -> dict[str, Any]:
    """``{"hover": {"enabled": …}}`` and ``{"hover.enabled": …}`` mean the same."""
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        if key in _GROUPS and isinstance(value, Mapping):
            flat.update({f"{key}.{inner}": inner_value for inner, inner_value in value.items()})
        else:
            flat[str(key)] = value
    return flat
