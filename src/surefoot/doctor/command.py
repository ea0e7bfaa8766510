"""`sf.diagnose`: a finished run, a running one, or a recipe that was not trained yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.doctor.diagnosis import Diagnosis, examine, suspect, weigh
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Suspicion
from surefoot.doctor.folder import read_run
from surefoot.doctor.preflight import check, quoted
from surefoot.doctor.trials import candidates, confirm
from surefoot.doctor.watching import Watcher
from surefoot.engine.training import train
from surefoot.errors import SurefootError
from surefoot.job import Job, prepare
from surefoot.landscape.record import measure_landscape
from surefoot.recipe import Recipe
from surefoot.run import Run
from surefoot.vitals.table import read

# How long a recipe is trained to be diagnosed: what shows at all shows early.
_SECONDS = 30.0
# A loss that fell by less than this over the last quarter of a run lies on a plateau.
_PLATEAU = 0.02


def diagnose(
    target: Run | Recipe | Job | str | Path,
    *,
    trials: bool = True,
    tell: Callable[[str], None] = lambda line: None,
) -> Diagnosis:
    """Say what is wrong with a run or a recipe, since when, how we know, and what to do.

    A run is read from its folder and not changed, but for its landscape table where the error
    surface is measured. A recipe is checked first, then trained for up to half a minute.

    Args:
        target: a run or its folder, a recipe or the path of its TOML file, or a job.
        trials: whether short trainings may decide between causes that the rules leave open, and
            whether a plateau's error surface is measured.
        tell: called with a line for people before each thing that takes long.

    Returns:
        The diagnosis: `verdict`, `root_cause`, `findings`.

    Raises:
        RunError: there is no such run, or nothing of it can be read.
        RecipeError: the recipe cannot be read, or does not fit its data.
        DataError: the data cannot be used.

    >>> import surefoot as sf
    >>> layers = [{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}]
    >>> tables = {
    ...     "data": {"source": "iris"},
    ...     "net": {"layers": [*layers, {"activation": "softmax"}], "initializer": "zeros"},
    ... }
    >>> sf.diagnose(sf.Recipe.parse(tables), trials=False).root_cause
    'symmetric-units'
    """
    if isinstance(target, Recipe | Job) or str(target).endswith(".toml"):
        return _of_recipe(target, trials, tell)
    folder = target.path if isinstance(target, Run) else Path(str(target))
    evidence, lost = read_run(folder)
    found = examine(evidence)
    if trials and found.verdict == "unhealthy":
        if evidence.curvature is None and _is_plateau(evidence):
            tell("the loss has stopped falling: measuring the error surface where it lies…")
            evidence = _with_curvature(evidence, folder)
        found = _confirmed(evidence.recipe, evidence, *suspect(evidence), (), tell)
    return replace(found, lacking=(*found.lacking, *lost))


def _of_recipe(target: Any, trials: bool, tell: Callable[[str], None]) -> Diagnosis:
    job = target if isinstance(target, Job) else prepare(target)
    tell("before training:")
    before = check(job)
    for row in before.checks:
        tell(f"  {'✓' if row['passed'] else '✗'} {row['check']}: {row['sentence']}")
    tell("training for a short while…")
    watcher = _Timed(job)
    train(job.cohort, watcher)
    evidence = watcher.evidence(finished=not watcher.timed_out)
    suspicions, lacking = suspect(evidence)
    suspicions = quoted(suspicions, before.checks)
    if not trials:
        return weigh(evidence, suspicions, lacking, checks=before.checks)
    return _confirmed(job, evidence, suspicions, lacking, before.checks, tell)


class _Timed(Watcher):
    """Watches, and ends training when its time is over."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.cohort, job.recipe, lambda: job.facts)
        self._end = time.monotonic() + _SECONDS
        self.timed_out = False

    def stop(self) -> bool:
        """Return whether the time is over."""
        self.timed_out = time.monotonic() > self._end
        return self.timed_out


def _is_plateau(evidence: Evidence) -> bool:
    loss = evidence.metric("loss")
    quarter = len(loss) // 4
    if quarter < 4 or not np.isfinite(loss).all():
        return False
    before, after = loss[-2 * quarter : -quarter].mean(), loss[-quarter:].mean()
    return bool(after > (1 - _PLATEAU) * before)


def _with_curvature(evidence: Evidence, folder: Path) -> Evidence:
    """Measure the error surface at the run's end; where that cannot be done, go without."""
    try:
        measure_landscape(folder, "last")
        return replace(evidence, curvature=read(folder, "landscape"))
    except SurefootError:
        return evidence


def _confirmed(
    job: Job | Recipe,
    evidence: Evidence,
    suspicions: Sequence[Suspicion],
    lacking: tuple[str, ...],
    checks: Sequence[Mapping[str, Any]],
    tell: Callable[[str], None],
) -> Diagnosis:
    """Let short trainings decide where the rules leave more than one cause."""
    found = weigh(evidence, suspicions, lacking, checks=checks)
    open_ones = candidates(found, suspicions)
    if not open_ones:
        return found
    names = ", ".join(suspicion.id for suspicion in open_ones)
    tell(f"trying which of these is the cause: {names}…")
    tried = confirm(job, found, evidence, suspicions=suspicions)
    if tried.sentence:
        tell(tried.sentence)
    return weigh(evidence, suspicions, lacking, tried.confirmed, tried.rows, checks)
