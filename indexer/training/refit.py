"""Width pruning with the loss made good: what is left of each MLP is refitted to what the whole one did.

Dropping three quarters of the neurons by importance alone leaves a model hardly better than one pruned at random. So,
layer by layer over calibration texts, the output matrix of the neurons that stay is solved for in closed form, with
the pruned model's own inputs and the whole model's states as the target: a layer also makes good what those before it
lost (the reconstruction idea of Optimal Brain Compression, arXiv 2208.11580, at the level of neurons).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from indexer.embedding.decoder import Decoder, Layer, Packing, rotary_tables

RIDGE = 1e-3
"""Share of the mean squared activation added to the diagonal of each solve."""
LAST_TOKEN_WEIGHT = 10.0
"""How much more the last tokens count in the last layer, which computes nothing else."""


@dataclass
class _Texts:
    """One calibration batch: hidden states float32 [tokens, hidden] in the whole model and in the pruned one."""

    whole: Tensor
    pruned: Tensor
    packing: Packing
    rotary: tuple[Tensor, Tensor]

    def attend(self, layer: Layer) -> None:
        """Pass both states through the attention of a layer, which pruning leaves alone."""
        for name in ("whole", "pruned"):
            x = getattr(self, name)
            setattr(
                self, name, x + layer.self_attn(layer.input_layernorm(x), self.packing, self.rotary, False)
            )


@torch.no_grad()
def prune_width(model: Decoder, batches: Sequence[tuple[Tensor, Tensor]], width: int) -> Decoder:
    """The model with `width` neurons in each MLP, refitted over batches of packed ids and lengths."""
    texts = [_start(model, ids, lengths) for ids, lengths in batches]
    small = Decoder(replace(model.config, intermediate_size=width))
    small.load_state_dict({k: v for k, v in model.state_dict().items() if ".mlp." not in k}, strict=False)
    final = len(model.layers) - 1
    for number, (layer, cut) in enumerate(zip(model.blocks(), small.blocks(), strict=True)):
        _narrow(layer, cut, texts, width, number == final)
    return small


def _start(model: Decoder, ids: Tensor, lengths: Tensor) -> _Texts:
    packing = Packing.of(lengths)
    states = model.embed_tokens(ids).float()
    return _Texts(
        states, states.clone(), packing, rotary_tables(packing.positions, model.config, torch.float32)
    )


def _narrow(layer: Layer, cut: Layer, texts: Sequence[_Texts], width: int, is_final: bool) -> None:
    for text in texts:
        text.attend(layer)
    neurons = [_neurons(layer, text.pruned) for text in texts]
    for text in texts:
        text.whole = text.whole + layer.mlp(layer.post_attention_layernorm(text.whole))
    targets = [text.whole - text.pruned for text in texts]
    weights = [_weights(y, text.packing, is_final) for y, text in zip(targets, texts, strict=True)]
    keep = _choose(layer, neurons, weights, width)
    output = _solve([found[:, keep] for found in neurons], targets, weights)
    cut.mlp.gate_proj.weight.copy_(layer.mlp.gate_proj.weight[keep])
    cut.mlp.up_proj.weight.copy_(layer.mlp.up_proj.weight[keep])
    cut.mlp.down_proj.weight.copy_(output.T)
    for text, found in zip(texts, neurons, strict=True):
        text.pruned = text.pruned + found[:, keep] @ output


def _neurons(layer: Layer, x: Tensor) -> Tensor:
    normed = layer.post_attention_layernorm(x)
    found: Tensor = torch.nn.functional.silu(layer.mlp.gate_proj(normed)) * layer.mlp.up_proj(normed)
    return found


def _weights(target: Tensor, packing: Packing, is_final: bool) -> Tensor:
    # The first token of a text carries states a hundred times larger; unweighted, nothing else would be fitted.
    size: Tensor = torch.linalg.vector_norm(target, dim=1)
    weights: Tensor = (size.median() / size.clamp_min(1e-6)).clamp_max(1.0)
    if is_final:
        weights[packing.last] *= LAST_TOKEN_WEIGHT
    return weights


def _choose(layer: Layer, neurons: Sequence[Tensor], weights: Sequence[Tensor], width: int) -> Tensor:
    energy = torch.stack([(n * w[:, None]).pow(2).sum(0) for n, w in zip(neurons, weights, strict=True)]).sum(
        0
    )
    score = energy.sqrt() * torch.linalg.vector_norm(layer.mlp.down_proj.weight, dim=0)
    keep: Tensor = score.topk(width).indices.sort().values
    return keep


def _solve(inputs: Sequence[Tensor], targets: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """Ridge regression, float64: the matrix [width, hidden] that takes the neurons to the targets best."""
    size = inputs[0].shape[1]
    gram = torch.zeros(size, size, dtype=torch.float64)
    cross = torch.zeros(size, targets[0].shape[1], dtype=torch.float64)
    for x, y, w in zip(inputs, targets, weights, strict=True):
        weighted = x * w[:, None]
        gram += (weighted.T @ weighted).double()
        cross += (weighted.T @ (y * w[:, None])).double()
    gram += torch.eye(size, dtype=torch.float64) * RIDGE * gram.diagonal().mean()
    output: Tensor = torch.linalg.solve(gram, cross)
    return output.float()
