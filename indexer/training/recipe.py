"""A training run, described by one TOML file so that it can be repeated from it."""

from __future__ import annotations

import sys
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from indexer.errors import UserError

T = TypeVar("T")

METHODS = ("full", "bitfit", "lora")
SOURCE_KINDS = ("pairs", "parallel", "similar")
_MARKERS = 2  # tokens around each text
_SECTIONS = ("name", "backbone", "sources", "tuning")

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

    def __post_init__(self) -> None:
        _check(self, layers=self.layers >= 0, mlp_width=self.mlp_width >= 0, vocabulary=self.vocabulary >= 0)
        _check(self, output_dim=self.output_dim > 0)


@dataclass(frozen=True)
class Source:
    """One file of training pairs."""

    file: str
    kind: str
    """`pairs` (doc comment and function), `parallel` (one meaning in two natural languages) or `similar` (the same
    file as for `pairs`: functions that answer one query, in any programming language)."""
    weight: float = 1.0
    """Share of the batches drawn from it, relative to the other sources."""

    def __post_init__(self) -> None:
        _check(self, kind=self.kind in SOURCE_KINDS, weight=self.weight > 0)


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

    def __post_init__(self) -> None:
        falling = sorted({dim for dim in self.dims if dim > 0}, reverse=True)
        _check(
            self,
            method=self.method in METHODS,
            rank=self.rank > 0,
            steps=self.steps > 0,
            batch=self.batch > 1,
            minibatch=self.minibatch >= 0,
            temperature=self.temperature > 0,
            decay=0 <= self.decay <= 1,
            warm_up=self.warm_up >= 0,
            max_code_tokens=self.max_code_tokens > _MARKERS,
            max_query_tokens=self.max_query_tokens > _MARKERS,
            dims=bool(self.dims) and list(self.dims) == falling,
        )


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
            table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read the recipe {path}: {error}") from error
        if unknown := sorted(set(table) - set(_SECTIONS)):
            raise UserError(f"{path}: unknown setting {unknown[0]!r}; known are {', '.join(_SECTIONS)}")
        backbone = _fill(Backbone, table.get("backbone", {}), path)
        rows = table.get("sources", [])
        if not isinstance(rows, list):
            raise UserError(f"{path}: each source has a section of its own, [[sources]] in double brackets")
        sources = tuple(_fill(Source, row, path) for row in rows)
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


def _fill(kind: type[T], values: object, path: Path) -> T:
    section = kind.__name__.lower()
    if not isinstance(values, dict):
        raise UserError(f"{path}: {section} is a section of settings, not {values!r}")
    known = {setting.name: setting.default for setting in fields(cast("type[Any]", kind))}
    if unknown := sorted(set(values) - set(known)):
        raise UserError(f"{path}: unknown setting {unknown[0]!r} in the {section} section")
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    for name, value in plain.items():
        _check_type(f"{path}: {section}.{name}", value, known[name])
    try:
        return kind(**plain)
    except TypeError as error:
        raise UserError(f"{path}: the {section} section is incomplete: {error}") from error
    except ValueError as error:
        raise UserError(f"{path}: the {section} section: {error}") from error


def _check_type(what: str, value: object, default: object) -> None:
    """A value of the type of its default; what has none is a text. A whole number may stand for a fraction."""
    wanted = str if default is MISSING else type(default)
    fits = type(value) is wanted or (wanted is float and type(value) is int)
    if not fits or (isinstance(value, tuple) and not all(type(item) is int for item in value)):
        expected = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        raise UserError(
            f"{what}: {expected.get(wanted, 'a list of whole numbers')} is expected, not {value!r}"
        )


def _check(section: object, **fits: bool) -> None:
    """ValueError that names the first setting of a section whose value does not fit."""
    for name, good in fits.items():
        if not good:
            raise ValueError(f"{name} cannot be {getattr(section, name)!r}")
