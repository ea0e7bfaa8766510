"""Which batch size?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.study.ready.found import Found
from surefoot.study.ready.outcomes import Outcome, training, validation
from surefoot.study.ready.question import Arm, Question
from surefoot.study.ready.timing import update_seconds

_SIZES = (8, 32, 128, 512)
_REFERENCE = 32
_TURNS = 4
_EPOCHS, _UPDATES = "equal epochs", "equal updates"


def _sizes(rows: int) -> list[int]:
    """Return the batch sizes that the rows allow, and all rows."""
    return [size for size in _SIZES if size < rows] + [rows]


def _name(size: int, rows: int, budget: str) -> str:
    return f"{'all rows' if size == rows else f'batches of {size}'} ({budget})"


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    rows, epochs = dataset.rows, recipe.train.epochs
    sizes = _sizes(rows)
    reference = _REFERENCE if _REFERENCE in sizes else sizes[0]
    updates = epochs * -(-rows // reference)
    arms = []
    for budget in (_EPOCHS, _UPDATES):
        for size in sizes:
            own = epochs if budget == _EPOCHS else -(-updates // -(-rows // size))
            against = None if size == reference else _name(reference, rows, budget)
            arms.append(
                Arm(
                    _name(size, rows, budget),
                    {"batch_size": size, "budget": budget},
                    {"train.batch_size": "full" if size == rows else size, "train.epochs": own},
                    against,
                    updates if budget == _UPDATES else None,
                )
            )
    return arms


def _outcomes(measure: str) -> Sequence[Outcome]:
    return validation(measure), training(measure)


def _columns(recipe: Recipe, dataset: Dataset, arms: Sequence[Arm]) -> Mapping[str, np.ndarray]:
    """Time an update of each batch size, of one run by itself: the quickest of a few turns.

    Whatever else the machine does makes an update slower, never quicker.
    """
    sizes = [arm.values["batch_size"] for arm in arms]
    given = {arm.values["batch_size"]: arm.keys["train.batch_size"] for arm in arms}
    turns = [
        {size: update_seconds(recipe, dataset, own) for size, own in given.items()}
        for _ in range(_TURNS)
    ]
    own = np.array([min(turn[size] for turn in turns) for size in sizes])
    steps = np.array([-(-dataset.rows // size) for size in sizes])
    return {"update_ms": 1e3 * own, "epoch_ms": 1e3 * own * steps}


def _remarks(found: Found) -> list[str]:
    told = []
    half = len(found.arms) // 2
    update, epoch = (found.columns[name][:half] for name in ("update_ms", "epoch_ms"))
    sizes = [arm.values["batch_size"] for arm in found.arms[:half]]
    each = ", ".join(
        f"{size}: {a:.3g} and {b:.3g}" for size, a, b in zip(sizes, update, epoch, strict=True)
    )
    told.append(f"Milliseconds of an update and of an epoch by batch size: {each}.")
    quickest = sizes[int(np.argmin(epoch))]
    told.append(
        f"An update of all {sizes[-1]} rows takes {update[-1] / update[0]:.1f} times as long as "
        f"one of {sizes[0]}; an epoch is over soonest with batches of {quickest}."
    )
    return told


BATCH_SIZE = Question(
    "batch-size",
    "What does the batch size do to the time of an update and of an epoch, and to what is learned?",
    _arms,
    _outcomes,
    updates=500,
    choosing_seeds=2,
    varies=("train.batch_size", "train.epochs"),
    remarks=_remarks,
    columns=_columns,
)
