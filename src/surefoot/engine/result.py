"""What training one lane leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import jax

from surefoot.engine.carried import Carried
from surefoot.engine.evaluation import Measured
from surefoot.engine.objective import Scaling
from surefoot.engine.snapshot import Loop
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
        unaveraged: of the last weights, where `params` are a mean of weights, loss and measure over
            the training rows and over the validation rows; else None.
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
    unaveraged: Measured | None = None


def collect(
    recipes: Sequence[Recipe],
    whole: Carried,
    measured: Sequence[Measured],
    loop: Loop,
    interrupted: bool,
    last: Sequence[Measured] | None = None,
) -> list[LaneResult]:
    """Return what each lane left behind.

    Args:
        recipes: of the lanes.
        whole: what they carry.
        measured: of each lane.
        loop: what the loop knows.
        interrupted: whether somebody asked for an end.
        last: of each lane's last weights, where what is left behind are means of weights.
    """
    everything = whole.chosen, whole.states, whole.given.scaling
    results = []
    for lane, recipe in enumerate(recipes):
        (params, state), carried, scaling = jax.tree.map(itemgetter(lane), everything)
        watched = recipe.train.early_stopping is not None
        diverged = int(loop.diverged[lane])
        results.append(
            LaneResult(
                recipe=recipe,
                params=params,
                state=state,
                last=carried,
                scaling=scaling,
                train=measured[lane][0],
                validation=measured[lane][1],
                epochs=int(loop.epochs[lane]),
                steps=int(loop.end[lane]),
                diverged=None if diverged < 0 else diverged,
                best_epoch=int(loop.stopping["epoch"][lane]) if watched else None,
                ended=_ended(loop, lane, interrupted),
                unaveraged=None if last is None else last[lane],
            )
        )
    return results


def _ended(loop: Loop, lane: int, interrupted: bool) -> str:
    if loop.diverged[lane] >= 0:
        return "diverged"
    if loop.stopping["stopped"][lane]:
        return "early"
    if loop.dropped[lane]:
        return "dropped"
    return "interrupted" if interrupted else "finished"
