"""Short requests → shell commands and one-line snippets, in many natural languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from indexer.training.mine import Pair
from indexer.training.mining.parallel import plain_sentence

_ITEM = re.compile(r"^- (.+?):?\n+`([^`]+)`", re.MULTILINE)
_PAGES = re.compile(r"pages(?:\.([a-z]{2,3})(?:_[A-Z]{2})?)?")
_CMDLET = re.compile(r"[A-Z]\w+-[A-Z]")


def tldr(root: Path, licence: str) -> Iterator[Pair]:
    """Every example of every tldr page, in each language it is translated to; placeholders become plain words."""
    for path in sorted(root.glob("pages*/*/*.md")):
        pages = _PAGES.fullmatch(path.parts[-3])
        for said, command in (
            _ITEM.findall(path.read_text(encoding="utf-8", errors="replace")) if pages else ()
        ):
            command = re.sub(r"\{\{\[(-\w+)\|(--[\w-]+)\]\}\}", r"\2", command)
            command = re.sub(r"\{\{(.*?)\}\}", r"\1", command)
            request = plain_sentence(re.sub(r"\[(\w)\](\w+)", r"\1\2", said)).rstrip(":.")
            language = "powershell" if path.parts[-2] == "windows" and _CMDLET.match(command) else "bash"
            natural = (pages and pages[1]) or "en"
            yield _pair(request, command, path.stem, language, natural, "tldr-pages/tldr", licence)


def nl2bash(folder: Path, licence: str) -> Iterator[Pair]:
    """The requests in ``all.nl`` with the commands on the same lines of ``all.cm``."""
    requests, commands = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("all.nl", "all.cm"))
    for request, command in zip(requests.split("\n"), commands.split("\n"), strict=False):
        request = re.sub(r"^\((BSD|GNU|Linux)[\w -]*\)\s*", "", request.strip())
        name = command.strip().split(" ")[0]
        yield _pair(request, command.strip(), name, "bash", "en", "TellinaTool/nl2bash", licence)


def conala(path: Path) -> Iterator[Pair]:
    """Question titles and their rewritten forms → Python snippets, of CoNaLa's training part."""
    for row in json.loads(path.read_text(encoding="utf-8")):
        for request in filter(None, (row.get("intent"), row.get("rewritten_intent"))):
            yield _pair(plain_sentence(request), row["snippet"], "", "python", "en", "conala-corpus", "MIT")


def _pair(query: str, code: str, symbol: str, language: str, natural: str, repo: str, licence: str) -> Pair:
    return Pair(query, "", code, symbol, "snippet", language, natural, repo, "", licence, "command")
