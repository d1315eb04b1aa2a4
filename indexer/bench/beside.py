"""Other embedders on the same texts in the same run, in turn, so that a busy machine slows all of them."""

from __future__ import annotations

import functools
import statistics
import tempfile
from collections.abc import Callable, Sequence
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


@dataclass
class _Model:
    name: str
    encode: Callable[[Sequence[str]], object]
    encode_query: Callable[[Sequence[str]], object]
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
    texts = spread(texts, _TEXTS)
    models = [_Model(embedder.name, embedder.encode_code, embedder.encode_queries)]
    models += [_load(name, embedder, model_name) for name in beside]
    for model in models:
        model.encode(texts[:32])
        model.encode_query(queries[:1])
    for _ in range(_ROUNDS):
        for model in models:
            _round(model, texts, queries)
    return [_row(model) for model in models]


def _load(name: str, embedder: Embedder, model_name: str) -> _Model:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UserError("--beside needs sentence-transformers: pip install 'codewhere[evaluate]'") from error
    device = embedder.device
    if name == SAME:
        from indexer.embedding.export import export
        from indexer.embedding.loading import resolve_auto

        with tempfile.TemporaryDirectory() as folder:
            export(resolve_auto(model_name, device), Path(folder) / SAME)
            model = SentenceTransformer(str(Path(folder) / SAME), device=device)
        name = f"{embedder.name}, the same weights in sentence-transformers"
    else:
        model = SentenceTransformer(name, device=device)
        name = f"{Path(name).name} in sentence-transformers"
    return _Model(
        name,
        lambda texts: model.encode_document(list(texts), show_progress_bar=False),
        lambda texts: model.encode_query(list(texts), show_progress_bar=False),
    )


def _round(model: _Model, texts: Sequence[str], queries: Sequence[str]) -> None:
    model.rates.append(len(texts) / seconds_of(lambda: model.encode(texts)))
    for number in range(_QUERIES):
        # Never the same text twice, so that no cache answers.
        query = f"{queries[number % len(queries)]} {number}"
        model.waits.append(seconds_of(functools.partial(model.encode_query, [query])))


def _row(model: _Model) -> dict[str, Any]:
    waits = {f"query_{name}": value for name, value in percentiles(model.waits).items()}
    return {"name": model.name, "functions_a_second": statistics.median(model.rates), **waits}
