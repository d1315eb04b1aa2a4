"""`codewhere bench`: how fast this machine is, measured with a store of its own that is removed afterwards."""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.commands.common import EmbedderLoader, Flags, existing_folder, open_root, settings_for
from indexer.commands.progress import ProgressDisplay
from indexer.errors import UserError
from indexer.render import bytes_text, print_json, print_table

if TYPE_CHECKING:
    from indexer.config import Config
    from indexer.engine import Index
    from indexer.types import Function, SourceFile

Figures = dict[str, float | str]

_ROUNDS = 3  # of each query
_PARSE_SECONDS = 10.0
_QUERIES = 30


def bench(path: Path | None, flags: Flags, as_json: bool) -> None:
    """Measure on a folder; by default on codewhere's own source, which makes machines comparable."""
    import indexer

    root = existing_folder(path or Path(indexer.__path__[0]))
    config = settings_for(root, flags)
    with tempfile.TemporaryDirectory(prefix="codewhere-bench-") as home:
        figures = _measure(root, replace(config, home=Path(home)))
    if as_json:
        print_json({"root": str(root), **figures})
    else:
        rows = [[name.replace("_", " "), _shown(name, value)] for name, value in figures.items()]
        print_table(rows, ["MEASURED", "VALUE"])


def _measure(root: Path, config: Config) -> Figures:
    figures: Figures = {}
    with _timed(figures, "walk_seconds"):
        sources = list(_sources(root, config))
    if not sources:
        raise UserError(f"There is nothing to index in {root}. Name a folder with source code.")
    figures["files"] = len(sources)
    figures["parse_megabytes_per_second"], functions = _parse_speed(root, config, sources)
    loader = EmbedderLoader(config)
    with open_root(root, config, loader) as index:
        with _timed(figures, "seconds_until_words_answer"):
            index.update(embed=False)
        queries = _queries(functions)
        figures |= _latency(lambda text: index.search(text, dense=False), queries, "words")
        figures |= _embedding(index, loader)
        figures |= _latency(index.search, queries, "words_and_meaning")
        status = index.status()
    figures["disk_bytes_per_function"] = status.store_bytes / max(status.functions, 1)
    figures["peak_memory_bytes"] = _peak_memory()
    return figures


def _sources(root: Path, config: Config) -> Iterator[SourceFile]:
    from indexer.types import SourceFile
    from indexer.walk import walk

    return (entry for entry in walk(root, config) if isinstance(entry, SourceFile))


def _parse_speed(root: Path, config: Config, sources: list[SourceFile]) -> tuple[float, list[Function]]:
    """Megabytes a second on one core, and the functions."""
    from indexer.parse import parse
    from indexer.walk import read_source

    functions: list[Function] = []
    n_bytes, seconds = 0, 0.0
    for source in sources:
        content = read_source(root, source.path, config.max_file_bytes)
        if not isinstance(content, bytes):
            continue
        start = time.perf_counter()
        functions.extend(parse(source.path, content).functions)
        seconds += time.perf_counter() - start
        n_bytes += len(content)
        if seconds > _PARSE_SECONDS:
            break
    return n_bytes / 1e6 / max(seconds, 1e-9), functions


def _queries(functions: list[Function]) -> list[str]:
    """First sentences of doc comments, else symbols: spread over the folder, the same every time."""
    texts = [function.doc.split("\n")[0] for function in functions if len(function.doc) > 20]
    texts = texts or [function.symbol for function in functions if function.symbol] or ["where is it"]
    return texts[:: max(1, len(texts) // _QUERIES)][:_QUERIES]


def _embedding(index: Index, loader: EmbedderLoader) -> Figures:
    with ProgressDisplay(loader) as display:
        # What loading takes must not count as embedding.
        loader().encode_code(["def warm_up(): pass"])
        index.embedder = loader()
        start = time.perf_counter()
        report = index.update(on_progress=display)
    seconds = time.perf_counter() - start
    return {
        "functions": report.functions,
        "model": loader().name,
        "device": loader.device,
        "dimensions": loader().dim,
        "embedded_functions_per_second": report.embedded / max(seconds, 1e-9),
    }


def _latency(search: Callable[[str], object], queries: list[str], name: str) -> Figures:
    search(queries[0])
    seconds = []
    for text in queries * _ROUNDS:
        start = time.perf_counter()
        search(text)
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    return {
        f"query_by_{name}_p50_ms": 1000 * statistics.median(seconds),
        f"query_by_{name}_p99_ms": 1000 * seconds[int(0.99 * (len(seconds) - 1))],
    }


@contextmanager
def _timed(figures: Figures, name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    figures[name] = time.perf_counter() - start


def _peak_memory() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else 1024 * peak)


def _shown(name: str, value: float | str) -> str:
    if isinstance(value, str):
        return value
    if "bytes" in name and "megabytes" not in name:
        return bytes_text(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
