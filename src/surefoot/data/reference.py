"""What simple methods reach on the same rows: the yardstick for what a net could learn."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from surefoot.data.dataset import Dataset
from surefoot.data.prepared import as_given, spaced

Array = NDArray[Any]
# Rows to fit, rows to measure, and features: a fifth of a second on one core.
_MOST_ROWS, _MOST_MEASURED, _MOST_FEATURES = 2000, 1000, 512
_FEW_ROWS = 600  # up to here each fifth is held out in turn, beyond one says enough
_HELD_OUT = 5  # every fifth row, where there are none for validation
_TREES = 50
# What was found of the last few sets of rows: who trains on the same rows again, with other
# recipes, waits for it once.
_MOST_KEPT = 64


@dataclass(frozen=True)
class _Found:
    """What there is to tell, and what the best method predicts for the rows measured."""

    told: dict[str, Any]
    predicted: Array


_kept: dict[bytes, _Found] = {}


def reference(dataset: Dataset) -> dict[str, Any] | None:
    """Measure simple methods on the rows that a net trains and validates on.

    Nearest neighbours, a linear model, extremely randomized trees (Geurts et al., 2006) and a
    radial kernel on standardized inputs have next to nothing that can be set wrong. What the best
    of them reaches, a net should reach: a net that falls far behind was kept from learning.

    Returns:
        `methods`: of each method the validation accuracy (the share of labels that are right for
        several labels), or rmse in the targets' units; `best`, the best of them; `chance`, that of
        always guessing the training rows' most frequent class, or mean; `held_out_train` and
        `held_out_chance`, the same two on a fifth of the training rows, fitted on the others (each
        fifth in turn where rows are few), over `held_out_rows`: far below `best` they say that
        training labels disagree; `measured_rows`; `measure`; `fitted_rows`.
        `None` where too few rows are there to tell.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Data
    >>> about = reference(load(Data(source="iris")))
    >>> about["measure"], about["best"] > 0.85, round(about["chance"], 2)
    ('accuracy', True, 0.33)
    """
    found = _found(dataset)
    return None if found is None else copy.deepcopy(found.told)


def reference_parts(dataset: Dataset, parts: Iterable[Array]) -> list[float] | None:
    """Return what the best of the simple methods reaches on parts of the validation rows.

    It is the method that is best on all of them, not on each part. What a net reaches on a part is
    compared with that: which rows are hard is then the same for both.

    Args:
        dataset: with validation rows.
        parts: the numbers of the rows of each part.

    Returns:
        accuracy, or rmse in the targets' units; `None` where too few rows are there to tell, and
        where so many that only a sample is measured: there parts are alike.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Data
    >>> reference_parts(load(Data(source="iris")), [np.arange(15), np.arange(15, 30)])
    [1.0, 0.8666666666666667]
    """
    assert dataset.y_val is not None
    found = _found(dataset)
    if found is None or len(dataset.y_val) > _MOST_MEASURED:
        return None
    y, score = _column(np.asarray(dataset.y_val)), _scored(dataset.target.kind)
    return [score(y[rows], found.predicted[rows]) for rows in parts]


def _found(dataset: Dataset) -> _Found | None:
    """Return what is known of these rows, or find it; None where they are too few."""
    rows = _rows(dataset)
    if len(rows[0]) < 10 or len(rows[2]) < 5:
        return None
    kind = dataset.target.kind
    key = _digest(kind, rows)
    found = _kept.get(key)
    if found is None:
        # Of so few rows threads of BLAS do little but wait for one another, at a core's cost each.
        with threadpool_limits(1):
            found = _compared(kind, *rows)
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(tuple(_kept))), None)  # other threads may add meanwhile
        _kept[key] = found
    return found


def forget() -> None:
    """Forget what was found: the next to ask waits again."""
    _kept.clear()


def _digest(kind: str, rows: tuple[Array, ...]) -> bytes:
    """Return what is equal for equal rows."""
    found = hashlib.sha256(kind.encode())
    for array in rows:
        found.update(repr((array.shape, array.dtype)).encode())
        found.update(np.ascontiguousarray(array))
    return found.digest()


def _compared(kind: str, x: Array, y: Array, x_val: Array, y_val: Array) -> _Found:
    """Return what `reference` tells of these rows."""
    x, x_val = _standardized(x, x_val)
    choose = min if kind == "numbers" else max
    score = _scored(kind)
    predicted = _predicted(kind, x, y, x_val)
    measured = {name: score(y_val, own) for name, own in predicted.items()}
    inner, inner_chance = _held_out(kind, x, y)
    best = choose(measured, key=measured.__getitem__)
    told = {
        "measure": "rmse" if kind == "numbers" else "accuracy",
        "methods": measured,
        "best": measured[best],
        "chance": score(y_val, _guess(y, len(y_val), kind)),
        "held_out_train": choose(inner.values()),
        "held_out_chance": inner_chance,
        "held_out_rows": len(x) if len(x) <= _FEW_ROWS else len(x) // _HELD_OUT,
        "measured_rows": len(x_val),
        "fitted_rows": len(x),
    }
    return _Found(told, predicted[best])


def _held_out(kind: str, x: Array, y: Array) -> tuple[dict[str, float], float]:
    """Return the means over folds of what each method reaches on training rows held out.

    And of what guessing does. Of many rows one fold says enough.
    """
    folds = _HELD_OUT if len(x) <= _FEW_ROWS else 1
    place = np.arange(len(x)) % _HELD_OUT
    score = _scored(kind)
    each, chances = [], []
    for fold in range(folds):
        known, out = place != fold, place == fold
        predicted = _predicted(kind, x[known], y[known], x[out])
        each.append({name: score(y[out], own) for name, own in predicted.items()})
        chances.append(score(y[out], _guess(y[known], int(out.sum()), kind)))
    means = {name: float(np.mean([own[name] for own in each])) for name in each[0]}
    return means, float(np.mean(chances))


def _predicted(kind: str, x: Array, y: Array, x_val: Array) -> dict[str, Array]:
    """Return what each method predicts for rows that it did not see."""
    if kind == "classes" and len(np.unique(y)) < 2:  # a fold without the only row of a class
        return dict.fromkeys(_methods(kind), _guess(y, len(x_val), kind))
    return {
        name: np.asarray(method.fit(x, y).predict(x_val)) for name, method in _methods(kind).items()
    }


def _methods(kind: str) -> dict[str, Any]:
    # Imported here: scikit-learn takes a second to load.
    from sklearn import ensemble, kernel_ridge, linear_model, neighbors, svm

    if kind == "classes":
        return {
            "nearest neighbours": neighbors.KNeighborsClassifier(5),
            "linear": linear_model.RidgeClassifier(class_weight="balanced", solver="lsqr"),
            "trees": ensemble.ExtraTreesClassifier(_TREES, random_state=0),
            "kernel": svm.SVC(C=10.0, class_weight="balanced"),
        }
    return {
        "nearest neighbours": neighbors.KNeighborsRegressor(5),
        "linear": linear_model.Ridge(solver="lsqr"),
        "trees": ensemble.ExtraTreesRegressor(_TREES, random_state=0),
        "kernel": kernel_ridge.KernelRidge(alpha=0.1, kernel="rbf"),
    }


def _rows(dataset: Dataset) -> tuple[Array, Array, Array, Array]:
    """Return rows to fit and rows to measure, flat, a sample where there are many."""
    x, y = dataset.x_train, dataset.y_train
    if dataset.x_val is not None and len(dataset.x_val):
        x_val, y_val = dataset.x_val, dataset.y_val
    else:
        apart = np.arange(len(x)) % _HELD_OUT == 0
        x, y, x_val, y_val = x[~apart], y[~apart], x[apart], y[apart]
    fit, measure = spaced(len(x), _MOST_ROWS), spaced(len(x_val), _MOST_MEASURED)
    flat, flat_val = (_flat(dataset, rows) for rows in (x[fit], x_val[measure]))
    return flat, _column(y[fit]), flat_val, _column(np.asarray(y_val)[measure])


def _column(y: Array) -> Array:
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _flat(dataset: Dataset, x: Array) -> Array:
    """Return each row as a few hundred numbers: pictures in coarse parts, wide rows thinned."""
    x = np.asarray(as_given(dataset, x), np.float32)
    while x.ndim == 4 and x[0].size > _MOST_FEATURES and min(x.shape[1:3]) > 1:
        height, width = (size // 2 * 2 for size in x.shape[1:3])
        x = x[:, :height, :width].reshape(len(x), height // 2, 2, width // 2, 2, -1).mean((2, 4))
    flat = x.reshape(len(x), -1)
    return flat[:, spaced(flat.shape[1], _MOST_FEATURES)]


def _standardized(x: Array, x_val: Array) -> tuple[Array, Array]:
    mean, scale = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    scale[scale == 0] = 1
    return (x - mean) / scale, (x_val - mean) / scale


def _scored(kind: str) -> Callable[[Array, Array], float]:
    return _rmse if kind == "numbers" else _accuracy


def _accuracy(y: Array, predicted: Array) -> float:
    if y.ndim == 2:
        return float(np.mean((predicted > 0.5) == (y > 0.5)))
    return float(np.mean((predicted > 0.5) == (y > 0.5) if y.dtype.kind == "f" else predicted == y))


def _rmse(y: Array, predicted: Array) -> float:
    return float(np.sqrt(np.mean(np.square(predicted.astype(np.float64) - y))))


def _guess(y: Array, rows: int, kind: str) -> Array:
    if kind == "classes":
        return np.full(rows, np.argmax(np.bincount(y)))
    return np.broadcast_to(y.mean(axis=0), (rows, *y.shape[1:]))
