"""How long is trained."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

# So many steps are enough for a small net, and where there were more it is not for want of them.
_ENOUGH_STEPS = 20_000
# With fewer than these no net has settled.
_FEWEST_STEPS = 1_000


def _batches(recipe: Recipe, about: About) -> int:
    """Return how many steps an epoch has."""
    batch = about.rows if recipe.train.batch_size == "full" else recipe.train.batch_size
    return -(-about.rows // batch)


def epochs(recipe: Recipe, about: About) -> Remedy | None:
    """Train three times as long, where that is not very long."""
    if 3 * recipe.train.epochs * _batches(recipe, about) > _ENOUGH_STEPS:
        return None
    return Remedy("three times as many epochs", {"train.epochs": 3 * recipe.train.epochs})


def settled(recipe: Recipe, about: About) -> Remedy | None:
    """Train for 1,000 steps where there were fewer."""
    batches = _batches(recipe, about)
    if recipe.train.epochs * batches >= _FEWEST_STEPS:
        return None
    count = -(-_FEWEST_STEPS // batches)
    return Remedy(f"{count} epochs", {"train.epochs": count})


def stopping(recipe: Recipe, about: About) -> Remedy | None:
    """Keep the weights that did best on validation rows."""
    if not about.validated or recipe.train.early_stopping is not None:
        return None
    edits = {"train.early_stopping": {"monitor": "validation_loss", "patience": 10}}
    return Remedy("stop when validation gets worse", edits)
