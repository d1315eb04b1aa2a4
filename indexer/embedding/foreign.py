"""Backend for any other decoder, through transformers: BLOOM (udever), Llama, Gemma, Qwen, with or without adapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from indexer.embedding.spec import ModelSpec
from indexer.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class TransformersDecoder:
    """A decoder of transformers with the spec's padding side and pooling."""

    threads = 1
    """Its own; not every architecture there may run twice at a time."""

    def __init__(
        self, spec: ModelSpec, backbone: Path, folder: Path, device: torch.device, dtype: torch.dtype
    ) -> None:
        from transformers import AutoModel, AutoTokenizer

        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(backbone)
            self._model: Any = AutoModel.from_pretrained(backbone, dtype=dtype)
        except (OSError, ValueError) as error:
            raise UserError(f"the model in {backbone} cannot be loaded: {error}") from error
        if spec.adapter:
            from peft import PeftModel

            self._model = PeftModel.from_pretrained(self._model, str(folder / spec.adapter))
        self._model.to(device).eval()
        self._spec, self._device = spec, device

    @torch.inference_mode()
    def vectors(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Vectors [n, dim] of rows of token ids, not normalised."""
        ids, mask = pad_rows(rows, self.tokenizer.pad_token_id or 0, self._spec.padding_side)
        mask = mask.to(self._device)
        hidden: Tensor = self._model(input_ids=ids.to(self._device), attention_mask=mask).last_hidden_state
        if self._spec.pooling == "mean":
            weights = mask[:, :, None].to(hidden.dtype)
            return (hidden * weights).sum(1) / weights.sum(1)
        last = mask.shape[1] - 1 - mask.flip(1).argmax(1)
        return hidden[torch.arange(len(hidden), device=self._device), last]

    @torch.inference_mode()
    def token_rows(self, ids: Sequence[int]) -> Tensor:
        """The token embedding [n, hidden] of token ids."""
        found: Tensor = self._model.get_input_embeddings()(torch.tensor(ids, device=self._device))
        return found


def pad_rows(rows: Sequence[Sequence[int]], filler: int, side: str) -> tuple[Tensor, Tensor]:
    """Ids and attention mask, int64 [n, longest], padded on the `left` or the `right`."""
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), filler)
    mask = torch.zeros((len(rows), longest), dtype=torch.int64)
    for number, row in enumerate(rows):
        place = slice(longest - len(row), None) if side == "left" else slice(0, len(row))
        ids[number, place] = torch.tensor(list(row))
        mask[number, place] = 1
    return ids, mask


def end_marker(tokenizer: PreTrainedTokenizerBase) -> str:
    """The token that models without markers of their own read last: the one their tokenizer appends, if any."""
    ids = tokenizer("x")["input_ids"]
    special = set(tokenizer.all_special_ids)
    return str(tokenizer.convert_ids_to_tokens(ids[-1])) if ids and ids[-1] in special else ""
