"""Why a message does not fit its type, from what the converter says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cattrs import ClassValidationError, Converter
from lsprotocol import types as lsp


def reason(error: BaseException) -> str:
    """The innermost sentences of a conversion that failed, with the fields they belong to."""
    cause = error.__cause__
    if cause is None:
        return str(error)
    sentences = [f"{'.'.join(fields)}: {text}" if fields else text for fields, text in _faults(cause, ())]
    return "; ".join(dict.fromkeys(sentences)) or str(cause)


def drop_unknown(capabilities: dict[str, Any], converter: Converter) -> list[str]:
    """Takes out what this server cannot read of what a client can do; the fields that went.

    A client may be newer than the LSP that is known here, and name kinds of symbols, tags or edits of then. That is no
    reason to refuse it, least of all as hardly any of it matters here.
    """
    dropped: list[str] = []
    while True:
        try:
            converter.structure(capabilities, lsp.ClientCapabilities)
        except ClassValidationError as error:
            gone = {_drop(capabilities, fields) for fields, _ in _faults(error, ())} - {""}
            if not gone:
                return dropped
            dropped += sorted(gone)
        else:
            return dropped


def _faults(error: BaseException, fields: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for note in getattr(error, "__notes__", ()):
        name = getattr(note, "name", None)
        if name is not None:
            fields = (*fields, str(name))
    inner = getattr(error, "exceptions", ())
    if not inner:
        yield fields, f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
    for child in inner:
        yield from _faults(child, fields)


def _drop(value: object, fields: tuple[str, ...]) -> str:
    """Deletes the innermost of some fields that is there, and says which; empty where none is."""
    if not fields or not isinstance(value, dict):
        return ""
    first, *rest = fields[0].split("_")
    name = first + "".join(part.capitalize() for part in rest)
    if name not in value:
        return ""
    inner = _drop(value[name], fields[1:])
    if inner:
        return f"{name}.{inner}"
    del value[name]
    return name
