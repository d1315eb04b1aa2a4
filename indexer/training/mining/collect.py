"""Training data other than doc comments: exercises, commands, translations.

``python -m indexer.training.mining.collect SOURCES OUT --block blocklist.json`` reads working copies named
``owner+name`` under SOURCES (`sources.tsv` lists them) and writes ``problems``, ``commands`` and ``parallel`` files.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from indexer.training.files import open_output
from indexer.training.mine import Pair
from indexer.training.mining.blocklist import Blocklist, shape_key
from indexer.training.mining.commands import conala, nl2bash, tldr
from indexer.training.mining.licences import detect_licence
from indexer.training.mining.natural import natural_language
from indexer.training.mining.parallel import Parallel, collect_parallel, rows, sample
from indexer.training.mining.problems import (
    articles,
    exercism,
    leetcode,
    snippets,
    statements_of,
    tasks,
    titled,
)
from indexer.training.mining.quality import MAX_CODE_CHARS, word_count

MIN_WORDS = 4
COMMANDS_PER_LANGUAGE = {"en": 20_000}
OTHER_COMMANDS_PER_LANGUAGE = 3_000
TRANSLATED = (
    "tldr-pages+tldr", "jupyterlab+language-packs", "pypi+django", "pypi+wagtail", "pypi+sphinx", "pypi+humanize",
    "pypi+homeassistant", "pypi+home-assistant-frontend", "aosp-mirror+*", "LineageOS+*", "python+python-docs-*",
    "GrapheneOS+platform_packages_modules_Permission", "google+comprehensive-rust", "godotengine+godot-editor-l10n",
    "GoogleChrome+lighthouse", "microsoft+pyright", "openfoodfacts+smooth-app",
    "dotnet+*", "microsoft+vstest", "microsoft+testfx", "microsoft+vscode-mssql",
    "symfony+symfony", "litecoin-project+litecoin", "monero-project+monero-gui", "apache+tomcat", "jenkinsci+jenkins",
    "thunderbird+thunderbird-android", "wikimedia+apps-android-wikipedia", "commons-app+apps-android-commons",
    "duckduckgo+Android", "firebase+FirebaseUI-Android",
    "*+*-[Ff]or-[Bb]eginners", "microsoft+Security-101", "Azure+co-op-translator", "huggingface+course",
    "github+opensource.guide", "cncf+glossary", "nodejs+nodejs.org", "trekhleb+javascript-algorithms",
)  # fmt: skip
STATED_ELSEWHERE = {
    "aosp-mirror": "Apache-2.0", "LineageOS": "Apache-2.0", "GrapheneOS": "Apache-2.0", "python": "PSF-2.0",
}  # fmt: skip
"""Licences that stand in the head of each file and not in a licence file."""
_DEFINED = re.compile(
    r"(?:def|func|function|fn|fun|let|sub|const)\s+(\w+)|(\w+)\s*\([^()]*\)\s*(?:\{|:|->|=)"
)


def problems(sources: Path, block: Blocklist) -> list[Pair]:
    """Exercises whose code, and whose functions' names, the blocklist does not hold."""
    seen: set[tuple[str, str]] = set()
    times: Counter[tuple[str, str]] = Counter()
    kept: list[Pair] = []
    for pair in _exercises(sources):
        key, asked = (pair.query, shape_key(pair.code)), (pair.query, pair.language)
        if key in seen or times[asked] >= 2 or not _is_usable(pair, block):
            continue
        seen.add(key)
        times[asked] += 1
        kept.append(replace(pair, natural=natural_language(pair.query)))
    return kept


def commands(sources: Path, block: Blocklist) -> list[Pair]:
    """Requests and commands, evenly over the natural languages."""
    seen: set[tuple[str, str]] = set()
    times: Counter[tuple[str, str]] = Counter()
    by_language: dict[str, list[Pair]] = {}
    for pair in _requests(sources):
        key, answer = (pair.natural, pair.query.lower()), (pair.natural, pair.code)
        if key in seen or times[answer] >= 2 or word_count(pair.query) < 3 or block.blocks_code(pair.code):
            continue
        seen.add(key)
        times[answer] += 1
        by_language.setdefault(pair.natural, []).append(pair)
    return [pair for natural, pairs in by_language.items() for pair in _some(pairs, natural)]


def translations(sources: Path) -> list[Parallel]:
    """Sentences in English and another language, evenly over languages and sources."""
    folders = [folder for glob in TRANSLATED for folder in sorted(sources.glob(glob))]
    licences = {folder: detect_licence(folder) or _stated(folder) for folder in folders}
    return sample(
        pair
        for folder, licence in licences.items()
        if licence
        for pair in collect_parallel(folder, folder.name.replace("+", "/", 1), licence)
    )


def _stated(folder: Path) -> str | None:
    return STATED_ELSEWHERE.get(folder.name.partition("+")[0])


def _exercises(sources: Path) -> Iterator[Pair]:
    for track in sorted(sources.glob("exercism+*")):
        if licence := detect_licence(track):
            yield from exercism(track, licence)
    texts, solutions = sources / "halfrost+LeetCode-Go", sources / "kamyu104+LeetCode-Solutions"
    if detect_licence(texts) and (licence := detect_licence(solutions)):
        yield from leetcode(statements_of(texts), solutions, licence)
    mbxp = sources / "amazon-science+mxeval" / "data" / "mbxp"
    if licence := detect_licence(mbxp):
        yield from tasks(mbxp, licence)
    ways = sources / "neetcode-gh+leetcode"
    if licence := detect_licence(ways):
        yield from articles(ways, licence)
        yield from titled(ways, licence, "*/[0-9]*")
    if licence := detect_licence(solutions):
        yield from titled(solutions, licence)
    pages = sources / "30-seconds+30-seconds-of-code"
    if licence := detect_licence(pages):
        yield from snippets(pages, licence)


def _requests(sources: Path) -> Iterator[Pair]:
    folder = sources / "TellinaTool+nl2bash" / "data" / "bash"
    if licence := detect_licence(folder):
        yield from nl2bash(folder, licence)
    if (questions := sources / "conala-train.json").exists():
        yield from conala(questions)
    pages = sources / "tldr-pages+tldr"
    if licence := detect_licence(pages):
        yield from tldr(pages, licence)


def _is_usable(pair: Pair, block: Blocklist) -> bool:
    names = {name for found in _DEFINED.findall(pair.code) for name in found if name}
    return (
        word_count(pair.query) >= MIN_WORDS
        and 40 <= len(pair.code) <= MAX_CODE_CHARS
        and not block.blocks_code(pair.code)
        and not any(map(block.blocks_name, names))
    )


def _some(pairs: list[Pair], natural: str) -> list[Pair]:
    limit = COMMANDS_PER_LANGUAGE.get(natural, OTHER_COMMANDS_PER_LANGUAGE)
    return random.Random(natural).sample(pairs, min(limit, len(pairs)))


def _write(path: Path, pairs: Iterable[Pair]) -> None:
    with open_output(path) as lines:
        lines.writelines(json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs)


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--block", type=Path, required=True, help="what must not be trained on")
    given = parser.parse_args()
    block = Blocklist.load(given.block)
    _write(given.out / "problems.jsonl.zst", problems(given.sources, block))
    _write(given.out / "commands.jsonl.zst", commands(given.sources, block))
    with open_output(given.out / "parallel.jsonl.zst") as lines:
        lines.writelines(rows(translations(given.sources)))


if __name__ == "__main__":
    main()
