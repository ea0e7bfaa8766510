"""What the doctor reads: two tables, the data's facts and the recipe; nothing else.

This is the boundary: whoever can fill these four, from any framework's loop, gets a diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.doctor.rows import readable
from surefoot.recipe import Recipe
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import Table

Array = NDArray[Any]
# What a row of the vitals table is of.
PLACE = ("step", "layer", "kind", "depth")
# Layers whose output is another's weighted sum; what follows them may be an activation.
_LINEAR = frozenset({"dense", "conv", "embedding"})
_NO_ACTIVATION = frozenset(
    {"batch_norm", "max_pool", "average_pool", "global_average_pool", "flatten", "residual"}
)


@dataclass(frozen=True)
class Layer:
    """A place in the net at which vital signs were taken.

    Attributes:
        name: the layer's number, as the recipe counts from 1.
        kind: such as "dense" or "relu".
        index: its column in `Evidence.vital`.
    """

    name: str
    kind: str
    index: int

    @property
    def is_activation(self) -> bool:
        """Whether it is an activation."""
        return self.kind not in _LINEAR and self.kind not in _NO_ACTIVATION

    @property
    def is_linear(self) -> bool:
        """Whether it has weights that its inputs are multiplied by."""
        return self.kind in _LINEAR


@dataclass(frozen=True)
class Evidence:
    """All that is known about a run.

    Attributes:
        recipe: what was to be trained.
        metrics: one row a step: `step`, `epoch` and `METRIC_COLUMNS`; columns may be lacking.
        vitals: one row a recorded step and layer: `step`, `layer`, `kind`, `depth` and
            `VITAL_COLUMNS`; rows and columns may be lacking. What is no number is left out of both
            tables, and rows are put in order (`surefoot.doctor.rows`); without a step, rows of
            the metrics count as steps.
        facts: of the data, as `surefoot.job.Job.facts` gathers them; parts may be lacking.
        total_steps: how many steps the run was to have; those in `metrics` where not given.
        curvature: the landscape table, where the error surface was measured.
    """

    recipe: Recipe
    metrics: Table
    vitals: Table
    facts: Mapping[str, Any]
    total_steps: int | None = None
    curvature: Table | None = None

    def __post_init__(self) -> None:
        metrics = readable(self.metrics, ("run",), ("step",))
        if "step" not in metrics:
            metrics = Table({"step": np.arange(metrics.rows), **metrics})
        vitals = readable(self.vitals, ("run", "layer", "kind"), ("step", "depth"))
        object.__setattr__(self, "metrics", metrics)
        object.__setattr__(self, "vitals", vitals)

    def until(self, step: int) -> Evidence:
        """Return what was known after that many steps; the run's whole length stays known."""
        kept = [
            table.where(table["step"] < step) if "step" in table else table
            for table in (self.metrics, self.vitals)
        ]
        total = self.total_steps or self.steps
        return replace(self, metrics=kept[0], vitals=kept[1], total_steps=total)

    @cached_property
    def steps(self) -> int:
        """How many steps were taken."""
        steps = self.metrics.get("step")
        return 0 if steps is None or len(steps) == 0 else int(steps[-1]) + 1

    @property
    def progress(self) -> float:
        """The share of the run that is done."""
        return 1.0 if not self.total_steps else min(1.0, self.steps / self.total_steps)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The tables' columns that are not there, or that cannot be read for want of others."""
        tables = ((self.metrics, METRIC_COLUMNS), (self.vitals, (*PLACE, *VITAL_COLUMNS)))
        gone = [name for table, names in tables for name in names if name not in table]
        if not set(PLACE) <= set(self.vitals):  # nobody knows what the numbers are of
            gone += [name for name in VITAL_COLUMNS if name not in gone]
        return tuple(gone)

    # The metrics.

    def metric(self, name: str) -> Array:
        """Return a column of the metrics table, [steps]; empty where there is none."""
        column = self.metrics.get(name)
        return np.zeros(0) if column is None else np.asarray(column, np.float64)

    @property
    def measure(self) -> str:
        """What is measured beside the loss: "accuracy" or "rmse"."""
        return "rmse" if np.isfinite(self.metric("rmse")).any() else "accuracy"

    @cached_property
    def validation(self) -> tuple[Array, Array, Array]:
        """Steps at which validation was measured, its loss and its measure there."""
        loss = self.metric("validation_loss")
        measured = self.metric(f"validation_{self.measure}")
        if len(loss) == 0 or len(measured) == 0:
            empty = np.zeros(0)
            return empty, empty, empty
        there = ~np.isnan(measured) | np.isinf(loss)
        return self.metric("step")[there], loss[there], measured[there]

    @cached_property
    def epoch_steps(self) -> int:
        """How many steps an epoch has, as far as can be seen."""
        epochs = self.metrics.get("epoch")
        if epochs is None or len(epochs) == 0:
            return 1
        return max(1, int(np.sum(epochs == epochs[0])))

    # The vital signs.

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The net's layers, from the input to the output."""
        if self._grid is None:
            return ()
        return self._grid[1]

    @cached_property
    def recorded(self) -> Array:
        """The steps at which vital signs were taken, [records]."""
        return np.zeros(0, np.int64) if self._grid is None else self._grid[0]

    def vital(self, name: str) -> Array:
        """Return a column of the vitals table, [records, layers]; NaN where it is not there."""
        shape = (len(self.recorded), len(self.layers))
        if self._grid is None or name not in self.vitals:
            return np.full(shape, np.nan)
        return np.asarray(self.vitals[name], np.float64)[self._grid[2]].reshape(shape)

    @cached_property
    def _grid(self) -> tuple[Array, tuple[Layer, ...], Array] | None:
        """Return the recorded steps, the layers, and the table's rows in that order."""
        table = self.vitals
        if not set(PLACE) <= set(table) or table.rows == 0:
            return None
        steps, depth = table["step"], table["depth"]
        depths, first = np.unique(depth, return_index=True)
        recorded, counts = np.unique(steps, return_counts=True)
        whole = recorded[counts == len(depths)]  # a record that was cut off is left out
        order = np.flatnonzero(np.isin(steps, whole))
        if len(whole) == 0:
            return None
        names, kinds = table["layer"], table["kind"]
        layers = tuple(
            Layer(str(names[row]), str(kinds[row]), i) for i, row in enumerate(first.tolist())
        )
        return whole, layers, order

    # The facts.

    def fact(self, *path: str) -> Any:
        """Return a value out of the facts, None where it is not there."""
        value: Any = self.facts
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def number(self, *path: str) -> float:
        """Return a number out of the facts, NaN where it is not there."""
        value = self.fact(*path)
        usable = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if usable else float("nan")

    def numbers(self, *path: str) -> Array:
        """Return a list of numbers of at least 0 out of the facts; empty where there is none."""
        values = self.fact(*path)
        if not isinstance(values, list | tuple):
            return np.zeros(0)
        usable = [v for v in values if isinstance(v, int | float) and 0 <= v < float("inf")]
        return np.asarray(usable if len(usable) == len(values) else [], np.float64)
