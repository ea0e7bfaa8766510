"""Validation rows in two halves: one to choose by, one to prove on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data import Dataset
from surefoot.errors import DataError

# Fewer rows in a half prove nothing.
_FEWEST = 5


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Return the dataset with the half of its validation rows to choose by, and to prove on.

    Raises:
        DataError: there are too few validation rows.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Data
    >>> choose, prove = halves(load(Data(source="iris")))
    >>> [np.bincount(half.y_val).tolist() for half in (choose, prove)]
    [[5, 5, 5], [5, 5, 5]]
    """
    first, second = parts(dataset)
    return _with(dataset, first), _with(dataset, second)


def parts(dataset: Dataset) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the numbers of the validation rows of both halves.

    Rows in the order of their targets go to one half and the other in turn, so that both have the
    same classes. The halves are of one size: a row that is over is left out.

    Raises:
        DataError: there are too few validation rows.
    """
    count = 0 if dataset.y_val is None else len(dataset.y_val) // 2
    if count < _FEWEST:
        raise DataError(
            f"{dataset.source}: a repair needs {2 * _FEWEST} validation rows or more, half to "
            "choose by and half to prove on; set data.validation higher, or give more rows"
        )
    targets = np.asarray(dataset.y_val)
    order = np.argsort(targets if targets.ndim == 1 else targets[:, 0], kind="stable")
    first, second = (np.sort(order[place : 2 * count : 2]) for place in (0, 1))
    return first, second


def _with(dataset: Dataset, rows: NDArray[Any]) -> Dataset:
    assert dataset.x_val is not None
    assert dataset.y_val is not None
    weights = None if dataset.w_val is None else dataset.w_val[rows]
    return replace(dataset, x_val=dataset.x_val[rows], y_val=dataset.y_val[rows], w_val=weights)
