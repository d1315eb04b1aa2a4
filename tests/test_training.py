"""Runs of training: what they learn, how they stop and go on, and what a step changes."""

from __future__ import annotations

import json
import re
import weakref
from dataclasses import replace

import pytest
import torch

from indexer.embedding import load_embedder
from indexer.errors import UserError
from indexer.training.data import batches, read_pairs
from indexer.training.loop import Trainer
from indexer.training.recipe import Backbone, Recipe
from indexer.training.run import make_trainer, prepare, train


def test_a_run_learns_resumes_and_gives_a_model_that_loads(recipe, tmp_path):
    spec = train(recipe, tmp_path / "work", tmp_path / "out")
    log = [json.loads(line) for line in (tmp_path / "work" / "log.jsonl").read_text().splitlines()]
    assert len(log) == 24
    losses = [row["loss"] for row in log]
    assert sum(losses[-4:]) < sum(losses[:4]) * 0.9
    embedder = load_embedder(str(tmp_path / "out"), device="cpu")
    assert embedder.encode_queries(["retry the upload"]).shape == (1, 16)
    assert spec.files and spec.dims == (16, 8)
    train(recipe, tmp_path / "work", tmp_path / "out")
    assert len((tmp_path / "work" / "log.jsonl").read_text().splitlines()) == 24, (
        "a finished run is not run again"
    )


def test_a_model_is_tuned_further_from_where_it_was(recipe, tmp_path):
    train(recipe, tmp_path / "work", tmp_path / "model")
    first = load_embedder(str(tmp_path / "model"), device="cpu").encode_queries(["retry the upload"])
    rates = dict.fromkeys(("learning_rate", "head_learning_rate", "embedding_learning_rate"), 1e-6)
    again = replace(
        recipe,
        backbone=Backbone(str(tmp_path / "model")),
        tuning=replace(recipe.tuning, steps=3, **rates),
    )
    train(again, tmp_path / "again", tmp_path / "further")
    second = load_embedder(str(tmp_path / "further"), device="cpu").encode_queries(["retry the upload"])
    assert (first * second).sum() > 0.98
    assert (tmp_path / "further" / "tokenizer.json").read_bytes() == (
        tmp_path / "model" / "tokenizer.json"
    ).read_bytes()


def test_a_stopped_run_goes_on_where_it_was(recipe, tmp_path):
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    first = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    stream = batches(data, 16, 1)
    for _ in range(5):
        first.train_step(next(stream))
    first.save()
    second = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    assert second.resume() and second.step == 5
    for name, value in first.optimiser.state().items():
        torch.testing.assert_close(value, second.optimiser.state()[name])
    batch = next(stream)
    assert first.train_step(batch)["loss"] == pytest.approx(second.train_step(batch)["loss"], abs=1e-3)


@pytest.mark.parametrize("name", ["start.pt", "checkpoint.pt"])
def test_a_damaged_file_of_a_run_is_named(recipe, tmp_path, name):
    work = tmp_path / "work"
    train(replace(recipe, tuning=replace(recipe.tuning, steps=2)), work, tmp_path / "out")
    whole = (work / name).read_bytes()
    (work / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=rf"{name} cannot be read.* Remove it"):
        train(recipe, work, tmp_path / "out")


def test_a_step_that_memory_does_not_hold_is_done_in_parts(recipe, tmp_path, monkeypatch):
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    trainer = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    forward, sizes = trainer._forward, []

    def small_memory(side):
        sizes.append(len(side))
        if len(side) > 4:
            raise torch.OutOfMemoryError("out of memory")
        return forward(side)

    monkeypatch.setattr(trainer, "_forward", small_memory)
    row = trainer.train_step(next(batches(data, 16, 1)))
    assert row["step"] == 1 and max(sizes) == 16 and sizes.count(4) == 16


