"""Loss and measure of all lanes over the training rows, or over the validation rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.engine.cohort import Cohort
from surefoot.engine.groups import Groups
from surefoot.engine.mesh import SINGLE, Layout
from surefoot.engine.program import Prepared
from surefoot.engine.programs import Programs, Rows
from surefoot.engine.step import LaneInput, LaneState

# How many numbers the layers of one evaluation may hold, and how many rows it has: more than
# the most take no less time each, fewer than the least take more.
_NUMBERS = 8_000_000
_LEAST_ROWS, _MOST_ROWS = 256, 1024
TRAINING, VALIDATION = 0, 1
# Loss and measure of a lane over the training rows, and over the validation rows.
Measured = tuple[tuple[float, float], tuple[float, float] | None]


class Evaluation:
    """Measures weights on rows that lie on the device.

    Args:
        cohort: whose rows they are.
        rows: those for training first, of a stream the sample that is kept.
        lanes: how many lanes the program takes.
        layout: of the devices.
    """

    def __init__(self, cohort: Cohort, rows: Rows, lanes: int, layout: Layout = SINGLE) -> None:
        self._cohort, self._rows, self._lanes = cohort, rows, lanes
        self._layout = layout
        self.program: Callable[..., Any] | None = None

    def prepare(self, programs: Programs, lanes: LaneState, given: LaneInput) -> Prepared:
        """Trace the program; compiled, it is to be put into `program`."""
        bounds = np.int32(0), np.int32(1)
        return programs.evaluate.prepare(
            lanes.params,
            lanes.state,
            given,
            self._rows,
            *bounds,
            chunk=self._chunk(),
            layout=self._layout,
        )

    def __call__(
        self, groups: Groups, weights: Sequence[Any], given: Sequence[LaneInput], part: int
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return loss and measure of each lane, NaN for lanes that are gone.

        Args:
            groups: of the lanes.
            weights: each group's parameters and running averages.
            given: each group's numbers.
            part: `TRAINING` or `VALIDATION`.
        """
        rows, every = len(self._cohort.dataset.x_train), self._rows.x.shape[0]
        bounds = (0, rows) if part == TRAINING else (rows, every)
        program = self.program
        assert program is not None

        def group(own: tuple[Any, Any], given: LaneInput) -> Any:
            measured = program(*own, given, self._rows, *map(np.int32, bounds))
            return jax.tree.map(np.asarray, measured)

        loss, measure = groups.join(groups.run(group, weights, given))
        return loss, self.in_units(measure)

    def whole(
        self, groups: Groups, weights: Sequence[Any], given: Sequence[LaneInput]
    ) -> list[Measured]:
        """Return loss and measure of each lane over all rows; arguments are those of a call."""

        def of(part: int) -> list[tuple[float, float]]:
            loss, measure = self(groups, weights, given, part)
            return list(zip(loss.tolist(), measure.tolist(), strict=True))

        train = of(TRAINING)
        held_out = [None] * len(train) if self._cohort.dataset.x_val is None else of(VALIDATION)
        return list(zip(train, held_out, strict=True))

    def in_units(self, measure: NDArray[Any]) -> NDArray[Any]:
        """Return accuracies as they are, and mean squares as their roots."""
        return np.sqrt(measure) if self._cohort.measure == "rmse" else measure

    def _chunk(self) -> int:
        """Return how many rows are evaluated at once: the validation rows in equal parts.

        They are measured after each epoch, the training rows at the end alone.
        """
        network = self._cohort.blueprint.network
        per_row = prod(network.input_shape) + sum(prod(site.shape) for site in network.sites)
        fitting = _NUMBERS // (per_row * self._lanes)
        share = self._layout.batch  # of the rows that are evaluated at once, to each device
        most = share << max(0, min(fitting, _MOST_ROWS).bit_length() - 1)
        x_val, every = self._cohort.dataset.x_val, self._rows.x.shape[0]
        measured = every if x_val is None else len(x_val)
        equal = -(-measured // -(-measured // most))
        wanted = max(min(most, _LEAST_ROWS * share), -(-equal // share) * share)
        return max(1, min(wanted, every) // share) * share
