"""Whether a net can learn twenty of its own training rows by heart: if not, it is wired wrong."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data import Dataset
from surefoot.doctor.edits import changed
from surefoot.engine.cohort import Cohort
from surefoot.engine.cost import estimated_seconds
from surefoot.engine.effort import Effort
from surefoot.engine.events import Block
from surefoot.engine.training import train
from surefoot.job import Job
from surefoot.recipe import Recipe

_EXAMPLES, _STEPS = 20, 300
# In accuracy; for numbers R², as an error of 5 % of the variance.
_BY_HEART = 0.95 - 1e-6  # 19 of 20, in single precision too
# Rows that are looked at to choose from.
_MOST_ROWS = 5_000


@dataclass(frozen=True)
class Overfit:
    """What came of it.

    Attributes:
        examples: how many rows were learned.
        measure: "accuracy" or "R²".
        best: the best that any step's batch showed, before its update.
        steps: how many steps were taken.
        passed: whether it reached 0.95.
        complete: whether it did, or took all steps, before the time was over.
    """

    examples: int
    measure: str
    best: float
    steps: int
    passed: bool
    complete: bool


def overfit(job: Job, budget_seconds: float = 10.0) -> Overfit | None:
    """Train the net on 20 of its training rows: full batch, its own rule and rate, 300 steps.

    Dropout, decay of weights, augmentation, class weights and the schedule are left out: nothing
    but the wiring stands between the net and its rows. Training ends once 95 % are right, or for
    numbers once the squared error is 5 % of their variance. None where the rows chosen have one
    and the same target, which any net can learn.

    Source: Karpathy (2019), A Recipe for Training Neural Networks: overfit one batch.

    Args:
        job: whose net.
        budget_seconds: when to stop, from the first step on.
    """
    rows = examples(job.dataset)
    y = job.dataset.y_train[rows]
    if len(rows) < 2 or (y == y[:1]).all():
        return None
    bare = _bare(job.recipe)
    cohort = Cohort([bare], _only(job.dataset, rows), job.cohort.blueprint.transformation)
    variance = float(np.mean(np.var(y, axis=0, dtype=np.float64)))
    cohort.effort = Effort.for_seconds(min(budget_seconds, estimated_seconds(cohort)))
    learner = _Learner(cohort.measure, variance, budget_seconds)
    train(cohort, learner)
    passed = learner.best >= _BY_HEART
    return Overfit(
        len(rows),
        "R²" if cohort.measure == "rmse" else "accuracy",
        learner.best,
        learner.steps,
        passed,
        passed or learner.over or learner.steps >= cohort.total_steps,
    )


def examples(dataset: Dataset) -> NDArray[np.int64]:
    """Return the places of 20 training rows that differ, as many of each class as can be.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Data
    >>> iris = load(Data(source="iris"))
    >>> sorted(np.bincount(iris.y_train[examples(iris)]).tolist())
    [6, 7, 7]
    """
    generator = np.random.default_rng(0)
    order = generator.permutation(len(dataset.x_train))[:_MOST_ROWS]
    if dataset.target.kind == "classes":
        seen: Counter[int] = Counter()
        rank = np.zeros(len(order))
        for place, label in enumerate(dataset.y_train[order].tolist()):
            rank[place] = seen[label]
            seen[label] += 1
        order = order[np.argsort(rank, kind="stable")]
    chosen: dict[bytes, int] = {}
    for row in order.tolist():  # one row with two targets cannot be learned
        chosen.setdefault(np.asarray(dataset.x_train[row]).tobytes(), row)
        if len(chosen) == _EXAMPLES:
            break
    return np.array(list(chosen.values()), np.int64)


def _only(dataset: Dataset, rows: NDArray[np.int64]) -> Dataset:
    """Return some of the training rows, and no others."""
    return replace(
        dataset,
        x_train=np.ascontiguousarray(dataset.x_train[rows]),
        y_train=np.ascontiguousarray(dataset.y_train[rows]),
        x_val=None,
        y_val=None,
        w_train=None,
        w_val=None,
        stream=None,
    )


def _bare(recipe: Recipe) -> Recipe:
    """Return the recipe with nothing between the net and its rows."""
    tables = recipe.to_dict()

    def kept(layer: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**layer, "dropout": 0.0}] if "dropout" in layer else [layer]

    tables["net"]["layers"] = changed(tables["net"]["layers"], kept)
    if "weight_decay" in tables["optimizer"]:
        tables["optimizer"]["weight_decay"] = 0.0
    tables["schedule"] = {"name": "constant"}
    tables["data"].pop("augment", None)
    own: Mapping[str, Any] = tables["train"]
    left_out = ("class_weight", "early_stopping")
    tables["train"] = {key: value for key, value in own.items() if key not in left_out}
    tables["train"] |= {"batch_size": "full", "epochs": _STEPS}
    tables["vitals"] |= {"every": 0, "first": 0}
    return Recipe.parse(tables)


class _Learner:
    """Listens for the best step, and ends training once it is good enough."""

    def __init__(self, measure: str, variance: float, seconds: float) -> None:
        self._measure, self._variance = measure, variance
        self._seconds, self._end = seconds, math.inf
        self.best = -math.inf
        self.steps = 0
        self.over = False

    def block(self, block: Block) -> None:
        """Take note of the steps of one dispatch."""
        values = np.asarray(block.measure[:, 0], np.float64)
        if self._measure == "rmse":
            values = 1 - np.minimum(values**2 / self._variance, 1e6)
        finite = values[np.isfinite(values)]
        self.best = max([self.best, *finite.tolist()])
        self.steps = block.last_step(0)
        self.over = bool(block.diverged[0] >= 0)

    def stop(self) -> bool:
        """Return whether it is learned, or the time over."""
        now = time.monotonic()
        self._end = min(self._end, now + self._seconds)  # from the first step, compiled by then
        return self.best >= _BY_HEART or now >= self._end
