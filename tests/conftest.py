"""Settings that hold for every test, and the tiny models that several areas share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests import tiny

# Helpers whose assertions should say as much as those of a test.
pytest.register_assert_rewrite("tests.commands", "tests.homes")

# Machines that run the tests are busy: a time limit on one example says nothing of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def backbone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backbone")
    return folder, tiny.make_backbone(folder)


@pytest.fixture(scope="session")
def model_folder(backbone, tmp_path_factory):
    """A model folder as training exports it, from the tiny backbone without tuning."""
    from indexer.embedding.spec import ModelSpec
    from indexer.embedding.weights import write_weights
    from indexer.training.prune import read_backbone

    folder = tmp_path_factory.mktemp("model")
    model = read_backbone(backbone[0], layers=3, output_dim=16)
    write_weights(model.state_dict(), folder)
    tiny.make_tokenizer().save(str(folder / "tokenizer.json"))
    spec = ModelSpec(
        name="tiny",
        backend="decoder",
        backbone="tests/tiny",
        query_markers=("", "<|endoftext|>"),
        code_markers=("", "<|endoftext|>"),
        max_tokens=64,
        dims=(16, 8),
        config=model.config.to_dict(),
    )
    spec.write(folder)
    return folder


@pytest.fixture
def recipe(tmp_path):
    from indexer.training.recipe import Recipe

    rows = [tiny.pair(n) for n in range(96)] + [tiny.pair(n, "go") for n in range(48)]
    return Recipe.read(tiny.make_recipe(tmp_path, rows, "steps = 24\nwarm_up = 2\nlearning_rate = 3e-3"))
