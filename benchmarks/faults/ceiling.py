"""What the rows of a program allow: no edit of a recipe brings back what its data do not hold.

Rows may be too few, their labels shuffled, their inputs noise. The healthy bases of the data set
and scikit-learn's usual methods are trained on the program's own rows, and the best of them on the
validation rows, chosen by these very rows, is taken: a generous bound. A program of which even
that stays more than 3 points below the healthy reference is out of a repair's reach.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler
from sklearn.svm import SVC, SVR

from benchmarks.faults.mended import measured
from surefoot.errors import SurefootError
from surefoot.files import read_json, write_json
from surefoot.job import dataset_of
from surefoot.recipe import Recipe


def ceiling(recipe: Recipe, bases: Sequence[Recipe], folder: Path) -> float:
    """Return the best accuracy, or R², that is known to be reached on a program's own rows.

    Args:
        recipe: of the program.
        bases: the healthy bases of its data set.
        folder: where the figure is kept.
    """
    dataset = dataset_of(_raw(recipe))
    parts = (dataset.x_train, dataset.y_train, dataset.x_val, dataset.y_val)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
    path = folder / f"rows-{digest.hexdigest()[:20]}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        reached = dict(_methods(*parts))
        reached |= {f"base {i}": _base(recipe, base) for i, base in enumerate(bases)}
        write_json(path, reached)
    return max(read_json(path).values())


def _raw(recipe: Recipe) -> Recipe:
    data = recipe.data.model_copy(update={"standardize": False})
    return recipe.model_copy(update={"data": data})


def _base(recipe: Recipe, base: Recipe) -> float:
    """Return what a healthy base reaches on a program's rows, its inputs standardized."""
    data = recipe.data.model_copy(update={"standardize": True, "standardize_targets": True})
    try:
        return measured(base.model_copy(update={"data": data})).whole
    except SurefootError:
        return -1.0


def _methods(x: Any, y: Any, x_val: Any, y_val: Any) -> Iterator[tuple[str, float]]:
    """Yield what simple methods reach, each behind scalers that outliers can and cannot bend."""
    x, x_val = (np.asarray(part, np.float64).reshape(len(part), -1) for part in (x, x_val))
    numbers = np.asarray(y).dtype.kind == "f"
    y, y_val = (np.asarray(part).reshape(len(part), -1)[:, 0] for part in (y, y_val))
    scalers = {
        "standard": StandardScaler(),
        "robust": make_pipeline(RobustScaler(), QuantileTransformer(n_quantiles=min(100, len(x)))),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for scaling, scaler in scalers.items():
            for name, method in (_regressors() if numbers else _classifiers(len(x))).items():
                if numbers:
                    mean, std = float(np.mean(y)), float(np.std(y)) or 1.0
                    fitted = make_pipeline(scaler, method).fit(x, (y - mean) / std)
                    predicted = mean + std * fitted.predict(x_val)
                    error = float(np.mean((predicted - y_val) ** 2))
                    yield f"{name}, {scaling}", 1 - error / float(np.var(y_val))
                else:
                    fitted = make_pipeline(scaler, method).fit(x, y)
                    yield f"{name}, {scaling}", float(fitted.score(x_val, y_val))


def _classifiers(rows: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "trees": ExtraTreesClassifier(300, min_samples_leaf=2, random_state=0),
        "balanced trees": ExtraTreesClassifier(
            300, min_samples_leaf=2, class_weight="balanced", random_state=0
        ),
        "boosting": HistGradientBoostingClassifier(random_state=0),
    }
    for strength in (1e-3, 1e-2, 1.0):
        for weight in (None, "balanced"):
            found[f"logistic {strength} {weight}"] = LogisticRegression(
                C=strength, class_weight=weight, max_iter=2000
            )
    for strength in (0.1, 1.0, 10.0):
        for weight in (None, "balanced"):
            found[f"svc {strength} {weight}"] = SVC(C=strength, class_weight=weight)
    for count in (1, 5, 15, 45):
        if count <= rows:
            found[f"{count} neighbours"] = KNeighborsClassifier(count)
    return found


def _regressors() -> dict[str, Any]:
    found: dict[str, Any] = {
        "ridge": RidgeCV(np.logspace(-3, 4, 15)),
        "trees": ExtraTreesRegressor(300, min_samples_leaf=2, random_state=0),
        "boosting": HistGradientBoostingRegressor(random_state=0),
    }
    for strength in (0.1, 1.0, 10.0):
        found[f"svr {strength}"] = SVR(C=strength)
    for count in (5, 15):
        found[f"{count} neighbours"] = KNeighborsRegressor(count)
    return found
