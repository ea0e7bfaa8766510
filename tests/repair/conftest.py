"""Recipes that fail, each in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from surefoot.recipe import Recipe

LAYERS = (
    {"dense": 16},
    {"activation": "relu"},
    {"dense": "classes"},
    {"activation": "softmax"},
)


@pytest.fixture
def make() -> Callable[..., Recipe]:
    """Return a recipe that trains well, but for the sections that a test gives."""

    def recipe(**sections: Any) -> Recipe:
        tables: dict[str, Any] = {
            "data": {"source": "iris"},
            "net": {"layers": list(LAYERS)},
            "optimizer": {"name": "adam", "learning_rate": 0.01},
            "train": {"epochs": 30},
        }
        for name, keys in sections.items():
            tables[name] = {**tables[name], **keys}
        return Recipe.parse(tables)

    return recipe
