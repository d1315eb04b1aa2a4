"""The same sentence in English and in another natural language, from translated software and its documentation.

Such pairs teach the embedder that a question means the same in every language. Sources are the translation files
that projects carry: gettext catalogues, Android string tables, JSON tables, tldr pages.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

from indexer.training.mining.quality import MAX_WORDS, MIN_WORDS, word_count

PER_LANGUAGE = 15_000

_LANGUAGE = r"(?P<lang>[a-z]{2,3})(?:[-_]r?(?P<region>[A-Za-z]{2,4}))?"
_PO_PATH = re.compile(
    rf"/(?:locales?|translations)/{_LANGUAGE}/LC_MESSAGES/|/locales?/{_LANGUAGE.replace('?P<', '?P<x')}/[^/]+\.po$"
)
_PO_ENTRY = re.compile(r'^msgid (?P<a>"(?:.*"\n)+)msgstr (?P<b>"(?:.*"(?:\n|\Z))+)', re.MULTILINE)
_XML_FOLDER = re.compile(rf"^values-{_LANGUAGE}$")
_JSON_NAME = re.compile(rf"^{_LANGUAGE}(?:-[0-9a-f]{{32}})?\.json$")
_TLDR_FOLDER = re.compile(r"^pages\.(?P<lang>[a-z]{2,3})(?:_(?P<region>[A-Z]{2}))?$")
_RENAMED = {"iw": "he", "in": "id", "tl": "fil", "no": "nb", "ji": "yi"}
_PLACEHOLDER = re.compile(
    r"%\(\w+\)[sdif]|%\d*\$?[sdif@]|\$\{[^}]*\}|\{\{?[^{}]*\}?\}|\[%key:[^%]*%\]|%[A-Z]\b"
)
_RST = re.compile(
    r":[\w:+-]+:`[~!]?([^`<]*?)\s*(?:<[^>]*>)?`|`([^`<]*?)\s*<[^>]*>`_+|`+([^`]*)`+_*|\*\*?([^*]+)\*\*?"
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Parallel:
    """One sentence twice."""

    a: str
    """English."""
    b: str
    lang: str
    """ISO 639 code of `b`."""
    source: str
    licence: str


def collect_parallel(folder: Path, source: str, licence: str) -> Iterator[Parallel]:
    """All usable pairs in the translation files under `folder`."""
    for reader in (_catalogues, _android, _tables, _tldr):
        for a, b, lang in reader(folder):
            english, other = plain_sentence(a), plain_sentence(b)
            if _is_good(english, other):
                yield Parallel(english, other, _RENAMED.get(lang, lang), source, licence)


def sample(pairs: Iterable[Parallel], per_language: int = PER_LANGUAGE) -> list[Parallel]:
    """At most so many per language, one per English sentence, in turn from each source; the same on every run."""
    languages: dict[str, dict[str, list[Parallel]]] = defaultdict(lambda: defaultdict(list))
    seen: set[tuple[str, str]] = set()
    for pair in pairs:
        key = (pair.lang, pair.a.lower())
        if key not in seen:
            seen.add(key)
            languages[pair.lang][pair.source].append(pair)
    chosen: list[Parallel] = []
    for lang in sorted(languages):
        chosen += _in_turn(list(languages[lang].values()), per_language)
    return chosen


def rows(pairs: Sequence[Parallel]) -> Iterator[str]:
    """JSON lines."""
    return (json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs)


def plain_sentence(text: str) -> str:
    """Without markup; placeholders become ``X``."""
    text = _RST.sub(lambda match: next((group for group in match.groups() if group), ""), text)
    return _SPACE.sub(
        " ", _TAG.sub("", _PLACEHOLDER.sub("X", text)).replace("\\'", "'").replace("\\n", " ")
    ).strip(' "')


def _is_good(english: str, other: str) -> bool:
    if not MIN_WORDS <= word_count(english) <= MAX_WORDS or not 2 <= word_count(other) <= 2 * MAX_WORDS:
        return False
    letters = sum(ch.isalpha() or ch.isspace() for ch in english)
    ours, theirs = set(_WORD.findall(english.lower())), set(_WORD.findall(other.lower()))
    same = len(ours & theirs) / max(1, len(theirs))
    return letters > 0.75 * len(english) and same <= 0.5


def _in_turn(groups: list[list[Parallel]], limit: int) -> list[Parallel]:
    ordered = [sorted(group, key=_shuffled) for group in groups]
    chosen: list[Parallel] = []
    while ordered and len(chosen) < limit:
        share = max(1, (limit - len(chosen)) // len(ordered))
        chosen += [pair for group in ordered for pair in group[:share]]
        ordered = [group[share:] for group in ordered if len(group) > share]
    return chosen[:limit]


def _shuffled(pair: Parallel) -> bytes:
    return hashlib.blake2b(pair.a.encode(), digest_size=8).digest()


def _catalogues(folder: Path) -> Iterator[tuple[str, str, str]]:
    documentation = re.search(r"python-docs-([a-z]{2})", folder.name)
    for path in sorted(folder.rglob("*.po")):
        match = _PO_PATH.search(path.as_posix())
        lang = documentation[1] if documentation else match and (match["lang"] or match["xlang"])
        if lang and lang != "en":
            text = re.sub(
                r"(?m)^#, .*fuzzy.*\n(?:.*\n)*?(?=\n|\Z)",
                "",
                path.read_text(encoding="utf-8", errors="replace"),
            )
            for entry in _PO_ENTRY.finditer(text):
                yield _unquoted(entry["a"]), _unquoted(entry["b"]), lang


def _unquoted(lines: str) -> str:
    text = "".join(line.strip()[1:-1] for line in lines.strip().splitlines())
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": " "}.get(match[1], match[1]), text)


def _android(folder: Path) -> Iterator[tuple[str, str, str]]:
    for original in sorted(folder.rglob("values/*strings*.xml")):
        english = _xml_strings(original)
        for path in sorted(original.parent.parent.glob(f"values-*/{original.name}")):
            match = _XML_FOLDER.match(path.parent.name)
            if match and match["lang"] not in ("en", "mcc"):
                yield from _joined(english, _xml_strings(path), match["lang"])


def _xml_strings(path: Path) -> dict[str, str]:
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError):
        return {}
    return {node.get("name", ""): "".join(node.itertext()) for node in root.iter("string")}


def _tables(folder: Path) -> Iterator[tuple[str, str, str]]:
    for original in sorted(folder.rglob("en*.json")):
        if original.parent.name != "translations" or not re.fullmatch(
            r"en(-[0-9a-f]{32})?\.json", original.name
        ):
            continue
        english = _json_strings(original)
        for path in sorted(original.parent.glob("*.json")):
            match = _JSON_NAME.match(path.name)
            if match and match["lang"] != "en":
                yield from _joined(english, _json_strings(path), match["lang"])


def _json_strings(path: Path) -> dict[str, str]:
    flat: dict[str, str] = {}

    def flatten(node: object, key: str) -> None:
        if isinstance(node, dict):
            for name, child in node.items():
                flatten(child, f"{key}.{name}")
        elif isinstance(node, str):
            flat[key] = node

    try:
        flatten(json.loads(path.read_text(encoding="utf-8", errors="replace")), "")
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
