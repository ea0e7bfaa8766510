"""What training one lane leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from surefoot.engine.objective import Scaling
from surefoot.engine.step import LaneState
from surefoot.recipe import Recipe


@dataclass(frozen=True)
class LaneResult:
    """What training one lane left behind.

    Attributes:
        recipe: the run's recipe.
        params: the weights that are kept: the best where early stopping watched, else the last
            that were finite. A tree of NumPy arrays.
        state: the running averages that go with them.
        last: everything that the lane carried after its last step, to go on from.
        scaling: of the targets.
        train: loss and measure (accuracy, or rmse) over all training rows, of a stream over the
            sample of them that is in memory, with these weights.
        validation: the same over the validation rows, or None where there are none.
        epochs: how many were begun.
        steps: how many updates were made.
        diverged: the step at which loss or gradient stopped being finite, or None.
        best_epoch: the epoch whose weights are kept, where early stopping watched.
        ended: why training ended: "finished", "early", "diverged", "dropped" or "interrupted".
    """

    recipe: Recipe
    params: Any
    state: Any
    last: LaneState
    scaling: Scaling
    train: tuple[float, float]
    validation: tuple[float, float] | None
    epochs: int
    steps: int
    diverged: int | None
    best_epoch: int | None
    ended: str
