"""Trains what a plan says, part by part; a row for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.dataset import Dataset
from surefoot.engine.cohort import Cohort
from surefoot.engine.effort import Effort
from surefoot.engine.events import Listener
from surefoot.engine.training import LaneResult, train
from surefoot.recipe import Recipe
from surefoot.study.plan import Group, Lane, Plan
from surefoot.study.progress import Progress
from surefoot.study.space import Setting, shown
from surefoot.vitals.table import make_ready

Columns = Mapping[str, NDArray[Any]]


def run(
    plan: Plan, settings: Sequence[Setting], tell: Callable[[str], None] = lambda line: None
) -> Iterator[Columns]:
    """Train all groups; yield the rows of the runs' table after each part of a group.

    A run's result does not depend on which others are trained beside it, nor on how many, to the
    bit: each lane goes through a program of the same number of lanes, which the structure of the
    recipe decides, and its place there makes no difference. A program of one lane, or of another
    number of them, sums up some products of matrices in another order; where training is chaotic
    that grows into another result. `surefoot.train` compiles such a program for a run alone.

    Runs with equal seeds have the same first weights and see the same batches.

    Args:
        plan: what to train.
        settings: those of the plan.
        tell: called with a line after each part, and in between where it takes long: how far it
            is, and how long the rest may take, as measured.
    """
    progress = Progress(plan, tell, ready=make_ready)
    for group in plan.groups:
        for part in group.parts:
            progress.begin(group, group.seconds(len(part)), 0, group.steps)
            results, compiled = train_part(group, part, progress)
            seconds = progress.end(compiled)
            yield rows(settings, part, results, plan.measure, seconds / len(part))
            progress.told(len(part))


def train_part(
    group: Group,
    part: Sequence[Lane],
    listener: Listener | None = None,
    until: int | None = None,
) -> tuple[list[LaneResult], float]:
    """Train some lanes of a group; return what they left behind, and the seconds of compilation.

    Args:
        group: whose lanes they are.
        part: the lanes.
        listener: who is told of each dispatch.
        until: the step before which to end, where that is not the last one.
    """
    cohort = cohort_of(group, [lane.recipe for lane in part])
    results = train(cohort, listener, until=until, width=group.width)
    return results, cohort.compile_seconds


def cohort_of(group: Group, recipes: Sequence[Recipe], dataset: Dataset | None = None) -> Cohort:
    """Return a cohort of some of a group's recipes, on its rows or on others."""
    cohort = Cohort(recipes, dataset or group.dataset, share_batches=group.shared)
    # By the width alone, which the structure decides: another effort gives other last bits.
    cohort.effort = Effort.MUCH if group.width > 1 else Effort.FULL
    return cohort


def rows(
    settings: Sequence[Setting],
    lanes: Sequence[Lane],
    results: Sequence[LaneResult],
    measure: str,
    seconds: float | Sequence[float],
    dropped: int = -1,
) -> Columns:
    """Return the rows of some runs.

    Their columns: `setting`, its number; a column for each varied key; `seed`; `train_loss`,
    `train_accuracy` or `train_rmse`, and the same with `validation_`, NaN without such rows;
    `steps`; `diverged`, the step at which loss or gradient stopped being finite, −1 for never: the
    weights before it were measured; `ended`, "finished", "early", "diverged" or "dropped";
    `dropped`, the epoch after which its setting was, −1 for never; `seconds`, a run's share of the
    time of training.
    """
    nothing = (float("nan"), float("nan"))
    measured = {
        "train": np.array([result.train for result in results], np.float64),
        "validation": np.array([result.validation or nothing for result in results], np.float64),
    }
    return {
        "setting": np.array([lane.setting for lane in lanes]),
        **values_of(settings, [lane.setting for lane in lanes]),
        "seed": np.array([lane.seed for lane in lanes]),
        **{
            f"{part}_{name}": values[:, column]
            for part, values in measured.items()
            for column, name in enumerate(("loss", measure))
        },
        "steps": np.array([result.steps for result in results]),
        "diverged": np.array([-1 if r.diverged is None else r.diverged for r in results]),
        "ended": np.array([result.ended for result in results], object),
        "dropped": np.full(len(results), dropped),
        "seconds": np.broadcast_to(np.asarray(seconds, np.float64), len(results)).copy(),
    }


def values_of(settings: Sequence[Setting], numbers: Sequence[int]) -> Columns:
    """Return a column for each varied key: numbers where all its values are, else texts."""
    columns: dict[str, NDArray[Any]] = {}
    for key in settings[0].values:
        kinds = {type(setting.values[key]) for setting in settings}
        own = [settings[number].values[key] for number in numbers]
        if kinds <= {int, float}:
            columns[key] = np.array(own, np.float64 if float in kinds else np.int64)
        else:
            columns[key] = np.array([shown(value) for value in own], object)
    return columns
