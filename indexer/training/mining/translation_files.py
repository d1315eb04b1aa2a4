"""Readers of the translation files that projects carry; each yields (English, the other text, its language)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from indexer.training.mining.translation_pages import pages

_LANGUAGE = r"(?P<lang>[a-z]{2,3})(?:[-_]r?(?P<region>[A-Za-z]{2,4}))?"
_PO_PATH = re.compile(
    rf"/(?:locales?|translations)/{_LANGUAGE}/LC_MESSAGES/|/locales?/{_LANGUAGE.replace('?P<', '?P<x')}/[^/]+\.po$"
)
_PO_ENTRY = re.compile(r'^msgid (?P<a>"(?:.*"\n)+)msgstr (?P<b>"(?:.*"(?:\n|\Z))+)', re.MULTILINE)
_XML_FOLDER = re.compile(rf"^values-{_LANGUAGE}$")
_JSON_NAME = re.compile(rf"^(?:package\.nls\.)?{_LANGUAGE}(?:-[0-9a-f]{{32}})?\.json$")
_JSON_ENGLISH = re.compile(r"^(?:package\.nls\.)?en(?:-US|-us)?(?:-[0-9a-f]{32})?\.json$")
_PO_NAME = re.compile(rf"^{_LANGUAGE}\.po$")
_ARB_NAME = re.compile(rf"^(?:(?P<stem>\w+)_)?{_LANGUAGE}\.arb$")
_PROPERTIES_NAME = re.compile(rf"^(?P<stem>.+?)_{_LANGUAGE.replace('[-_]', '_')}\.properties$")
_PROPERTY = re.compile(r"^\s*(?P<key>(?:\\.|[^\\\s=:#!])(?:\\.|[^\\\s=:])*)\s*[=:\s]\s*(?P<value>.*)$")
_TLDR_FOLDER = re.compile(r"^pages\.(?P<lang>[a-z]{2,3})(?:_(?P<region>[A-Z]{2}))?$")


def _catalogues(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.rglob("*.po")):
        lang = _language_of(path, folder)
        if lang and lang != "en":
            text = re.sub(
                r"(?m)^#, .*fuzzy.*\n(?:.*\n)*?(?=\n|\Z)",
                "",
                path.read_text(encoding="utf-8", errors="replace"),
            )
            for entry in _PO_ENTRY.finditer(text):
                yield _unquoted(entry["a"]), _unquoted(entry["b"]), lang


def _language_of(path: Path, folder: Path) -> str | None:
    if documentation := re.search(r"python-docs-([a-z]{2})", folder.name):
        return documentation[1]
    if match := _PO_PATH.search(path.as_posix()):
        return match["lang"] or match["xlang"]
    named = _PO_NAME.match(path.name)
    return named and named["lang"]


def _unquoted(lines: str) -> str:
    return _unescaped("".join(line.strip()[1:-1] for line in lines.strip().splitlines()))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": " "}.get(match[1], match[1]), text)


def _android(folder: Path) -> Iterator[tuple[str, str, str]]:
    for original in sorted(folder.rglob("values/*strings*.xml")):
        english = _xml_strings(original)
        for path in sorted(original.parent.parent.glob(f"values-*/{original.name}")):
            match = _XML_FOLDER.match(path.parent.name)
            if match and match["lang"] not in ("en", "mcc"):
                yield from _joined(english, _xml_strings(path), match["lang"])


def _xml_strings(path: Path) -> dict[str, str]:
    return {node.get("name", ""): _text(node) for node in _root(path).iter("string")}


def _tables(folder: Path) -> Iterator[tuple[str, str, str]]:
    for original in sorted(folder.rglob("*.json")):
        if not _JSON_ENGLISH.match(original.name):
            continue
        english = _json_strings(original)
        for path in sorted(original.parent.glob("*.json")):
            match = _JSON_NAME.match(path.name)
            # Google's regions XA, XB and so on stand for made-up languages that test layouts.
            if match and match["lang"] != "en" and not (match["region"] or "").startswith("X"):
                yield from _joined(english, _json_strings(path), match["lang"])


def _bundles(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.rglob("*.arb")):
        match = _ARB_NAME.match(path.name)
        original = path.with_name(f"{match['stem']}_en.arb" if match and match["stem"] else "en.arb")
        if match and match["lang"] != "en" and original.exists():
            yield from _joined(_json_strings(original), _json_strings(path), match["lang"])


def _json_strings(path: Path) -> dict[str, str]:
    flat: dict[str, str] = {}

    def flatten(node: object, key: str) -> None:
        if isinstance(node, dict):
            for name, child in node.items():
                flatten(child, f"{key}.{name}")
        elif isinstance(node, str):
            flat[key] = node

    try:
        flatten(json.loads(path.read_text(encoding="utf-8-sig", errors="replace")), "")
    except ValueError:
        return {}
    return flat


def _tldr(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.glob("pages.*/*/*.md")):
        match = _TLDR_FOLDER.match(path.parts[-3])
        original = folder / "pages" / path.parts[-2] / path.name
        if match and match["lang"] != "en" and original.exists():
            yield from _joined(tldr_items(original), tldr_items(path), match["lang"])


def tldr_items(page: Path) -> dict[str, str]:
    """Command → its description, of one tldr page; the page's own summary under the empty key."""
    text = page.read_text(encoding="utf-8", errors="replace")
    items = {command: said for said, command in re.findall(r"^- (.+?):?\n+`([^`]+)`", text, re.MULTILINE)}
    summary = re.search(r"^> (.+?)[.。]?$", text, re.MULTILINE)
    return {re.sub(r"\{\{.*?\}\}", "{{}}", key): value for key, value in items.items()} | (
        {"": summary[1]} if summary else {}
    )


