"""Walk, parse, words, vectors, queries, graph: each stage timed in a store of its own."""

from __future__ import annotations

import functools
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from indexer.bench.timing import percentiles, seconds_of, spread
from indexer.engine import Index, open_index
from indexer.errors import UserError
from indexer.priority import in_background

if TYPE_CHECKING:
    from indexer.config import Config
    from indexer.embedding.embedder import DecoderEmbedder
    from indexer.types import Embedder, Function, Progress, SourceFile, Vectors

Result = dict[str, Any]

_ROUNDS = 3  # of each query
_PARSE_SECONDS = 10.0
_QUERIES = 30
_SLICE = 32  # texts: what a query waits for at most while a folder is embedded
_COLD_STARTS = 3
_NEIGHBOURS = 10


def measure(
    root: Path,
    config: Config,
    load: Callable[[], Embedder],
    on_progress: Callable[[Progress], None],
    beside: Sequence[str] = (),
) -> Result:
    """All figures of one folder; `config.home` must be empty. Times in s or ms as named, sizes in bytes.

    :param load: Loads the embedder.
    :param beside: sentence-transformers models to compare with; ``same`` is the same weights exported.
    """
    from indexer.bench.beside import compare

    sources, walked = _walk(root, config)
    parsed, functions = _parse(root, config, sources)
    queries = _queries(functions)
    with open_index(root, config=config, embedder=load) as index:
        result: Result = {"files": len(sources), "walk_s": walked, **parsed}
        result["first_answer"] = _first_answers(index, queries[0], on_progress)
        embedder = index.load_embedder()
        assert embedder is not None
        result["model"] = {"name": embedder.name, "dimensions": embedder.dim, "device": embedder.device}
        result["index"] = _update(index, embedder, functions, on_progress)
        result["queries"] = _all_queries(index, queries)
        result["graph"] = _graph(_vectors(config, embedder, functions))
        result["disk_bytes_a_function"] = index.status().store_bytes / max(index.status().functions, 1)
        # With everything at hand: other models come after it.
        result["peak_memory_bytes"] = _peak_memory()
        result["embedding"] = _embedding(embedder, functions)
    texts = [function.text for function in functions]
    result["beside"] = compare(embedder, config.model, texts, queries, beside)
    return {"machine": _machine(), **result}


def _walk(root: Path, config: Config) -> tuple[list[SourceFile], float]:
    from indexer.types import SourceFile
    from indexer.walk import walk

    start = time.perf_counter()
    sources = [entry for entry in walk(root, config) if isinstance(entry, SourceFile)]
    if not sources:
        raise UserError(f"There is nothing to index in {root}. Name a folder with source code.")
    return sources, time.perf_counter() - start


def _parse(root: Path, config: Config, sources: list[SourceFile]) -> tuple[Result, list[Function]]:
    """Megabytes a second on one core, and the functions."""
    from indexer.parse import parse
    from indexer.walk import read_source

    functions: list[Function] = []
    n_bytes, seconds = 0, 0.0
    for source in sources:
        content = read_source(root, source.path, config.max_file_bytes)
        if not isinstance(content, bytes):
            continue
        start = time.thread_time()
        functions.extend(parse(source.path, content).functions)
        seconds += time.thread_time() - start
        n_bytes += len(content)
        if seconds > _PARSE_SECONDS:
            break
    return {"parse_mb_a_second_a_core": n_bytes / 1e6 / max(seconds, 1e-9)}, functions


def _queries(functions: list[Function]) -> list[str]:
    """First sentences of doc comments, else symbols: spread over the folder, the same every time."""
    texts = [function.doc.split("\n")[0] for function in functions if len(function.doc) > 20]
    texts = texts or [function.symbol for function in functions if function.symbol] or ["where is it"]
    return list(spread(texts, _QUERIES))


def _first_answers(index: Index, query: str, on_progress: Callable[[Progress], None]) -> Result:
    """Seconds from the command until words answer, until drafts do too and then vectors, loading included."""
    seen: list[Progress] = []

    def watch(progress: Progress) -> None:
        on_progress(progress)
        seen.append(progress)

    def answered(cancelled: Callable[[], bool]) -> float:
        index.update(on_progress=watch, cancelled=cancelled)
        index.search(query)
        return time.perf_counter() - start

    start = time.perf_counter()
    index.update(embed=False, on_progress=on_progress)
    index.search(query, dense=False)
    words = time.perf_counter() - start
    drafts = answered(lambda: bool(seen) and seen[-1].stage == "embed")
    vectors = answered(lambda: bool(seen) and seen[-1].stage == "embed" and seen[-1].done > 0)
    drafted = {"words_and_drafts_s": drafts} if any(progress.stage == "draft" for progress in seen) else {}
    return {"words_s": words, **drafted, "words_and_vectors_s": vectors}


