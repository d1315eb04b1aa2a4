"""A decoder of the Qwen2 and Llama family that runs without padding.

Sequences are packed end to end: the linear layers see `[total_tokens, hidden]` and no padding. Only attention
lays the sequences side by side, padded on the right, where a causal mask alone keeps the padding out.
The embedding of a text is the hidden state of its last token (Language Models are Universal Embedders,
arXiv 2310.08232), so the last layer computes queries and its MLP for the last tokens alone.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Rotary = tuple[Tensor, Tensor]
"""Cosines and sines, each [tokens, 1, head_dim]."""


@dataclass(frozen=True)
class DecoderConfig:
    """Sizes of a decoder; `intermediate_size` is the width left in each layer after pruning."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    rms_norm_eps: float
    rope_theta: float
    attention_bias: bool
    output_dim: int

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DecoderConfig:
        """The inverse of `to_dict`; unknown keys are left out."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Fused:
    """The kernel for attention over sequences of any lengths, which needs no padding."""

    attend: Callable[..., Any]
    causal: dict[str, Any]
    """How it is told that attention is causal; releases of PyTorch differ in this."""
    whole: dict[str, Any]
    """Options of attention that is not; empty where heads cannot share keys."""


@functools.cache
def fused_attention(device: str) -> Fused | None:
    """The kernel, where a kind of device has it: NVIDIA GPUs since Ampere."""
    if device != "cuda" or torch.version.cuda is None or torch.cuda.get_device_capability() < (8, 0):
        return None
    try:
        # Not at the top: it takes as long to import as the rest of PyTorch.
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:  # before PyTorch 2.10
        return None
    known = inspect.signature(varlen_attn).parameters
    grouped = {"enable_gqa": True} if "enable_gqa" in known else {}
    how = {"window_size": (-1, 0)} if "window_size" in known else {"is_causal": True}
    return Fused(varlen_attn, {**grouped, **how}, grouped)


@dataclass(frozen=True)
class Packing:
    """Where the sequences of a packed batch lie."""

    lengths: Tensor
    """int64 [n], tokens in each sequence."""
    padded: Tensor
    """int64 [total_tokens], the place of each token in the padded [n * longest] layout."""
    last: Tensor
    """int64 [n], the place of each last token in the packed layout."""
    positions: Tensor
    """int64 [total_tokens], the position of each token in its sequence."""
    starts: Tensor
    """int32 [n + 1], where each sequence begins in the packed layout, and where the last one ends."""
    longest: int
    fused: Fused | None

    @classmethod
    def of(cls, lengths: Tensor, device: torch.device | None = None) -> Packing:
        """Packing on a device of sequences of these lengths, int64 [n], each at least 1.

        Lengths that are still on the CPU spare a GPU the wait for what is read back from it.
        """
        longest = int(lengths.max())
        ends = lengths.cumsum(0)
        owner = torch.repeat_interleave(torch.arange(len(lengths), device=lengths.device), lengths)
        positions = torch.arange(len(owner), device=lengths.device) - (ends - lengths)[owner]
        starts = F.pad(ends, (1, 0)).to(torch.int32)

        place = device or lengths.device
        return cls(
            to_device(lengths, place),
            to_device(owner * longest + positions, place),
            to_device(ends - 1, place),
            to_device(positions, place),
            to_device(starts, place),
            longest,
            fused_attention(place.type),
        )


def pack(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of token ids end to end, int64 [total_tokens], on a device; their lengths, int64 [n], stay on the CPU."""
    ids = torch.tensor([number for row in rows for number in row])
    return to_device(ids, device), torch.tensor([len(row) for row in rows])


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """A copy there that the CPU does not wait for; the same tensor where it is there already."""
    if device.type == "cuda" and values.device.type == "cpu":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


class Attention(nn.Module):
    """Grouped-query attention with rotary positions over a packed batch."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        hidden, bias = config.hidden_size, config.attention_bias
        queries = config.num_attention_heads * config.head_dim
        keys = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(hidden, queries, bias=bias)
        self.k_proj = nn.Linear(hidden, keys, bias=bias)
        self.v_proj = nn.Linear(hidden, keys, bias=bias)
        self.o_proj = nn.Linear(queries, hidden, bias=False)

    def forward(self, x: Tensor, packing: Packing, rotary: Rotary, last_only: bool) -> Tensor:
        """Attention output, [total_tokens, hidden], or [n, hidden] for the last tokens alone."""
        key = rotate(self._split(self.k_proj(x)), rotary)
        value = self._split(self.v_proj(x))
        if last_only:
            x, rotary = x[packing.last], rows_of(rotary, packing.last)
        query = rotate(self._split(self.q_proj(x)), rotary)
        return cast(Tensor, self.o_proj(attend(query, key, value, packing, last_only)))

    def _split(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], -1, self.head_dim)


class FeedForward(nn.Module):
    """The gated SiLU feed-forward block."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[tokens, hidden] to [tokens, hidden]."""
        return cast(Tensor, self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x)))


