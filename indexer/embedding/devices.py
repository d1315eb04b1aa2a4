"""Which device and number type to compute with."""

from __future__ import annotations

import functools
import logging

import torch

from indexer.errors import UserError

log = logging.getLogger(__name__)

_TYPES = {"bf16": torch.bfloat16, "bfloat16": torch.bfloat16, "fp16": torch.float16, "float16": torch.float16}
_TYPES |= {"fp32": torch.float32, "float32": torch.float32, "int8": torch.int8}


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


def limit(threads: int | None, gpu_memory_mb: int | None) -> None:
    """Bound the CPU threads and the CUDA memory of this process; batches are halved until they fit."""
    if threads is not None:
        torch.set_num_threads(threads)
    if gpu_memory_mb is not None and torch.cuda.is_available():
        total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, gpu_memory_mb * 1e6 / total))


def choose_dtype(wanted: str | None, device: str, *, rounds: bool) -> torch.dtype:
    """`wanted`, or the fastest type that the device computes natively; `UserError` for one it cannot.

    int8 is for models that bear the rounding (`rounds`), on a CPU: faster there than bfloat16.
    """
    kind = device.split(":")[0]
    able = rounds and kind == "cpu" and _cpu_has_int8()
    if wanted in (None, "", "auto"):
        return torch.int8 if able else float_type(device)
    assert wanted is not None
    if wanted not in _TYPES:
        raise UserError(f"unknown number type {wanted!r}; use int8, bf16, fp16 or fp32")
    if wanted == "int8" and not able:
        raise UserError(
            "int8 needs the model small, or one like it, on a CPU with AVX2 instructions; use bf16, fp16 or fp32"
        )
    return _TYPES[wanted]


def float_type(device: str) -> torch.dtype:
    """bfloat16 or float16 where the device computes it natively, else float32."""
    kind = device.split(":")[0]
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if kind == "mps":
        return torch.float16
    return torch.bfloat16 if _cpu_has("avx512_bf16", "amx_bf16", "bf16") else torch.float32


def has_vnni() -> bool:
    """Whether the CPU multiplies bytes and adds up the products in one instruction."""
    return _cpu_has("avx512_vnni", "avx_vnni")


def _cpu_has_int8() -> bool:
    # Without VNNI or AMX two neighbouring products are added up in 16 bits, where large ones saturate. That is so rare
    # that vectors are nearer to float32 (cosine 0.9996) than with inputs of 7 bits, which cannot saturate (0.9989).
    built: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return built and _cpu_has("avx2")


def _cpu_has(*names: str) -> bool:
    # Asked of the processor, not timed: a timing on a busy machine has chosen wrongly, and was remembered.
    # Older releases of torch cannot tell.
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in names)
