"""Other embedders on the same texts in the same run, in turn, so that a busy machine slows all of them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.bench.timing import percentiles, seconds_of, spread
from indexer.errors import UserError

if TYPE_CHECKING:
    from indexer.types import Embedder

SAME = "same"
"""Stands for the embedder's own weights, run by sentence-transformers."""
_TEXTS = 400
_ROUNDS = 3
_QUERIES = 100  # a round
# With the folders that this process imports from: Python's own option for modules looks into the working folder first,
# which may be a stranger's.
_START = (
    "import sys; sys.path[:] = sys.argv[4:]; del sys.argv[4:]; from indexer.bench.peer import main; main()"
)

Timed = Callable[[Sequence[str], bool], float]
"""Seconds that embedding texts takes; True for queries."""


@dataclass
class _Model:
    name: str
    encode: Timed
    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


def compare(
    embedder: Embedder,
    model_name: str,
    texts: Sequence[str],
    queries: Sequence[str],
    beside: Sequence[str],
) -> list[dict[str, Any]]:
    """A row for the embedder and one for each other model: medians over the rounds; nothing without others."""
    if not beside:
        return []
    if importlib.util.find_spec("sentence_transformers") is None:
        raise UserError("--beside needs sentence-transformers: pip install 'codewhere[evaluate]'")
    texts = spread(texts, _TEXTS)
    with contextlib.ExitStack() as stack:
        models = [_Model(embedder.name, _timed(embedder))]
        models += [stack.enter_context(_peer(name, embedder, model_name)) for name in beside]
        for model in models:
            model.encode(texts[:32], False)
            model.encode(queries[:1], True)
        for _ in range(_ROUNDS):
            for model in models:
                _round(model, texts, queries)
    return [_row(model) for model in models]


def _timed(embedder: Embedder) -> Timed:
    def encode(texts: Sequence[str], query: bool) -> float:
        return seconds_of(lambda: (embedder.encode_queries if query else embedder.encode_code)(texts))

    return encode


@contextlib.contextmanager
def _peer(name: str, embedder: Embedder, model_name: str) -> Iterator[_Model]:
    if name != SAME:
        with _asked(name, embedder.device) as encode:
            yield _Model(f"{Path(name).name} in sentence-transformers", encode)
        return
    from indexer.embedding.export import export
    from indexer.embedding.loading import resolve_auto

    with tempfile.TemporaryDirectory() as folder:
        export(resolve_auto(model_name, embedder.device), Path(folder) / SAME)
        with _asked(str(Path(folder) / SAME), embedder.device) as encode:
            yield _Model(f"{embedder.name}, the same weights in sentence-transformers", encode)


@contextlib.contextmanager
def _asked(name: str, device: str) -> Iterator[Timed]:
    """A model in a process of its own (`indexer.bench.peer`)."""
    import torch

    command = [sys.executable, "-c", _START, name, device, str(torch.get_num_threads()), *sys.path]
    others = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=others
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def seconds() -> float:
            if not (line := answers.readline()):
                raise UserError(f"sentence-transformers cannot run {name}; the reason is above.")
            return float(line)

        def encode(texts: Sequence[str], query: bool) -> float:
            requests.write(json.dumps({"texts": list(texts), "query": query}) + "\n")
            requests.flush()
            return seconds()

        seconds()
        yield encode


def _round(model: _Model, texts: Sequence[str], queries: Sequence[str]) -> None:
    model.rates.append(len(texts) / model.encode(texts, False))
    for number in range(_QUERIES):
        # Never the same text twice, so that no cache answers.
        model.waits.append(model.encode([f"{queries[number % len(queries)]} {number}"], True))


def _row(model: _Model) -> dict[str, Any]:
    waits = {f"query_{name}": value for name, value in percentiles(model.waits).items()}
    return {"name": model.name, "functions_a_second": statistics.median(model.rates), **waits}
