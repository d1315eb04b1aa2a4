"""Embedders: decoders that turn queries and code into vectors of one space."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import UserError

if TYPE_CHECKING:
    from indexer.config import Config
    from indexer.embedding.embedder import DecoderEmbedder
    from indexer.types import Embedder

# Read when PyTorch is loaded, which happens later. Threads that spin while they wait for one another lose to whatever
# else runs: on a busy machine sleeping ones embed 1.6 to 1.9 times as many functions a second.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SHIPPED = Path(__file__).parent / "models"


def available_models() -> list[str]:
    """Names of the models that come with the package."""
    from indexer.embedding.spec import SPEC_FILE

    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{SPEC_FILE}"))


def has_base() -> bool:
    """Whether `base` is shipped and its backbone is on this machine."""
    from indexer.embedding.spec import ModelSpec, find_backbone

    return "base" in available_models() and find_backbone(ModelSpec.read(SHIPPED / "base")) is not None


def load_embedder(
    name: str = "small", device: str | None = None, dtype: str | None = None, dim: int | None = None
) -> DecoderEmbedder:
    """The embedder of a shipped model (`small`, `auto`), a folder, or a hub id.

    `device` is `cpu`, `cuda`, `cuda:N`, `mps` or None to choose; `dtype` is `int8`, `bf16`, `fp16`,
    `fp32` or None; `dim` cuts the vectors to their first so many dimensions. Raises `UserError` that says what to do.
    """
    from indexer.embedding.loading import load

    return load(name, device, dtype, dim)


def load_configured(config: Config) -> Embedder:
    """The embedder that the settings ask for, with their limits of threads and memory; raises as `load_embedder`."""
    if config.threads is not None or config.gpu_memory_mb is not None:
        from indexer.embedding.devices import limit

        limit(config.threads, config.gpu_memory_mb)
    return load_embedder(config.model, config.device, config.dtype, config.dim)


__all__ = ["SHIPPED", "UserError", "available_models", "load_configured", "load_embedder"]
