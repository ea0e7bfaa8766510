"""Update rules that forgive most."""

from __future__ import annotations

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.step import About, Propose


def adam(rate: float) -> Propose:
    """Return the remedy that takes Adam: steps of a size for each weight (Kingma and Ba, 2015)."""

    def propose(recipe: Recipe, about: About) -> Remedy | None:
        edits = {"optimizer": {"name": "adam", "learning_rate": rate}}
        return Remedy(f"Adam at a rate of {rate:g}", edits)

    return propose


def momentum(recipe: Recipe, about: About) -> Remedy | None:
    """Momentum of 0.9: what is carried along leaves saddles and flat places behind."""
    if recipe.optimizer.name != "sgd":
        return None
    rate = recipe.optimizer.learning_rate
    return Remedy("momentum", {"optimizer": {"name": "momentum", "learning_rate": rate}})