def _update(
    index: Index, embedder: Embedder, functions: list[Function], on_progress: Callable[[Progress], None]
) -> Result:
    """Embedding with all that belongs to it: reading texts, cutting windows, writing vectors."""
    start = time.perf_counter()
    report = index.update(on_progress=on_progress)
    seconds = time.perf_counter() - start
    result: Result = {
        "functions": report.functions,
        "embedded": report.embedded,
        "functions_a_second": report.embedded / max(seconds, 1e-9),
    }
    if _is_ours(embedder):
        texts = {function.content_hash: function.text for function in functions}
        tokens = embedder.count_tokens(_windows(embedder, texts.values()))
        # The first answers have embedded a few already.
        result["tokens_a_second"] = tokens * report.embedded / len(texts) / seconds
    return result


def _is_ours(embedder: Embedder) -> TypeGuard[DecoderEmbedder]:
    # Not imported above: PyTorch's import is part of what the first answer takes.
    from indexer.embedding.embedder import DecoderEmbedder

    return isinstance(embedder, DecoderEmbedder)


def _windows(embedder: Embedder, texts: Iterable[str]) -> list[str]:
    return [window for windows in embedder.split_windows(list(texts)) for window in windows]


def _embedding(embedder: Embedder, functions: list[Function]) -> Result:
    """The model alone: windows of functions and tokens a second, and the share of what the device can multiply."""
    from indexer.bench.peak import peak_flops, work_per_token

    texts = _windows(embedder, [function.text for function in functions[:: max(1, len(functions) // 500)]])
    seconds = seconds_of(lambda: embedder.encode_code(texts))
    result: Result = {"windows_a_second": len(texts) / seconds}
    if not _is_ours(embedder):
        return result
    tokens = embedder.count_tokens(texts) / seconds
    result |= {"tokens_a_second": tokens, "number_type": embedder.number_type}
    work = work_per_token(embedder)
    if work:
        peak = peak_flops(embedder)
        result |= {"flops": tokens * work, "peak_flops": peak, "peak_share": tokens * work / peak}
    return result


def _all_queries(index: Index, queries: list[str]) -> Result:
    index.search(queries[0])
    result = {
        "words": _latency(lambda text: index.search(text, dense=False), queries),
        "words_and_vectors": _latency(index.search, queries),
    }
    with _embedding_meanwhile(index):
        result["while_indexing"] = _latency(index.search, queries)
    result["cold_process_s"] = {
        "p50": float(np.median([_cold(index, queries[0]) for _ in range(_COLD_STARTS)]))
    }
    return result


@contextmanager
def _embedding_meanwhile(index: Index) -> Iterator[None]:
    """Another thread embeds all the time, as the language server does: at low priority, in short slices."""
    stop = threading.Event()
    embedder = index.load_embedder()
    assert embedder is not None
    texts = [
        f"def work_{number}(): return [part * {number} for part in range(100)]" for number in range(_SLICE)
    ]

    def work() -> None:
        while not stop.is_set():
            embedder.encode_code(texts)

    thread = threading.Thread(target=lambda: in_background(work))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _cold(index: Index, query: str) -> float:
    """Seconds of a whole `codewhere search` process."""
    environment = {**os.environ, "CODEWHERE_HOME": str(index.config.home)}
    start_cli = "from indexer.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        start_cli,
        "search",
        query,
        str(index.root),
        "--model",
        index.config.model,
    ]
    start = time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=False)
    return time.perf_counter() - start


def _vectors(config: Config, embedder: Embedder, functions: list[Function]) -> Vectors:
    from indexer.store import Store

    store = Store(config.home)
    found = store.vectors_of(embedder.fingerprint, {function.content_hash for function in functions})
    store.close()
    return np.concatenate(list(found.values()))


def _graph(vectors: Vectors) -> Result:
    """The vector graph over vectors [n, dim] of the folder, also where so few are scanned in practice."""
    from indexer.store.hnsw import new_graph

    count = len(vectors)
    labels = np.arange(count)
    graph = new_graph(vectors.shape[1])
    threads = os.cpu_count() or 1
    build = seconds_of(lambda: graph.add(labels, lambda ids: (ids, vectors[ids]), threads))
    asked = vectors[:: max(1, count // 200)]
    exact = np.argsort(-(asked @ vectors.T), axis=1)[:, :_NEIGHBOURS]
    seconds, hits = [], 0
    for query, wanted in zip(asked, exact, strict=True):
        start = time.perf_counter()
        found, _ = graph.search(query, _NEIGHBOURS)
        seconds.append(time.perf_counter() - start)
        hits += len(np.intersect1d(found, wanted))
    return {
        "vectors": count,
        "build_vectors_a_second": count / build,
        "recall_at_10": hits / exact.size,
        **percentiles(seconds),
    }


def _latency(search: Callable[[str], object], queries: list[str]) -> Result:
    return percentiles([seconds_of(functools.partial(search, text)) for text in queries * _ROUNDS])


def _peak_memory() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else 1024 * peak)


def _machine() -> Result:
    import torch

    name = platform.processor() or platform.machine()
    with suppress(OSError, IndexError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line for line in lines if line.startswith("model name")).split(": ", 1)[1]
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "cpu": name,
        "cores": os.cpu_count(),
        "gpu": gpu,
        "torch": torch.__version__,
        "load": round(load, 1),
    }
