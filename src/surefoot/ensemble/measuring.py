"""Loss and measure of mean predictions on prepared rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.data import Dataset
from surefoot.data.prepared import as_given
from surefoot.engine.model import Model
from surefoot.nn.losses import LOSSES, Output

Array = NDArray[Any]


class Rows(NamedTuple):
    """Rows with what is to be predicted.

    Attributes:
        x: as the data set holds them.
        y: targets, as training uses them.
        weights: of each row, or None.
    """

    x: Array
    y: Array
    weights: Array | None


class Score(NamedTuple):
    """What predictions are worth on some rows.

    Attributes:
        loss: the recipe's loss of each row, [rows].
        measure: accuracy, or root mean squared error in the target's units.
        weights: of each row, [rows].
    """

    loss: Array
    measure: float
    weights: Array

    @property
    def mean_loss(self) -> float:
        """The mean over the rows."""
        return float(np.average(self.loss, weights=self.weights))


def parts_of(dataset: Dataset) -> dict[str, Rows]:
    """Return the rows of a data set, "train" and, where there are any, "validation"."""
    parts = {"train": Rows(dataset.x_train, dataset.y_train, dataset.w_train)}
    if dataset.x_val is not None and dataset.y_val is not None:
        parts["validation"] = Rows(dataset.x_val, dataset.y_val, dataset.w_val)
    return parts


def predicted(
    model: Model, dataset: Dataset, x: Array, answer: Callable[[Array], Array] | None = None
) -> Array:
    """Return chances, or numbers, for rows of the data set, [rows, outputs].

    Args:
        model: the net.
        dataset: whose rows they are.
        x: as it holds them.
        answer: from prepared rows to outputs, [samples, rows, outputs], in place of the whole net.
    """
    dtype = np.dtype(model.recipe.train.dtype)
    rows = as_given(dataset, x).astype(dtype, copy=False)
    rows = rows.reshape(len(rows), *model.feature_shape)
    if answer is None:
        outputs = model.forward(rows)
        return outputs if model.target.kind == "numbers" else model.chances(outputs)
    drawn = answer(rows)
    return drawn if model.target.kind == "numbers" else np.stack([*map(model.chances, drawn)])


def score(outputs: Array, rows: Rows, model: Model) -> Score:
    """Return what predictions are worth.

    Args:
        outputs: chances, or numbers, [rows, outputs].
        rows: the same rows.
        model: whose recipe says which loss counts; it is taken of the chances as they are, and of
            numbers on the scale that the net learned.
    """
    dtype = np.dtype(np.float64)
    weights = np.ones(len(rows.y)) if rows.weights is None else rows.weights.astype(dtype)
    given, y = outputs.astype(dtype), rows.y
    if model.target.kind == "numbers":
        mean, scale = (np.asarray(own, dtype) for own in model.scaling)
        right = np.square(given - y).mean(axis=1)
        given, y = (given - mean) / scale, (y - mean) / scale
    elif model.target.kind == "labels":
        right = ((given > 0.5) == (y > 0.5)).mean(axis=1)
    else:
        right = (given.argmax(axis=1) == y).astype(dtype)
        if model.recipe.train.loss == "binary_cross_entropy" and given.shape[1] == 2:
            given = given[:, 1:]  # the chance of the second class says both
    with jax.enable_x64(True):
        loss = LOSSES[model.recipe.train.loss].per_example(
            jax.numpy.asarray(given), jax.numpy.asarray(y), outputs_are=Output.RAW
        )
    measure = float(np.average(right, weights=weights))
    if model.target.kind == "numbers":
        measure = float(np.sqrt(measure))
    return Score(np.asarray(loss, dtype), measure, weights)
