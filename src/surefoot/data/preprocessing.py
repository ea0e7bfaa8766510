"""What is done to inputs before they reach a net: filled, cut, standardized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data.arrays import BLOCK, aligned, short
from surefoot.errors import DataError

Impute = Literal["refuse", "mean", "median", "zero"]
Floats = NDArray[np.float64]
# What of a feature's values is never cut, whatever they are.
_MIDDLE = (0.05, 0.95)


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """Fitted on the training rows: x becomes (x − mean) / scale, missing values `fill` first.

    What lies outside of [`low`, `high`] is cut to them before.

    Each array has one number for a feature, or for a channel of a picture, ``[features]``;
    `None` where that step is left out.
    """

    mean: Floats | None = None
    scale: Floats | None = None
    fill: Floats | None = None
    low: Floats | None = None
    high: Floats | None = None

    def apply(
        self,
        x: NDArray[np.generic],
        dtype: DTypeLike = np.float32,
        rows: NDArray[np.integer] | None = None,
        name: str = "x",
    ) -> NDArray[np.floating]:
        """Return the `rows` of `x`, all by default, as a new contiguous array of `dtype`.

        Args:
            x: ``[n, …, features]``.
            dtype: of the result; the arithmetic is in float64.
            rows: indices of the rows to return.
            name: of `x`, for messages.

        Raises:
            DataError: a value lies so far from the training rows that `dtype` cannot hold it.

        >>> Preprocessing(np.array([2.0]), np.array([0.5])).apply(np.array([[2.0], [3.0]]))
        array([[0.],
               [2.]], dtype=float32)
        """
        out = aligned((len(x) if rows is None else len(rows), *x.shape[1:]), dtype)
        for start, block in _blocks(x, rows, self.fill):
            if self.low is not None and self.high is not None:
                np.clip(block, self.low, self.high, out=block)
            if self.mean is not None and self.scale is not None:
                # What overflows is found, and named, just below.
                with np.errstate(over="ignore"):
                    block -= self.mean
                    block /= self.scale
            with np.errstate(over="ignore"):
                out[start : start + len(block)] = block
            if not np.isfinite(out[start : start + len(block)]).all():
                where = np.argwhere(~np.isfinite(out[start : start + len(block)]))[0]
                row = start + int(where[0]) if rows is None else int(rows[start + where[0]])
                value = x[(row, *where[1:])].item()
                raise DataError(
                    f"{name} holds {short(value)} at row {row} (counted from 0), too far from the "
                    f"training rows for {np.dtype(dtype).name}: repair or rescale it"
                )
        return out

    def to_arrays(self) -> dict[str, Floats]:
        """Return the arrays that are there, by name.

        >>> Preprocessing(fill=np.zeros(2)).to_arrays()
        {'fill': array([0., 0.])}
        """
        return {key: value for key, value in vars(self).items() if value is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Preprocessing:
        """Rebuild what `to_arrays` returned.

        Raises:
            DataError: other names than `to_arrays` gives, or one of a pair without the other.
        """
        unknown = sorted(set(arrays) - {"mean", "scale", "fill", "low", "high"})
        pairs = (("mean", "scale"), ("low", "high"))
        if unknown or any((one in arrays) != (other in arrays) for one, other in pairs):
            raise DataError(f"not the arrays of a preprocessing: {short(sorted(arrays))}")
        return cls(**{key: np.asarray(value, np.float64) for key, value in arrays.items()})


def fit(
    x: NDArray[np.generic],
    rows: NDArray[np.integer] | None = None,
    *,
    standardize: bool = True,
    impute: Impute = "refuse",
    clip: float | None = None,
    weights: NDArray[np.floating] | None = None,
) -> Preprocessing:
    """Fit a `Preprocessing` on some rows of `x`.

    mean = Σ wᵢxᵢ / Σ wᵢ and scale² = Σ wᵢ(xᵢ − mean)² / Σ wᵢ over the training rows, and over the
    pixels of a picture's channel, after missing values were filled. A constant column has scale 1.
    Missing values (NaN and infinite ones) are filled with the weighted mean, or the unweighted
    median, of those present in the same column; with 0 in a column that has none, and for
    ``"zero"``.

    Args:
        x: ``[n, …, features]``.
        rows: the training rows' indices; all by default.
        standardize: whether to fit mean and scale.
        impute: ``"refuse"`` leaves out the fill.
        clip: how many widths of the middle 90 % a value may lie outside of it; None cuts none.
            Where 95 % of a column are equal, the median column's width is taken.
        weights: of those rows, ``[len(rows)]``; equal by default.

    >>> fit(np.array([[1.0, 5.0], [3.0, 5.0]])).scale
    array([1., 1.])
    >>> x = np.append(np.arange(99.0), 1e6)[:, None]
    >>> fit(x, clip=1.0).apply(x).max().round(1)
    np.float32(4.2)
    """
    count = len(x) if rows is None else len(rows)
    weights = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    fill: Floats | None = None
    if impute == "mean":
        fill = _present_means(x, rows, weights)
    elif impute == "median":
        fill = _medians(x, rows)
    elif impute == "zero":
        fill = np.zeros(x.shape[-1])
    low, high = (None, None) if clip is None else _bounds(x, rows, clip)
    if not standardize:
        return Preprocessing(fill=fill, low=low, high=high)
    bounds = None if low is None or high is None else (low, high)
    mean, scale = _moments(x, rows, fill, weights, bounds)
    return Preprocessing(mean, scale, fill, low, high)


def _bounds(
    x: NDArray[np.generic], rows: NDArray[np.integer] | None, clip: float
) -> tuple[Floats, Floats]:
    """Return the least and the largest value that each feature keeps (winsorizing)."""
    ends = np.zeros((2, x.shape[-1]))
    for feature in range(x.shape[-1]):
        column = x[..., feature] if rows is None else x[rows, ..., feature]
        present = column[np.isfinite(column)].astype(np.float64)
        if present.size:
            ends[:, feature] = np.quantile(present, _MIDDLE)
    widths = ends[1] - ends[0]
    room = clip * np.where(widths > 0, widths, np.median(widths))
    return ends[0] - room, ends[1] + room


def _blocks(
    x: NDArray[np.generic], rows: NDArray[np.integer] | None, fill: Floats | None
) -> Iterator[tuple[int, Floats]]:
    """Yield copies of about `BLOCK` values in float64, filled, each with its first row's place."""
    step = max(1, BLOCK // max(1, x[0].size))
    for start in range(0, len(x) if rows is None else len(rows), step):
        part = slice(start, start + step)
        block = np.array(x[part] if rows is None else x[rows[part]], np.float64)
        if fill is not None:
            np.copyto(block, fill, where=~np.isfinite(block))
        yield start, block


def _spread(weights: Floats, start: int, block: Floats) -> tuple[Floats, Floats]:
    """Return a block as ``[values, features]``, and one weight for each of its values' rows."""
    flat = block.reshape(-1, block.shape[-1])
    part = weights[start : start + len(block)]
    return flat, np.repeat(part, len(flat) // len(block))


def _moments(
    x: NDArray[np.generic],
    rows: NDArray[np.integer] | None,
    fill: Floats | None,
    weights: Floats,
    bounds: tuple[Floats, Floats] | None,
) -> tuple[Floats, Floats]:
    total, mean = 0.0, np.zeros(x.shape[-1])
    for start, block in _blocks(x, rows, fill):
        flat, w = _spread(weights, start, block)
        flat = flat if bounds is None else np.clip(flat, *bounds)
        total += float(w.sum())
        mean += w @ flat
    mean /= total
    # Two passes, and the mean corrected by what the second one finds: rounding in the sum of a
    # million rows would otherwise pass for variance.
    drift, squares = np.zeros_like(mean), np.zeros_like(mean)
    for start, block in _blocks(x, rows, fill):
        flat, w = _spread(weights, start, block)
        flat = (flat if bounds is None else np.clip(flat, *bounds)) - mean
        drift += w @ flat
        squares += w @ np.square(flat)
    drift /= total
    scale = np.sqrt(np.maximum(squares / total - np.square(drift), 0.0))
    mean = mean + drift
    constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(mean)
    return mean, np.where(constant, 1.0, scale)


def _present_means(
    x: NDArray[np.generic], rows: NDArray[np.integer] | None, weights: Floats
) -> Floats:
    total, present = np.zeros(x.shape[-1]), np.zeros(x.shape[-1])
    for start, block in _blocks(x, rows, None):
        flat, w = _spread(weights, start, block)
        finite = np.isfinite(flat)
        total += w @ np.where(finite, flat, 0.0)
        present += w @ finite
    return np.divide(total, present, out=np.zeros_like(total), where=present > 0)


def _medians(x: NDArray[np.generic], rows: NDArray[np.integer] | None) -> Floats:
    medians = np.zeros(x.shape[-1])
    for feature in range(x.shape[-1]):
        column = x[..., feature] if rows is None else x[rows, ..., feature]
        present = column[np.isfinite(column)].astype(np.float64)
        if present.size:
            medians[feature] = np.median(present)
    return medians
