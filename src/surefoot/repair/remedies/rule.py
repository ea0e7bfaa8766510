"""An update rule that forgives most."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About


def adam(recipe: Recipe, about: About) -> Remedy | None:
    """Adam at its usual rate: steps of a size for each weight (Kingma and Ba, 2015)."""
    edits = {"optimizer": {"name": "adam", "learning_rate": 1e-3}}
    return Remedy("Adam at a rate of 0.001", edits)
