"""Residual connections around layers of one width (He et al., 2016)."""

from __future__ import annotations

from typing import Any

from surefoot.doctor.edits import layers
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

Layer = dict[str, Any]


def residual(recipe: Recipe, about: About) -> Remedy | None:
    """Add each layer's input to its output, where a layer has as many units as the one before."""
    tables = layers(recipe)
    last = max((i for i, layer in enumerate(tables) if "dense" in layer), default=0)
    made = _connected(tables[:last])
    if made == tables[:last]:
        return None
    return Remedy("residual connections", {"net.layers": [*made, *tables[last:]]})


def _connected(tables: list[Layer]) -> list[Layer]:
    """Return the layers with blocks, a dense layer and what follows it, within residual ones."""
    made: list[Layer] = []
    width = None
    place = 0
    while place < len(tables):
        layer = tables[place]
        if "repeat" in layer:
            inner = layer["layers"]
            widths = {part["dense"] for part in inner if "dense" in part}
            plain = not any("residual" in part for part in inner)
            if plain and widths == {width}:
                layer = {**layer, "layers": [{"residual": inner}]}
            made.append(layer)
            place += 1
            continue
        if "dense" not in layer:
            made.append(layer)
            place += 1
            continue
        end = place + 1
        while end < len(tables) and not {"dense", "repeat", "residual"} & tables[end].keys():
            end += 1
        block = tables[place:end]
        made += [{"residual": block}] if layer["dense"] == width else block
        width = layer["dense"]
        place = end
    return made
