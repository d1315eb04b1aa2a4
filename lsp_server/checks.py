"""Checks of values from a client: each returns the value or says in a ValueError what is expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], Any]


def read_object(raw: object, checks: Mapping[str, Check], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Checked fields of a JSON object; a field that is null counts as left out.

    Raises ValueError with the name of the first field that is unknown, missing or wrong.
    """
    if isinstance(raw, (list, tuple)) and not raw:
        raw = {}  # Lua has one empty table, which Neovim sends as an empty list
    if not isinstance(raw, Mapping):
        raise ValueError("an object is expected")
    values = {}
    for name, value in raw.items():
        if name not in checks:
            raise ValueError(f"unknown field {name!r}; known fields: {', '.join(checks)}")
        if value is None:
            continue
        try:
            values[name] = checks[name](value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    missing = [name for name in required if name not in values]
    if missing:
        raise ValueError(f"the field {missing[0]!r} is missing")
    return values


def text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    return value


def name(value: object) -> str:
    """A text that is not empty."""
    if not text(value).strip():
        raise ValueError("a text that is not empty is expected")
    return text(value)


def switch(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def integer(value: object) -> int:
    """A whole number; some clients write it as 3.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number is expected")
    return value


def whole(low: int, high: int | None = None) -> Check:
    """A whole number from `low` to `high`."""
    expected = f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"

    def check(value: object) -> int:
        number = integer(value)
        if number < low or (high is not None and number > high):
            raise ValueError(f"{expected} is expected")
        return number

    return check


def share(value: object) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("a number from 0 to 1 is expected")
    if not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1 is expected")
    return float(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of texts is expected")
    return tuple(value)


def globs(value: object) -> tuple[str, ...]:
    """A list of glob patterns."""
    from indexer.store.filters import read_globs

    patterns = texts(value)
    read_globs(patterns)
    return patterns


def one_of(*choices: str) -> Check:
    """A list of texts out of `choices`."""

    def check(value: object) -> tuple[str, ...]:
        for item in texts(value):
            if item not in choices:
                raise ValueError(f"{item!r} is not one of {', '.join(choices)}")
        return texts(value)

    return check


def token(value: object) -> str | int:
    """A progress token."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError("a text or a whole number is expected")
    return value
