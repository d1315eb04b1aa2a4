"""The decoder's forward pass on a CPU with int8 products: faster than bfloat16, and nearer to float32.

Weights are used as they are on disk, int8 with one scale a row. What goes into a product is rounded to int8 with one
scale a token (as LLM.int8(), arXiv 2208.07339, without its outliers: these models need none), so a text's vector does
not depend on what else is in the batch. Everything between the products is float32, attention as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from indexer.embedding.decoder import (
    DecoderConfig,
    Packing,
    Rotary,
    attend,
    rotary_tables,
    rotate,
    rows_of,
)
from indexer.embedding.devices import has_vnni
from indexer.embedding.spec import SCALE
from indexer.embedding.threads import on_threads, one_core
from indexer.embedding.weights import quantise

_ZERO_POINT = 128  # products take unsigned bytes on the left
_TINY = 1e-12
_FEW_ROWS = 64
"""Of a product, as in a query's: with more, a second core is worth waking, and oneDNN the faster one with AVX2, too."""


class Rounded(NamedTuple):
    """Rows of numbers as bytes."""

    values: Tensor
    """uint8 [rows, width], 128 stands for 0."""
    scale: Tensor
    """float32 [rows, 1]; value = scale * (byte - 128)."""

    @classmethod
    def of(cls, x: Tensor) -> Rounded:
        """Each row of float32 [rows, width] with a scale of its own."""
        largest = torch.maximum(x.amax(-1, keepdim=True), x.amin(-1, keepdim=True).neg_())
        scale = largest.clamp_(min=_TINY).div_(127)
        # Half above the zero point, because the conversion to bytes cuts off what is behind the point.
        return cls(
            torch.addcmul(torch.tensor(_ZERO_POINT + 0.5), x, scale.reciprocal()).to(torch.uint8), scale
        )


