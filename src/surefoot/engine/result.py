"""What training one lane leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import jax

from surefoot.engine.carried import Carried
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


def collect(
    recipes: Sequence[Recipe],
    whole: Carried,
    measured: tuple[Sequence[tuple[float, float]], Sequence[tuple[float, float]] | None],
    loop: Loop,
    interrupted: bool,
) -> list[LaneResult]:
    """Return what each lane left behind.

    Args:
        recipes: of the lanes.
        whole: what they carry.
        measured: loss and measure of each over the training rows, and over validation rows.
        loop: what the loop knows.
        interrupted: whether somebody asked for an end.
    """
    train, held_out = measured
    everything = whole.chosen, whole.states, whole.given.scaling
    results = []
    for lane, recipe in enumerate(recipes):
        (params, state), last, scaling = jax.tree.map(itemgetter(lane), everything)
        watched = recipe.train.early_stopping is not None
        diverged = int(loop.diverged[lane])
        results.append(
            LaneResult(
                recipe=recipe,
                params=params,
                state=state,
                last=last,
                scaling=scaling,
                train=train[lane],
                validation=None if held_out is None else held_out[lane],
                epochs=int(loop.epochs[lane]),
                steps=int(loop.end[lane]),
                diverged=None if diverged < 0 else diverged,
                best_epoch=int(loop.stopping["epoch"][lane]) if watched else None,
                ended=_ended(loop, lane, interrupted),
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
