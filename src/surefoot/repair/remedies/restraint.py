"""What keeps a net from fitting: dropout, weight decay, clipping."""

from __future__ import annotations

from typing import Any

from surefoot.doctor.edits import flat, layers, without
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About


def unrestrained(recipe: Recipe, about: About) -> Remedy | None:
    """Take out dropout, weight decay and clipping."""
    edits: dict[str, Any] = {}
    if any("dropout" in layer for layer in flat(layers(recipe))):
        edits |= without(recipe, "dropout")
    if getattr(recipe.optimizer, "weight_decay", 0.0):
        edits["optimizer.weight_decay"] = 0.0
    for key in ("clip_norm", "clip_value", "clip_tensor_norm"):
        if getattr(recipe.train, key) is not None:
            edits[f"train.{key}"] = None
    return Remedy("no dropout, weight decay or clipping", edits) if edits else None


def clipped(recipe: Recipe, about: About) -> Remedy | None:
    """Clip the gradient's norm at 1."""
    if recipe.train.clip_norm is not None:
        return None
    return Remedy("clip the gradient's norm", {"train.clip_norm": 1.0})
