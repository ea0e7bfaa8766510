"""A training of several processes: the first one leads, the others do what it does.

What a run asks for on the way (a checkpoint, a step back after it diverged) is decided by the
first process, from its clock and its folder. The arrays lie on the devices of all, so that all
have to take part: the first one says what comes next, and the others follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from surefoot.engine.agreement import once, share_arrays
from surefoot.engine.cohort import Cohort
from surefoot.engine.nonfinite import Origin
from surefoot.engine.result import LaneResult
from surefoot.engine.snapshot import Lanes, Snapshot
from surefoot.engine.training import Training
from surefoot.processes import several

_GO_ON, _END = "go on", "end"


class Leading(Training):
    """The first process's training: it tells the others what it does next."""

    def advance(self, epoch: int | None = None) -> None:
        """Train until an epoch is completed."""
        once(lambda: ["advance", epoch])
        super().advance(epoch)

    def snapshot(self) -> Snapshot:
        """Return a copy of everything that the training is now."""
        once(lambda: ["snapshot"])
        return super().snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Be what a training of the same cohort was."""
        at = [snapshot.epoch, snapshot.position, snapshot.step]
        once(lambda: ["restore", *at])
        share_arrays(jax.tree.leaves(snapshot.trees))
        super().restore(snapshot)

    def origin(self, lane: int = 0) -> Origin | None:
        """See where a lane diverged."""
        once(lambda: ["origin", lane])
        return super().origin(lane)

    def results(self) -> list[LaneResult]:
        """Measure what all lanes have by now."""
        once(lambda: ["results"])
        return super().results()

    def _offer(self) -> None:
        super()._offer()
        once(lambda: [_GO_ON])


class Following(Training):
    """What the other processes do."""

    def follow(self) -> None:
        """Do what the first process does, until it lets go."""
        self._obey(_END)

    def _offer(self) -> None:
        self._obey(_GO_ON)

    def _obey(self, last: str) -> None:
        known: dict[str, Callable[..., Any]] = {
            "advance": self.advance,
            "snapshot": self.snapshot,
            "restore": self._restore,
            "origin": self.origin,
            "results": self.results,
        }
        while True:
            name, *given = once(lambda: None)
            if name == last:
                return
            known[name](*given)

    def _restore(self, epoch: int, position: int, step: int) -> None:
        """Take over the first process's snapshot, whose shapes it tells."""
        part = self._lanes.parts[0]
        lanes = Lanes(part.states, part.given.rate_scale, part.kept)
        shape = {"lanes": lanes, "loop": self._loop()}
        leaves = share_arrays([np.zeros(0)] * len(jax.tree.leaves(shape)))
        trees = jax.tree.unflatten(jax.tree.structure(shape), leaves)
        self.restore(Snapshot(epoch, position, step, trees["lanes"], trees["loop"]))


def led(cohort: Cohort) -> Training:
    """Return the training of a run, in the first process; the others have to follow it."""
    return Leading(cohort) if several() else Training(cohort)


def dismiss(training: Training) -> None:
    """Let the other processes go: nothing more is asked of a training."""
    if isinstance(training, Leading):
        once(lambda: [_END])
