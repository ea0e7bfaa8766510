"""What is to be repaired: a recipe, its rows, and what is wrong with it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from surefoot.data import Dataset
from surefoot.data.preprocessing import fit
from surefoot.data.reference import reference_parts
from surefoot.doctor.diagnosis import Diagnosis, examine
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.folder import read_run
from surefoot.doctor.lanes import scored
from surefoot.doctor.outcome import Outcome, score_of
from surefoot.doctor.watching import Watcher
from surefoot.engine.cost import estimated_seconds
from surefoot.engine.effort import Effort
from surefoot.engine.events import Block
from surefoot.engine.training import train
from surefoot.errors import DataError, RecipeError, RunError
from surefoot.files import read_json
from surefoot.job import Job, dataset_of, prepare
from surefoot.recipe import Recipe
from surefoot.repair.halves import parts
from surefoot.repair.remedies.scaling import FAR
from surefoot.repair.step import About
from surefoot.run import Run

# The share of the budget that a recipe without a run may be trained to be diagnosed; and of its
# whole training, where that is more than so many seconds.
_DIAGNOSED, _OF_TRAINING, _AT_LEAST = 0.25, 0.2, 1.5
# How long it is timed.
_TIMED = 0.3
# Nearer to what simple methods reach than this is as good, in accuracy or R²; so is one row.
_NEAR = 0.02
# Where a recipe keeps no validation rows, trials do.
_HELD_OUT = 0.2
# Of a run that hardly began nobody knows how long its steps take.
_STEP_SECONDS = 1e-3
# Rows that tell where the middle of each feature lies.
_LOOKED_AT = 5000


@dataclass(frozen=True)
class Case:
    """What is to be repaired.

    Attributes:
        recipe: as it was given, complete.
        base: the same for trials, which always have validation rows.
        dataset: the rows of ``base``.
        diagnosis: what is wrong.
        about: what remedies may know.
        goal: the score, accuracy or R², that is as good as simple methods on the half of the
            validation rows to choose by; NaN if not known.
        goal_to_prove: the same on the other half.
        finished: whether the diagnosis saw training to its end.
        lane_seconds: what training takes, without compilation, compiled with full effort.
    """

    recipe: Recipe
    base: Recipe
    dataset: Dataset
    diagnosis: Diagnosis
    about: About
    goal: float
    goal_to_prove: float
    finished: bool
    lane_seconds: float

    @property
    def guess(self) -> float:
        """The score of always guessing the same: a class, or the mean; NaN if not known."""
        found = self.diagnosis.outcome
        known = score_of(found.chance, found.chance, found.measure)
        if self.dataset.target.kind != "classes":
            return known
        # The class that is commonest among validation rows may be another than among all.
        counts = np.unique(np.asarray(self.dataset.y_val), return_counts=True)[1]
        return max(known, float(counts.max() / counts.sum()))

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong; what was not seen to its end has to do well already."""
        sure = self.finished or self.diagnosis.outcome.state == "fine"
        return self.diagnosis.verdict == "healthy" and sure

    def delivered(self, recipe: Recipe) -> Recipe:
        """Return a recipe of the trials with the given one's rows and order of batches."""
        own = {key: getattr(self.recipe.data, key) for key in ("validation", "shuffle_seed")}
        return recipe.model_copy(update={"data": recipe.data.model_copy(update=own)})


# Told what trials train, and what remedies may know.
Begun = Callable[[Recipe, Dataset, About], None]


def open_case(
    target: Run | Recipe | Job | str | Path,
    budget_seconds: float,
    tell: Callable[[str], None],
    begun: Begun = lambda base, dataset, about: None,
) -> Case:
    """Read a run, or train a recipe for a short while, and diagnose it.

    Args:
        target: what is to be repaired.
        budget_seconds: of the whole repair; the training takes a part of it at most.
        tell: called with a line for people before the training.
        begun: called before the training.

    Raises:
        RunError: there is no such run, or nothing of it can be read.
        RecipeError: the recipe cannot be read, or does not fit its data.
        DataError: the data cannot be used.
    """
    if isinstance(target, Recipe | Job) or str(target).endswith(".toml"):
        job = target if isinstance(target, Job) else prepare(target)
        _check_source(job.recipe)
        _check_method(job.recipe)
        base, dataset, about = _trials_of(job)
        begun(base, dataset, about)
        tell("training for a short while…")
        evidence, seconds = _watched(job, budget_seconds * _DIAGNOSED)
    else:
        folder = target.path if isinstance(target, Run) else Path(str(target))
        evidence, _ = read_run(folder)
        _check_source(evidence.recipe)
        _check_method(evidence.recipe)
        job = prepare(evidence.recipe)
        base, dataset, about = _trials_of(job)
        seconds = _trained_seconds(folder, job)
    diagnosis = examine(evidence)
    goals = _goals(diagnosis.outcome, dataset)
    finished = evidence.progress >= 1
    return Case(job.recipe, base, dataset, diagnosis, about, *goals, finished, seconds)


