"""A training run, described by one TOML file so that it can be repeated from it."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from indexer.errors import UserError

T = TypeVar("T")

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Backbone:
    """Which pre-trained decoder to start from and what to keep of it."""

    folder: str
    """A folder with `config.json`, `tokenizer.json` and safetensors, as `save_pretrained` writes it; or a model
    that `codewhere train` made, which is tuned further and keeps its size, whatever the settings below say."""
    adapter: str = ""
    """A model that `lora` made on this backbone, which is tuned further; empty to begin anew."""
    name: str = ""
    """The name it goes by on the hub, for the model card."""
    licence: str = ""
    layers: int = 8
    """The first so many layers are kept; 0 keeps all."""
    mlp_width: int = 1216
    """Neurons kept in each MLP, those of the greatest measured importance; 0 keeps all."""
    vocabulary: int = 36_000
    """Tokens kept, the most frequent in the training data; every single byte stays. 0 keeps all."""
    output_dim: int = 512
    """Size of the vectors."""


@dataclass(frozen=True)
class Source:
    """One file of training pairs."""

    file: str
    kind: str
    """`pairs` (doc comment and function), `parallel` (one meaning in two natural languages) or `similar` (the same
    file as for `pairs`: functions that answer one query, in any programming language)."""
    weight: float = 1.0
    """Share of the batches drawn from it, relative to the other sources."""


@dataclass(frozen=True)
class Tuning:
    """How the weights are trained."""

    method: str = "full"
    """`full`; `bitfit` (biases, norms and the head alone, as the paper does); or `lora`, which gives an adapter
    beside the backbone instead of a model of its own."""
    rank: int = 32
    """Of the matrices of `lora` (arXiv 2106.09685)."""
    steps: int = 1000
    batch: int = 96
    minibatch: int = 0
    """Texts a forward pass; fewer than `batch` turn on GradCache (arXiv 2101.06983); 0 is as many as memory holds."""
    learning_rate: float = 1.5e-4
    embedding_learning_rate: float = 3e-4
    head_learning_rate: float = 5e-4
    warm_up: int = 20
    decay: float = 0.2
    """Share of the steps, at the end, over which the learning rate falls to a tenth."""
    weight_decay: float = 0.01
    temperature: float = 0.05
    max_code_tokens: int = 112
    max_query_tokens: int = 40
    dims: tuple[int, ...] = (512, 256, 128)
    """Matryoshka sizes (arXiv 2205.13147), the full one first."""
    teacher: str = ""
    """A model whose geometry is learnt beside the pairs; empty for none. One of ours (`base`, or a folder) teaches both
    sides of every batch, one for sentence-transformers the English queries."""
    teacher_weight: float = 2.0
    """Of the cosine distance to its vectors."""
    teacher_labels: float = 0.0
    """Share of what answers a query within a batch that the teacher tells; the rest is told by the pairs."""
    refit_head: tuple[int, ...] = (0,)
    """Steps before which the head is fitted to the teacher in closed form, which spares the layers a rotation."""
    seed: int = 1
    compile: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run gives."""

    name: str
    backbone: Backbone
    sources: tuple[Source, ...]
    tuning: Tuning = field(default_factory=Tuning)

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """The recipe in a TOML file; `UserError` names an unknown or missing key."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise UserError(f"cannot read the recipe {path}: {error}") from error
        backbone = _fill(Backbone, table.get("backbone", {}), path)
        sources = tuple(_fill(Source, row, path) for row in table.get("sources", ()))
        if not sources:
            raise UserError(
                f"{path}: no [[sources]]; name at least one file of pairs (`codewhere mine` makes one)"
            )
        return cls(
            name=str(table.get("name", path.stem)),
            backbone=backbone,
            sources=sources,
            tuning=_fill(Tuning, table.get("tuning", {}), path),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def _fill(kind: type[T], values: dict[str, Any], path: Path) -> T:
    unknown = set(values) - set(kind.__annotations__)
    if unknown:
        raise UserError(
            f"{path}: unknown setting {sorted(unknown)[0]!r} in the {kind.__name__.lower()} section"
        )
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    try:
        return kind(**plain)
    except TypeError as error:
        raise UserError(f"{path}: the {kind.__name__.lower()} section is incomplete: {error}") from error
