"""From a name to an embedder: shipped models, folders, hub ids."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from indexer.embedding import SHIPPED, available_models
from indexer.embedding.devices import choose_device, choose_dtype
from indexer.embedding.embedder import Backend, DecoderEmbedder, PackedDecoder
from indexer.embedding.spec import SPEC_FILE, ModelSpec
from indexer.errors import UserError

if TYPE_CHECKING:
    import torch

UDEVER_SIZES = {"560m": 1024, "1b1": 1536, "3b": 2560, "7b1": 4096}
BACKBONE_VARIABLE = "CODEWHERE_BACKBONE"
"""Names the folder of an adapter's backbone, for machines that cannot reach the hub."""


def load(name: str, device: str | None, dtype: str | None, dim: int | None) -> DecoderEmbedder:
    """See `indexer.embedding.load_embedder`."""
    import torch

    place = choose_device(device)
    folder = find(resolve_auto(name, place))
    spec = ModelSpec.read(folder) if (folder / SPEC_FILE).exists() else foreign_spec(name, folder)
    spec.verify(folder)
    if dim is not None and not 0 < dim <= spec.dim:
        raise UserError(
            f"the model {spec.name!r} gives {spec.dim} dimensions; ask for 1 to {spec.dim}, not {dim}"
        )
    number_type = choose_dtype(dtype, place, own=spec.backend == "decoder")
    where = torch.device(place)
    if spec.backend == "decoder":
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        backend: Backend = PackedDecoder(spec, folder, where, number_type)
    else:
        tokenizer, backend, spec = _load_foreign(spec, folder, where, number_type)
    name_of_type = str(number_type).removeprefix("torch.")
    return DecoderEmbedder(spec, tokenizer, backend, device=place, number_type=name_of_type, dim=dim)


def resolve_auto(name: str, device: str) -> str:
    """`auto` is `base` where there is a GPU and its backbone, else `small`."""
    if name != "auto":
        return name
    if device != "cpu" and "base" in available_models() and _backbone_folder("base") is not None:
        return "base"
    return "small"


def find(name: str) -> Path:
    """The folder of a shipped model, the folder itself, or the local copy of a hub model."""
    if name in available_models():
        return SHIPPED / name
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if name.startswith("udever-bloom-"):
        name = f"izhx/{name}"
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        known = ", ".join(available_models()) or "none in this installation"
        raise UserError(
            f"no model {name!r}: shipped are {known}; else name a folder or a hub id such as owner/model"
        )
    return _from_hub(name)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt"]))
    except Exception as error:
        raise UserError(
            f"the model {name!r} is not on this machine and could not be fetched from the hub "
            f"({type(error).__name__}); copy its folder here and name the folder instead"
        ) from error


def _backbone_folder(name: str) -> Path | None:
    named = os.environ.get(BACKBONE_VARIABLE)
    if named:
        return Path(named) if Path(named).is_dir() else None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(ModelSpec.read(SHIPPED / name).backbone, "config.json")
    return Path(cached).parent if isinstance(cached, str) else None


def foreign_spec(name: str, folder: Path) -> ModelSpec:
    """The spec of a model that is not ours: the udever family, or any sentence-transformers decoder embedder."""
    if "udever" in name or "udever" in folder.name:
        return udever_spec(folder)
    if not (folder / "config.json").exists():
        raise UserError(f"{folder} holds no model: neither {SPEC_FILE} nor config.json is there")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts", {})
    pooling = _json(folder / "1_Pooling" / "config.json")
    return ModelSpec(
        name=folder.name,
        backend="transformers",
        backbone=str(folder),
        query_markers=("", ""),
        code_markers=("", ""),
        query_prompt=prompts.get("query", ""),
        code_prompt=prompts.get("document", prompts.get("passage", "")),
        pooling="mean" if pooling.get("pooling_mode_mean_tokens") else "last",
        dims=(config.get("hidden_size") or config.get("n_embed"),),
        licence=config.get("license", ""),
    )


def udever_spec(folder: Path) -> ModelSpec:
    """Markers, pooling and length of the paper's models (arXiv 2310.08232)."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return ModelSpec(
        name=folder.name,
        backend="transformers",
        backbone=str(folder),
        query_markers=("[BOQ]", "[EOQ]"),
        code_markers=("[BOD]", "[EOD]"),
        max_tokens=300,
        dims=(config.get("hidden_size") or config["n_embed"],),
        licence="bigscience-bloom-rail-1.0",
    )


def _json(path: Path) -> dict[str, dict[str, str]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _load_foreign(
    spec: ModelSpec, folder: Path, device: torch.device, dtype: torch.dtype
) -> tuple[Tokenizer, Backend, ModelSpec]:
    from indexer.embedding.foreign import TransformersDecoder, end_marker

    backbone = folder
    if spec.adapter:
        found = _backbone_folder(spec.name) or _from_hub(spec.backbone)
        backbone = found
    model = TransformersDecoder(spec, backbone, folder, device, dtype)
    if not any(spec.query_markers) and spec.pooling == "last":
        end = end_marker(model.tokenizer)
        spec = replace(spec, query_markers=("", end), code_markers=("", end))
    return model.tokenizer.backend_tokenizer, model, spec
