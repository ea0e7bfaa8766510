"""Classes that count alike."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About


def weighted(recipe: Recipe, about: About) -> Remedy | None:
    """Take out weights that a recipe gives to classes."""
    if about.kind != "classes" or recipe.train.class_weight in (None, "balanced"):
        return None
    return Remedy("classes that count by their rows", {"train.class_weight": None})


def balanced(recipe: Recipe, about: About) -> Remedy | None:
    """Let every class weigh as much as any other."""
    if about.kind != "classes" or recipe.train.class_weight == "balanced":
        return None
    return Remedy("weigh classes", {"train.class_weight": "balanced"})
