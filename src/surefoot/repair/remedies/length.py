"""How long is trained."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About

# So many steps are enough for a small net, and where there were more it is not for want of them.
_ENOUGH_STEPS = 20_000


def epochs(recipe: Recipe, about: About) -> Remedy | None:
    """Train three times as long, where that is not very long."""
    batch = about.rows if recipe.train.batch_size == "full" else recipe.train.batch_size
    steps = recipe.train.epochs * -(-about.rows // batch)
    if 3 * steps > _ENOUGH_STEPS:
        return None
    return Remedy("three times as many epochs", {"train.epochs": 3 * recipe.train.epochs})


def stopping(recipe: Recipe, about: About) -> Remedy | None:
    """Keep the weights that did best on validation rows."""
    if not about.validated or recipe.train.early_stopping is not None:
        return None
    edits = {"train.early_stopping": {"monitor": "validation_loss", "patience": 10}}
    return Remedy("stop when validation gets worse", edits)