class Product:
    """Linear maps of one input, side by side, laid out for the processor."""

    def __init__(self, weights: Mapping[str, Tensor], names: Sequence[str]) -> None:
        stored = [_int8(weights, f"{name}.weight") for name in names]
        matrix = torch.cat([values for values, _ in stored])
        self._scale = torch.cat([scale for _, scale in stored]).contiguous()
        self._zero = torch.zeros(len(matrix), dtype=torch.int64)
        self._packed = torch.ops.onednn.qlinear_prepack(matrix, None)
        self._of_few = None if has_vnni() else _product_of_few(matrix, self._scale)
        biases = [weights.get(f"{name}.bias") for name in names]
        given = [bias.float() for bias in biases if bias is not None]
        self.bias = torch.cat(given) if given else None

    def __call__(self, x: Rounded) -> Tensor:
        """float32 [rows, outputs], to be multiplied by the scales of `x`; the bias is not in it."""
        if self._of_few is not None and len(x.values) <= _FEW_ROWS:
            return self._of_few(x.values)
        result: Tensor = torch.ops.onednn.qlinear_pointwise(
            x.values, 1.0, _ZERO_POINT, self._packed, self._scale, self._zero, None,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return result


def _product_of_few(matrix: Tensor, scale: Tensor) -> Callable[[Tensor], Tensor] | None:
    """The same product by FBGEMM, None where PyTorch has none.

    Without VNNI oneDNN lays out the weights anew in every product, which with few rows takes three times as long as
    the product itself.
    """
    if torch.backends.quantized.engine not in ("x86", "fbgemm"):
        return None
    # There is no other way to FBGEMM's layout than by a quantised tensor, which later releases may lack.
    warnings.filterwarnings("ignore", message=r"(?s).*quantized tensor creation functions.*")
    try:
        zeros = torch.zeros(len(matrix), dtype=torch.int64)
        quantised = torch._make_per_channel_quantized_tensor(matrix, scale.double(), zeros, 0)
        packed = torch.ops.quantized.linear_prepack(quantised, None)
        multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
        multiply(torch.zeros(1, matrix.shape[1]), 1.0, _ZERO_POINT, packed)
    except (AttributeError, RuntimeError):
        return None

    def product(values: Tensor) -> Tensor:
        result: Tensor = multiply(values.float() - _ZERO_POINT, 1.0, _ZERO_POINT, packed)
        return result

    return product


class Int8Layer:
    """One pre-norm decoder layer."""

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, config: DecoderConfig) -> None:
        def product(*names: str) -> Product:
            return Product(weights, [prefix + name for name in names])

        self._qkv = product("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        self._out = product("self_attn.o_proj")
        self._gate_up = product("mlp.gate_proj", "mlp.up_proj")
        self._down = product("mlp.down_proj")
        self._norms = [
            weights[f"{prefix}{name}.weight"].float()
            for name in ("input_layernorm", "post_attention_layernorm")
        ]
        self._config = config

    def __call__(self, x: Tensor, packing: Packing, rotary: Rotary, last_only: bool) -> Tensor:
        """float32 [total_tokens, hidden] to the same, or to [n, hidden] for the last tokens alone."""
        attended = Rounded.of(self._attend(x, packing, rotary, last_only))
        x = torch.addcmul(x[packing.last] if last_only else x, self._out(attended), attended.scale)
        inner, scale = self._feed_forward(x)
        return x.addcmul_(self._down(inner), scale)

    def _attend(self, x: Tensor, packing: Packing, rotary: Rotary, last_only: bool) -> Tensor:
        config = self._config
        rounded = _norm(x, self._norms[0], config.rms_norm_eps)
        mixed = self._qkv(rounded)
        bias = self._qkv.bias
        mixed = mixed.mul_(rounded.scale) if bias is None else torch.addcmul(bias, mixed, rounded.scale)
        keys = config.num_key_value_heads * config.head_dim
        query, key, value = (
            part.reshape(len(part), -1, config.head_dim)
            for part in torch.split_with_sizes(mixed, [mixed.shape[1] - 2 * keys, keys, keys], dim=1)
        )
        key = rotate(key, rotary)
        if last_only:
            query, rotary = query[packing.last], rows_of(rotary, packing.last)
        query = rotate(query, rotary)
        return attend(query, key, value, packing, last_only)

    def _feed_forward(self, x: Tensor) -> tuple[Rounded, Tensor]:
        """What goes into the last product, and the scales of what comes out of it."""
        rounded = _norm(x, self._norms[1], self._config.rms_norm_eps)
        gate, up = self._gate_up(rounded).chunk(2, dim=1)
        # The scale of `up` passes through to the end, where it costs less.
        inner = Rounded.of(F.silu(gate.mul_(rounded.scale), inplace=True).mul_(up))
        return inner, inner.scale * rounded.scale


class Int8Decoder:
    """Token ids to one vector a sequence, not normalised; see `indexer.embedding.decoder.Decoder`."""

    def __init__(self, weights: Mapping[str, Tensor], config: DecoderConfig) -> None:
        """`weights` as `read_stored` gives them."""
        self._config = config
        self._table, self._table_scale = _int8(weights, "embed_tokens.weight")
        self._layers = on_threads(
            lambda number: Int8Layer(weights, f"layers.{number}.", config),
            range(config.num_hidden_layers),
            torch.get_num_threads(),
        )
        self._norm = weights["norm.weight"].float()
        head, scale = _int8(weights, "head.weight")
        self._head = head.float() * scale[:, None]

    def __call__(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Vectors float32 [n, output_dim] of packed token ids [total_tokens] in sequences of these lengths [n]."""
        if len(ids) > _FEW_ROWS:
            return self._pass(ids, lengths)
        with one_core():
            return self._pass(ids, lengths)

    def _pass(self, ids: Tensor, lengths: Tensor) -> Tensor:
        packing = Packing.of(lengths)
        x = self.token_rows(ids)
        rotary = rotary_tables(packing.positions, self._config, torch.float32)
        for number, layer in enumerate(self._layers, start=1):
            x = layer(x, packing, rotary, last_only=number == len(self._layers))
        x = F.rms_norm(x, self._norm.shape, self._norm, self._config.rms_norm_eps)
        return F.linear(x, self._head)

    def token_rows(self, ids: Tensor) -> Tensor:
        """The token embedding float32 [n, hidden] of token ids [n]."""
        return self._table[ids].float() * self._table_scale[ids][:, None]


def _norm(x: Tensor, weight: Tensor, eps: float) -> Rounded:
    """RMS norm, rounded; dividing by the norm touches the scales alone."""
    mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1])
    rounded = Rounded.of(x * weight)
    return Rounded(rounded.values, rounded.scale * mean_square.add_(eps).rsqrt_())


def _int8(weights: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """A matrix with the scales of its rows; one that is not int8 on disk is rounded now."""
    value = weights[name]
    return (value, weights[name + SCALE].float()) if value.dtype == torch.int8 else quantise(value)