def test_what_memory_did_not_hold_is_let_go_before_the_parts(recipe, tmp_path, monkeypatch):
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    trainer = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    forward, whole = trainer._forward, []

    class Activations:
        """What a pass keeps for its way back."""

    class OutOfMemory(torch.autograd.Function):
        @staticmethod
        def forward(ctx, vectors):
            ctx.kept = Activations()
            whole.append(weakref.ref(ctx.kept))
            return vectors.clone()

        @staticmethod
        def backward(ctx, gradient):
            raise torch.OutOfMemoryError("out of memory")

    def small_memory(side):
        vectors = forward(side)
        if len(side) > 4:
            vectors = OutOfMemory.apply(vectors)
        else:
            held.append(sum(one() is not None for one in whole))
        return vectors

    held = []
    monkeypatch.setattr(trainer, "_forward", small_memory)
    trainer.train_step(next(batches(data, 16, 1)))
    # PyTorch itself holds the node that failed a while longer.
    assert len(whole) == 2 and max(held) == 1


@pytest.mark.parametrize("method", ["full", "bitfit"])
def test_only_what_the_method_names_is_trained(recipe, tmp_path, method):
    recipe = replace(recipe, tuning=replace(recipe.tuning, method=method))
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    trainer = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.train_step(next(batches(data, 16, 1)))
    moved = {
        name for name, value in trainer.model.state_dict().items() if not torch.equal(value, before[name])
    }
    if method == "full":
        assert "layers.0.mlp.up_proj.weight" in moved and "embed_tokens.weight" in moved
    else:
        assert moved and all("norm" in n or n.endswith("bias") or n.startswith("head") for n in moved)


def test_gradcache_gives_the_gradients_of_the_whole_batch(recipe, tmp_path):
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    batch = next(batches(data, 16, 1))
    found = []
    for minibatch in (0, 5):
        tuned = replace(recipe, tuning=replace(recipe.tuning, minibatch=minibatch))
        trainer: Trainer = make_trainer(tuned, data, tmp_path / "work", torch.device("cpu"))
        trainer.model.float()
        trainer.optimiser.step = lambda step: None  # type: ignore[method-assign]
        loss = trainer.train_step(batch)["loss"]
        found.append((loss, trainer.model.head.weight.grad.clone()))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-4)
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("native", "used"),
    [(torch.bfloat16, torch.bfloat16), (torch.float32, torch.float32), (torch.float16, torch.float32)],
)
def test_layers_are_tuned_in_a_type_that_the_device_computes(recipe, tmp_path, monkeypatch, native, used):
    # bfloat16 on a processor that has it not is several times slower than float32; float16 loses small gradients.
    monkeypatch.setattr("indexer.training.run.float_type", lambda device: native)
    data = [(source, read_pairs(tmp_path / "pairs.jsonl", source.kind)) for source in recipe.sources]
    prepare(recipe, data, tmp_path / "work")
    trainer = make_trainer(recipe, data, tmp_path / "work", torch.device("cpu"))
    assert trainer.model.head.weight.dtype == used
    assert trainer.model.embed_tokens.weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("steps = ", 'steps = "six"\nseed = ', "tuning.steps: a whole number is expected, not 'six'"),
        ("steps = ", "steps = 0\nseed = ", "steps cannot be 0"),
        ("steps = ", "temperature = 0.0\nsteps = ", "temperature cannot be 0.0"),
        ("dims = ", "dims = [16, 32]\n# ", "dims cannot be"),
        ("dims = ", "dims = 16\n# ", "tuning.dims: a list of whole numbers is expected, not 16"),
        ('kind = "pairs"', 'kind = "foo"', "kind cannot be 'foo'"),
        ('kind = "pairs"', 'kind = "pairs"\nweight = 0', "weight cannot be 0"),
        ("[[sources]]", "[sources]", "double brackets"),
        ("[backbone]", "[backbones]\n[backbone]", "unknown setting 'backbones'"),
        ("output_dim = 16", "output_dim = 24", "the vectors have 24 dimensions"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(recipe, tmp_path, before, after, message):
    file = tmp_path / "recipe.toml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    with pytest.raises(UserError, match=re.escape(message)):
        train(Recipe.read(file), tmp_path / "work", tmp_path / "out")
    file.write_text(text.replace("steps = 24", "steps = 1"))
    assert train(Recipe.read(file), tmp_path / "work", tmp_path / "out"), (
        "corrected, it goes on in the same folder"
    )
