"""Hidden layers that suit most tables and small pictures."""

from __future__ import annotations

from typing import Any

from surefoot.doctor.edits import flat, layers
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

_HIDDEN = (64, 64)
_FILTERS = (16, 32)
_DENSE = frozenset({"dense", "activation", "dropout", "batch_norm", "flatten"})
_RELU = {"activation": "relu"}


def plain(recipe: Recipe, about: About) -> Remedy | None:
    """Two dense layers of 64 with ReLU in place of all hidden ones; two of filters for pictures."""
    tables = layers(recipe)
    last = max((i for i, layer in enumerate(tables) if "dense" in layer), default=None)
    if last is None:
        return None
    hidden: list[dict[str, Any]] = []
    if all(_DENSE & layer.keys() for layer in flat(tables)):
        hidden += [layer for layer in tables[:1] if "flatten" in layer]
        for units in _HIDDEN:
            hidden += [{"dense": units}, _RELU]
        text = "two hidden layers of 64 with ReLU"
    elif any("conv" in layer for layer in flat(tables)):
        for filters in _FILTERS:
            hidden += [{"conv": filters, "size": 3}, {"batch_norm": {}}, _RELU, {"max_pool": 2}]
        hidden.append({"flatten": {}})
        text = "two layers of 16 and 32 filters with batch normalization and ReLU"
    else:
        return None
    edits = {"net.layers": [*hidden, *tables[last:]], "net.initializer": "he_normal"}
    return Remedy(text, edits)
