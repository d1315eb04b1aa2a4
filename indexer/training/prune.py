"""From a pre-trained decoder to a smaller one: its first layers, its used tokens; `refit` narrows the MLPs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from indexer.embedding.decoder import Decoder, DecoderConfig
from indexer.errors import UserError

SUPPORTED = ("qwen2", "llama", "mistral")


def read_config(folder: Path, layers: int, output_dim: int) -> DecoderConfig:
    """Sizes of the backbone in a folder, cut to its first `layers` layers (0 for all)."""
    try:
        raw: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"no backbone in {folder}: {error}") from error
    if raw.get("model_type") not in SUPPORTED:
        raise UserError(f"pruning knows {', '.join(SUPPORTED)}; {folder} holds {raw.get('model_type')!r}")
    heads = raw["num_attention_heads"]
    return DecoderConfig(
        vocab_size=raw["vocab_size"],
        hidden_size=raw["hidden_size"],
        intermediate_size=raw["intermediate_size"],
        num_hidden_layers=min(layers or raw["num_hidden_layers"], raw["num_hidden_layers"]),
        num_attention_heads=heads,
        num_key_value_heads=raw.get("num_key_value_heads", heads),
        head_dim=raw.get("head_dim") or raw["hidden_size"] // heads,
        rms_norm_eps=raw["rms_norm_eps"],
        rope_theta=(raw.get("rope_parameters") or raw).get("rope_theta", 10_000.0),
        attention_bias=raw["model_type"] == "qwen2" or bool(raw.get("attention_bias")),
        output_dim=output_dim,
    )


def read_backbone(folder: Path, layers: int, output_dim: int) -> Decoder:
    """The backbone's first layers (0 for all) at full width, float32, with a fresh orthogonal head."""
    config = read_config(folder, layers, output_dim)
    with torch.device("meta"):
        model = Decoder(config)
    wanted = set(model.state_dict())
    found: dict[str, Tensor] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        with safe_open(shard, framework="pt") as tensors:
            for name in tensors.keys():
                short = name.removeprefix("model.")
                if short in wanted:
                    found[short] = tensors.get_tensor(name).float()
    missing = wanted - set(found) - {"head.weight"}
    if missing:
        raise UserError(f"{folder} lacks the weights {sorted(missing)[:3]}")
    head = nn.init.orthogonal_(torch.empty(output_dim, config.hidden_size))
    model.load_state_dict({**found, "head.weight": head}, assign=True)
    if layers:
        # The final norm was trained for the layer that is no longer the last.
        nn.init.ones_(model.norm.weight)
    return model


def with_vocabulary(model: Decoder, old_ids: Sequence[int]) -> Decoder:
    """The same model over the rows `old_ids` of its embedding."""
    table = model.embed_tokens.weight.data[torch.tensor(old_ids)].clone()
    model.embed_tokens = nn.Embedding(len(old_ids), table.shape[1], _weight=table)
    model.config = replace(model.config, vocab_size=len(old_ids))
    return model
