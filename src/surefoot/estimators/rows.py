"""The rows that an estimator trains on: checked, weighed, split and scaled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data import Dataset, Preprocessing, Target
from surefoot.data.arrays import as_numbers, check_finite
from surefoot.data.split import split
from surefoot.errors import DataError

Array = NDArray[Any]
_FEWEST_ROWS = 16


class Rows(NamedTuple):
    """Inputs, encoded targets, and the weight of each row or None where all count alike."""

    x: Any
    y: Any
    weights: Array | None

    def at(self, chosen: Array) -> Rows:
        """Return the rows of an index or a mask."""
        weights = None if self.weights is None else self.weights[chosen]
        return Rows(self.x[chosen], self.y[chosen], weights)


def read_weights(sample_weight: Any, rows: int) -> NDArray[np.float64] | None:
    """Return a weight for each row, in float64; None where none are given.

    Raises:
        DataError: not one finite number of at least 0 for each row, or 0 for all of them.

    >>> read_weights([1, 2], 2)
    array([1., 2.])
    """
    if sample_weight is None:
        return None
    weights = as_numbers(sample_weight, "sample_weight").astype(np.float64)
    if weights.shape != (rows,):
        raise DataError(
            f"sample_weight has shape {weights.shape}: give one number for each of {rows} rows"
        )
    check_finite(weights, "sample_weight", np.float64)
    if (weights < 0).any():
        raise DataError("sample_weight holds a negative weight: weights start at 0")
    if not weights.any():
        raise DataError("sample_weight is zero for every row: raise at least one weight")
    return weights


def drop_weightless(rows: Rows) -> Rows:
    """Leave out the rows of weight 0, and weights that are all the same.

    A row that counts for nothing must not fill a place in a batch either: then weight 0 is the
    same as no such row, whatever the size of batches. Weights are divided by their mean, which
    the mean loss Σ wᵢLᵢ / Σ wᵢ does not notice.

    Raises:
        DataError: no row is left.

    >>> kept = drop_weightless(Rows(np.ones((3, 1)), np.arange(3), np.array([2.0, 0.0, 2.0])))
    >>> kept.y.tolist(), kept.weights
    ([0, 2], None)
    """
    if rows.weights is None:
        return rows
    counted = rows.weights > 0
    if not counted.any():
        raise DataError("every row has weight zero: raise a sample_weight, or its class's weight")
    kept = rows if counted.all() else rows.at(counted)
    if (kept.weights == kept.weights[0]).all():
        return kept._replace(weights=None)
    return kept._replace(weights=kept.weights / kept.weights.mean())


def padded(rows: Rows) -> Rows:
    """Return rows filled up to a power of two, and to 16 at least, by copies of weight 0.

    A step over all rows is compiled for their number: folds of a cross-validation and batches of
    a stream, which differ in length by a few rows, so share one program. The mean loss
    Σ wᵢLᵢ / Σ wᵢ is the same.

    >>> filled = padded(Rows(np.ones((17, 1)), np.zeros(17), None))
    >>> len(filled.x), float(filled.weights.sum())
    (32, 17.0)
    """
    count = len(rows.x)
    size = max(_FEWEST_ROWS, 1 << (count - 1).bit_length())
    weights = np.ones(count) if rows.weights is None else rows.weights
    filled = rows.at(np.arange(size) % count)
    return filled._replace(weights=np.pad(weights, (0, size - count)))


def split_rows(rows: Rows, target: Target, share: float, seed: int) -> tuple[Rows, Rows]:
    """Return the rows to train on and those to validate on, each class split apart.

    Raises:
        DataError: there are too few rows.
    """
    labels = rows.y if target.kind == "classes" else None
    train, held_out = split(len(rows.x), share, seed, labels)
    return rows.at(train), rows.at(held_out)


def make_dataset(
    train: Rows,
    held_out: Rows | None,
    target: Target,
    preprocessing: Preprocessing,
    dtype: DTypeLike,
    pad: bool,
) -> Dataset:
    """Scale rows and lay them out for the engine.

    Args:
        train: to train on.
        held_out: to validate on.
        target: what their targets mean.
        preprocessing: what is done to their inputs.
        dtype: of the arithmetic.
        pad: whether they are filled up as `padded` does.

    Raises:
        DataError: a value that ``dtype`` cannot hold.
    """

    def ready(rows: Rows) -> Rows:
        # Class indices stay whole numbers.
        y = rows.y.astype(dtype) if rows.y.dtype.kind == "f" else rows.y
        rows = rows._replace(x=preprocessing.apply(rows.x, dtype, name="X"), y=y)
        return padded(rows) if pad else rows

    train = ready(train)
    validation = Rows(None, None, None) if held_out is None else ready(held_out)
    return Dataset(
        x_train=train.x,
        y_train=train.y,
        x_val=validation.x,
        y_val=validation.y,
        w_train=train.weights,
        w_val=validation.weights,
        target=target,
        feature_shape=train.x.shape[1:],
        preprocessing=preprocessing,
        source="arrays",
    )
