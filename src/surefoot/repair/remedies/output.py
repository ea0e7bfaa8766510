"""The output layer and the loss that belong to the target."""

from __future__ import annotations

from surefoot.doctor.edits import fitted_output
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About


def output(recipe: Recipe, about: About) -> Remedy | None:
    """Softmax and cross-entropy for classes, a sigmoid each for labels, raw for numbers."""
    if recipe.train.from_logits and recipe.train.loss in ("cross_entropy", "binary_cross_entropy"):
        # Raw outputs with their activation within the loss are the same net.
        return None
    return Remedy("the output layer and loss of the target", fitted_output(recipe, about.kind))
