"""Where the first value that is not finite arises in a step: which layer, forward or backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from surefoot.nn.layer import Site
from surefoot.vitals.columns import VITAL_COLUMNS

Direction = Literal["forward", "loss", "backward"]


class Origin(NamedTuple):
    """Where the first value that was not finite arose.

    Attributes:
        step: at which step.
        layer: its number, or None where every layer's values are finite.
        kind: of the layer, or None.
        direction: "forward" in a layer's output, "loss" after the last layer, "backward" in the
            signal or the gradient of weights.
    """

    step: int
    layer: str | None
    kind: str | None
    direction: Direction

    @property
    def sentence(self) -> str:
        """What happened, in words.

        >>> Origin(7, "2", "dense", "backward").sentence
        'at step 7 the first value that was not finite arose in layer 2 (dense), backward'
        """
        where = "the loss"
        if self.layer is not None:
            where = f"layer {self.layer} ({self.kind}), {self.direction}"
        return f"at step {self.step} the first value that was not finite arose in {where}"


def find_origin(
    step: int, loss: float, vitals: NDArray[Any], sites: Sequence[Site]
) -> Origin | None:
    """Return where values stopped being finite in a step that was measured.

    Forward, the first layer whose output holds such a value; then the loss; backward, from the
    last layer on, the first whose signal or gradient does. None where all values are finite, and
    their sum alone overflowed.

    Args:
        step: its number.
        loss: of its batch.
        vitals: of each place, [sites, `VITAL_COLUMNS`].
        sites: the places, from the input to the output.
    """
    column = {name: vitals[:, i] for i, name in enumerate(VITAL_COLUMNS)}
    broken = column["nonfinite"] > 0  # what is not measured is NaN and counts nothing

    def at(place: int, direction: Direction) -> Origin:
        return Origin(step, sites[place].name, sites[place].kind, direction)

    forward = np.flatnonzero(broken & ~np.isfinite(column["activation_max"]))
    if len(forward):
        return at(int(forward[0]), "forward")
    if not np.isfinite(loss):
        return Origin(step, None, None, "loss")
    found = ~np.isfinite(column["signal_max"]) | ~np.isfinite(column["gradient_max"])
    backward = np.flatnonzero(broken & found)
    return at(int(backward[-1]), "backward") if len(backward) else None
