"""Everything that a training is at one point: what it goes on from ends with the same bits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Lanes(NamedTuple):
    """What all lanes carry, as NumPy arrays.

    Attributes:
        states: weights, running averages, the update rule's memory, and whether a lane diverged.
        rate_scale: what each learning rate is multiplied by.
        kept: the weights and running averages that early stopping keeps, or None.
    """

    states: Any
    rate_scale: Array
    kept: Any


class Loop(NamedTuple):
    """What the loop knows.

    Attributes:
        running: the lanes that still train, [lanes].
        dropped: those that somebody dropped.
        dealt: those that are dealt out to groups; the others are gone.
        diverged: the step at which each diverged, −1 for none.
        end: the step after each one's last.
        epochs: the last that each began.
        losses: of each step of the epoch that is not over yet, [steps, lanes].
        measures: accuracy, or rmse, of the same.
        stopping: what early stopping remembers.
        falling: what the plateau schedule remembers, and the factor that somebody asked for.
    """

    running: Array
    dropped: Array
    dealt: Array
    diverged: Array
    end: Array
    epochs: Array
    losses: Array
    measures: Array
    stopping: dict[str, Array]
    falling: dict[str, Array]


class Snapshot(NamedTuple):
    """A training between two dispatches.

    Where the data are is told by epoch and position: each epoch's order follows from its number,
    and the randomness of each step from the step's.

    Attributes:
        epoch: of the next step, from 1.
        position: how many of its steps were taken.
        step: how many steps were taken in all.
        lanes: what they carry.
        loop: what it knows.
    """

    epoch: int
    position: int
    step: int
    lanes: Lanes
    loop: Loop

    @property
    def trees(self) -> dict[str, Any]:
        """The arrays, by the name of the file that a checkpoint keeps them in."""
        return {"lanes": self.lanes, "loop": self.loop}

    def at(self, epoch: int, position: int, step: int, trees: dict[str, Any]) -> Snapshot:
        """Return another point of the same training."""
        return Snapshot(epoch, position, step, Lanes(*trees["lanes"]), Loop(*trees["loop"]))

    def templates(self, position: int) -> dict[str, Any]:
        """Return what the arrays at another point look like, so many steps into its epoch."""
        rows = {
            name: np.zeros((position, *getattr(self.loop, name).shape[1:]), array.dtype)
            for name, array in (("losses", self.loop.losses), ("measures", self.loop.measures))
        }
        return {"lanes": self.lanes, "loop": self.loop._replace(**rows)}
