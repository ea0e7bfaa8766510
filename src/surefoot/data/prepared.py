"""What a net is given: statistics of inputs and targets after all that was done to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.dataset import Dataset

# Rows that are looked at: enough for a scale and a share to be right to a few hundredths.
_MOST_ROWS = 4096


def describe(dataset: Dataset, *, standardize_targets: bool = False) -> dict[str, Any]:
    """Return statistics of the prepared training rows, as plain values for JSON.

    Args:
        dataset: what `surefoot.data.load` made.
        standardize_targets: whether the loss sees targets that are numbers standardized.

    Returns:
        `rows`, `validation_rows`, `shape` of an example; `inputs` as the first layer takes them:
        `mean`, `std`, `rms`, `largest` in absolute value, `largest_offset` (the largest absolute
        mean of a feature), `smallest_scale` and `largest_scale` (standard deviations of features
        that vary), `varying` (their share), `middle` (of the features with most there: what their
        middle 90 % span, in standard deviations; 3.3 where values are normal); `targets`: `counts`
        of each class in training and `validation_counts`, or for numbers `mean`, `std` and
        `largest` as the loss sees them, and `spread` and `validation_spread`, standard deviations
        in the targets' own units.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Data
    >>> about = describe(load(Data(source="iris")))
    >>> about["rows"], round(about["inputs"]["std"], 2), about["targets"]["counts"]
    (120, 1.0, [40, 40, 40])
    """
    x = as_given(dataset, dataset.x_train[spaced(len(dataset.x_train), _MOST_ROWS)])
    return {
        "rows": dataset.rows,
        "validation_rows": 0 if dataset.x_val is None else len(dataset.x_val),
        "shape": list(dataset.feature_shape),
        "inputs": _of_inputs(x.reshape(len(x), -1).astype(np.float64)),
        "targets": _of_targets(dataset, standardize_targets),
    }


def as_given(dataset: Dataset, x: NDArray[Any]) -> NDArray[Any]:
    """Return rows as the first layer takes them: pictures held as bytes are scaled."""
    if not dataset.scaled_in_step:
        return x
    fitted = dataset.preprocessing
    mean = 0.0 if fitted.mean is None else fitted.mean
    scale = 1.0 if fitted.scale is None else fitted.scale
    return (x.astype(np.float32) - mean) / scale


def spaced(count: int, most: int) -> NDArray[np.int64]:
    """Return up to ``most`` evenly spaced places out of ``count``: files are often sorted.

    >>> spaced(9, 3).tolist()
    [0, 4, 8]
    """
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64))


def _of_inputs(flat: NDArray[np.float64]) -> dict[str, float]:
    with np.errstate(over="ignore", invalid="ignore"):
        means, scales = flat.mean(axis=0), flat.std(axis=0)
        varying = scales > 0
        low, high = np.percentile(flat, (5, 95), axis=0)
        middle = (high - low)[varying] / scales[varying]
        some = scales[varying] if varying.any() else np.zeros(1)
        return {
            "mean": float(flat.mean()),
            "std": float(flat.std()),
            "rms": float(np.sqrt(np.mean(np.square(flat)))),
            "largest": float(np.abs(flat).max(initial=0.0)),
            "largest_offset": float(np.abs(means).max(initial=0.0)),
            "smallest_scale": float(some.min()),
            "largest_scale": float(some.max()),
            "middle": float(np.percentile(middle, 75)) if varying.any() else 0.0,
            "varying": float(varying.mean()),
        }


def _of_targets(dataset: Dataset, standardize: bool) -> dict[str, Any]:
    y, y_val = dataset.y_train, dataset.y_val
    about: dict[str, Any] = {"kind": dataset.target.kind, "size": dataset.target.size}
    if dataset.target.kind == "classes":
        about["counts"] = np.bincount(y, minlength=dataset.target.size).tolist()
        if y_val is not None:
            about["validation_counts"] = np.bincount(y_val, minlength=dataset.target.size).tolist()
        return about
    if dataset.target.kind == "labels":
        about["shares"] = y.mean(axis=0, dtype=np.float64).tolist()
        return about
    y = y.astype(np.float64)
    mean, std = y.mean(axis=0), y.std(axis=0)
    about["spread"] = float(np.sqrt(np.mean(np.square(std))))  # in their own units
    seen = (y - mean) / np.where(std == 0, 1, std) if standardize else y
    about |= {
        "mean": float(seen.mean()),
        "std": float(np.sqrt(np.mean(seen.var(axis=0)))),
        "largest": float(np.abs(seen).max(initial=0.0)),
    }
    if y_val is not None and len(y_val):
        about["validation_spread"] = float(np.sqrt(np.mean(np.square(y_val - mean))))
    return about
