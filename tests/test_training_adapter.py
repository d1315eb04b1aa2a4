"""Adapters: trained beside a backbone that stays as it is, and loaded with it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice

import pytest
import torch
from sentence_transformers import SentenceTransformer

from indexer.embedding import load_embedder
from indexer.embedding.export import export
from indexer.errors import UserError
from indexer.training.data import batches, read_pairs
from indexer.training.run import make_trainer, prepare, train
from tests import tiny
from tests.tiny import WORDS


def _with_adapter(recipe, **changes):
    return replace(
        recipe,
        backbone=replace(
            recipe.backbone, layers=0, mlp_width=0, vocabulary=0, output_dim=32, name="tiny/backbone"
        ),
        tuning=replace(
            recipe.tuning,
            method="lora",
            rank=4,
            dims=(32, 16),
            learning_rate=2e-2,
            embedding_learning_rate=1e-2,
            **changes,
        ),
    )


def test_an_adapter_beside_its_backbone_is_the_model_that_was_trained(recipe, tmp_path, monkeypatch):
    adapted = _with_adapter(recipe, steps=60)
    spec = train(adapted, tmp_path / "work", tmp_path / "out")
    log = [json.loads(line) for line in (tmp_path / "work" / "log.jsonl").read_text().splitlines()]
    assert sum(row["loss"] for row in log[-4:]) < sum(row["loss"] for row in log[:4]) * 0.9
    assert spec.adapter and not list((tmp_path / "out").glob("model-*"))
    monkeypatch.setenv("CODEWHERE_BACKBONE", recipe.backbone.folder)
    embedder = load_embedder(str(tmp_path / "out"), device="cpu", dtype="fp32")
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    trainer = make_trainer(adapted, data, tmp_path / "work", torch.device("cpu"))
    assert trainer.resume() and trainer.step == 60
    trainer.model.float()
    for role, encode in (("query", embedder.encode_queries), ("code", embedder.encode_code)):
        found = torch.from_numpy(encode(WORDS))
        torch.testing.assert_close(found, trainer.encode(WORDS, role), atol=2e-2, rtol=0)
    with pytest.raises(UserError, match="int8 needs the model small"):
        load_embedder(str(tmp_path / "out"), device="cpu", dtype="int8")
    export(str(tmp_path / "out"), tmp_path / "exported")
    exported = SentenceTransformer(str(tmp_path / "exported"), device="cpu")
    theirs = torch.from_numpy(exported.encode_query(WORDS))
    torch.testing.assert_close(theirs, torch.from_numpy(embedder.encode_queries(WORDS)), atol=1e-4, rtol=0)


def test_an_adapter_may_keep_only_the_first_layers_of_its_backbone(recipe, tmp_path, monkeypatch):
    short = _with_adapter(recipe, steps=2)
    short = replace(short, backbone=replace(short.backbone, layers=2))
    spec = train(short, tmp_path / "work", tmp_path / "out")
    assert spec.config["num_hidden_layers"] == 2
    monkeypatch.setenv("CODEWHERE_BACKBONE", recipe.backbone.folder)
    embedder = load_embedder(str(tmp_path / "out"), device="cpu")
    assert embedder.encode_code(WORDS).shape == (12, 32)
    # Vectors of another backbone of the same shapes are other vectors.
    tiny.make_backbone(tmp_path / "other", seed=7)
    monkeypatch.setenv("CODEWHERE_BACKBONE", str(tmp_path / "other"))
    assert load_embedder(str(tmp_path / "out"), device="cpu").fingerprint != embedder.fingerprint


def test_an_adapter_leaves_the_backbone_as_it_is(recipe, tmp_path):
    adapted = _with_adapter(recipe)
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(adapted, data, tmp_path / "work")
    trainer = make_trainer(adapted, data, tmp_path / "work", torch.device("cpu"))
    before = trainer.model.embed_tokens.weight.detach().clone()
    for batch in islice(batches(data, 16, 1), 3):
        trainer.train_step(batch)
    after = trainer.model.embed_tokens.weight.detach()
    assert torch.equal(after[:-4], before[:-4]) and not torch.equal(after[-4:], before[-4:])
    name = "layers.1.mlp.up_proj.weight"
    matrix = trainer.model.get_parameter(name).detach().float()
    change = matrix - trainer.optimiser.low_rank[name].matrix.float()
    assert change.abs().max() > 0
    factors = trainer.optimiser.low_rank[name]
    assert torch.linalg.matrix_rank(factors.b @ factors.a) <= 4


def test_an_adapter_can_be_tuned_further(recipe, tmp_path, monkeypatch):
    train(_with_adapter(recipe, steps=8), tmp_path / "work", tmp_path / "out")
    monkeypatch.setenv("CODEWHERE_BACKBONE", recipe.backbone.folder)
    embedder = load_embedder(str(tmp_path / "out"), device="cpu", dtype="fp32")
    further = _with_adapter(recipe, steps=1)
    further = replace(further, backbone=replace(further.backbone, adapter=str(tmp_path / "out")))
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(further, data, tmp_path / "further")
    trainer = make_trainer(further, data, tmp_path / "further", torch.device("cpu"))
    trainer.model.float()
    for role, encode in (("query", embedder.encode_queries), ("code", embedder.encode_code)):
        found = torch.from_numpy(encode(WORDS))
        torch.testing.assert_close(found, trainer.encode(WORDS, role), atol=2e-2, rtol=0)
    wider = replace(further, tuning=replace(further.tuning, rank=5))
    with pytest.raises(UserError, match="another backbone or rank"):
        make_trainer(wider, data, tmp_path / "further", torch.device("cpu"))


def test_a_backbone_that_is_not_there_is_named(recipe, tmp_path):
    lost = replace(recipe, backbone=replace(recipe.backbone, folder=str(tmp_path / "gone")))
    with pytest.raises(UserError, match="gone of the recipe has no tokenizer"):
        train(lost, tmp_path / "work", tmp_path / "out")


def test_an_adapter_to_start_from_that_is_not_there_is_named(recipe, tmp_path):
    train(_with_adapter(recipe, steps=1), tmp_path / "work", tmp_path / "out")
    further = _with_adapter(recipe, steps=1)
    further = replace(further, backbone=replace(further.backbone, adapter=str(tmp_path / "out")))
    for spoil in (lambda path: path.write_bytes(b"no tensors"), lambda path: path.unlink()):
        spoil(tmp_path / "out" / "adapter.safetensors")
        with pytest.raises(UserError, match="cannot read the adapter"):
            train(further, tmp_path / "again", tmp_path / "better")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "which is not a folder"),
        ("empty", "tokenizer"),
        ("bare", "lacks embed_tokens"),
        ("other", "another model"),
    ],
)
def test_an_adapter_without_its_backbone_says_what_to_do(recipe, tmp_path, monkeypatch, found, message):
    train(_with_adapter(recipe, steps=1), tmp_path / "work", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare").mkdir()
    tiny.make_tokenizer().save(str(tmp_path / "bare" / "tokenizer.json"))
    tiny.make_backbone(tmp_path / "other", intermediate_size=40)
    monkeypatch.setenv("CODEWHERE_BACKBONE", str(tmp_path / (found or "nowhere")))
    with pytest.raises(UserError, match=message):
        load_embedder(str(tmp_path / "out"), device="cpu")
