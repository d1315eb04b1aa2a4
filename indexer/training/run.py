"""From a recipe to a model folder: cut the backbone, tune it, write it down."""

from __future__ import annotations

import json
import logging
import random
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from indexer.embedding.adapter import ADAPTER
from indexer.embedding.decoder import Decoder, DecoderConfig, pack
from indexer.embedding.devices import choose_device, float_type
from indexer.embedding.spec import DRAFT_FILE, SPEC_FILE, ModelSpec
from indexer.embedding.weights import read_weights, write_weights
from indexer.errors import UserError
from indexer.training.data import Pair, batches, read_pairs
from indexer.training.files import read_state
from indexer.training.loop import OnStep, Trainer
from indexer.training.lowrank import adapter_state
from indexer.training.optimiser import MasterWeights
from indexer.training.prune import read_backbone, with_vocabulary
from indexer.training.recipe import Recipe, Source
from indexer.training.refit import prune_width
from indexer.training.teacher import Encode, Teacher
from indexer.training.texts import TextEncoder
from indexer.training.vocabulary import MARKERS, count_tokens, cut_vocabulary, whole_vocabulary

log = logging.getLogger(__name__)

CALIBRATION_BATCHES = 6
"""Enough tokens (about 40,000) to solve for a thousand or two neurons a layer."""
VOCABULARY_TEXTS = 60_000
TEACHER_SAMPLE = 3_000

Data = list[tuple[Source, list[Pair]]]


def train(
    recipe: Recipe,
    work: Path,
    out: Path,
    *,
    device: str = "cpu",
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ModelSpec | None:
    """Run the recipe in the folder `work` (checkpoints, log) and write the model into `out`; resumes by itself.

    None where it was stopped by `cancelled`, which is asked after each step; `on_step` is given the row for the log.
    """
    data: Data = [(source, read_pairs(Path(source.file), source.kind)) for source in recipe.sources]
    return run(recipe, data, work, out, device=device, on_step=on_step, cancelled=cancelled)


def run(
    recipe: Recipe,
    data: Data,
    work: Path,
    out: Path,
    *,
    device: str,
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ModelSpec | None:
    """As `train`, over pairs that are read already."""
    if empty := [source.file for source, pairs in data if not pairs]:
        raise UserError(f"{empty[0]} holds no pairs; leave it out of the recipe, or mine it again")
    _check_out(recipe, out)
    claim(work, recipe)
    prepare(recipe, data, work)
    trainer = make_trainer(recipe, data, work, torch.device(choose_device(device)))
    trainer.resume()
    stream = batches(data, recipe.tuning.batch, recipe.tuning.seed)
    if not trainer.run(stream, on_step=on_step, cancelled=cancelled):
        return None
    return export(recipe, work, out, trainer.optimiser)


def claim(work: Path, recipe: Recipe) -> None:
    """Note whose run a work folder holds; `UserError` where another one has come as far as a checkpoint.

    Of the same run only `steps` may differ.
    """
    note = work / "recipe.json"
    named = recipe.to_dict()
    named["tuning"].pop("steps")
    text = json.dumps(named, indent=1)
    if note.exists() and note.read_text(encoding="utf-8") != text:
        if (work / "checkpoint.pt").exists():
            raise UserError(
                f"{work} holds the run of another recipe; name another --work folder, or remove it"
            )
        for made in ("start.pt", "teacher.pt"):
            (work / made).unlink(missing_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(text, encoding="utf-8")


def _check_out(recipe: Recipe, out: Path) -> None:
    """`UserError` where writing the model would destroy what it is made from, or something else."""
    sources = [Path(place) for place in (recipe.backbone.folder, recipe.backbone.adapter) if place]
    if any(place.exists() and out.resolve() == place.resolve() for place in sources):
        raise UserError(f"--out {out} is what the training starts from; name another folder")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / SPEC_FILE).exists())):
        raise UserError(f"--out {out} holds something else than a model; name a new or empty folder")


