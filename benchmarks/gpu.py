"""Embedding on a GPU: what each way of computing the same vectors gives, beside the device's measured peak.

    python benchmarks/gpu.py small base --texts functions.json --output benchmarks/results/gpu.json

`--texts` is a JSON list of function texts, as `Function.text` has them. Every figure is the best of three rounds.
"""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from common import report

from indexer.ahead import run_ahead
from indexer.bench.peak import peak_flops, work_per_token
from indexer.bench.timing import percentiles, seconds_of, spread
from indexer.config import Config
from indexer.embedding import decoder, load_embedder
from indexer.embedding.embedder import DecoderEmbedder
from indexer.embedding.export import export
from indexer.engine import open_index
from indexer.types import Vectors

ROUNDS = 2
QUERIES = 100
FEW = 1_500
BUDGETS = (4_096, 8_192, 16_384, 65_536)
"""Tokens of one forward pass, beside what the embedder takes."""
SLICE = 1_024
"""Texts of one call where two are in flight, as in an update."""


def rates(encode: Callable[[Sequence[str]], object], texts: Sequence[str], tokens: int) -> dict[str, float]:
    """Functions and tokens a second, after a first round that is not counted."""
    encode(texts[: len(texts) // 8])
    seconds = min(seconds_of(lambda: encode(texts)) for _ in range(ROUNDS))
    return {"functions_a_second": len(texts) / seconds, "tokens_a_second": tokens / seconds}


def ways(embedder: DecoderEmbedder) -> Iterator[tuple[str, dict[str, float]]]:
    """Each way of computing, set up as the caller asks for the next; with what it took to set up."""
    backend: Any = embedder._backend
    backend._left = 0
    fused = decoder.fused_attention
    decoder.fused_attention = lambda device: None  # type: ignore[assignment]
    yield "padded attention", {}
    decoder.fused_attention = fused
    yield "packed attention", {}
    plain = backend._model
    seconds = seconds_of(backend.compile)
    if backend._model is plain:
        return
    yield "packed attention, compiled", {"compile_seconds": seconds}
    usual = embedder._budget
    for budget in BUDGETS:
        embedder._budget = budget
        yield f"packed attention, compiled, {budget:,} tokens a pass", {}
    embedder._budget = usual


def in_flight(embedder: DecoderEmbedder, texts: Sequence[str]) -> None:
    """The texts in calls of which two are under way at a time."""
    slices = [texts[at : at + SLICE] for at in range(0, len(texts), SLICE)]
    for _ in run_ahead((functools.partial(embedder.encode_code, some) for some in slices), 1):
        pass


def end_to_end(embedder: DecoderEmbedder, root: Path) -> dict[str, float]:
    """Seconds of indexing a folder into an empty store with the model at hand, and of embedding its windows alone."""
    windows: list[str] = []
    encode = embedder.encode_code

    def recorded(texts: Sequence[str]) -> Vectors:
        windows.extend(texts)
        return encode(texts)

    embedder.encode_code = recorded  # type: ignore[method-assign]
    try:
        words, vectors = _index(root, embedder, embed=(False, True))
    finally:
        embedder.encode_code = encode  # type: ignore[method-assign]
    (whole,) = _index(root, embedder, embed=(True,))
    return {
        "windows": len(windows),
        "tokens": embedder.count_tokens(windows),
        "words_seconds": words,
        "vectors_seconds": vectors,
        "whole_seconds": whole,
        "embedding_alone_seconds": seconds_of(lambda: in_flight(embedder, windows)),
    }


def _index(root: Path, embedder: DecoderEmbedder, embed: Sequence[bool]) -> list[float]:
    """Seconds of each of several updates of one new index, with vectors or without."""
    with tempfile.TemporaryDirectory() as home:
        config = Config(home=Path(home), model=embedder.name)
        with open_index(root, config=config, embedder=embedder) as index:
            return [seconds_of(functools.partial(index.update, embed=vectors)) for vectors in embed]


def sentence_transformers(
    name: str, texts: Sequence[str], tokens: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """The same weights there, in bfloat16, in small batches and in large ones."""
    from sentence_transformers import SentenceTransformer

    with tempfile.TemporaryDirectory() as folder:
        export(name, Path(folder) / "model")
        model = SentenceTransformer(str(Path(folder) / "model"), device="cuda").bfloat16()

    def encode(size: int, some: Sequence[str]) -> object:
        return model.encode_document(
            list(some), batch_size=size, show_progress_bar=False, convert_to_tensor=True
        )

    for size in (32, 256):
        row = rates(functools.partial(encode, size), texts, tokens)
        yield f"sentence-transformers, batches of {size}", row


def product_types(embedder: DecoderEmbedder, rows: int = 65_536) -> dict[str, float]:
    """Operations a second of the feed-forward block's first product, in bfloat16 and in fp8 with its rounding."""
    hidden, width = embedder.spec.config["hidden_size"], embedder.spec.config["intermediate_size"]
    left = torch.randn(rows, hidden, device="cuda", dtype=torch.bfloat16)
    right = torch.randn(width, hidden, device="cuda", dtype=torch.bfloat16)
    fp8 = right.to(torch.float8_e4m3fn)
    one = torch.ones((), device="cuda")

    def in_fp8() -> object:
        scale = left.abs().amax().float() / 448
        return torch._scaled_mm(
            (left / scale).to(torch.float8_e4m3fn),
            fp8.T,
            scale_a=scale,
            scale_b=one,
            out_dtype=torch.bfloat16,
        )

    work = 2.0 * rows * hidden * width
    return {
        name: work / _device_seconds(product)
        for name, product in {"bf16": lambda: left @ right.T, "fp8, rounding included": in_fp8}.items()
    }


def _device_seconds(run: Callable[[], object], times: int = 30) -> float:
    run()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(times):
        run()
    end.record()
    torch.cuda.synchronize()
    return float(start.elapsed_time(end)) / 1e3 / times


def measure(name: str, texts: Sequence[str], root: Path | None) -> dict[str, Any]:
    """All figures of one model."""
    embedder = load_embedder(name, device="cuda")
    tokens = embedder.count_tokens(texts)
    peak, work = peak_flops(embedder), work_per_token(embedder)
    print(name, tokens, peak, work, flush=True)
    rows: dict[str, dict[str, float]] = {}
    for way, took in ways(embedder):
        rows[way] = {**rates(embedder.encode_code, texts, tokens), **took}
        print(name, way, rows[way], flush=True)
    row = rates(functools.partial(in_flight, embedder), texts, tokens)
    rows["packed attention, compiled, two calls at a time"] = row
    print(name, "two calls at a time", row, flush=True)
    whole = end_to_end(embedder, root) if root else {}
    print(name, whole, flush=True)
    few = texts[:FEW]
    for way, row in sentence_transformers(name, few, embedder.count_tokens(few)):
        rows[way] = row
        print(name, way, row, flush=True)
    for row in rows.values():
        row["peak_share"] = row["tokens_a_second"] * work / peak
    queries = [" ".join(text.split()[:12]) for text in spread(texts, QUERIES)]
    waits = [seconds_of(functools.partial(embedder.encode_queries, [query])) for query in queries]
    exact = load_embedder(name, device="cuda", dtype="fp32").encode_code(few[:200])
    return {
        "texts": len(texts),
        "number_type": embedder.number_type,
        "tokens": tokens,
        "peak_flops": peak,
        "flops_a_token": work,
        "ways": rows,
        "end_to_end": whole,
        "query": percentiles(waits),
        "cosine_with_fp32": float((embedder.encode_code(few[:200]) * exact).sum(1).mean()),
        "products": product_types(embedder),
        "memory_bytes": torch.cuda.max_memory_allocated(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--number", type=int, default=16_000, help="texts to embed")
    parser.add_argument("--folder", type=Path, help="indexed from end to end as well")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    texts = list(spread(json.loads(arguments.texts.read_text("utf-8")), arguments.number))
    found = {Path(name).name: measure(name, texts, arguments.folder) for name in arguments.models}
    setting = {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
    report({**setting, "models": found}, arguments.output)


if __name__ == "__main__":
    main()
