"""Hidden layers that suit most tables and small pictures."""

from __future__ import annotations

from typing import Any

from surefoot.doctor.edits import flat, layers
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

_HIDDEN = (64, 64)
_DENSE = frozenset({"dense", "activation", "dropout", "batch_norm", "flatten"})


def plain(recipe: Recipe, about: About) -> Remedy | None:
    """Two dense layers of 64 with ReLU in place of all hidden ones, where these are dense."""
    tables = layers(recipe)
    if not all(_DENSE & layer.keys() for layer in flat(tables)):
        return None
    last = max((i for i, layer in enumerate(tables) if "dense" in layer), default=None)
    if last is None:
        return None
    hidden: list[dict[str, Any]] = [layer for layer in tables[:1] if "flatten" in layer]
    for units in _HIDDEN:
        hidden += [{"dense": units}, {"activation": "relu"}]
    edits = {"net.layers": [*hidden, *tables[last:]], "net.initializer": "he_normal"}
    return Remedy("two hidden layers of 64 with ReLU", edits)
