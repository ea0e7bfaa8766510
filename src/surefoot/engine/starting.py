"""What each lane begins with: weights that are drawn, or those that something taught before."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from surefoot.recipe import numbers

if TYPE_CHECKING:
    from surefoot.engine.cohort import Cohort

# By its name: what trains before training, and opens other runs, stands above the engine.
_TAUGHT = "surefoot.pretrain.start"


def first_weights(cohort: Cohort) -> Iterator[Any]:
    """Yield the parameters and states that each lane of a cohort begins with.

    They are drawn by the initializers; or pre-trained, or another run's, as the recipe says.

    Raises:
        RunError: the run that they are taken from cannot be used.
    """
    if not any(recipe.pretrain or recipe.transfer for recipe in cohort.recipes):
        for network, recipe in zip(cohort.networks, cohort.recipes, strict=True):
            yield network.init(recipe.seed, numbers(recipe.net), cohort.precision)
        return
    taught = importlib.import_module(_TAUGHT)
    for lane in range(cohort.lanes):
        yield taught.first_weights(cohort, lane).weights


def check_start(cohort: Cohort) -> None:
    """Refuse a cohort whose lanes cannot begin as their recipes say; nothing is trained for it.

    Raises:
        RecipeError: a layer cannot be pre-trained, or does not fit the other run's.
        RunError: the run that layers are taken from cannot be used.
    """
    if any(recipe.pretrain or recipe.transfer for recipe in cohort.recipes):
        importlib.import_module(_TAUGHT).check(cohort)
