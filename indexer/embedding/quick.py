"""Query vectors without PyTorch, whose import alone takes longer than a whole search should.

`QuickEmbedder` knows its fingerprint from the spec and computes single queries with NumPy from the same weights;
only when code is to be embedded does it load the real embedder. Equal to the decoder of
`indexer.embedding.decoder` to 1e-5 in float32.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from indexer.embedding import SHIPPED, available_models, has_base
from indexer.embedding.draft import DraftEncoder
from indexer.embedding.nearness import nearness
from indexer.embedding.spec import SCALE, SPEC_FILE, ModelSpec, cure
from indexer.errors import UserError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from indexer.types import Embedder, Nearness, Vectors

Floats = npt.NDArray[np.float32]

_FEW = 32  # queries; beyond it the import of PyTorch pays
_FEW_ROWS = 256  # of a matrix; beyond it reading all of it is quicker


def quick_embedder(
    name: str, dim: int | None, load: Callable[[], Embedder], fingerprint: str = ""
) -> QuickEmbedder | None:
    """An embedder that starts at once; None for a model that only PyTorch can run.

    :param name: As for `indexer.embedding.load_embedder`.
    :param load: Loads the real embedder.
    :param fingerprint: Of the vectors to be searched, which decides between the models of ``auto``.
    """
    folder = _folder(name, fingerprint)
    if folder is None:
        return None
    spec = ModelSpec.read(folder)
    if spec.backend != "decoder" or spec.adapter or (dim is not None and dim > spec.dim):
        return None
    return QuickEmbedder(spec, folder, dim or spec.dim, load)


def _folder(name: str, fingerprint: str) -> Path | None:
    shipped = available_models()
    if name == "auto":
        for candidate in shipped:
            known = ModelSpec.read(SHIPPED / candidate).fingerprint()
            if fingerprint and fingerprint.split("-")[0] == known:
                return SHIPPED / candidate
        # Whether it is `base` depends on the device too, which PyTorch knows.
        return None if has_base() else SHIPPED / "small"
    folder = SHIPPED / name if name in shipped else Path(name).expanduser()
    return folder if (folder / SPEC_FILE).is_file() else None


def may_have_gpu() -> bool:
    """Whether PyTorch could find a device beside the CPU; False is certain."""
    if sys.platform != "linux":
        return True
    return any(Path("/dev").glob("nvidia[0-9]*")) or any(map(os.path.exists, ("/dev/kfd", "/dev/dxg")))


class QuickEmbedder:
    """Satisfies `indexer.types.Embedder`."""

    def __init__(self, spec: ModelSpec, folder: Path, dim: int, load: Callable[[], Embedder]) -> None:
        self.name = spec.name
        self.dim = dim
        self.max_tokens = spec.max_tokens
        self.reads_glosses = spec.reads_glosses
        self.device = "cpu"
        self.fingerprint = spec.fingerprint(dim)
        self._spec = spec
        self._folder = folder
        self._load = load
        self._real: Embedder | None = None
        self._loading = threading.Lock()

    @property
    def is_loaded(self) -> bool:
        """Whether the real embedder was needed."""
        return self._real is not None

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, float32 [n, dim], L2-normalised; cut at `max_tokens`."""
        if self._real is not None or len(texts) > _FEW:
            return self.load_now().encode_queries(texts)
        return (
            np.stack([self._encode(text) for text in texts]) if texts else np.zeros((0, self.dim), np.float32)
        )

    def encode_code(self, texts: Sequence[str]) -> Vectors:
        """Vectors of code texts, float32 [n, dim], L2-normalised."""
        return self.load_now().encode_code(texts)

    def split_windows(self, texts: Sequence[str]) -> list[list[str]]:
        """The overlapping windows of each text, each within `max_tokens`."""
        return self.load_now().split_windows(texts)

    def nearness(self, query: str, texts: Sequence[str]) -> Nearness:
        """How near the tokens of texts come to those of a query (see `indexer.embedding.nearness`)."""
        return nearness(self._tokenizer, self._decoder.token_rows, query, texts)

    @cached_property
    def draft(self) -> DraftEncoder | None:
        """Guesses vectors before the model is there to compute them."""
        return DraftEncoder(self._folder, self._tokenizer, self.dim) if self._spec.has_drafts else None

    def settle_device(self) -> None:
        """Learn which device embeds code, for which the real embedder is loaded where there may be a GPU."""
        if may_have_gpu():
            self.load_now()

    def load_now(self) -> Embedder:
        """The real embedder; loading it before it is needed spares the first edit the wait."""
        with self._loading:
            if self._real is None:
                self._real = self._load()
                self.device = self._real.device
            return self._real

    def _encode(self, text: str) -> Floats:
        raw = self._decoder.vector(self._tokens(self._spec.query_prompt + text))[: self.dim]
        return np.asarray(raw / max(float(np.linalg.norm(raw)), 1e-12), np.float32)

    def _tokens(self, text: str) -> list[int]:
        before, after = (self._marker(marker) for marker in self._spec.query_markers)
        room = self.max_tokens - len(before) - len(after)
        clean = text.encode("utf-8", "replace").decode()
        ids = self._tokenizer.encode(clean, add_special_tokens=False).ids[:room]
        return before + ids + after or [0]

    def _marker(self, marker: str) -> list[int]:
        number = self._tokenizer.token_to_id(marker) if marker else None
        return [] if number is None else [number]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._folder / "tokenizer.json"))

    @cached_property
    def _decoder(self) -> _Decoder:
        self._spec.verify(self._folder)
        return _Decoder(self._folder, self._spec.config)


