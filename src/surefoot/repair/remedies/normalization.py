"""Batch normalization."""

from __future__ import annotations

from surefoot.doctor.edits import normalized
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About


def normalization(recipe: Recipe, about: About) -> Remedy | None:
    """Normalize in front of every hidden activation; a batch of one has no variance."""
    if recipe.train.batch_size == 1:
        return None
    return Remedy("batch normalization before each activation", normalized(recipe))
