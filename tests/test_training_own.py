from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.embedding import load_embedder
from indexer.embedding.spec import ModelSpec
from indexer.errors import UserError
from indexer.training import own
from indexer.training.recipe import Recipe
from indexer.training.run import train
from tests import tiny

THINGS = "invoice receipt customer parcel ticket voucher refund booking coupon basket".split()
ACTS = ("store", "collect", "print", "archive")


def write_company(folder):
    folder.mkdir()
    for thing in THINGS:
        functions = [
            f'def {act}_{thing}(ledger, entry):\n    """{act.title()} the {thing} of one customer in the ledger."""\n'
            f"    known = ledger.find(entry.{thing})\n    ledger.{act}(known, entry)\n    return known.{act}_number\n"
            for act in ACTS
        ]
        (folder / f"{thing}.py").write_text("\n\n".join(functions))
    return folder


@pytest.fixture
def model(tmp_path):
    pairs = [
        {
            "query": f"open the file {n}",
            "code": f"def open_{n}(path): return open(path)",
            "language": "python",
        }
        for n in range(32)
    ]
    recipe = tiny.make_recipe(tmp_path, pairs, "steps = 4")
    train(Recipe.read(recipe), tmp_path / "w", tmp_path / "model")
    return tmp_path / "model"


def test_a_model_learns_the_code_of_its_user(model, tmp_path, monkeypatch):
    monkeypatch.setattr(own, "MIN_PAIRS", 20)
    monkeypatch.setattr(own, "BATCH", 8)
    replace(ModelSpec.read(model), reads_glosses=True).write(model)
    made = own.adapt(
        [write_company(tmp_path / "company")], str(model), tmp_path / "work", tmp_path / "out", steps=60
    )
    assert made.pairs == 32 and made.after > made.before
    assert made.spec.reads_glosses, "it is asked as the model it was made from"
    assert made.spec.scores["own code (MRR)"] == made.after
    first, second = (load_embedder(str(folder), device="cpu") for folder in (model, tmp_path / "out"))
    assert first.fingerprint != second.fingerprint and first.dim == second.dim
    again = own.adapt([tmp_path / "company"], str(model), tmp_path / "work", tmp_path / "out", steps=60)
    assert again.after == made.after, "a finished run is not run again"


def test_a_stopped_run_is_kept_and_another_ones_folder_is_refused(model, tmp_path, monkeypatch):
    monkeypatch.setattr(own, "MIN_PAIRS", 20)
    monkeypatch.setattr(own, "BATCH", 8)
    company, work, out = write_company(tmp_path / "company"), tmp_path / "work", tmp_path / "out"
    rows = []
    options = {"steps": 4, "on_step": rows.append}
    stopped = own.adapt([company], str(model), work, out, **options, cancelled=lambda: len(rows) == 2)
    assert stopped is None and not out.exists()
    made = own.adapt([company], str(model), work, out, **options)
    assert made.steps == 4 and [row["step"] for row in rows] == [1, 2, 3, 4]
    other = write_company(tmp_path / "other")
    with pytest.raises(UserError, match="holds the run of another recipe"):
        own.adapt([other], str(model), work, tmp_path / "more", steps=4)
    with pytest.raises(UserError, match="at step 4 already"):
        own.adapt([company], str(model), work, tmp_path / "more", steps=3)
    with pytest.raises(UserError, match="what the training starts from"):
        own.adapt([company], str(model), tmp_path / "w2", model, steps=1)
    with pytest.raises(UserError, match="something else than a model"):
        own.adapt([company], str(model), tmp_path / "w3", company, steps=1)


def test_too_little_code_and_adapters_are_refused(model, tmp_path):
    company = write_company(tmp_path / "company")
    with pytest.raises(UserError, match="only 40 functions"):
        own.adapt([company], str(model), tmp_path / "work", tmp_path / "out")
    with pytest.raises(UserError, match="adapter itself"):
        own.adapt([company], "base", tmp_path / "work", tmp_path / "out")
