"""The rows that an estimator trains on: checked, weighed, split and scaled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data import Dataset, Preprocessing, Target
from surefoot.data.arrays import as_numbers, check_finite
from surefoot.data.preprocessing import fit as fit_preprocessing
from surefoot.data.split import split
from surefoot.errors import DataError

Array = NDArray[Any]


class Rows(NamedTuple):
    """Inputs, encoded targets, and the weight of each row or None where all count alike."""

    x: Array
    y: Array
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

    >>> kept = drop_weightless(Rows(np.ones((3, 1)), np.arange(3), np.array([2.0, 0.0, 2.0])))
    >>> kept.y.tolist(), kept.weights
    ([0, 2], None)
    """
    if rows.weights is None:
        return rows
    counted = rows.weights > 0
    kept = rows if counted.all() else rows.at(counted)
    if (kept.weights == kept.weights[0]).all():
        return kept._replace(weights=None)
    return kept._replace(weights=kept.weights / kept.weights.mean())


def make_dataset(
    rows: Rows,
    target: Target,
    dtype: DTypeLike,
    *,
    preprocessing: Preprocessing | None,
    standardize: bool,
    validation: float,
    seed: int,
) -> Dataset:
    """Split and scale rows.

    Args:
        rows: inputs in their final shape, encoded targets, weights.
        target: what the targets mean.
        dtype: of the arithmetic.
        preprocessing: fitted before, or None to fit it on the training rows.
        standardize: whether one that is fitted scales the inputs.
        validation: share of rows to validate on; 0 for none.
        seed: of the split.

    Raises:
        DataError: too few rows to split, or a value that ``dtype`` cannot hold.
    """
    check_finite(rows.x, "X", dtype)
    train, held_out = rows, None
    if validation > 0:
        labels = rows.y if target.kind == "classes" else None
        chosen, other = split(len(rows.x), validation, seed, labels)
        train, held_out = rows.at(chosen), rows.at(other)
    if preprocessing is None:
        preprocessing = fit_preprocessing(train.x, standardize=standardize, weights=train.weights)

    def cast(weights: Array | None) -> Array | None:
        return None if weights is None else weights.astype(dtype)

    return Dataset(
        x_train=preprocessing.apply(train.x, dtype, name="X"),
        y_train=train.y,
        x_val=None if held_out is None else preprocessing.apply(held_out.x, dtype, name="X"),
        y_val=None if held_out is None else held_out.y,
        w_train=cast(train.weights),
        w_val=None if held_out is None else cast(held_out.weights),
        target=target,
        feature_shape=rows.x.shape[1:],
        preprocessing=preprocessing,
        source="arrays",
    )
