"""Small data and recipes that the engine's tests share."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data import load
from surefoot.recipe import Recipe

MLP = [
    {"dense": 8},
    {"activation": "tanh"},
    {"dense": "classes"},
    {"activation": "softmax"},
]


def _recipe(layers=None, **tables):
    """Return a recipe for 5 features and 3 classes; tables are merged into it."""
    base = {
        "data": {"validation": 0.25},
        "net": {"layers": layers or MLP},
        "train": {"epochs": 4, "batch_size": 10},
    }
    for section, table in tables.items():
        if isinstance(table, dict):
            base[section] = {**base.get(section, {}), **table}
        else:
            base[section] = table
    return Recipe.parse(base)


@pytest.fixture(scope="session")
def make_recipe():
    """The function that makes recipes."""
    return _recipe


@pytest.fixture(scope="session")
def arrays():
    """120 rows of 5 features in 3 classes that a small net can learn."""
    generator = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = generator.normal(size=(120, 5)) + 2.0 * np.eye(5)[y]
    return x, y


@pytest.fixture(scope="session")
def dataset(arrays):
    return load(_recipe().data, arrays=arrays)
