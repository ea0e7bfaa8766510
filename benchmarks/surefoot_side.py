"""Surefoot as it is timed: its engine, with the recipe's defaults."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.work import Work
from surefoot.data import load
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block, Silent
from surefoot.engine.training import train
from surefoot.recipe import Data, Recipe


class Surefoot:
    """Trains a work's net and tells how long a step took.

    What is timed lies between the end of the first epoch and the end of the last: dispatches,
    shuffles, vital signs, hand-over to the listener, but neither compilation (`compile_seconds`)
    nor the measuring of the trained net afterwards, which no peer does.
    """

    def __init__(self, work: Work, every: int = 16) -> None:
        """Take a work, and at which steps vital signs are recorded: every n-th, or none for 0."""
        self._work = work
        self._vitals = {"every": every, "first": every}
        self._dataset = load(
            Data(validation=0, standardize=False), arrays=work.arrays, images=work.convolutional
        )
        self.compile_seconds = 0.0

    def timer(self, seconds: float) -> Callable[[], float]:
        """Compile, and return a function that trains about so long and returns seconds a step.

        With several lanes the time is that of one lane and step.
        """
        first = self.cohort(3)
        train(first)
        self.compile_seconds = first.compile_seconds
        # An estimate from a run of two epochs, then one from a longer run.
        for share in (0.2, 1.0):
            epoch = self._time(first) * self._work.steps * self._work.lanes
            first = self.cohort(2 + max(1, round(share * seconds / epoch)))
        return lambda: self._time(first)

    def cohort(self, epochs: int) -> Cohort:
        """Return the work's runs, as many as it has lanes, before their first step."""
        work = self._work
        recipes = [
            Recipe.parse(
                {
                    "seed": lane,
                    "data": {"validation": 0.0, "standardize": False, "shuffle_seed": 0},
                    "net": {"layers": work.layers},
                    "optimizer": {"name": "adam", "learning_rate": 1e-3 * (1 + lane / 128)},
                    "train": {"batch_size": work.batch, "epochs": epochs},
                    "vitals": self._vitals,
                }
            )
            for lane in range(work.lanes)
        ]
        return Cohort(recipes, self._dataset)

    def _time(self, cohort: Cohort) -> float:
        clock = _Clock(cohort.steps_per_epoch)
        train(cohort, clock)
        return clock.seconds / clock.steps / cohort.lanes


class _Clock(Silent):
    """Counts steps and time from the end of the first epoch."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._started = 0.0
        self.seconds = 0.0
        self.steps = 0

    def block(self, block: Block) -> None:
        end = block.first + len(block.loss)
        if end == self._first:
            self._started = time.perf_counter()
        elif end > self._first:
            self.seconds = time.perf_counter() - self._started
            self.steps = end - self._first
