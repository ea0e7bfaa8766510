"""The way of the weights through a training, by a few of its steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.engine.training import Training
from surefoot.errors import RunError
from surefoot.landscape.points import FirstLosses, Spot, check_same
from surefoot.run import Run

# As many show a curve; half of them close together at the beginning, where the way is long.
_MOST_SNAPSHOTS = 32
# Numbers that all snapshots may hold: 128 MB in float64, in which their plane is found.
_NUMBERS = 16_000_000
# Two trainings whose ends lie farther apart than this share of the way were not the same.
_CLOSE = 0.05


class Trajectory(NamedTuple):
    """Where a training went.

    Attributes:
        steps: how many updates had been made at each snapshot, [snapshots].
        weights: θ there, [snapshots, parameters].
        params: the last ones as a tree.
        state: the running averages that go with them.
    """

    steps: NDArray[np.int64]
    weights: NDArray[Any]
    params: Any
    state: Any


def snapshot_steps(last: int, most: int = _MOST_SNAPSHOTS) -> NDArray[np.int64]:
    """Return the steps to look at: 0, the last one, half of them evenly spaced and half by ratio.

    >>> snapshot_steps(1000, 8).tolist()
    [0, 1, 10, 100, 333, 667, 1000]
    """
    half = max(most // 2, 2)
    even, close = np.linspace(0, last, half), np.geomspace(1, max(last, 1), half)
    steps = np.unique(np.round(np.concatenate([even, close])).astype(np.int64))
    return steps[steps <= last]


def retrace(run: Run, spot: Spot, steps: NDArray[np.int64] | None = None) -> Trajectory:
    """Train a run again up to a point of it, and keep its weights at some steps on the way.

    It goes from step to step as a training goes on from a checkpoint, to the same bits.

    Args:
        run: a finished run.
        spot: the point.
        steps: at which steps, from 0 to the point's; `snapshot_steps` where nothing is given.

    Raises:
        RunError: the training is not the run's again.
    """
    if steps is None:
        size = sum(site.weights for site in spot.cohort.blueprint.network.sites)
        fitting = min(_MOST_SNAPSHOTS, max(4, _NUMBERS // max(size, 1)))
        steps = snapshot_steps(spot.step, fitting)
    listener = FirstLosses()
    weights, snapshot = [], None
    for step in steps.tolist():
        training = Training(spot.cohort, listener, until=step)
        if snapshot is not None:
            training.restore(snapshot)
        training.advance()
        snapshot = training.snapshot()
        params, state = jax.tree.map(
            lambda array: array[0], (snapshot.lanes.states.params, snapshot.lanes.states.state)
        )
        weights.append(flat(params))
    check_same(run, listener.losses)
    found = Trajectory(steps, np.stack(weights), params, state)
    if spot.step == spot.kept:
        _check_end(run, found)
    return found


def flat(params: Any) -> NDArray[Any]:
    """Return a tree of weights as one vector, in the order of `jax.tree.leaves`."""
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(params)] or [np.zeros(0)])


def _check_end(run: Run, found: Trajectory) -> None:
    """Refuse a way that does not lead to the weights that the run kept."""
    kept, (start, end) = flat(run.model.params), found.weights[[0, -1]]
    way = np.linalg.norm(end - start)
    if kept.shape != end.shape or np.linalg.norm(kept - end) > _CLOSE * way:
        raise RunError(
            f"{run.path}: trained again from its recipe, it ends with other weights: its learning "
            "rate was changed while it trained, or the data or the machine have; draw a random "
            "plane, which needs no path"
        )
