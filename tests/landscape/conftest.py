"""Small cohorts that the landscape's tests share."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data import load
from surefoot.engine.cohort import Cohort
from surefoot.recipe import Recipe, numbers

MLP = [{"dense": 6}, {"activation": "tanh"}, {"dense": "classes"}, {"activation": "softmax"}]


def _cohort(layers=None, rows=40, precision="float64", sample_weight=None, **tables):
    """Return a cohort of one lane on three classes of four features, its weights and its state."""
    generator = np.random.default_rng(3)
    y = np.arange(rows) % 3
    x = generator.normal(size=(rows, 4)) + np.eye(4)[y]
    train = {"batch_size": 10, "precision": precision, **tables.pop("train", {})}
    recipe = Recipe.parse(
        {"data": {"validation": 0}, "net": {"layers": layers or MLP}, "train": train, **tables}
    )
    dataset = load(
        recipe.data, arrays=(x, y), sample_weight=sample_weight, dtype=np.dtype(precision)
    )
    cohort = Cohort([recipe], dataset)
    params, state = cohort.networks[0].init(1, numbers(recipe.net), cohort.precision)
    return cohort, params, state


@pytest.fixture
def make_cohort():
    """The function that makes cohorts."""
    return _cohort
