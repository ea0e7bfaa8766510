"""What a trained net does on rows that it did not train on, measured once and kept with the run.

`evaluation.json` holds all that a page shows of it, so that the page can be made again when the
data are gone: counts, not rows, and a few examples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from surefoot.checksums import check_seal, sealed
from surefoot.data import gather
from surefoot.data.columns import Columns
from surefoot.data.prepared import as_given, spaced
from surefoot.engine.model import Model
from surefoot.errors import SurefootError
from surefoot.files import read_json, write_json
from surefoot.job import dataset_of
from surefoot.recipe import Recipe
from surefoot.report.calibration import calibration
from surefoot.report.examples import examples

if TYPE_CHECKING:
    from surefoot.data import Dataset

FORMAT = 1
NAME = "evaluation.json"
# Rows that are predicted: a share is right to half a point.
_MOST_ROWS = 10_000
_MOST_CLASSES = 200
_MOST_POINTS = 1500
_BINS = 40
# Rows of a table that is read again to show examples as they stand in it.
_MOST_READ_AGAIN = 200_000

Array = NDArray[Any]


def evaluation_of(
    path: Path, recipe: Recipe, dataset: Dataset | None = None, facts: Any = None
) -> dict[str, Any]:
    """Return what was measured before, or measure it now and keep it.

    Args:
        path: of the run.
        recipe: of the run: it says where the rows are.
        dataset: the rows, where they are at hand.
        facts: of the data, which know a picture's shape.

    Returns:
        What `evaluate` returns; or `missing`, the reason why there is nothing.
    """
    if (path / NAME).is_file():
        kept = _kept(path / NAME)
        if kept is not None:
            return kept
    try:
        model = Model.load(path)
        if dataset is None:
            if recipe.data.source is None:
                return {"missing": "the rows were given from Python and are not kept with the run"}
            dataset = dataset_of(recipe)
        found = {"format": FORMAT, **evaluate(model, dataset, facts)}
        write_json(path / NAME, sealed(found))
    except SurefootError as error:
        return {"missing": str(error)}
    return found


def _kept(path: Path) -> dict[str, Any] | None:
    """Return what was measured before; None where it was altered: it can be measured again."""
    try:
        kept = read_json(path)
        if isinstance(kept, dict) and "sha256" in kept:
            check_seal(kept, path)
    except SurefootError:
        return None
    return kept if isinstance(kept, dict) and kept.get("format") == FORMAT else None


def evaluate(model: Model, dataset: Dataset, facts: Any = None) -> dict[str, Any]:
    """Predict up to 10,000 rows, and say how it went.

    Returns:
        `rows`, `part` ("validation", or "training" where there are no others), `kind`; for classes
        `classes`, `confusion` counts [true, predicted], `calibration`; for numbers `points`, true
        and predicted, and `residuals`, a histogram; for labels a row each; and the `worst`
        examples.
    """
    part = "training" if dataset.x_val is None else "validation"
    x, y = (
        (dataset.x_train, dataset.y_train)
        if dataset.x_val is None or dataset.y_val is None
        else (dataset.x_val, dataset.y_val)
    )
    places = spaced(len(x), _MOST_ROWS)
    dtype = np.dtype(model.recipe.train.dtype)
    rows = as_given(dataset, x[places]).astype(dtype, copy=False)
    outputs = model.forward(rows.reshape(len(rows), *model.feature_shape))
    judge: Callable[[Model, Array, Array], tuple[dict[str, Any], Array]]
    judge = {"classes": _classes, "labels": _labels, "numbers": _numbers}[model.target.kind]
    with np.errstate(all="ignore"):
        about, badness = judge(model, outputs, y[places])
    shown = about.pop("shown")
    return {
        "part": part,
        "rows": len(places),
        "all_rows": len(x),
        "kind": model.target.kind,
        **about,
        "worst": examples(
            dataset, part, places, badness, shown, facts, lambda: _table(model.recipe, dataset)
        ),
    }


def _table(recipe: Recipe, dataset: Dataset) -> Columns | None:
    """Return the source's own columns, where it is a table in a file that is small enough."""
    small = dataset.stream is None and dataset.rows <= _MOST_READ_AGAIN
    if dataset.encoding is None or recipe.data.source is None or not small:
        return None
    try:
        raw = gather(recipe.data)
    except SurefootError:
        return None
    return raw.x if isinstance(raw.x, Columns) and raw.stream is None else None


