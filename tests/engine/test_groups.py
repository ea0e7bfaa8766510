"""Lanes dealt out to cores: the same runs, whatever the number of groups."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from surefoot.engine import groups
from surefoot.engine.cohort import Cohort
from surefoot.engine.groups import Groups
from surefoot.engine.training import train
from surefoot.engine.width import dealt_width


@pytest.mark.parametrize(
    ("lanes", "cores", "count"), [(1, 8, 1), (2, 8, 2), (6, 4, 3), (7, 4, 1), (128, 2, 2)]
)
def test_groups_are_of_equal_size_and_no_more_than_cores(lanes, cores, count):
    assert Groups(lanes, cores=cores).count == count


@pytest.mark.parametrize(
    ("lanes", "width", "cores", "dealt"),
    [
        (32, 8, 2, None),
        (33, 8, 2, 9),
        (128, 8, 2, 16),
        (100, 8, 2, 13),
        (5, 1, 2, 2),
        (4, 1, 2, None),
    ],
)
def test_many_lanes_are_dealt_out_in_groups_that_take_turns(
    monkeypatch, lanes, width, cores, dealt
):
    monkeypatch.setattr("surefoot.engine.width.group_width", lambda cohort: width)
    monkeypatch.setattr("surefoot.engine.width.groups_at_once", lambda: cores)
    found = dealt_width(SimpleNamespace(lanes=lanes))
    assert found == dealt
    if found:
        assert Groups(lanes, found).count * found < lanes + found


def test_a_lane_comes_out_the_same_where_groups_take_turns(monkeypatch, make_recipe, dataset):
    recipes = [make_recipe(seed=seed, train={"epochs": 3}) for seed in range(5)]
    whole = train(Cohort(recipes, dataset))
    asked = []
    monkeypatch.setattr("surefoot.engine.training.dealt_width", lambda c: asked.append(c) or 2)
    for one, other in zip(whole, train(Cohort(recipes, dataset)), strict=True):
        np.testing.assert_allclose(one.train, other.train, rtol=1e-5)
    assert len(asked) == 1


def test_what_is_split_is_joined_again():
    four = Groups(8, cores=4)
    rows = np.arange(16).reshape(8, 2)
    assert np.array_equal(four.join(four.split(rows)), rows)
    assert np.array_equal(four.join([part.T for part in four.split(rows)], axis=1), rows.T)


@pytest.mark.parametrize("own_batches", [False, True])
def test_two_groups_train_as_one(monkeypatch, make_recipe, dataset, own_batches):
    """Also where early stopping keeps weights, the rate falls and lanes see their own batches."""
    recipes = [
        make_recipe(
            seed=seed,
            optimizer={"learning_rate": rate},
            data={"validation": 0.25, "shuffle_seed": seed if own_batches else 0},
            schedule={"name": "plateau", "monitor": "train_loss", "patience": 1},
            train={"epochs": 6, "batch_size": 10, "early_stopping": {"patience": 2}},
        )
        for seed, rate in enumerate((1e-3, 1e-2, 0.3, 1e6))
    ]
    found = []
    for cores in (1, 2):
        monkeypatch.setattr(groups, "groups_at_once", lambda cores=cores: cores)
        found.append(train(Cohort(recipes, dataset)))
    for one, two in zip(*found, strict=True):
        assert (one.ended, one.steps, one.best_epoch) == (two.ended, two.steps, two.best_epoch)
        np.testing.assert_allclose(one.validation, two.validation, rtol=1e-4)
        for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(two.params), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_groups_of_one_lane_with_batches_of_its_own_train_as_that_lane_does(
    monkeypatch, make_recipe, dataset
):
    monkeypatch.setattr(groups, "groups_at_once", lambda: 2)
    recipes = [make_recipe(seed=seed) for seed in (0, 1)]
    together = train(Cohort(recipes, dataset))
    for recipe, one in zip(recipes, together, strict=True):
        (alone,) = train(Cohort([recipe], dataset))
        np.testing.assert_allclose(one.train, alone.train, rtol=1e-5)
        for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(alone.params), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
