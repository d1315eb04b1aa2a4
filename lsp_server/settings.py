"""The settings a client may give; a wrong value falls back to its default and is reported, never fatal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsp_server import checks
from lsp_server.params import MAX_LIMIT

SECTION = "codewhere"
SHOW_SIMILAR = "codewhere.server.showSimilar"


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
    hover_threshold: float = 0.75
    code_lens: bool = False
    code_lens_threshold: float = 0.94
    code_lens_command: str = SHOW_SIMILAR
    trace: bool = False


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
_GROUPS = ("hover", "codeLens")


def read_settings(raw: object) -> tuple[Settings, list[str], list[str]]:
    """Settings, sentences for the person about wrong values, and sentences for the log about unknown keys.

    None means all defaults.
    """
    if raw is None or raw == []:
        return Settings(), [], []
    if not isinstance(raw, Mapping):
        return Settings(), ["The settings must be an object; the defaults are used."], []
    problems: list[str] = []
    unknown: list[str] = []
    values: dict[str, Any] = {}
    for key, value in _flat(raw).items():
        if key not in _FIELDS:
            unknown.append(f"Unknown setting {SECTION}.{key}. Known settings: {', '.join(_FIELDS)}.")
            continue
        field, check = _FIELDS[key]
        if value is None:
            continue
        try:
            values[field] = check(value)
        except ValueError as error:
            default = getattr(Settings(), field)
            problems.append(f"{SECTION}.{key}: {error}, not {value!r:.100}; {default!r} is used.")
    return Settings(**values), problems, unknown


def _flat(raw: Mapping[str, Any]) -> dict[str, Any]:
    """``{"hover": {"enabled": …}}`` and ``{"hover.enabled": …}`` mean the same."""
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        if key in _GROUPS and isinstance(value, Mapping):
            flat.update({f"{key}.{inner}": inner_value for inner, inner_value in value.items()})
        else:
            flat[str(key)] = value
    return flat