def _classes(model: Model, outputs: Array, y: Array) -> tuple[dict[str, Any], Array]:
    chances = model.chances(outputs).astype(np.float64)
    predicted = chances.argmax(axis=1)
    rows = np.arange(len(y))
    own, best = chances[rows, y], chances[rows, predicted]
    names = [str(name) for name in model.target.classes or range(chances.shape[1])]
    about: dict[str, Any] = {
        "classes": names,
        "accuracy": float((predicted == y).mean()),
        "calibration": calibration(best, predicted == y),
        "shown": lambda i: {
            "true": names[y[i]],
            "predicted": names[predicted[i]],
            "chance": float(best[i]),
            "chance_of_true": float(own[i]),
        },
    }
    if len(names) <= _MOST_CLASSES:
        counts = np.bincount(y * len(names) + predicted, minlength=len(names) ** 2)
        about["confusion"] = counts.reshape(len(names), len(names)).tolist()
    # Only what is wrong is an example of it; the surer, the worse.
    return about, np.where(predicted != y, best - own, -np.inf)


def _labels(model: Model, outputs: Array, y: Array) -> tuple[dict[str, Any], Array]:
    chances = model.chances(outputs).astype(np.float64)
    said, true = chances > 0.5, y > 0.5
    names = list(model.recipe.data.target or ())
    names = names if len(names) == y.shape[1] else [str(i) for i in range(y.shape[1])]
    both = said & true
    about = {
        "labels": [
            {
                "label": names[i],
                "true": int(true[:, i].sum()),
                "predicted": int(said[:, i].sum()),
                "both": int(both[:, i].sum()),
                "right": float((said == true)[:, i].mean()),
            }
            for i in range(min(y.shape[1], _MOST_CLASSES))
        ],
        "calibration": calibration(
            np.maximum(chances, 1 - chances).ravel(), (said == true).ravel()
        ),
        "shown": lambda i: {
            "true": _named(names, true[i]),
            "predicted": _named(names, said[i]),
        },
    }
    return about, np.where((said != true).any(axis=1), np.abs(chances - true).max(axis=1), -np.inf)


def _named(names: list[str], flags: Array) -> str:
    return ", ".join(name for name, flag in zip(names, flags, strict=True) if flag) or "none"


def _histogram(values: Array) -> tuple[Array, Array]:
    """Return counts and edges; of values that lie too near to each other for bins, in one bin."""
    bins = min(_BINS, max(5, math.isqrt(max(len(values), 1))))
    try:
        return np.histogram(values, bins=bins)
    except ValueError:  # NumPy's word for a range of less than its numbers can be told apart
        middle = float(np.median(values))
        apart = max(1.0, 1e-3 * abs(middle))
        return np.histogram(values, bins=1, range=(middle - apart, middle + apart))


def _numbers(model: Model, outputs: Array, y: Array) -> tuple[dict[str, Any], Array]:
    said, true = outputs.astype(np.float64), y.astype(np.float64)
    errors = said - true
    scale = np.maximum(true.std(axis=0), 1e-30)
    worst = np.abs(errors / scale).max(axis=1)
    column = 0
    kept = np.isfinite(errors[:, column])
    points = np.flatnonzero(kept)[spaced(int(kept.sum()), _MOST_POINTS)] if kept.any() else []
    finite = errors[kept, column]
    counts, edges = _histogram(finite)
    names = list(model.recipe.data.target or ())
    residual = float(np.square(errors).sum())
    spread = float(np.square(true - true.mean(axis=0)).sum())
    about = {
        "output": names[column] if names else "the target",
        "outputs": int(y.shape[1]),
        "rmse": float(np.sqrt(np.square(errors).mean())),
        "r2": 1 - residual / spread if spread > 0 else math.nan,
        "points": {"true": true[points, column].tolist(), "said": said[points, column].tolist()},
        "residuals": {"counts": counts.tolist(), "edges": edges.tolist()},
        "shown": lambda i: {
            "true": ", ".join(f"{v:.5g}" for v in true[i][:4]),
            "predicted": ", ".join(f"{v:.5g}" for v in said[i][:4]),
        },
    }
    return about, np.where(np.isfinite(worst), worst, -np.inf)
