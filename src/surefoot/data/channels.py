"""Mean and standard deviation of the channels of uint8 pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surefoot.data.preprocessing import Preprocessing

# The sums of so many values, and of their squares, are whole numbers below 2²⁴: exact in float32,
# which is half the memory to move.
_ROWS = 256


def fit_channels(
    x: NDArray[np.uint8],
    rows: NDArray[np.integer] | None = None,
    weights: NDArray[np.floating] | None = None,
) -> Preprocessing:
    """Fit mean and scale of each channel on some pictures, as `preprocessing.fit` does.

    Args:
        x: pictures ``[n, height, width, channels]``.
        rows: the training rows' indices; all by default.
        weights: of those rows; equal by default.

    >>> fit_channels(np.array([[[[0, 9]], [[4, 9]]]], np.uint8)).to_arrays()
    {'mean': array([2., 9.]), 'scale': array([2., 1.])}
    """
    count = len(x) if rows is None else len(rows)
    # Exactly whole sums are what equal weights are for; others take float64.
    dtype = np.float32 if weights is None else np.float64
    w = np.ones(count, dtype) if weights is None else np.asarray(weights, dtype)
    channels, size = x.shape[-1], x[0].size
    total, squares = np.zeros(size), np.zeros(size)
    for start in range(0, count, _ROWS):
        part = slice(start, start + _ROWS)
        block = (x[part] if rows is None else x[rows[part]]).reshape(-1, size).astype(dtype)
        total += w[part] @ block
        squares += w[part] @ np.square(block, out=block)
    every = float(w.sum(dtype=np.float64)) * size / channels
    mean = total.reshape(-1, channels).sum(axis=0) / every
    variance = squares.reshape(-1, channels).sum(axis=0) / every - np.square(mean)
    # What rounding leaves of a constant channel's variance is far below one value's in all.
    constant = variance <= 1e-12 * np.maximum(np.square(mean), 1.0)
    scale = np.where(constant, 1.0, np.sqrt(np.maximum(variance, 0.0)))
    return Preprocessing(mean, scale)
