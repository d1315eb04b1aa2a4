"""Texts in, vectors out: markers, windows, batches by token budget, out-of-memory halving."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from indexer.embedding.adapter import Adapts, model_weights
from indexer.embedding.decoder import Decoder, DecoderConfig, pack
from indexer.embedding.draft import DraftEncoder
from indexer.embedding.int8 import Int8Decoder
from indexer.embedding.nearness import nearness
from indexer.embedding.spec import ModelSpec
from indexer.embedding.threads import on_threads
from indexer.embedding.weights import read_stored
from indexer.types import Nearness, Vectors

log = logging.getLogger(__name__)

TOKENS_A_BATCH = {"cpu": 1_024, "cuda": 32_768, "mps": 16_384}
"""Tokens of one forward pass by device, on a CPU what its cache holds; halved whenever memory runs out."""
COMPILE_AFTER = 500_000
"""Tokens embedded on a GPU before the model is compiled: a few thousand functions, which take about a second."""
WINDOW_OVERLAP = 0.25
"""Share of a window that the next one repeats, so that no passage is only seen cut in two."""
_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{2}")
"""Two letters that a word begins with, as there are none in 0xff and in 1e-05."""


class Backend(Protocol):
    """A forward pass over token ids."""

    threads: int
    """How many batches it computes at once, each on a core of its own."""

    def vectors(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Vectors [n, dim] of rows of token ids, not normalised."""

    def token_rows(self, ids: Sequence[int]) -> Tensor:
        """The token embedding [n, hidden] of token ids."""


