"""Reduce on plateau against PyTorch's scheduler."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surefoot.optim import plateau


@pytest.mark.parametrize(("patience", "cooldown"), [(1, 0), (2, 0), (3, 2), (1, 4)])
def test_as_pytorch(patience, cooldown):
    random = np.random.default_rng(patience + 10 * cooldown)
    factors, changes = np.array([0.5, 0.1, 0.9]), np.array([0.0, 1e-2, 0.1])
    values = random.normal(size=(60, 3)) * 0.1 + 1 / np.sqrt(1 + np.arange(60))[:, None] + 1
    schedulers = [
        torch.optim.lr_scheduler.ReduceLROnPlateau(
            torch.optim.SGD([torch.zeros(1)], lr=1.0),
            factor=factor,
            # PyTorch waits for more than this many epochs, Optax, Keras and Surefoot for as many.
            patience=patience - 1,
            threshold=change,
            cooldown=cooldown,
            eps=0.0,
        )
        for factor, change in zip(factors, changes, strict=True)
    ]
    state = plateau.init(3)
    for row in values:
        state, scale = plateau.update(
            state,
            row,
            factor=factors,
            patience=patience,
            minimum_change=changes,
            cooldown=cooldown,
        )
        for scheduler, value in zip(schedulers, row, strict=True):
            scheduler.step(value)
        expected = [s.optimizer.param_groups[0]["lr"] for s in schedulers]
        np.testing.assert_allclose(scale, expected, rtol=1e-12)
    assert np.all(scale < 1)


def follow(values, **options):
    given = {"factor": 0.5, "patience": 2, "minimum_change": 0.0, "cooldown": 0, **options}
    state, scales = plateau.init(1), []
    for value in values:
        state, scale = plateau.update(state, [value], **given)
        scales.append(float(scale[0]))
    return scales


def test_what_is_not_finite_does_not_improve():
    assert follow([np.nan, np.inf, 1.0, np.nan, -np.inf]) == [1, 0.5, 0.5, 0.5, 0.25]


def test_rest_after_a_fall():
    # The first value is the best; falls after 1 epoch, then 2 epochs in which none is counted.
    assert follow([1.0] * 6, patience=1, cooldown=2) == [1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_a_change_that_is_too_small():
    assert follow([1.0, 0.99, 0.985], minimum_change=0.02) == [1, 1, 0.5]
    assert follow([1.0, 0.99, 0.975], minimum_change=0.02) == [1, 1, 1]


def test_the_state_given_is_left_as_it_is():
    before = plateau.init(2)
    plateau.update(before, [1.0, 2.0], factor=0.5, patience=1, minimum_change=0.0, cooldown=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, plateau.init(2), strict=True))
