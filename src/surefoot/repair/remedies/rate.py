"""Another learning rate."""

from __future__ import annotations

from surefoot.doctor.edits import rate_of
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About, Propose


def times(factor: float, text: str) -> Propose:
    """Return the remedy that multiplies the rate."""

    def rate(recipe: Recipe, about: About) -> Remedy | None:
        now = rate_of(recipe)
        if now is None:
            return None
        return Remedy(text, {"optimizer.learning_rate": float(f"{now * factor:.3g}")})

    return rate
