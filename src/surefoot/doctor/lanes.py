"""What all trials share: one scale for results, no vital signs, and an end in time."""

from __future__ import annotations

import math
import time

import numpy as np

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
    if cohort.measure == "rmse":
        chance = float(np.sqrt(np.mean(np.var(y, axis=0, dtype=np.float64))))
        reached = score_of(measured[1], chance, "rmse")
        return max(reached, -1.0) if math.isfinite(reached) else -1.0
    return measured[1] if math.isfinite(measured[1]) else 0.0
