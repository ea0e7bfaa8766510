"""At which steps vital signs are taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surefoot.recipe import Vitals


def plan(
    vitals: Vitals, first: int, count: int, room: int
) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.int64], int]:
    """Lay out a dispatch as gaps of plain steps, each followed by an instrumented one.

    Args:
        vitals: how often to record.
        first: the number of the dispatch's first step.
        count: how many steps it takes.
        room: the length of the arrays to return.

    Returns:
        The gaps and whether each is followed by a record, both filled up to ``room``; the
        numbers of the recorded steps; and how many gaps there are.

    >>> gaps, recorded, steps, n = plan(Vitals(every=4, first=2), first=0, count=7, room=5)
    >>> gaps[:n].tolist(), recorded[:n].tolist(), steps.tolist()
    ([0, 0, 2, 2], [True, True, True, False], [0, 1, 4])
    """
    steps = np.arange(first, first + count)
    marked = steps < vitals.first
    if vitals.every:
        marked |= steps % vitals.every == 0
    recorded_steps = steps[marked]
    ends = np.append(recorded_steps, first + count)
    starts = np.append(first, recorded_steps + 1)
    gaps = ends - starts
    followed = np.append(np.ones(len(recorded_steps), bool), False)
    if gaps[-1] == 0 and len(gaps) > 1:
        gaps, followed = gaps[:-1], followed[:-1]
    used = len(gaps)
    missing = room - used
    return (
        np.pad(gaps, (0, missing)).astype(np.int32),
        np.pad(followed, (0, missing)),
        recorded_steps,
        used,
    )


def room_for(vitals: Vitals, count: int) -> int:
    """Return how many entries `plan` may need for a dispatch of up to ``count`` steps."""
    regular = -(-count // vitals.every) if vitals.every else 0
    return min(count, regular + min(vitals.first, count)) + 1
