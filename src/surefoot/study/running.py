"""Trains what a plan says, part by part; a row for each run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Listener
from surefoot.engine.training import LaneResult, train
from surefoot.study.plan import Group, Lane, Plan, duration
from surefoot.study.space import Setting, shown

Columns = Mapping[str, NDArray[Any]]


def run(
    plan: Plan, settings: Sequence[Setting], tell: Callable[[str], None] = lambda line: None
) -> Iterator[Columns]:
    """Train all groups; yield the rows of the runs' table after each part of a group.

    A run's result depends on which others were trained beside it by rounding alone: the order in
    which a product of matrices is summed up may change with the number of lanes, above all from
    one lane a core to several. A run at a rate where training is chaotic multiplies that: its
    result may then be another. Runs with equal seeds have the same first weights and see the same
    batches.

    Args:
        plan: what to train.
        settings: those of the plan.
        tell: called with a line after each part: how far it is, and how long the rest may take.
    """
    done, trained, expected = 0, 0.0, 0.0
    compiling: list[float] = []
    begun = time.perf_counter()
    left = sum(len(group.parts) * _weight(group) for group in plan.groups)
    for number, group in enumerate(plan.groups):
        for place, part in enumerate(group.parts):
            started = time.perf_counter()
            results, compiled = train_part(group, part)
            seconds = time.perf_counter() - started - compiled
            yield rows(settings, part, results, plan.measure, seconds / len(part))
            if place == 0:
                compiling.append(compiled)
            done, trained, expected = done + len(part), trained + seconds, expected + _weight(group)
            rest = (left - expected) * trained / expected
            rest += (len(plan.groups) - number - 1) * sum(compiling) / len(compiling)
            ahead = f", about {duration(rest)} to go" if done < plan.runs else ""
            spent = time.perf_counter() - begun
            tell(f"{done:,} of {plan.runs:,} runs after {duration(spent)}{ahead}")


def _weight(group: Group) -> float:
    return group.size * group.lane_seconds


def train_part(
    group: Group,
    part: Sequence[Lane],
    listener: Listener | None = None,
    until: int | None = None,
) -> tuple[list[LaneResult], float]:
    """Train some lanes of a group; return what they left behind, and the seconds of compilation.

    The last part is filled up with copies of its last run, so that it needs no program of its own.

    Args:
        group: whose lanes they are.
        part: the lanes.
        listener: who is told of each dispatch, the copies included.
        until: the step before which to end, where that is not the last one.
    """
    recipes = [lane.recipe for lane in part]
    recipes += recipes[-1:] * (group.size - len(part))
    cohort = Cohort(recipes, group.dataset)
    return train(cohort, listener, until=until)[: len(part)], cohort.compile_seconds


def rows(
    settings: Sequence[Setting],
    lanes: Sequence[Lane],
    results: Sequence[LaneResult],
    measure: str,
    seconds: float,
) -> Columns:
    """Return the rows of some runs.

    Their columns: `setting`, its number; a column for each varied key; `seed`; `train_loss`,
    `train_accuracy` or `train_rmse`, and the same with `validation_`, NaN without such rows;
    `steps`; `diverged`, the step at which loss or gradient stopped being finite, −1 for never: the
    weights before it were measured; `ended`, "finished", "early" or "diverged"; `seconds`, a run's
    share of the time of training.
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
        "seconds": np.full(len(results), seconds),
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
