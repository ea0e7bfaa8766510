"""What keeps a net from learning its training rows by heart."""

from __future__ import annotations

from typing import Any

from surefoot.doctor.edits import changed, flat, layers
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About, Propose

_DROPPED = 0.5


def decay(strength: float) -> Propose:
    """Return the remedy that decays weights by so much."""

    def propose(recipe: Recipe, about: About) -> Remedy | None:
        now = getattr(recipe.optimizer, "weight_decay", None)
        if now is None or now >= strength:
            return None
        return Remedy(f"a weight decay of {strength:g}", {"optimizer.weight_decay": strength})

    return propose


def dropout(recipe: Recipe, about: About) -> Remedy | None:
    """Leave out half of the units behind every hidden dense layer (Srivastava et al., 2014)."""
    tables = layers(recipe)
    last = max((i for i, layer in enumerate(tables) if "dense" in layer), default=0)
    if any("dropout" in layer for layer in flat(tables)):
        return None

    def insert(layer: dict[str, Any]) -> list[dict[str, Any]]:
        return [layer, {"dropout": _DROPPED}] if "activation" in layer else [layer]

    inserted = [*changed(tables[:last], insert), *tables[last:]]
    return Remedy("dropout of one half", {"net.layers": inserted}) if inserted != tables else None