class PackedDecoder:
    """Backend of our own models: the packed forward pass of `indexer.embedding.decoder`.

    On an NVIDIA GPU it is compiled on a thread of its own once there is much to embed; until then, and where it cannot
    be compiled, it is computed as it is written.
    """

    def __init__(
        self,
        spec: ModelSpec,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
        adapts: Adapts | None = None,
    ) -> None:
        self._device = device
        self._model = _model(spec, folder, device, dtype, adapts)
        self.threads = torch.get_num_threads() if device.type == "cpu" else 1
        self._left = COMPILE_AFTER if device.type == "cuda" else 0
        self.compiling: threading.Thread | None = None

    def vectors(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Vectors [n, dim] of rows of token ids, not normalised."""
        ids, lengths = pack(rows, self._device)
        if self._left > 0:
            self._left -= len(ids)
            if self._left <= 0:
                self.compiling = threading.Thread(target=self.compile, name="codewhere-compile", daemon=True)
                self.compiling.start()
        return self._model(ids, lengths)

    def token_rows(self, ids: Sequence[int]) -> Tensor:
        """The token embedding [n, hidden] of token ids."""
        model = cast("Decoder | Int8Decoder", self._model)
        return model.token_rows(torch.tensor(ids, device=self._device))

    def compile(self) -> None:
        """Compile a twin that shares the weights, and compute with it from then on; a failure is only logged."""
        try:
            twin = compiled(cast(Decoder, self._model))
        except Exception as error:  # no compiler, an unknown GPU: the model works without
            log.info("the model is not compiled (%s: %s)", type(error).__name__, error)
        else:
            self._model = twin


def _model(
    spec: ModelSpec, folder: Path, device: torch.device, dtype: torch.dtype, adapts: Adapts | None
) -> Callable[[Tensor, Tensor], Tensor]:
    config = DecoderConfig.from_dict(spec.config)
    if dtype == torch.int8:
        return Int8Decoder(read_stored(folder), config)
    model = _over(config, model_weights(spec, folder, adapts, dtype))
    return model.to(device).eval().requires_grad_(False)


def _over(config: DecoderConfig, weights: Mapping[str, Tensor]) -> Decoder:
    # Weights are assigned, not copied into freshly initialised ones: that halves the time of a cold start.
    with torch.device("meta"):
        model = Decoder(replace(config, vocab_size=len(weights["embed_tokens.weight"])))
    model.load_state_dict(weights, assign=True)
    return model


def compiled(model: Decoder) -> Decoder:
    """A twin over the same weights whose layers are compiled, and have run once."""
    twin = _over(model.config, model.state_dict()).eval().requires_grad_(False)
    for layer in twin.layers:
        layer.compile(dynamic=True)
    device = twin.norm.weight.device
    with torch.inference_mode():
        for size in (24, 40):
            lengths = torch.arange(3, size)
            twin(torch.zeros(int(lengths.sum()), dtype=torch.int64, device=device), lengths).cpu()
    return twin


class DecoderEmbedder:
    """The embedder of one model spec on one device; satisfies `indexer.types.Embedder`."""

    def __init__(
        self,
        spec: ModelSpec,
        tokenizer: Tokenizer,
        backend: Backend,
        *,
        device: str,
        number_type: str = "",
        dim: int | None = None,
        elsewhere: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        self.spec, self.name, self.device = spec, spec.name, device
        self.number_type = number_type
        self.dim = dim or spec.dim
        self.max_tokens = spec.max_tokens
        self.reads_glosses = spec.reads_glosses
        self.fingerprint = spec.fingerprint(self.dim, elsewhere)
        self.draft = DraftEncoder(folder, tokenizer, self.dim) if folder and spec.has_drafts else None
        self._tokenizer, self._backend = tokenizer, backend
        self._budget = TOKENS_A_BATCH.get(device.split(":")[0], TOKENS_A_BATCH["cpu"])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, float32 [n, dim], L2-normalised; cut at `max_tokens`."""
        return self._encode([self.spec.query_prompt + text for text in texts], self.spec.query_markers)

    def encode_code(self, texts: Sequence[str]) -> Vectors:
        """Vectors of code texts, float32 [n, dim], L2-normalised; cut at `max_tokens` (see `split_windows`)."""
        return self._encode([self.spec.code_prompt + text for text in texts], self.spec.code_markers)

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of code texts as `encode_code` reads them, markers included."""
        return sum(map(len, self._token_rows(texts, self.spec.code_markers)))

    def split_windows(self, texts: Sequence[str]) -> list[list[str]]:
        """The overlapping windows of each text, each within `max_tokens`; one for a short text.

        Windows without a single word, as in tables of numbers, are left out, but for the first.
        """
        room = self.max_tokens - sum(bool(marker) for marker in self.spec.code_markers)
        # A token is at least one byte, so many texts need no tokenising to be known as short.
        long = [place for place, text in enumerate(texts) if len(text.encode("utf-8", "replace")) > room]
        windows = [[text] for text in texts]
        # Together, since the tokenizer has threads, and leaves Python's lock to others meanwhile.
        clean = [_clean(texts[place]) for place in long]
        found = self._tokenizer.encode_batch(clean, add_special_tokens=False)
        for place, encoding in zip(long, found, strict=True):
            windows[place] = _windows(texts[place], encoding.offsets, room)
        return windows

    def nearness(self, query: str, texts: Sequence[str]) -> Nearness:
        """How near the tokens of texts come to those of a query (see `indexer.embedding.nearness`)."""
        with torch.inference_mode():
            return nearness(
                self._tokenizer, lambda ids: self._backend.token_rows(ids).float().cpu().numpy(), query, texts
            )

    def _encode(self, texts: Sequence[str], markers: tuple[str, str]) -> Vectors:
        rows = self._token_rows(texts, markers)
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        lengths, threads = [len(row) for row in rows], self._backend.threads
        batches = list(batches_by_length(lengths, min(self._budget, -(-sum(lengths) // threads))))
        # Read back after the last one: a GPU computes a batch while the next one is laid out.
        found = on_threads(lambda places: self._vectors([rows[place] for place in places]), batches, threads)
        for places, vectors in zip(batches, found, strict=True):
            out[places] = vectors.cpu().numpy()
        return out

    def _token_rows(self, texts: Sequence[str], markers: tuple[str, str]) -> list[list[int]]:
        before, after = (self._marker_ids(marker) for marker in markers)
        room = self.max_tokens - len(before) - len(after)
        encodings = self._tokenizer.encode_batch_fast(list(map(_clean, texts)), add_special_tokens=False)
        return [before + encoding.ids[:room] + after or [0] for encoding in encodings]

    def _marker_ids(self, marker: str) -> list[int]:
        number = self._tokenizer.token_to_id(marker) if marker else None
        return [] if number is None else [number]

    def _vectors(self, rows: Sequence[Sequence[int]]) -> Tensor:
        try:
            with torch.inference_mode():
                raw = self._backend.vectors(rows)[:, : self.dim].float()
                return torch.nn.functional.normalize(raw, dim=-1)
        except torch.OutOfMemoryError:
            if len(rows) == 1:
                raise
            torch.cuda.empty_cache()
            self._budget = max(self.max_tokens, self._budget // 2)
            log.warning(
                "the %s ran out of memory; batches are halved to %d tokens", self.device, self._budget
            )
            half = len(rows) // 2
            return torch.cat((self._vectors(rows[:half]), self._vectors(rows[half:])))


def _clean(text: str) -> str:
    # Lone surrogates, as in names that are no UTF-8, are no text to a tokenizer; offsets stay the same.
    return text.encode("utf-8", "replace").decode()


def _windows(text: str, offsets: Sequence[tuple[int, int]], room: int) -> list[str]:
    if len(offsets) <= room:
        return [text]
    step = max(1, int(room * (1 - WINDOW_OVERLAP)))
    starts = range(0, max(1, len(offsets) - room + step), step)
    first, *others = (
        text[offsets[start][0] : offsets[min(start + room, len(offsets)) - 1][1]] for start in starts
    )
    # A table of numbers has nothing to be asked for, but may have thousands of windows. Where one begins it may be cut.
    return [first, *(window for window in others if _WORD.search(window, 1))]


def batches_by_length(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Places of texts in batches of similar length, each of at most `budget` tokens (or one text)."""
    batch: list[int] = []
    used = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batch and used + lengths[place] > budget:
            yield batch
            batch, used = [], 0
        batch.append(place)
        used += lengths[place]
    if batch:
        yield batch
