"""The loss on slices and planes through the space of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.engine.cohort import Cohort
from surefoot.landscape.hessian import Surface

Vector = NDArray[Any]


@dataclass(frozen=True)
class Losses:
    """Losses at places of a slice or plane.

    Attributes:
        loss: on the sample of training rows, [points]; not finite where it overflowed.
        validation_loss: on the sample of validation rows, [points]; NaN where there are none.
    """

    loss: Vector
    validation_loss: Vector


class Sampled:
    """The training loss and the validation loss around a lane's weights, each on a fixed sample.

    Args:
        cohort: what was trained.
        params: the weights, a tree.
        state: the running averages that go with them.
        rows: how many rows each sample has at most.
        seed: of the choice of rows.

    Attributes:
        training: the surface on training rows.
        validation: that on validation rows, or None where there are none.

    >>> from surefoot.job import prepare
    >>> from surefoot.recipe import numbers
    >>> job = prepare("iris", net="mlp:4")
    >>> params, state = job.cohort.networks[0].init(0, numbers(job.recipe.net))
    >>> sampled = Sampled(job.cohort, params, state)
    >>> direction = np.ones((1, sampled.training.size))
    >>> losses = sampled.plane(direction, grid([np.linspace(-1, 1, 5)]))
    >>> losses.loss.shape, bool(np.isclose(losses.loss[2], sampled.path(sampled.start).loss[0]))
    ((5,), True)
    """

    def __init__(
        self, cohort: Cohort, params: Any, state: Any, *, rows: int = 1024, seed: int = 0
    ) -> None:
        self._x64 = cohort.precision == np.float64
        with jax.enable_x64(self._x64):
            self.training = Surface.of(cohort, params, state, rows=rows, seed=seed)
            self.validation = self.training.on_validation(cohort, rows=rows, seed=seed)

    @property
    def start(self) -> Vector:
        """The weights in the middle, as a path of one point, [1, parameters]."""
        return self.training.start[None]

    def plane(self, directions: Vector, coordinates: Vector) -> Losses:
        """Return the losses at θ + Σᵢ cᵢ dᵢ.

        Args:
            directions: d, [directions, parameters].
            coordinates: c of each place, [points, directions].
        """
        origin = self.training.start
        return self._both(lambda own: own.losses(origin, directions, coordinates), len(coordinates))

    def path(self, weights: Vector) -> Losses:
        """Return the losses at some weights, [points, parameters]."""
        return self._both(lambda own: np.array([own.loss(w) for w in weights]), len(weights))

    def _both(self, measured: Any, points: int) -> Losses:
        with jax.enable_x64(self._x64):
            there = self.validation
            none = np.full(points, np.nan)
            return Losses(measured(self.training), none if there is None else measured(there))


def grid(axes: Sequence[Vector]) -> Vector:
    """Return the coordinates of all points of a grid, the last axis fastest, [points, axes].

    >>> grid([np.array([0.0, 1.0]), np.array([5.0, 6.0])]).tolist()
    [[0.0, 5.0], [0.0, 6.0], [1.0, 5.0], [1.0, 6.0]]
    """
    return np.stack([own.ravel() for own in np.meshgrid(*axes, indexing="ij")], axis=-1)