class _Decoder:
    """The forward pass of one sequence; see `indexer.embedding.decoder.Decoder`."""

    def __init__(self, folder: Path, config: dict[str, float]) -> None:
        self._weights = _Weights(folder)
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._kv_heads = int(config["num_key_value_heads"])
        self._head_dim = int(config["head_dim"])
        self._theta = float(config["rope_theta"])
        self._eps = float(config["rms_norm_eps"])

    def vector(self, ids: Sequence[int]) -> Floats:
        """The vector [output_dim] of a sequence of token ids, not normalised."""
        x = self.token_rows(ids)
        rotary = self._rotary(len(ids))
        for number in range(self._layers):
            last_only = number == self._layers - 1
            x = self._layer(x, f"layers.{number}.", rotary, last_only)
        vector: Floats = self._weights.apply("head", self._norm(x, "norm"))[-1]
        return vector

    def token_rows(self, ids: Sequence[int]) -> Floats:
        """The token embedding, float32 [n, hidden], of token ids."""
        return self._weights.rows("embed_tokens.weight", ids)

    def _layer(self, x: Floats, name: str, rotary: tuple[Floats, Floats], last_only: bool) -> Floats:
        attended = self._attend(
            self._norm(x, f"{name}input_layernorm"), f"{name}self_attn.", rotary, last_only
        )
        x = (x[-1:] if last_only else x) + attended
        inner = self._norm(x, f"{name}post_attention_layernorm")
        gate = self._weights.apply(f"{name}mlp.gate_proj", inner)
        # SiLU by tanh, which cannot overflow.
        gate = gate * 0.5 * (1 + np.tanh(0.5 * gate)) * self._weights.apply(f"{name}mlp.up_proj", inner)
        return x + self._weights.apply(f"{name}mlp.down_proj", gate)

    def _attend(self, x: Floats, name: str, rotary: tuple[Floats, Floats], last_only: bool) -> Floats:
        asking = slice(len(x) - 1, None) if last_only else slice(None)
        query = self._heads_of(f"{name}q_proj", x[asking], self._heads)
        query = _rotate(query, (rotary[0][asking], rotary[1][asking]))
        key = _rotate(self._heads_of(f"{name}k_proj", x, self._kv_heads), rotary)
        value = self._heads_of(f"{name}v_proj", x, self._kv_heads)
        group = self._heads // self._kv_heads
        key, value = np.repeat(key, group, axis=1), np.repeat(value, group, axis=1)
        scores = np.einsum("qhd,khd->hqk", query, key) * self._head_dim**-0.5
        n_asking, n_tokens = scores.shape[1:]
        future = np.triu(np.ones((n_asking, n_tokens), np.bool_), 1 + n_tokens - n_asking)
        scores = np.where(future, -np.inf, scores)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", weights, value).reshape(n_asking, -1)
        return self._weights.apply(f"{name}o_proj", np.asarray(mixed, np.float32))

    def _heads_of(self, name: str, x: Floats, heads: int) -> Floats:
        return self._weights.apply(name, x).reshape(len(x), heads, self._head_dim)

    def _norm(self, x: Floats, name: str) -> Floats:
        scale = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self._eps)
        return np.asarray(x * scale * self._weights.tensor(f"{name}.weight"), np.float32)

    def _rotary(self, n_tokens: int) -> tuple[Floats, Floats]:
        steps = np.arange(0, self._head_dim, 2, dtype=np.float32) / self._head_dim
        angles = np.arange(n_tokens, dtype=np.float32)[:, None] / self._theta**steps
        angles = np.concatenate((angles, angles), axis=-1)[:, None, :]
        return np.asarray(np.cos(angles), np.float32), np.asarray(np.sin(angles), np.float32)


def _rotate(x: Floats, rotary: tuple[Floats, Floats]) -> Floats:
    first, second = np.split(x, 2, axis=-1)
    return x * rotary[0] + np.concatenate((-second, first), axis=-1) * rotary[1]


class _Weights:
    """The int8 weights of `indexer.embedding.weights`, turned to float32 as they are used."""

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self._where: dict[str, Any] = {}  # safetensors has no type hints
        self._known: dict[str, Floats] = {}
        try:
            for shard in sorted(folder.glob("model-*.safetensors")):
                file: Any = safe_open(shard, framework="np")
                self._where.update(dict.fromkeys(file.keys(), file))
        except (SafetensorError, OSError) as error:
            message = f"the weights in {folder} are broken ({error}); {cure(folder)}"
            raise UserError(message) from error

    def tensor(self, name: str) -> Floats:
        """A whole tensor; kept, because turning it to float32 takes longer than to use it."""
        if name not in self._known:
            self._known[name] = np.asarray(self._where[name].get_tensor(name), np.float32)
        return self._known[name]

    def rows(self, name: str, numbers: Sequence[int]) -> Floats:
        """Rows of a matrix, float32 [n, m]."""
        if len(numbers) > _FEW_ROWS:
            rows = np.asarray(self._where[name].get_tensor(name)[list(numbers)], np.float32)
        else:
            matrix = self._where[name].get_slice(name)
            rows = np.concatenate([matrix[number : number + 1] for number in numbers]).astype(np.float32)
        if name + SCALE in self._where:
            rows *= self.tensor(name + SCALE)[list(numbers), None]
        return rows

    def apply(self, name: str, x: Floats) -> Floats:
        """The linear layer of a name on float32 [n, m]."""
        weight = f"{name}.weight"
        out: Floats = x @ self.tensor(weight).T
        if weight + SCALE in self._where:
            out *= self.tensor(weight + SCALE)
        if f"{name}.bias" in self._where:
            out += self.tensor(f"{name}.bias")
        return out
