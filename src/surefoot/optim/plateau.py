"""Reduce on plateau: a lower rate where the loss has stopped falling, decided after each epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class PlateauState(NamedTuple):
    """What is remembered between epochs, one entry a lane.

    Attributes:
        best: the lowest value so far, ∞ before the first.
        waited: epochs without improvement.
        resting: epochs of rest that are left.
        scale: what the rate is multiplied by.
    """

    best: NDArray[np.float64]
    waited: NDArray[np.int64]
    resting: NDArray[np.int64]
    scale: NDArray[np.float64]


def init(lanes: int) -> PlateauState:
    """Return the state before the first epoch: every rate times 1."""
    counts = np.zeros(lanes, np.int64)
    return PlateauState(np.full(lanes, np.inf), counts, counts.copy(), np.ones(lanes))


def update(
    state: PlateauState,
    values: ArrayLike,
    *,
    factor: ArrayLike,
    patience: ArrayLike,
    minimum_change: ArrayLike,
    cooldown: ArrayLike,
) -> tuple[PlateauState, NDArray[np.float64]]:
    """Take an epoch's values in and return the new state and each lane's scale of the rate.

    A value improves if it lies below best · (1 − minimum_change); one that is not finite does
    not. After ``patience`` epochs without improvement the scale is multiplied by ``factor`` and
    the count begins again, after ``cooldown`` epochs of rest in which none is counted. The
    decisions are those of `optax.contrib.reduce_on_plateau`, whose numbers cannot differ between
    lanes.

    Args:
        state: of n lanes.
        values: [n], what should fall, such as a loss.
        factor: between 0 and 1; it and the next three a number, or [n].
        patience: epochs, at least 1.
        minimum_change: relative, not negative.
        cooldown: epochs, not negative.

    >>> state = init(1)
    >>> for loss in (1.0, 0.9, 0.9, 0.9, 0.9):
    ...     state, scale = update(
    ...         state, [loss], factor=0.5, patience=2, minimum_change=1e-4, cooldown=0
    ...     )
    ...     print(scale)
    [1.]
    [1.]
    [1.]
    [0.5]
    [0.5]
    """
    values = np.asarray(values, np.float64)
    bar = np.where(np.isinf(state.best), np.inf, 0)
    np.multiply(state.best, 1 - np.asarray(minimum_change), out=bar, where=np.isfinite(state.best))
    improved = np.isfinite(values) & (values < bar)
    rests = state.resting > 0
    waited = np.where(improved | rests, 0, state.waited + 1)
    falls = waited >= patience
    new = PlateauState(
        best=np.where(improved, values, state.best),
        waited=np.where(falls, 0, waited),
        resting=np.where(falls, cooldown, np.maximum(state.resting - 1, 0)),
        scale=np.where(falls, state.scale * factor, state.scale),
    )
    return new, new.scale
