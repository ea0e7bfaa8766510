"""As many trainings as a repair makes, spent on changes drawn at random."""

from __future__ import annotations

import math
import random

from surefoot.errors import SurefootError
from surefoot.job import dataset_of
from surefoot.recipe import Recipe
from surefoot.repair.lanes import Lanes
from surefoot.repair.remedies.registry import REMEDIES
from surefoot.repair.step import About, Candidate, applied

_SEEDS = range(3)
_MOST_CHANGES = 3
_DRAWS = 20
"""Times as many draws as are wanted, before it is given up."""


def at_random(recipe: Recipe, trials: int) -> Recipe:
    """Return the best recipe of those that one to three random remedies make.

    They are drawn from the same remedies, trained with as many seeds, scored on the same half of
    the validation rows, and as many in all as the repair trained; their time is not limited.

    Args:
        recipe: of the failing program.
        trials: how many trainings may be made.
    """
    dataset = dataset_of(recipe)
    about = About(dataset.target.kind, True, dataset.rows, far=True)
    wanted = max(1, trials // len(_SEEDS))
    drawn: dict[Recipe, Candidate] = {}
    rng = random.Random(recipe.seed)
    for _ in range(_DRAWS * wanted):
        steps = rng.sample(list(REMEDIES.values()), rng.randint(1, _MOST_CHANGES))
        try:
            candidate = applied(recipe, steps, about)
        except SurefootError:
            continue
        if candidate.steps:
            drawn.setdefault(candidate.recipe, candidate)
        if len(drawn) == wanted:
            break
    lanes = Lanes(recipe, dataset)
    found = lanes.train(dict.fromkeys([recipe, *drawn], _SEEDS))
    return max(found, key=lambda r: -math.inf if found[r].diverged else found[r].mean)