def prepare(recipe: Recipe, data: Data, work: Path) -> None:
    """Cut the backbone to size, once: `start.pt`, `tokenizer.json` and `decoder.json` in the work folder."""
    if (work / "start.pt").exists():
        return
    work.mkdir(parents=True, exist_ok=True)
    backbone = recipe.backbone
    folder = Path(backbone.folder)
    if _is_model(recipe):
        take_up(folder, work)
        return
    try:
        tokenizer_json = (folder / "tokenizer.json").read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"the backbone {folder} of the recipe has no tokenizer.json ({error.strerror}); name a folder that"
            " `save_pretrained` wrote, or a model that `codewhere train` made"
        ) from error
    cut_json, old_ids = _vocabulary(recipe, data, tokenizer_json)
    torch.manual_seed(recipe.tuning.seed)
    model = with_vocabulary(read_backbone(folder, backbone.layers, backbone.output_dim), old_ids)
    _separate_markers(model)
    if backbone.mlp_width:
        model = prune_width(model, calibration(recipe, data, cut_json), backbone.mlp_width)
    (work / "tokenizer.json").write_text(cut_json, encoding="utf-8")
    (work / "decoder.json").write_text(json.dumps(model.config.to_dict()), encoding="utf-8")
    torch.save(model.state_dict(), work / "start.pt")


def _vocabulary(recipe: Recipe, data: Data, tokenizer_json: str) -> tuple[str, list[int]]:
    """The tokenizer of the model and, for each of its ids, the backbone's."""
    if not recipe.backbone.vocabulary:
        return whole_vocabulary(tokenizer_json)
    texts = sample_texts(data, VOCABULARY_TEXTS, recipe.tuning.seed)
    counts: Counter[int] = Counter()
    for start in range(0, len(texts), 2_000):
        counts.update(count_tokens(tokenizer_json, texts[start : start + 2_000]))
    return cut_vocabulary(tokenizer_json, counts, recipe.backbone.vocabulary)


def _is_model(recipe: Recipe) -> bool:
    """Whether the backbone is a model of ours, which then is tuned further as it is."""
    return (Path(recipe.backbone.folder) / SPEC_FILE).exists()


def _reads_glosses(recipe: Recipe) -> bool:
    before = recipe.backbone.adapter or (recipe.backbone.folder if _is_model(recipe) else "")
    return bool(before) and ModelSpec.read(Path(before)).reads_glosses


def take_up(folder: Path, work: Path) -> None:
    """Start from the weights, the vocabulary and the sizes of a model that was made before."""
    spec = ModelSpec.read(folder)
    if spec.backend != "decoder":
        raise UserError(
            f"{folder} holds a model of another kind; only decoders of codewhere are tuned further"
        )
    shutil.copy(folder / "tokenizer.json", work / "tokenizer.json")
    (work / "decoder.json").write_text(json.dumps(spec.config), encoding="utf-8")
    torch.save(read_weights(folder, torch.float32), work / "start.pt")