class Layer(nn.Module):
    """One pre-norm decoder layer."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor, packing: Packing, rotary: Rotary, last_only: bool) -> Tensor:
        """[total_tokens, hidden] to the same, or to [n, hidden] for the last tokens alone."""
        attended = self.self_attn(self.input_layernorm(x), packing, rotary, last_only)
        x = (x[packing.last] if last_only else x) + attended
        return cast(Tensor, x + self.mlp(self.post_attention_layernorm(x)))


class Decoder(nn.Module):
    """Token ids to one vector a sequence, not normalised."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.head = nn.Linear(config.hidden_size, config.output_dim, bias=False)

    def blocks(self) -> list[Layer]:
        """The layers, typed."""
        return [cast(Layer, layer) for layer in self.layers]

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Vectors [n, output_dim] of packed token ids [total_tokens] in sequences of these lengths [n]."""
        return cast(Tensor, self.head(self.hidden(ids, lengths)))

    def token_rows(self, ids: Tensor) -> Tensor:
        """The token embedding [n, hidden] of token ids [n]."""
        return cast(Tensor, self.embed_tokens(ids))

    def hidden(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Normed hidden states [n, hidden] of the last tokens."""
        packing = Packing.of(lengths, ids.device)
        # The embedding may be kept in float32 while it is trained; the layers compute in their own type.
        x = self.embed_tokens(ids).to(self.head.weight.dtype)
        rotary = rotary_tables(packing.positions, self.config, x.dtype)
        final = len(self.layers) - 1
        for number, layer in enumerate(self.layers):
            x = layer(x, packing, rotary, last_only=number == final)
        return cast(Tensor, self.norm(x))


def attend(query: Tensor, key: Tensor, value: Tensor, packing: Packing, last_only: bool) -> Tensor:
    """Causal grouped-query attention of packed queries [rows, heads, head_dim] over packed keys and values.

    Returns [rows, heads * head_dim]; the rows are all tokens, or the last one of each sequence.
    """
    if packing.fused is not None and query.element_size() == 2:
        return _attend_fused(packing.fused, query, key, value, packing, last_only)
    group = query.shape[1] // key.shape[1]
    key, value = pad(key, packing), pad(value, packing)
    if last_only:
        places = torch.arange(packing.longest, device=query.device)
        mask = (places[None, :] < packing.lengths[:, None])[:, None, None, :]
        keys, values = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)
        return F.scaled_dot_product_attention(query[:, :, None, :], keys, values, attn_mask=mask).flatten(1)
    padded = pad(query, packing)
    if query.device.type != "cpu":
        keys, values = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)
        out = F.scaled_dot_product_attention(padded, keys, values, is_causal=True)
    elif query.requires_grad:
        out = _plain_attention(padded, key, value)
    else:
        out = _merged_attention(padded, key, value)
    return out.transpose(1, 2).flatten(2).flatten(0, 1)[packing.padded]


def _attend_fused(
    fused: Fused, query: Tensor, key: Tensor, value: Tensor, packing: Packing, last_only: bool
) -> Tensor:
    if not fused.whole:
        group = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)
    starts, longest = packing.starts, packing.longest
    if last_only:
        # One query a sequence, which sees all of it.
        own = torch.arange(starts.shape[0], dtype=torch.int32, device=query.device)
        out = fused.attend(query, key, value, own, starts, 1, longest, **fused.whole)
    else:
        out = fused.attend(query, key, value, starts, starts, longest, longest, **fused.causal)
    return cast(Tensor, out).flatten(1)


def _merged_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    # Rows of all heads that share a key, as one long head: on a CPU 1.2 times as fast as a copy of the key for each.
    count, heads, longest, size = query.shape
    group = heads // key.shape[1]
    rows = query.reshape(count, key.shape[1], group * longest, size)
    mask = _causal_mask(longest, group, query.dtype)
    return F.scaled_dot_product_attention(rows, key, value, attn_mask=mask).view(query.shape)


@functools.lru_cache(maxsize=max(4, os.cpu_count() or 1))  # a batch a thread
def _causal_mask(longest: int, group: int, dtype: torch.dtype) -> Tensor:
    """To be added to the scores of merged heads: [group * longest, longest], 0 or minus infinity."""
    future = torch.ones(longest, longest, dtype=torch.bool).triu(1)
    return torch.zeros(longest, longest, dtype=dtype).masked_fill(future, float("-inf")).repeat(group, 1)


def _plain_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    # The fused kernel's backward pass on the CPU is several times slower than these plain products. The scores
    # need float32: Qwen2's key biases make them so large that bfloat16 would round the differences away.
    count, heads, longest, size = query.shape
    kv_heads = key.shape[1]
    group = heads // kv_heads
    rows = query.reshape(count, kv_heads, group * longest, size).float() * size**-0.5
    scores = (rows @ key.float().transpose(-1, -2)).view(count, kv_heads, group, longest, longest)
    future = torch.ones(longest, longest, dtype=torch.bool, device=query.device).triu(1)
    weights = scores.masked_fill(future, float("-inf")).softmax(-1).to(value.dtype)
    out: Tensor = weights.view(count, kv_heads, group * longest, longest) @ value
    return out.view(count, heads, longest, size)


def rotary_tables(positions: Tensor, config: DecoderConfig, dtype: torch.dtype) -> Rotary:
    """Cosines and sines of the rotary angles, each [total_tokens, 1, head_dim]."""
    steps = torch.arange(0, config.head_dim, 2, dtype=torch.float32, device=positions.device)
    angles = positions[:, None].float() / config.rope_theta ** (steps / config.head_dim)
    angles = torch.cat((angles, angles), dim=-1)[:, None, :]
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rows_of(rotary: Rotary, rows: Tensor) -> Rotary:
    """The tables of some tokens."""
    return rotary[0][rows], rotary[1][rows]


def rotate(x: Tensor, rotary: Rotary) -> Tensor:
    """Rotary position embedding of [tokens, heads, head_dim], in the half-split layout."""
    first, second = x.chunk(2, dim=-1)
    return x * rotary[0] + torch.cat((-second, first), dim=-1) * rotary[1]


def pad(x: Tensor, packing: Packing) -> Tensor:
    """Packed [total_tokens, heads, head_dim] laid out as [n, heads, longest, head_dim], zeros as padding."""
    count = len(packing.lengths)
    out = x.new_zeros(count * packing.longest, *x.shape[1:])
    out[packing.padded] = x
    return out.view(count, packing.longest, *x.shape[1:]).transpose(1, 2)
