"""Activations between layers that let a gradient pass."""

from __future__ import annotations

from surefoot.doctor.edits import activated, hidden_activations
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

# These pass a gradient through many layers, or are made for it.
_PASSING = frozenset({"relu", "leaky_relu", "prelu", "rrelu", "elu", "selu", "gelu", "silu"})


def relu(recipe: Recipe, about: About) -> Remedy | None:
    """Put ReLU in the place of activations that squash, blow up, or do nothing."""
    others = tuple(sorted(hidden_activations(recipe) - _PASSING))
    if not others:
        return None
    edits = activated(recipe, others, "relu")
    return Remedy("ReLU between layers, weights by He's rule", edits)
