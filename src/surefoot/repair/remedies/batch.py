"""Batches of a usual size."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

_USUAL = 32


def batch(recipe: Recipe, about: About) -> Remedy | None:
    """Take batches of 32, where they are tiny, or so large that an epoch has few steps."""
    now = about.rows if recipe.train.batch_size == "full" else recipe.train.batch_size
    usual = 8 <= now <= max(128, about.rows // 50)
    if usual or about.rows < _USUAL:
        return None
    return Remedy("batches of 32", {"train.batch_size": _USUAL})
