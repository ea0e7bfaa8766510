"""How long an update takes on this machine."""

from __future__ import annotations

import time
from dataclasses import replace

from surefoot.data.dataset import Dataset
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block, Silent
from surefoot.engine.training import train
from surefoot.recipe import Recipe

# What is timed: long enough that the start does not count.
_SECONDS, _MOST_UPDATES = 0.3, 20_000


class _Clock(Silent):
    """Tells how long an update takes, from the end of the first dispatch on."""

    def __init__(self, seconds: float) -> None:
        self._limit = seconds
        self._begun: float | None = None
        self._updates = 0
        self._now = 0.0

    def block(self, block: Block) -> None:
        """Read the clock."""
        self._now = time.perf_counter()
        if self._begun is None:
            self._begun = self._now
        else:
            self._updates += len(block.loss)

    def stop(self) -> bool:
        """Return whether it was long enough."""
        enough = self._begun is not None and self._now - self._begun > self._limit
        return enough and self._updates > 0

    @property
    def seconds(self) -> float:
        """Of an update."""
        return (self._now - (self._begun or 0.0)) / max(self._updates, 1)


def update_seconds(recipe: Recipe, dataset: Dataset, batch_size: int | str) -> float:
    """Return the seconds of an update of one run by itself, compilation and validation apart.

    Args:
        recipe: what is trained; its vital signs are not recorded.
        dataset: its rows.
        batch_size: in place of its own.
    """
    changes = {"batch_size": batch_size, "epochs": _MOST_UPDATES, "early_stopping": None}
    own = recipe.model_copy(
        update={
            "train": recipe.train.model_copy(update=changes),
            "vitals": recipe.vitals.model_copy(update={"every": 0, "first": 0}),
        }
    )
    rows = replace(dataset, x_val=None, y_val=None, w_val=None)
    clock = _Clock(_SECONDS)
    train(Cohort([own], rows), clock, until=_MOST_UPDATES)
    return clock.seconds
