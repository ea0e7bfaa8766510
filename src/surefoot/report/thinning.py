"""Fewer points that look the same: of each stretch the lowest and the highest are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def extremes(values: Array, most: int) -> NDArray[np.int64]:
    """Return the places of up to ``most`` values, among them the extremes of every stretch.

    The values are cut into most/2 stretches of equal length, and of each the lowest and the
    highest that are finite are kept, and a gap where one begins: no spike is lost, wherever it is.

    >>> values = np.zeros(1000)
    >>> values[577] = 9.0
    >>> kept = extremes(values, 20)
    >>> len(kept) <= 20, 577 in kept, int(kept[0])
    (True, True, 0)
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, max(most // 2, 1) + 1).astype(np.int64)
    length = int(np.diff(edges).max())
    # Stretches that are shorter repeat their last value.
    places = np.minimum(edges[:-1, None] + np.arange(length), edges[1:, None] - 1)
    block = np.asarray(values, np.float64)[places]
    finite = np.isfinite(block)
    low = np.where(finite, block, np.inf).argmin(axis=1)
    high = np.where(finite, block, -np.inf).argmax(axis=1)
    rows = np.arange(len(places))
    kept = np.unique(np.concatenate([places[rows, low], places[rows, high]]))
    if len(kept) + 2 <= most:
        kept = np.union1d(kept, [0, count - 1])
    return kept


def buckets(values: Array, edges: Array, logarithmic: bool) -> Array:
    """Return of each stretch of records the value farthest from the column's median.

    Args:
        values: [records, columns].
        edges: where stretches begin, and the end of the last: [stretches + 1].
        logarithmic: whether distances are ratios.

    Returns:
        [stretches, columns]; NaN where a stretch has no finite value.

    >>> values = np.array([[1.0], [1.0], [5.0], [1.0], [0.1], [1.0]])
    >>> buckets(values, np.array([0, 3, 6]), logarithmic=True).ravel().tolist()
    [5.0, 0.1]
    """
    with np.errstate(all="ignore"):
        scaled = np.log(np.abs(values)) if logarithmic else np.asarray(values, np.float64)
    scaled = np.where(np.isfinite(scaled), scaled, np.nan)
    out = np.full((len(edges) - 1, values.shape[1]), np.nan)
    for column in range(values.shape[1]):
        own = scaled[:, column]
        if np.isnan(own).all():
            # Zeros alone have no logarithm; they are shown all the same.
            out[:, column] = [_first(values[a:b, column]) for a, b in _pairs(edges)]
            continue
        distance = np.nan_to_num(np.abs(own - np.nanmedian(own)), nan=-1.0)
        for i, (first, last) in enumerate(_pairs(edges)):
            place = first + int(distance[first:last].argmax())
            out[i, column] = values[place, column]
    return out


def _pairs(edges: Array) -> list[tuple[int, int]]:
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _first(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[0]) if len(finite) else float("nan")


def smooth(values: Array, span: int) -> Array:
    """Return the mean over a window of ``span`` values about each, of those that are finite.

    At the ends it is the part of the window that is there.

    >>> smooth(np.array([1.0, 2.0, 6.0, np.nan]), 3).tolist()
    [1.5, 3.0, 4.0, 6.0]
    """
    count = len(values)
    there = np.isfinite(values)
    totals = np.concatenate([[0.0], np.cumsum(np.where(there, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(there)])
    places = np.arange(count)
    half = max(span, 1) // 2
    first, last = np.maximum(places - half, 0), np.minimum(places + half + 1, count)
    with np.errstate(all="ignore"):
        return (totals[last] - totals[first]) / (counts[last] - counts[first])
