"""Measures a point of a run, and keeps what was found in the run's landscape table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.checksums import check, resealed
from surefoot.errors import InputError, RunError
from surefoot.landscape.measure import Point, measure
from surefoot.landscape.points import find
from surefoot.landscape.rate import step_rate
from surefoot.run import Run
from surefoot.vitals.landscape import LANDSCAPE_COLUMNS
from surefoot.vitals.table import read, write

_TABLE = "landscape"


@dataclass(frozen=True)
class Landscape:
    """The error surface at a point of a run.

    Attributes:
        run: the run.
        which: "best", "last" or "step".
        step: how many updates had been made.
        point: what was measured.
    """

    run: Run
    which: str
    step: int
    point: Point

    @property
    def numbers(self) -> dict[str, float]:
        """What was measured, by the landscape table's columns."""
        return dict(self.point.numbers)


def measure_landscape(
    run: Run | str | Path, at: str | int = "last", *, rows: int = 1024, seed: int = 0
) -> Landscape:
    """Measure the error surface at a point of a run, and write the run's landscape table.

    The table has one row a point; the same point measured again replaces its row.
    `sf.judge_plateau` says of the numbers what kind of place it is.

    Args:
        run: a run, or its folder.
        at: "best", "last", or a step: how many updates had been made.
        rows: how many training rows to measure on at most.
        seed: of the choice of rows and of all random directions.

    Raises:
        RunError: there is no such point, or its weights or data cannot be had again.
        InputError: ``rows`` is below 1.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = sf.train("iris", net="mlp:4", epochs=2, out=f"{folder}/run")
    ...     there = sf.measure_landscape(run)
    >>> there.step, sf.judge_plateau(there.numbers).kind
    (8, 'not-critical')
    """
    if rows < 1:
        raise InputError(f"rows = {rows}: must be at least 1")
    run = run if isinstance(run, Run) else Run(run)
    before = _rows_before(run)
    place = find(run, at)
    history = run.history
    norms = np.asarray(history.get("gradient_norm", np.zeros(0)), np.float64)
    sites = place.cohort.blueprint.network.sites
    point = measure(
        place.cohort,
        place.params,
        place.state,
        rate=step_rate(
            run.recipe, history, run.vitals, {s.name: s.weights for s in sites}, place.step
        ),
        first_norm=float(norms[0]) if norms.size else float("nan"),
        rows=rows,
        seed=seed,
    )
    row = {"run": run.path.name, "which": place.which, "step": place.step, **point.numbers}
    with resealed(run.path, f"{_TABLE}.parquet"):
        write(run.path, _TABLE, _with_row(before, row))
    return Landscape(run, place.which, place.step, point)


def _rows_before(run: Run) -> dict[str, NDArray[Any]]:
    """Return the points that were measured before."""
    path = run.path / f"{_TABLE}.parquet"
    if not path.is_file():
        return {}
    check(run.path, path.name)
    table = dict(read(run.path, _TABLE))
    if set(table) != {"run", "which", "step", *LANDSCAPE_COLUMNS}:
        raise RunError(f"{path}: not a landscape table of this version; remove it")
    return table


def _with_row(before: dict[str, NDArray[Any]], row: dict[str, Any]) -> dict[str, NDArray[Any]]:
    types: dict[str, Any] = {"run": object, "which": object, "step": np.int64}
    own = {name: np.array([value], types.get(name, np.float64)) for name, value in row.items()}
    if not before:
        return own
    other = (before["which"] != row["which"]) | (before["step"] != row["step"])
    return {
        name: np.concatenate([np.asarray(before[name], column.dtype)[other], column])
        for name, column in own.items()
    }
