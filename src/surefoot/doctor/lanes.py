"""What all trials share: one scale for results, no vital signs, and an end in time."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.doctor.outcome import score_of
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Silent
from surefoot.engine.training import LaneResult
from surefoot.recipe import Recipe


class Clock(Silent):
    """Ends training at a time of `time.monotonic`."""

    looks_at_validation = False  # what counts is what comes out at the end

    def __init__(self, end: float) -> None:
        self._end = end

    def stop(self) -> bool:
        """Return whether the time is over."""
        return time.monotonic() > self._end


def without_vitals(recipe: Recipe) -> Recipe:
    """Return the recipe with no vital signs recorded: its programs compile sooner."""
    vitals = recipe.vitals.model_copy(update={"every": 0, "first": 0})
    return recipe.model_copy(update={"vitals": vitals})


def score(cohort: Cohort, result: LaneResult, held_out: bool) -> float:
    """Return accuracy, or R² but no less than −1: worse is no worse; 0 where nothing is finite."""
    dataset = cohort.dataset
    y, measured = dataset.y_train, result.train
    if held_out and dataset.y_val is not None and result.validation is not None:
        y, measured = dataset.y_val, result.validation
    return scored(measured[1], np.asarray(y), cohort.measure)


def scored(value: float, y: NDArray[Any], measure: str) -> float:
    """Return what `score` does, of an accuracy or rmse on rows with these targets."""
    if measure == "rmse":
        chance = float(np.sqrt(np.mean(np.var(y, axis=0, dtype=np.float64))))
        reached = score_of(value, chance, "rmse")
        return max(reached, -1.0) if math.isfinite(reached) else -1.0
    return value if math.isfinite(value) else 0.0
