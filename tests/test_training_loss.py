"""The loss of a batch and the rate of learning."""

from __future__ import annotations

import pytest
import torch

from indexer.training.loss import false_negatives, info_nce, matryoshka_info_nce, soft_labels
from indexer.training.optimiser import schedule
from indexer.training.recipe import Tuning


def test_info_nce_is_cross_entropy_over_cosines():
    torch.manual_seed(0)
    queries, codes = torch.randn(3, 8), torch.randn(4, 8)
    cosines = torch.nn.functional.cosine_similarity(queries[:, None], codes[None], dim=-1) / 0.05
    target = torch.arange(3)
    expected = torch.nn.functional.cross_entropy(cosines, target)
    expected = (expected + torch.nn.functional.cross_entropy(cosines[:, :3].T, target)) / 2
    torch.testing.assert_close(info_nce(queries, codes, 0.05), expected)
    whole = matryoshka_info_nce(queries, codes, (8, 4), 0.05)
    torch.testing.assert_close(whole, (expected + info_nce(queries[:, :4], codes[:, :4], 0.05)) / 2)


def test_equal_texts_are_no_negatives():
    ignore = false_negatives(["a", "b", " A"], ["x", "y", "z"])
    assert ignore.tolist() == [[False, False, True], [False, False, False], [True, False, False]]
    near = torch.tensor([[1.0, 0.95], [0.95, 1.0]])
    assert false_negatives(["a", "b"], ["x", "y"], near).tolist() == [[False, True], [True, False]]


def test_a_teacher_shares_in_what_is_right():
    torch.manual_seed(0)
    queries, codes = torch.randn(4, 8), torch.randn(4, 8)
    unit = torch.nn.functional.normalize
    ignore = torch.zeros(4, 4, dtype=torch.bool)
    ignore[0, 2] = True
    none = soft_labels(unit(queries), unit(codes), 0.05, ignore, torch.zeros(4))
    torch.testing.assert_close(
        info_nce(queries, codes, 0.05, ignore, none), info_nce(queries, codes, 0.05, ignore)
    )
    half = soft_labels(unit(queries), unit(codes), 0.05, ignore, torch.tensor([0.5, 0.5, 0.5, 0.0]))
    torch.testing.assert_close(half.sum(-1), torch.ones(2, 4))
    assert half[0, 3].tolist() == half[1, 3].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert half[0, 0, 2] == half[1, 2, 0] == 0.0, "what does not count is no answer"
    student = queries.clone().requires_grad_()
    all_of_it = soft_labels(unit(queries), unit(codes), 0.05, ignore, torch.ones(4))
    info_nce(student, codes, 0.05, ignore, all_of_it).backward()
    assert student.grad.abs().max() < 1e-5, "a student that is as its teacher has nothing to learn"


def test_the_rate_warms_up_stays_and_falls():
    tuning = Tuning(steps=100, warm_up=10, decay=0.2)
    values = [schedule(step, tuning) for step in range(100)]
    assert values[0] == pytest.approx(0.1) and values[9] == values[79] == 1.0
    assert values[-1] == pytest.approx(0.1) and values[90] == pytest.approx(0.5)
