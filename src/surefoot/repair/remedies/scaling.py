"""Inputs and targets of mean 0 and variance 1, and none of them far out."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

# Widths of the middle 90 % beyond it: of normal values hardly one in a million millions.
FAR = 2.0


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


def cut(recipe: Recipe, about: About) -> Remedy | None:
    """Cut inputs that lie far out: they would set the scale of all others."""
    if not about.far or recipe.data.clip is not None:
        return None
    return Remedy("cut inputs that lie far out", {"data.clip": FAR})