def _joined(english: dict[str, str], other: dict[str, str], lang: str) -> Iterator[tuple[str, str, str]]:
    for key, text in other.items():
        if key in english:
            yield english[key], text, lang


def _xliff(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.rglob("*.xlf")):
        for file in _root(path).iterfind("{*}file"):
            lang = re.split("[-_]", file.get("target-language", ""))[0]
            for unit in file.iterfind(".//{*}trans-unit"):
                source, target = unit.find("{*}source"), unit.find("{*}target")
                # Any other state marks a text that stands in for a translation still to come.
                if lang and source is not None and target is not None and _is_final(target):
                    yield _text(source), _text(target), lang


def _is_final(target: ElementTree.Element) -> bool:
    return target.get("state", "final") in ("final", "translated", "signed-off")


def _qt(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.rglob("*_*.ts")):
        # TypeScript has the same suffix; it is no XML and gives an empty root.
        root = _root(path)
        lang = re.split("[-_]", root.get("language", ""))[0]
        for message in root.iter("message") if lang else ():
            translation = message.find("translation")
            if translation is not None and translation.get("type") is None:
                # An ampersand stands before the letter that is the shortcut.
                yield (
                    message.findtext("source", "").replace("&", ""),
                    _text(translation).replace("&", ""),
                    lang,
                )


def _text(node: ElementTree.Element) -> str:
    return "".join(node.itertext())


def _root(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError):
        return ElementTree.Element("nothing")


def _properties(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.rglob("*_*.properties")):
        match = _PROPERTIES_NAME.match(path.name)
        original = match and path.with_name(f"{match['stem']}.properties")
        if match and original and original.exists():
            yield from _joined(_property_values(original), _property_values(path), match["lang"])


def _property_values(path: Path) -> dict[str, str]:
    # A backslash at the end of a line joins it to the next one.
    text = re.sub(r"\\\r?\n\s*", "", path.read_text(encoding="utf-8", errors="replace"))
    found = (_PROPERTY.match(line) for line in text.splitlines() if not line.lstrip().startswith(("#", "!")))
    return {match["key"]: _property_text(match["value"]) for match in found if match}


def _property_text(value: str) -> str:
    value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), value)
    return _unescaped(value).replace("''", "'")


READERS: tuple[Callable[[Path], Iterator[tuple[str, str, str]]], ...] = (
    _catalogues, _android, _tables, _bundles, _tldr, _xliff, _qt, _properties, pages,
)  # fmt: skip
