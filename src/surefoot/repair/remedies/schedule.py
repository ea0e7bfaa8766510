"""How the learning rate goes over a run."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

_WARMUP = 0.05


def cosine(recipe: Recipe, about: About) -> Remedy | None:
    """Let the rate grow over the first steps, and fall to 0 along a cosine from there."""
    if recipe.schedule.name == "cosine" and recipe.schedule.warmup > 0:
        return None
    edits = {"schedule": {"name": "cosine", "warmup": _WARMUP}}
    return Remedy("a rate that warms up, and falls along a cosine", edits)


def constant(recipe: Recipe, about: About) -> Remedy | None:
    """Keep the rate as it is to the end, where it falls away."""
    if recipe.schedule.name in ("constant", "cosine"):
        return None
    return Remedy("a rate that stays", {"schedule": {"name": "constant"}})
