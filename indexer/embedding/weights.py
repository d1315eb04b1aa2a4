"""Weights on disk: safetensors shards, matrices as int8 with one scale a row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from indexer.embedding.spec import SCALE, cure
from indexer.errors import UserError

SHARD_BYTES = 45_000_000
"""Shards stay below 50 MB, which code hosts take without complaint."""


def quantise(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix [n, m] as int8 [n, m] and one float32 scale a row [n], symmetric."""
    scale = (weight.float().abs().amax(dim=1) / 127).clamp_min(1e-12)
    return (weight.float() / scale[:, None]).round().clamp(-127, 127).to(torch.int8), scale


def write_weights(state: Mapping[str, Tensor], folder: Path) -> None:
    """Write the weights as int8 shards `model-00001.safetensors` … into the folder."""
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        if value.ndim == 2:
            tensors[name], tensors[name + SCALE] = quantise(value)
        else:
            tensors[name] = value.float().contiguous()
    for number, shard in enumerate(_shards(tensors), start=1):
        save_file(shard, folder / f"model-{number:05}.safetensors")


def _shards(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    size = 0
    for name, value in tensors.items():
        if shard and size + value.nbytes > SHARD_BYTES:
            yield shard
            shard, size = {}, 0
        shard[name] = value
        size += value.nbytes
    yield shard


def read_weights(folder: Path, dtype: torch.dtype) -> dict[str, Tensor]:
    """The weights of `write_weights` (or any plain safetensors) in this type; `UserError` where they are broken."""
    raw = read_stored(folder)
    return {
        name: _restore(name, value, raw, dtype) for name, value in raw.items() if not name.endswith(SCALE)
    }


def read_stored(folder: Path) -> dict[str, Tensor]:
    """The tensors as they are on disk, scales under the names of their matrices + `SCALE`."""
    raw: dict[str, Tensor] = {}
    shards = sorted(folder.glob("model-*.safetensors"))
    if not shards:
        raise UserError(f"no weights in {folder}; {cure(folder)}")
    for shard in shards:
        try:
            with safe_open(shard, framework="pt") as tensors:
                raw.update({name: tensors.get_tensor(name) for name in tensors.keys()})
        except (SafetensorError, OSError, json.JSONDecodeError) as error:
            raise UserError(f"the weights in {shard} are broken ({error}); {cure(folder)}") from error
    return raw


def _restore(name: str, value: Tensor, raw: Mapping[str, Tensor], dtype: torch.dtype) -> Tensor:
    if value.dtype != torch.int8:
        return value.to(dtype)
    # Through the target type at once: a detour by float32 doubles the time of a cold start.
    return value.to(dtype).mul_(raw[name + SCALE].to(dtype)[:, None])
