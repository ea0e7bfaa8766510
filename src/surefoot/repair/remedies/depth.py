"""Nets of a depth and width that a gradient passes easily."""

from __future__ import annotations

from typing import Any

from surefoot.doctor.edits import changed, depth, layers, shallower
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

# Up to here depth rarely hurts, even without normalization or residual connections.
_EASY = 4
_HIDDEN = 3
_NARROW, _WIDE = 24, 64


def fewer(recipe: Recipe, about: About) -> Remedy | None:
    """Keep the first three hidden layers of a deep net."""
    if depth(recipe) <= _EASY:
        return None
    return Remedy("fewer layers", shallower(recipe, _HIDDEN))


def wider(recipe: Recipe, about: About) -> Remedy | None:
    """Give narrow hidden dense layers 64 units."""
    tables = layers(recipe)
    last = max((i for i, layer in enumerate(tables) if "dense" in layer), default=0)

    def widen(layer: dict[str, Any]) -> list[dict[str, Any]]:
        for kind in ("dense", "conv"):
            if isinstance(layer.get(kind), int) and layer[kind] < (
                _NARROW if kind == "dense" else 8
            ):
                return [{**layer, kind: _WIDE if kind == "dense" else 16}]
        return [layer]

    made = [*changed(tables[:last], widen), *tables[last:]]
    return Remedy("wider layers", {"net.layers": made}) if made != tables else None
