"""Tables of bounded size that keep their extremes, however long a run is.

A run's steps are cut into stretches of equal length, a power of two, so that what is thinned again
and again is as fine at the beginning as at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def thin_rows(columns: Mapping[str, Array], most: int) -> dict[str, Array]:
    """Return the rows of a table, or where there are too many, those that matter.

    Kept are the rows at which any column is lowest or highest in its stretch, and the last.

    Args:
        columns: each [rows], `step` among them, in order.
        most: how many rows may stay.

    >>> loss = np.ones(1000)
    >>> loss[617] = 9.0
    >>> kept = thin_rows({"step": np.arange(1000), "loss": loss}, most=100)
    >>> len(kept["step"]) <= 100, 617 in kept["step"], int(kept["step"][-1])
    (True, True, 999)
    """
    steps = columns["step"]
    if len(steps) <= most:
        return dict(columns)
    measured = [np.asarray(column) for name, column in columns.items() if name != "step"]
    stretch = _stretches(steps, max((most - 1) // (2 * max(len(measured), 1)), 1))
    kept = np.zeros(len(steps), bool)
    kept[-1] = True
    for column in measured:
        places = np.flatnonzero(np.isfinite(column))
        if len(places):
            own = stretch[places]
            order = places[np.lexsort((column[places], own))]
            first = np.flatnonzero(np.diff(own, prepend=-1))
            kept[order[first]] = True
            kept[order[np.append(first[1:], len(order)) - 1]] = True
    return {name: column[kept] for name, column in columns.items()}


def thin_records(steps: Array, values: Array, most: int) -> tuple[Array, Array]:
    """Return records, or where there are too many, one for each stretch.

    Of the values in a stretch the one that is farthest from the middle of all is kept.

    Args:
        steps: [records], in order.
        values: [records, layers, signs].
        most: how many records may stay.

    >>> values = np.array([1.0, 1.0, 7.0, 1.0, 1.0]).reshape(5, 1, 1)
    >>> steps, kept = thin_records(np.arange(5), values, most=3)
    >>> steps.tolist(), kept.ravel().tolist()
    ([0, 2, 4], [1.0, 7.0, 1.0])
    """
    if len(steps) <= most:
        return steps, values
    stretch = _stretches(steps, most)
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    counts = np.diff(np.append(first, len(steps)))
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(values), values, np.nan)
        distance = np.nan_to_num(np.abs(finite - _median(finite)), nan=-1.0)
    farthest = np.repeat(np.maximum.reduceat(distance, first, axis=0), counts, axis=0)
    chosen = np.where(distance == farthest, values, np.nan)
    return steps[first], np.fmax.reduceat(chosen, first, axis=0)


def _stretches(steps: Array, most: int) -> NDArray[np.int64]:
    """Return the number of the stretch that each step is in; there are ``most`` or fewer."""
    width = 1
    while int(steps[-1]) // width + 1 > most:
        width *= 2
    return np.asarray(steps, np.int64) // width


def _median(values: Array) -> Array:
    """Return the median of what is there, without a warning where nothing is."""
    ordered = np.sort(values, axis=0)  # what is not there comes last
    count = np.sum(~np.isnan(values), axis=0)
    return np.take_along_axis(ordered, np.maximum(count[None] - 1, 0) // 2, axis=0)
