"""Teachers: how their vectors are turned, and what a model takes from them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from indexer.training import teacher
from indexer.training.data import Batch
from indexer.training.head import ridge_head
from indexer.training.loss import geometry
from indexer.training.recipe import Tuning
from indexer.training.run import train
from indexer.training.teacher import procrustes
from tests.tiny import WORDS


def test_procrustes_finds_the_rotation_between_two_sets_of_vectors():
    torch.manual_seed(0)
    vectors = torch.randn(40, 6)
    turn = torch.linalg.qr(torch.randn(6, 6)).Q
    torch.testing.assert_close(procrustes(vectors, torch.cat((vectors @ turn, torch.ones(40, 2)), 1)), turn)


def test_a_model_of_ours_teaches_both_sides(recipe, tmp_path):
    train(recipe, tmp_path / "work", tmp_path / "model")
    student = replace(
        recipe,
        tuning=replace(recipe.tuning, teacher=str(tmp_path / "model"), teacher_weight=5.0, refit_head=()),
    )
    train(student, tmp_path / "again", tmp_path / "student")
    log = [json.loads(line) for line in (tmp_path / "again" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["loss"] < log[0]["loss"]


def test_geometry_is_nothing_where_the_teacher_is_matched_or_absent():
    aims = torch.nn.functional.normalize(torch.randn(4, 6), dim=-1)
    vectors = torch.cat((aims * 3, torch.randn(4, 2)), dim=1)
    known = torch.tensor([True, True, False, True])
    assert geometry(vectors, aims, known) == pytest.approx(0.0, abs=1e-6)
    assert geometry(vectors, aims, torch.zeros(4, dtype=torch.bool)) == 0.0
    assert geometry(-vectors, aims, known) == pytest.approx(2.0, abs=1e-5)


def test_the_fitted_head_reaches_a_linear_teacher():
    torch.manual_seed(0)
    hidden = torch.randn(400, 24) + 2.0
    targets = torch.nn.functional.normalize(hidden @ torch.randn(24, 6), dim=-1)
    head = ridge_head(hidden, targets, torch.randn(8, 24))
    known = torch.ones(400, dtype=torch.bool)
    assert geometry(hidden @ head.T, targets, known) < 0.1
    assert (hidden @ head[6:].T).mean(0).abs().max() < 0.1, "what all texts share is left out"


def test_a_teacher_turns_the_same_way_after_its_data_changed(tmp_path, monkeypatch):
    class Fake:
        def __init__(self, name, device):
            self.matrix = torch.randn(256, 6, generator=torch.Generator().manual_seed(3))

        def encode(self, texts, **_):
            rows = [sum(self.matrix[ord(letter) % 256] for letter in text) for text in texts]
            return torch.nn.functional.normalize(torch.stack(rows), dim=-1)

    monkeypatch.setattr("sentence_transformers.SentenceTransformer", Fake)
    rotation = tmp_path / "t.pt"
    first = teacher.Teacher("x", WORDS, rotation, Tuning(), "cpu").encode(WORDS, "query")
    others = ["quite", "other", "words"]
    second = teacher.Teacher("x", others, rotation, Tuning(), "cpu").encode(WORDS, "query")
    torch.testing.assert_close(first, second)
    plain = Fake("x", "cpu").encode(WORDS)
    torch.testing.assert_close(first @ first.T, plain @ plain.T, atol=1e-5, rtol=1e-5)
    assert (first**2).mean(0)[0] > (first**2).mean(0)[-1], "the first dimensions carry the most"


def test_a_teacher_reads_each_function_once(recipe, tmp_path, monkeypatch):
    train(recipe, tmp_path / "work", tmp_path / "model")
    one = teacher.Teacher(str(tmp_path / "model"), WORDS, tmp_path / "t.pt", recipe.tuning, "cpu")
    encode, read = one._encode, []
    monkeypatch.setattr(
        one, "_encode", lambda texts, role: (read.append((role, list(texts))), encode(texts, role))[1]
    )
    batch = Batch(["ask"] * 3, [""] * 3, [""] * 3, [""] * 3, (["ask"] * 3, ["one", "two", "one"]))
    first, again = one(batch), one(batch)
    torch.testing.assert_close(first.codes, again.codes)
    torch.testing.assert_close(first.codes[0], first.codes[2])
    assert [texts for role, texts in read if role == "code"] == [["one", "two"]]
    monkeypatch.setattr(teacher, "MOST_KEPT", 1)
    one(batch)
    assert [texts for role, texts in read if role == "code"] == [["one", "two"]] * 2, (
        "it forgets what is too much"
    )
    english, before = ["one sentence"], len(read)
    one(Batch(english, ["ein Satz"], english, english, (english, english), ("query", "query")))
    assert len(read) == before + 1, "both sides of a translation are the one English sentence to it"
