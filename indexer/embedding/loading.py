"""From a name to an embedder: shipped models, folders, hub ids."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from indexer.embedding import SHIPPED, available_models, has_base
from indexer.embedding.adapter import Adapts, model_tokenizer
from indexer.embedding.devices import choose_device, choose_dtype
from indexer.embedding.embedder import Backend, DecoderEmbedder, PackedDecoder
from indexer.embedding.spec import BACKBONE_VARIABLE, SPEC_FILE, ModelSpec, find_backbone
from indexer.errors import UserError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

UDEVER_SIZES = {"560m": 1024, "1b1": 1536, "3b": 2560, "7b1": 4096}


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
    # The 24 layers of a whole backbone lose more in int8 (cosine 0.997) than the few of `small` (0.9998).
    number_type = choose_dtype(dtype, place, rounds=spec.backend == "decoder" and not spec.adapter)
    where = torch.device(place)
    elsewhere = backbone_of(spec) if spec.adapter else None
    if spec.backend == "decoder":
        adapts = Adapts.of(spec, elsewhere) if elsewhere else None
        tokenizer = model_tokenizer(folder, adapts)
        backend: Backend = PackedDecoder(spec, folder, where, number_type, adapts)
    else:
        elsewhere = elsewhere or folder
        tokenizer, backend, spec = _load_foreign(spec, folder, elsewhere, where, number_type)
    name_of_type = str(number_type).removeprefix("torch.")
    return DecoderEmbedder(
        spec,
        tokenizer,
        backend,
        device=place,
        number_type=name_of_type,
        dim=dim,
        elsewhere=elsewhere,
        folder=folder,
    )


def resolve_auto(name: str, device: str) -> str:
    """`auto` is `base` where there is a GPU and its backbone, else `small`."""
    if name != "auto":
        return name
    return "base" if device != "cpu" and has_base() else "small"


def backbone_of(spec: ModelSpec) -> Path:
    """The folder of an adapter's backbone; fetched from the hub where it is not on this machine, and said so."""
    found = find_backbone(spec)
    if found is not None:
        log.info("%s adapts %s in %s", spec.name, spec.backbone, found)
        return found
    if os.environ.get(BACKBONE_VARIABLE):
        raise UserError(f"{BACKBONE_VARIABLE} names {os.environ[BACKBONE_VARIABLE]}, which is not a folder")
    log.warning("the model %s adapts %s, which is fetched from the hub (once)", spec.name, spec.backbone)
    try:
        return _from_hub(spec.backbone)
    except UserError as error:
        raise UserError(
            f"the model {spec.name!r} is an adapter on {spec.backbone}, which is not on this machine and could not be"
            f" fetched; copy it here and name its folder in {BACKBONE_VARIABLE}"
        ) from error


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


def foreign_spec(name: str, folder: Path) -> ModelSpec:
    """The spec of a model that is not ours: the udever family, or any sentence-transformers decoder embedder."""
    if "udever" in name or "udever" in folder.name:
        return udever_spec(folder)
    if (folder / "router_config.json").exists():
        raise UserError(
            f"{folder} is for sentence-transformers, as `models export` writes it; name the model it was made from"
        )
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
    spec: ModelSpec, folder: Path, backbone: Path, device: torch.device, dtype: torch.dtype
) -> tuple[Tokenizer, Backend, ModelSpec]:
    from indexer.embedding.foreign import TransformersDecoder, end_marker

    model = TransformersDecoder(spec, backbone, folder, device, dtype)
    if not any(spec.query_markers) and spec.pooling == "last":
        end = end_marker(model.tokenizer)
        spec = replace(spec, query_markers=("", end), code_markers=("", end))
    return model.tokenizer.backend_tokenizer, model, spec
