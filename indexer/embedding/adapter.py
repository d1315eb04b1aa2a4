"""A model that is an adapter on a backbone which lies elsewhere: its weights, merged when it is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from tokenizers import AddedToken, Tokenizer
from torch import Tensor

from indexer.embedding.spec import ModelSpec
from indexer.embedding.weights import read_weights
from indexer.errors import UserError

ADAPTER = "adapter.safetensors"
LEFT, RIGHT = ".lora_b", ".lora_a"
"""What follows the name of a matrix in the names of its factors: the matrix changes by b [out, r] @ a [r, in]."""
MARKER_ROWS = "markers.weight"
"""The rows of the role markers in the token embedding."""


class Adapts(NamedTuple):
    """What a model that is an adapter adapts."""

    backbone: Path
    tokenizer: Tokenizer
    """The backbone's, with the role markers as its last tokens."""

    @classmethod
    def of(cls, spec: ModelSpec, backbone: Path) -> Adapts:
        """Of the backbone in a folder; `UserError` where its tokenizer cannot be read."""
        try:
            tokenizer = Tokenizer.from_file(str(backbone / "tokenizer.json"))
        except Exception as error:  # tokenizers raises bare Exceptions
            raise UserError(
                f"the backbone in {backbone} has no tokenizer.json that can be read: {error}"
            ) from error
        markers = dict.fromkeys((*spec.query_markers, *spec.code_markers))
        tokenizer.add_special_tokens([AddedToken(marker, normalized=False) for marker in markers])
        return cls(backbone, tokenizer)


def model_tokenizer(folder: Path, adapts: Adapts | None) -> Tokenizer:
    """The tokenizer of a model of ours: its own, or that of the backbone it adapts."""
    return adapts.tokenizer if adapts else Tokenizer.from_file(str(folder / "tokenizer.json"))


def model_weights(
    spec: ModelSpec, folder: Path, adapts: Adapts | None, dtype: torch.dtype
) -> dict[str, Tensor]:
    """The weights of a model of ours in this type, those of the backbone merged with the adapter where it has one."""
    return _adapted(spec, folder, adapts, dtype) if adapts else read_weights(folder, dtype)


def _adapted(spec: ModelSpec, folder: Path, adapts: Adapts, dtype: torch.dtype) -> dict[str, Tensor]:
    changes = dict(_tensors([folder / spec.adapter]))
    weights: dict[str, Tensor] = {}
    for name, value in _tensors(sorted(adapts.backbone.glob("*.safetensors"))):
        short = name.removeprefix("model.")
        if _is_wanted(short, spec):
            weights[short] = _changed(short, value, changes).to(dtype)
    changed = {name.removesuffix(LEFT) for name in changes if name.endswith(LEFT)}
    missing = {"embed_tokens.weight", *changed} - set(weights)
    if missing:
        raise UserError(f"{adapts.backbone} holds no whole {spec.backbone}: it lacks {sorted(missing)[0]}")
    weights["head.weight"] = changes["head.weight"].to(dtype)
    # Backbones pad their table beyond the tokens that there are; the markers come right after these.
    table, markers = weights["embed_tokens.weight"], changes[MARKER_ROWS].to(dtype)
    first = adapts.tokenizer.get_vocab_size() - len(markers)
    return {**weights, "embed_tokens.weight": torch.cat((table[:first], markers))}


def _is_wanted(name: str, spec: ModelSpec) -> bool:
    """Whether the model has this weight of its backbone, of which it may keep only the first layers."""
    first, _, rest = name.partition(".")
    if first == "layers":
        return int(rest.partition(".")[0]) < int(spec.config["num_hidden_layers"])
    return first in ("embed_tokens", "norm")


def _changed(name: str, value: Tensor, changes: Mapping[str, Tensor]) -> Tensor:
    if name in changes:
        return changes[name]
    if name + LEFT in changes:
        change = changes[name + LEFT].float() @ changes[name + RIGHT].float()
        if change.shape != value.shape:
            raise UserError(
                f"the backbone's {name} is {tuple(value.shape)}, the adapter's {tuple(change.shape)}: another model"
            )
        return value.float() + change
    return value


def _tensors(files: list[Path]) -> Iterator[tuple[str, Tensor]]:
    for path in files:
        try:
            stored: Any = safe_open(path, framework="pt")
            with stored as tensors:
                for name in tensors.keys():
                    yield name, tensors.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise UserError(f"the weights in {path} cannot be read: {error}") from error
