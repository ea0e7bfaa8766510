"""The best of many, tried again: on fresh seeds, and on rows that were not used to choose it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surefoot.data.dataset import Dataset
from surefoot.engine.training import LaneResult, train
from surefoot.job import dataset_of, reading
from surefoot.recipe import Recipe
from surefoot.study.plan import Group, make_plan
from surefoot.study.running import Columns, cohort_of, rows, train_part
from surefoot.study.space import Setting

# Fewer rows on either side say nothing.
_FEWEST_ROWS = 10


def halves(dataset: Dataset, seed: int) -> tuple[Dataset, Dataset] | None:
    """Return the data with either half of their validation rows: to choose by, and to prove by.

    Args:
        dataset: the rows of a recipe.
        seed: of the split, the same for each recipe of a study.

    Returns:
        The two, with the same training rows; None where there are too few to be halved.
    """
    if dataset.x_val is None or len(dataset.x_val) < 2 * _FEWEST_ROWS:
        return None
    count = len(dataset.x_val)
    order = np.random.Generator(np.random.Philox(key=[seed, 1])).permutation(count)
    return tuple(_with(dataset, np.sort(part)) for part in np.split(order, [count // 2]))


class Rows:
    """The rows of each recipe of a study, read once: those to choose by, and those held back.

    Attributes:
        held: whether any are held back.
        part: what is measured, "validation" rows or, where there are none, "train" rows.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, halved: bool) -> None:
        """Take a recipe with its rows, and whether half of the validation rows is held back."""
        self._read: dict[Hashable, Dataset] = {reading(recipe): dataset}
        self._halved: dict[Hashable, tuple[Dataset, Dataset]] = {}
        self._seed = recipe.data.split_seed
        self.held = halved and halves(dataset, self._seed) is not None
        self.part = "train" if dataset.x_val is None else "validation"

    def choosing(self, recipe: Recipe) -> Dataset:
        """Return the rows to choose by."""
        return self._of(recipe)[0]

    def held_back(self, recipe: Recipe) -> Dataset:
        """Return the same training rows with those that are held back; the same where none are."""
        return self._of(recipe)[1]

    def _of(self, recipe: Recipe) -> tuple[Dataset, Dataset]:
        key = reading(recipe)
        if key not in self._halved:
            whole = self._read.get(key) or dataset_of(recipe)
            parts = halves(whole, self._seed) if self.held else None
            self._halved[key] = parts or (whole, whole)
        return self._halved[key]


def _with(dataset: Dataset, chosen: Any) -> Dataset:
    """Return the data with some of the validation rows."""

    def of(values: Any) -> Any:
        return None if values is None else values[chosen]

    names = dataset.names_val
    return replace(
        dataset,
        x_val=of(dataset.x_val),
        y_val=of(dataset.y_val),
        w_val=of(dataset.w_val),
        validation_rows=of(dataset.validation_rows),
        names_val=None if names is None else [names[i] for i in chosen],
    )


def validate(
    settings: Sequence[Setting],
    numbers: Sequence[int],
    seeds: Sequence[int],
    load: Callable[[Recipe], Dataset],
    held_back: Callable[[Recipe], Dataset],
) -> list[Columns]:
    """Train some settings again with fresh seeds; return their rows, measured on other rows.

    Early stopping watches the rows that it watched before; the weights that are kept are then
    measured on those that were held back.

    Args:
        settings: those of the study.
        numbers: which to train.
        seeds: fresh ones.
        load: from a recipe to the rows that were used to choose.
        held_back: from a recipe to the same training rows, with others for validation.
    """
    chosen = [settings[number] for number in numbers]
    plan = make_plan(chosen, seeds, load)
    found = []
    for group in plan.groups:
        for part in group.parts:
            results, _ = train_part(group, part)
            measured = _measure(group, results, held_back(part[0].recipe))
            own = [replace(lane, setting=numbers[lane.setting]) for lane in part]
            found.append(rows(settings, own, measured, plan.measure, float("nan")))
    return found


def _measure(group: Group, results: list[LaneResult], dataset: Dataset) -> list[LaneResult]:
    """Measure what was trained on other validation rows: no step is taken."""
    cohort = cohort_of(group, [result.recipe for result in results], dataset)
    start = [each.last._replace(params=each.params, state=each.state) for each in results]
    measured = train(cohort, start=start, until=0, width=group.width)
    return [
        replace(before, train=after.train, validation=after.validation)
        for before, after in zip(results, measured, strict=True)
    ]
