"""A loss that wrong targets cannot bend far."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About


def robust(recipe: Recipe, about: About) -> Remedy | None:
    """Take absolute errors: each row pulls alike, however wrong (Ghosh et al., 2017)."""
    if recipe.train.from_logits:
        return None
    return Remedy("absolute errors", {"train.loss": "mean_absolute_error"})
