"""A run's metrics as named curves, as other programs of the field call them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import RunError
from surefoot.run import Run
from surefoot.vitals.columns import METRIC_COLUMNS
from surefoot.vitals.table import Table

Curve = tuple[NDArray[np.int64], NDArray[np.float64]]


def metric_curves(metrics: Table) -> Iterator[tuple[str, Curve]]:
    """Yield each column that was measured: its name, its steps and its values.

    >>> table = Table({"step": np.arange(2), "loss": np.array([1.0, np.nan])})
    >>> [(name, curve[0].tolist()) for name, curve in metric_curves(table)]
    [('train/loss', [0])]
    """
    for column in METRIC_COLUMNS:
        values = np.asarray(metrics.get(column, np.zeros(0)), np.float64)
        there = ~np.isnan(values)
        if there.any():
            yield called(column), (np.asarray(metrics["step"], np.int64)[there], values[there])


def called(column: str) -> str:
    """Return what a column is called among curves.

    >>> [called(name) for name in ("loss", "validation_loss", "gradient_norm")]
    ['train/loss', 'validation/loss', 'gradient_norm']
    """
    if column.startswith("validation_"):
        return f"validation/{column.removeprefix('validation_')}"
    return f"train/{column}" if column in ("loss", "accuracy", "rmse") else column


def flat(value: Any, name: str = "") -> dict[str, str]:
    """Return nested tables as keys with dots, and texts.

    >>> flat({"train": {"epochs": 2}, "net": {"layers": [{"dense": 8}]}})
    {'train.epochs': '2', 'net.layers': "[{'dense': 8}]"}
    """
    if isinstance(value, dict):
        rows: dict[str, str] = {}
        for key, own in value.items():
            rows |= flat(own, f"{name}.{key}" if name else str(key))
        return rows
    return {name: str(value)}


def finished_run(folder: Path) -> Run:
    """Return a run that is over.

    Raises:
        RunError: there is no such run, or it is not over.
    """
    if folder.is_dir() and not (folder / "summary.json").exists():
        raise RunError(f"{folder}: is not over, or no run; its tables can be had with --table")
    return Run(folder)