def _trials_of(job: Job) -> tuple[Recipe, Dataset, About]:
    """Return what trials train, which always has validation rows, and what remedies may know."""
    base, dataset = job.recipe, job.dataset
    if dataset.y_val is None:
        base = _with_data(base, validation=_HELD_OUT)
        dataset = dataset_of(base)
    if dataset.stream is not None:  # all lanes see the same batches
        base = _with_data(base, shuffle_seed=base.seed)
    validated = job.dataset.y_val is not None
    return base, dataset, About(dataset.target.kind, validated, dataset.rows, _far_out(dataset))


def _goals(found: Outcome, dataset: Dataset) -> tuple[float, float]:
    """Return what is as good as simple methods on each half of the validation rows.

    On a half of few rows these may reach several hundredths more or less than on all.
    """
    whole = score_of(found.reference, found.chance, found.measure)
    same = (whole - _NEAR, whole - _NEAR)
    if math.isnan(whole):
        return same
    try:
        rows = parts(dataset)
    except DataError:  # too few, which does not matter where nothing is wrong
        return same
    reached = reference_parts(dataset, rows)
    if reached is None:
        return same
    y, near = np.asarray(dataset.y_val), max(_NEAR, 1 / len(rows[0]))
    first, second = (
        scored(value, y[own], found.measure) - near
        for value, own in zip(reached, rows, strict=True)
    )
    return first, second


def _far_out(dataset: Dataset) -> bool:
    """Whether inputs lie so far out that cutting them there changes them; of arrays alone."""
    if dataset.encoding is not None or dataset.scaled_in_step:
        return False
    seen = fit(dataset.x_train[:_LOOKED_AT], standardize=False, clip=FAR)
    return bool((dataset.x_train < seen.low).any() or (dataset.x_train > seen.high).any())


def _with_data(recipe: Recipe, **keys: Any) -> Recipe:
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=keys)})


def _check_source(recipe: Recipe) -> None:
    if recipe.data.source is None:
        raise RecipeError(
            "data.source: this recipe was trained on arrays from Python, which it does not hold; "
            "save them as an .npz with x and y, and name that file"
        )


def _check_method(recipe: Recipe) -> None:
    if recipe.train.method != "gradient":
        raise RecipeError(
            f"train.method = {recipe.train.method!r}: what repair tries is for training by "
            'gradient; set train.method = "gradient", or vary the keys of [evolution] in a study'
        )


class _Timed(Watcher):
    """Watches, ends training when its time is over, and takes the time of its steps.

    What goes wrong is soon seen; what goes well is watched for as long as there is time. It begins
    when all is compiled: the engine asks first then.
    """

    def __init__(self, job: Job, effort: Effort, seconds: float) -> None:
        super().__init__(job.cohort, job.recipe, lambda: job.facts)
        self._seconds = seconds
        self._steps = job.cohort.total_steps
        self._slowdown = effort.slowdown
        self._whole = math.nan
        self._begun = self._end = math.inf
        self._last = math.nan
        self._times: list[float] = []

    def block(self, block: Block) -> None:
        """Keep the rows of a dispatch, and note how long its steps took."""
        now = time.monotonic()
        self._times.append((now - self._last) / len(block.loss))
        super().block(block)
        self._last = time.monotonic()

    def stop(self) -> bool:
        """Return whether the time is over."""
        now = time.monotonic()
        if math.isinf(self._end):
            self._begun, self._end = now, now + self._seconds
        elif math.isnan(self._whole) and len(self._times) > 1 and now - self._begun > _TIMED:
            self._whole = self._measured()
            long = max(_AT_LEAST, _OF_TRAINING * self._slowdown * self._whole)
            self._end = self._begun + min(self._seconds, long)
        last = self._begun + self._seconds
        # What goes well by now may still learn its rows by heart, or diverge.
        if self._end < min(now, last) and self.diagnosis(finished=False).verdict == "healthy":
            self._end = last
        return now > self._end

    @property
    def whole_seconds(self) -> float:
        """What all steps take, compiled with full effort."""
        return self._measured() if math.isnan(self._whole) else self._whole

    def _measured(self) -> float:
        """Go by the median over dispatches; not by the first, which waited for the compiler."""
        step = median(self._times[1:]) if len(self._times) > 1 else _STEP_SECONDS
        return step * self._steps / self._slowdown


def _watched(job: Job, seconds: float) -> tuple[Evidence, float]:
    """Train a recipe, and return the evidence and how long all of it would take."""
    cohort = copy(job.cohort)
    cohort.effort = Effort.for_seconds(min(seconds, estimated_seconds(cohort)))
    watcher = _Timed(job, cohort.effort, seconds)
    (result,) = train(cohort, watcher)
    ended = result.ended != "interrupted"
    return watcher.evidence(finished=ended), watcher.whole_seconds


def _trained_seconds(folder: Path, job: Job) -> float:
    unknown = job.cohort.total_steps * _STEP_SECONDS
    try:
        summary = read_json(folder / "summary.json")
        steps = float(summary["steps"])
        seconds = float(summary["seconds"]) - float(summary["compile_seconds"])
    except (RunError, KeyError, TypeError, ValueError):
        return unknown
    known = steps >= 100 and math.isfinite(seconds) and seconds > 0
    return seconds * job.cohort.total_steps / steps if known else unknown
