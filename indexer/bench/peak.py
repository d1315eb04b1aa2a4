"""What the device can multiply at most, and what a model multiplies for one token."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from indexer.embedding.embedder import DecoderEmbedder

if TYPE_CHECKING:
    from indexer.types import Embedder

_SECONDS = 0.5
_SIZES = {"cpu": (1_024, 896, 3_968), "cuda": (16_384, 4_096, 4_096), "mps": (4_096, 2_048, 2_048)}


def work_per_token(embedder: Embedder) -> float:
    """Floating-point operations of the products with weights for one token; 0 where the sizes are not known.

    What attention does between tokens is left out, and that the last layer computes fewer rows: at 100 tokens a
    function the one is 3 % of it, and the other as much the other way for six layers.
    """
    config = embedder.spec.config if isinstance(embedder, DecoderEmbedder) else {}
    if not config:
        return 0.0
    hidden, width = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"] + config["num_key_value_heads"]
    weights = 2 * hidden * heads * config["head_dim"] + 3 * hidden * width
    return 2.0 * float(weights) * float(config["num_hidden_layers"])


def peak_flops(embedder: DecoderEmbedder) -> float:
    """Operations a second of large products of the embedder's number type on its device, measured now."""
    device = torch.device(embedder.device)
    rows, inner, outer = _SIZES[device.type]
    left = torch.randn(rows, inner, device=device)
    right = torch.randn(outer, inner, device=device)
    product = _product(left, right, embedder.number_type)
    product()
    best, end = float("inf"), time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        product()
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2.0 * rows * inner * outer / best


def _product(left: torch.Tensor, right: torch.Tensor, number_type: str) -> Callable[[], object]:
    if number_type == "int8":
        from indexer.embedding.int8 import Product, Rounded

        rounded, map_ = Rounded.of(left), Product({"right.weight": right}, ["right"])
        return lambda: map_(rounded)
    dtype: torch.dtype = getattr(torch, number_type)
    left, right = left.to(dtype), right.to(dtype)
    return lambda: torch.nn.functional.linear(left, right)
