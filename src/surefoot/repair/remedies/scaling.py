"""Inputs and targets of mean 0 and variance 1."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About


def inputs(recipe: Recipe, about: About) -> Remedy | None:
    """Standardize the inputs."""
    if recipe.data.standardize:
        return None
    return Remedy("standardize the inputs", {"data.standardize": True})


def targets(recipe: Recipe, about: About) -> Remedy | None:
    """Standardize targets that are numbers."""
    if about.kind != "numbers" or recipe.data.standardize_targets:
        return None
    return Remedy("standardize the targets", {"data.standardize_targets": True})
