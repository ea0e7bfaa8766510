"""First weights of a healthy scale."""

from __future__ import annotations

from surefoot.doctor.edits import initialized
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About


def weights(recipe: Recipe, about: About) -> Remedy | None:
    """Draw the weights by the rule that fits the activations; biases at 0."""
    return Remedy("random weights of the scale that fits", initialized(recipe))
