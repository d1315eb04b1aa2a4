"""Which device and number type to compute with."""

from __future__ import annotations

import functools
import logging

import torch

from indexer.errors import UserError

log = logging.getLogger(__name__)

_TYPES = {"bf16": torch.bfloat16, "bfloat16": torch.bfloat16, "fp16": torch.float16, "float16": torch.float16}
_TYPES |= {"fp32": torch.float32, "float32": torch.float32}


def choose_device(wanted: str | None) -> str:
    """`wanted` where it is there (else `UserError`), by default CUDA, then MPS, then the CPU."""
    if wanted in (None, "", "auto"):
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    assert wanted is not None
    kind = wanted.split(":")[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in there:
        raise UserError(f"unknown device {wanted!r}; use cpu, cuda, cuda:N or mps")
    if not there[kind]:
        _warn_once(wanted)
        return "cpu"
    return wanted


@functools.cache
def _warn_once(wanted: str) -> None:
    # Said loudly, once: a GPU that silently is not used is the commonest complaint about local indexes.
    log.warning("the device %s is not there; computing on the CPU, which is much slower", wanted)


def choose_dtype(wanted: str | None, device: str) -> torch.dtype:
    """`wanted`, or bfloat16 where the device computes it natively, else float32."""
    if wanted not in (None, "", "auto"):
        assert wanted is not None
        if wanted not in _TYPES:
            raise UserError(f"unknown number type {wanted!r}; use bf16, fp16 or fp32")
        return _TYPES[wanted]
    kind = device.split(":")[0]
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if kind == "mps":
        return torch.float16
    return torch.bfloat16 if _cpu_has_bf16() else torch.float32


def _cpu_has_bf16() -> bool:
    # Asked of the processor, not timed: a timing on a busy machine has chosen wrongly, and was remembered.
    # Older releases of torch cannot tell.
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
