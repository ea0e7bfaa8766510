"""From what the engine tells to the rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.engine.events import Block
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS

Columns = Mapping[str, NDArray[Any]]


def metric_rows(block: Block, lane: int, run: str, measure: str) -> Columns:
    """Return a lane's rows of the metrics table: one for each step of the block."""
    steps = np.arange(block.first, block.last_step(lane))
    count = len(steps)
    columns = {name: np.full(count, np.nan, np.float32) for name in METRIC_COLUMNS}
    columns["loss"] = block.loss[:count, lane]
    columns[measure] = block.measure[:count, lane]
    recorded = block.recorded - block.first
    kept = recorded < count
    columns["learning_rate"][recorded[kept]] = block.rate[kept, lane]
    columns["gradient_norm"][recorded[kept]] = block.norm[kept, lane]
    columns["clipped_gradient_norm"][recorded[kept]] = block.clipped_norm[kept, lane]
    if block.validation is not None and count:
        columns["validation_loss"][-1] = block.validation.loss[lane]
        columns[f"validation_{measure}"][-1] = block.validation.measure[lane]
    return {
        "run": np.full(count, run, object),
        "step": steps,
        "epoch": np.full(count, block.epoch, np.int32),
        **{name: np.asarray(column, np.float32) for name, column in columns.items()},
    }


def vital_rows(block: Block, lane: int, run: str, sites: Sequence[tuple[str, str]]) -> Columns:
    """Return a lane's rows of the vitals table: one for each recorded step and layer.

    Args:
        block: the steps.
        lane: whose rows.
        run: the run's name.
        sites: number and kind of each layer, in the net's order.
    """
    kept = block.recorded < block.last_step(lane)
    steps, values = block.recorded[kept], block.vitals[kept, lane]
    count = len(steps)
    return {
        "run": np.full(count * len(sites), run, object),
        "step": np.repeat(steps, len(sites)),
        "layer": np.tile(np.array([number for number, _ in sites], object), count),
        "kind": np.tile(np.array([kind for _, kind in sites], object), count),
        "depth": np.tile(np.arange(len(sites), dtype=np.int32), count),
        **{
            name: values[:, :, i].reshape(-1).astype(np.float32)
            for i, name in enumerate(VITAL_COLUMNS)
        },
    }
