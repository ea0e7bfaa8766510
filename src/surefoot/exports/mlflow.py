"""A run as a run of MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from surefoot.errors import InputError, RunError
from surefoot.exports.curves import finished_run, flat, metric_curves
from surefoot.report.thinning import extremes

_EXPERIMENT = "surefoot"
# What MLflow takes in one call, and how long its texts may be.
_METRICS, _PARAMS, _TEXT = 1000, 100, 500
# A curve has this many points at most, extremes among them: each costs MLflow a row. The tables
# go along whole, as files.
_POINTS = 1000
_FILES = (
    "recipe.toml", "summary.json", "findings.json", "environment.json", "data.json",
    "metrics.parquet", "vitals.parquet", "landscape.parquet", "surface.parquet",
    "report.html",
)  # fmt: skip
_STATUS = {"diverged": "FAILED", "interrupted": "KILLED"}


def export_mlflow(folder: Path, uri: str) -> str:
    """Write a run into MLflow, into the experiment "surefoot"; return the run's id there.

    The recipe becomes parameters, the metrics curves, the doctor's verdict tags; the run's tables,
    findings and report go along as files.

    Args:
        folder: of a finished run.
        uri: of MLflow's store: a server, or ``sqlite:///FILE``.

    Raises:
        InputError: the package `mlflow-skinny` is not installed.
        RunError: there is no such run, or MLflow refuses it; the message is MLflow's.
    """
    run = finished_run(folder)
    try:
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise InputError("--mlflow needs MLflow: pip install 'surefoot[mlflow]'") from None
    summary = run.summary
    began = int(1000 * (folder / "recipe.toml").stat().st_mtime)
    each = 1000 * float(summary.get("seconds") or 0) / max(int(summary.get("steps") or 1), 1)
    metrics = [
        Metric(name, value, began + int(each * step), step)
        for name, (steps, values) in metric_curves(run.history)
        for step, value in _points(steps, values)
    ]
    rows = flat(run.recipe.to_dict()).items()
    params = [Param(key, value[:_TEXT]) for key, value in rows if value]
    tags = {f"surefoot.{key}": str(summary.get(key)) for key in ("verdict", "root_cause", "ended")}
    try:
        client = MlflowClient(tracking_uri=uri)
        known = client.get_experiment_by_name(_EXPERIMENT)
        where = client.create_experiment(_EXPERIMENT) if known is None else known.experiment_id
        made = client.create_run(where, began, tags, folder.resolve().name).info.run_id
        for first in range(0, len(params), _PARAMS):
            client.log_batch(made, params=params[first : first + _PARAMS])
        for first in range(0, len(metrics), _METRICS):
            client.log_batch(made, metrics=metrics[first : first + _METRICS])
        for name in _FILES:
            if (folder / name).is_file():
                client.log_artifact(made, str(folder / name))
        ended = began + int(1000 * float(summary.get("seconds") or 0))
        client.set_terminated(made, _STATUS.get(str(summary.get("ended")), "FINISHED"), ended)
    except (MlflowException, OSError) as error:
        raise RunError(f"--mlflow {uri}: {str(error).splitlines()[0]}") from None
    return str(made)


def _points(steps: Any, values: Any) -> list[tuple[int, float]]:
    finite = np.isfinite(values)
    steps, values = steps[finite], values[finite]
    kept = extremes(values, _POINTS)
    return list(zip(steps[kept].tolist(), values[kept].tolist(), strict=True))