def sample_texts(data: Data, count: int, seed: int) -> list[str]:
    """Queries and codes from every source and language alike, so that the cut serves all of them."""
    rng = random.Random(seed)
    by_language: dict[tuple[str, str], list[Pair]] = {}
    for _, pairs in data:
        for pair in pairs:
            by_language.setdefault((pair.language, pair.natural), []).append(pair)
    each = max(1, count // max(1, len(by_language)))
    texts: list[str] = []
    for group in by_language.values():
        for pair in rng.sample(group, min(each, len(group))):
            texts += (pair.query, pair.code)
    rng.shuffle(texts)
    return texts[: 2 * count]


def calibration(recipe: Recipe, data: Data, tokenizer_json: str) -> list[tuple[Tensor, Tensor]]:
    """Packed ids and lengths of the first batches, both sides, as training will see them."""
    encoder = TextEncoder(Tokenizer.from_str(tokenizer_json))
    packed = []
    for batch in islice(batches(data, recipe.tuning.batch, recipe.tuning.seed), CALIBRATION_BATCHES):
        for side in encoder.batch(batch, recipe.tuning):
            packed.append(pack(side, torch.device("cpu")))
    return packed


def _separate_markers(model: Decoder) -> None:
    # The four markers start from one token; a little noise lets them part.
    rows = model.embed_tokens.weight.data[-len(MARKERS) :]
    rows += torch.randn_like(rows) * model.embed_tokens.weight.data.std() * 0.5


def make_trainer(recipe: Recipe, data: Data, work: Path, device: torch.device) -> Trainer:
    """The trainer over the prepared model."""
    config = DecoderConfig.from_dict(json.loads((work / "decoder.json").read_text(encoding="utf-8")))
    if recipe.tuning.dims[0] != config.output_dim:
        raise UserError(
            f"the first of the dims is {recipe.tuning.dims[0]}, but the vectors have {config.output_dim} dimensions:"
            " set dims in the tuning section"
        )
    with torch.device("meta"):
        model = Decoder(config)
    model.load_state_dict(read_state(work / "start.pt"), assign=True)
    model.to(device)
    # Where bfloat16 is not native it is computed by detours, several times slower than float32.
    native = float_type(str(device)) == torch.bfloat16
    for part in (model.layers, model.norm, model.head):
        part.to(torch.bfloat16 if native else torch.float32)
    model.embed_tokens.sparse = True
    choose_trained(model, recipe.tuning.method)
    if recipe.tuning.compile:
        for layer in model.layers:
            layer.compile(dynamic=True)
    encoder = TextEncoder(Tokenizer.from_file(str(work / "tokenizer.json")))
    trainer = Trainer(model, encoder, recipe.tuning, None, work, device)
    trainer.teacher = _teacher(recipe, data, work, device, trainer.encode if _is_model(recipe) else None)
    if recipe.backbone.adapter:
        trainer.optimiser.take_up(_adapter(Path(recipe.backbone.adapter)))
    return trainer


def _adapter(folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(folder / ADAPTER)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"cannot read the adapter {folder / ADAPTER} that the recipe starts from: {error}. Name a folder that"
            ' `codewhere train` wrote with method = "lora".'
        ) from error


def choose_trained(model: Decoder, method: str) -> None:
    """`bitfit` trains biases, norms and the head alone; `full` and `lora`, in its own way, everything."""
    if method == "bitfit":
        for name, parameter in model.named_parameters():
            parameter.requires_grad = name.endswith("bias") or "norm" in name or name.startswith("head")


def _teacher(
    recipe: Recipe, data: Data, work: Path, device: torch.device, student: Encode | None
) -> Teacher | None:
    if not recipe.tuning.teacher:
        return None
    english = (
        pair.query for _, pairs in data for pair in pairs[:: max(1, len(pairs) // 1_000)] if pair.query
    )
    sample = list(islice(english, TEACHER_SAMPLE))
    return Teacher(recipe.tuning.teacher, sample, work / "teacher.pt", recipe.tuning, str(device), student)


def export(recipe: Recipe, work: Path, out: Path, weights: MasterWeights) -> ModelSpec:
    """Write the model folder: int8 shards and tokenizer, or the adapter of a backbone, and the spec with checksums.

    A model of ours takes its low-rank change in: its weights are at hand, those of a backbone are the hub's.
    """
    out.mkdir(parents=True, exist_ok=True)
    is_adapter = recipe.tuning.method == "lora" and not _is_model(recipe)
    if is_adapter:
        table = weights.model.embed_tokens.weight
        save_file(adapter_state(weights.masters, table, len(MARKERS)), out / ADAPTER)
    else:
        write_weights(weights.whole(), out)
        shutil.copy(work / "tokenizer.json", out / "tokenizer.json")
    spec = ModelSpec(
        name=recipe.name,
        backend="decoder",
        backbone=recipe.backbone.name,
        query_markers=(MARKERS[0], MARKERS[1]),
        code_markers=(MARKERS[2], MARKERS[3]),
        dims=recipe.tuning.dims,
        config=json.loads((work / "decoder.json").read_text(encoding="utf-8")),
        adapter=ADAPTER if is_adapter else "",
        reads_glosses=_reads_glosses(recipe),
        licence=recipe.backbone.licence,
        training=f"{recipe.tuning.steps} steps of {recipe.tuning.batch} pairs, {recipe.tuning.method} tuning",
    )
    (out / DRAFT_FILE).unlink(missing_ok=True)  # of the model that was there before
    spec.write(out)
    return ModelSpec.read(out)
