"""The licence of a folder, where it is one under which code may be used to train a model that anyone may use."""

from __future__ import annotations

import json
import re
from pathlib import Path

PERMISSIVE = frozenset(
    "MIT MIT-0 BSD-2-Clause BSD-3-Clause 0BSD Apache-2.0 ISC BSL-1.0 Zlib PSF-2.0 CC0-1.0 Unlicense CC-BY-4.0 "
    "PostgreSQL NCSA MulanPSL-2.0".split()
)
_COPYLEFT = re.compile(
    r"gnu (lesser |library |affero )?general public|mozilla public licen|\b[al]?gpl\b|eclipse public"
    r"|attribution-sharealike|non-?commercial|server side public|business source licen|commons clause|elastic licen",
    re.IGNORECASE,
)
_TEXTS = (
    ("Apache-2.0", ("apache license", "version 2.0")),
    ("MulanPSL-2.0", ("mulan psl v2",)),
    ("MulanPSL-2.0", ("mulan permissive software license",)),
    ("BSL-1.0", ("boost software license",)),
    ("CC0-1.0", ("cc0 1.0",)),
    ("CC-BY-4.0", ("attribution 4.0 international",)),
    ("Unlicense", ("free and unencumbered software released into the public domain",)),
    ("PSF-2.0", ("python software foundation license",)),
    ("MIT", ("permission is hereby granted, free of charge",)),
    ("ISC", ("permission to use, copy, modify, and/or distribute this software for any purpose",)),
    (
        "ISC",
        ("permission to use, copy, modify, and distribute this software for any purpose with or without",),
    ),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "names of its contributors")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
    ("Zlib", ("this software is provided 'as-is', without any express or implied warranty",)),
    ("PostgreSQL", ("permission to use, copy, modify, and distribute this software and its documentation",)),
)
_ALIASES = {
    "Apache-2.0": "apache 2.0|apache license 2.0|apache software license|apache-2.0|apache license, version 2.0",
    "MIT": "mit|the mit license|x11|mit-cmu|hpnd|expat",
    "BSD-3-Clause": "bsd|new bsd|bsd 3-clause|3-clause bsd|bsd-3-clause|modified bsd",
    "BSD-2-Clause": "bsd-2-clause|simplified bsd",
    "ISC": "isc|isc license (iscl)",
    "PSF-2.0": "psf-2.0|python software foundation license",
    "Zlib": "zlib",
    "0BSD": "0bsd",
    "Unlicense": "unlicense",
    "CC0-1.0": "cc0-1.0",
}
_NAMES = {name: licence for licence, names in _ALIASES.items() for name in names.split("|")}
LICENCE_FILE = re.compile(r"(un)?licen[cs]e|copying|copyright", re.IGNORECASE)


def detect_licence(folder: Path) -> str | None:
    """SPDX identifier of the folder's licence; None where it is unknown or not permissive.

    Looks at licence files of the folder, at the metadata of an npm package, a crate or an unpacked wheel. One
    permissive licence file is enough, as projects under a choice of licences have one file for each.
    """
    found = [licence for path in _licence_files(folder) if (licence := _of_text(path))]
    found += [licence for licence in _of_metadata(folder) if licence]
    return found[0] if found else None


def _licence_files(folder: Path) -> list[Path]:
    places = [folder, *sorted(folder.glob("*.dist-info")), *sorted(folder.glob("*.dist-info/licenses"))]
    files = [
        path
        for place in places
        if place.is_dir()
        for path in sorted(place.iterdir())
        if path.is_file() and LICENCE_FILE.match(path.name)
    ]
    return [path for path in files if "third" not in path.name.lower() and "bundled" not in path.name.lower()]


def _of_text(path: Path) -> str | None:
    head = re.sub(r"\s+", " ", path.read_text(encoding="utf-8", errors="replace")[:4000]).lower()
    copyleft = _COPYLEFT.search(head)
    for licence, phrases in _TEXTS:
        positions = [head.find(phrase) for phrase in phrases]
        if min(positions) >= 0 and (copyleft is None or min(positions) < copyleft.start()):
            return licence
    return None


def _of_metadata(folder: Path) -> list[str | None]:
    found: list[str | None] = []
    package = folder / "package.json"
    if package.is_file():
        found.append(_of_package_json(package))
    for path in [folder / "Cargo.toml", *sorted(folder.glob("*.dist-info/METADATA"))]:
        if path.is_file():
            found += _of_key_lines(path)
    return found


def _of_package_json(path: Path) -> str | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8", errors="replace")).get("license")
    except (ValueError, AttributeError):
        return None
    return _of_name(value.get("type", "") if isinstance(value, dict) else str(value or ""))


def _of_key_lines(path: Path) -> list[str | None]:
    text = path.read_text(encoding="utf-8", errors="replace")
    values = re.findall(
        r"(?im)^(?:license(?:-expression)?\s*[:=]|classifier: license ::(?: osi approved ::)?)\s*\"?([^\"\n]+)",
        text,
    )
    return [_of_name(value) for value in values]


def _of_name(name: str) -> str | None:
    choices = re.split(r"\s+or\s+|/", name.strip("() "), flags=re.IGNORECASE)
    for choice in (part.strip("() ") for part in choices):
        if choice in PERMISSIVE:
            return choice
        if known := _NAMES.get(choice.lower().removesuffix(" license").strip()) or _NAMES.get(choice.lower()):
            return known
    return None
