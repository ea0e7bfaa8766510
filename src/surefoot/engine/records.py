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
    recorded = steps[marked]
    number = len(recorded)
    places = np.empty(number + 2, np.int64)
    places[0], places[1:-1], places[-1] = first - 1, recorded, first + count
    between = np.diff(places) - 1
    used = number + int(between[-1] > 0 or number == 0)
    gaps, followed = np.zeros(room, np.int32), np.zeros(room, bool)
    gaps[:used] = between[:used]
    followed[:number] = True
    return gaps, followed, recorded, used


def room_for(vitals: Vitals, count: int) -> int:
    """Return how many entries `plan` may need for a dispatch of up to ``count`` steps."""
    regular = -(-count // vitals.every) if vitals.every else 0
    return min(count, regular + min(vitals.first, count)) + 1
