"""Which steps a dispatch takes, laid out as its program takes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from surefoot.engine import records
from surefoot.engine.cohort import Cohort
from surefoot.engine.programs import Orders
from surefoot.recipe import Vitals
from surefoot.vitals.columns import VITAL_COLUMNS

Rows = NDArray[np.int32]
# Of a dispatch: more steps than these do not take less time each.
_MOST_STEPS = 512
# How many numbers its buffers may hold.
_BUFFER_NUMBERS = 16_000_000


def most_steps(cohort: Cohort, lanes: int) -> int:
    """Return how many steps the buffers of one dispatch have room for.

    Args:
        cohort: what is trained.
        lanes: of a program.
    """
    vitals = cohort.recipes[0].vitals
    steps = min(cohort.steps_per_epoch, _MOST_STEPS)
    per_record = len(VITAL_COLUMNS) * lanes * max(1, len(cohort.blueprint.network.sites))
    while steps > 1 and records.room_for(vitals, steps) * per_record > _BUFFER_NUMBERS:
        steps //= 2
    return steps


def lay_out(
    vitals: Vitals,
    rows: Rows,
    first: int,
    count: int,
    room: int,
    split: Callable[[Rows], list[Rows]],
    compiled: Vitals | None = None,
) -> tuple[list[Orders], NDArray[np.int64]]:
    """Return each group's orders, and the numbers of the steps that are recorded.

    Args:
        vitals: at which steps to record.
        rows: of each batch, [steps, batch] or [lanes, steps, batch].
        first: the number of the first step.
        count: how many steps.
        room: how many steps the program has room for: arrays are filled up to it.
        split: returns each group's batches.
        compiled: what the program has room for records of, where that is not `vitals`.
    """
    padded = np.zeros((*rows.shape[:-2], room, rows.shape[-1]), np.int32)
    padded[..., : rows.shape[-2], :] = rows
    slots = records.room_for(compiled or vitals, room)
    gaps, followed, recorded, used = records.plan(vitals, first, count, slots)
    orders = [
        Orders(part, np.int32(first), gaps, followed, np.int32(used)) for part in split(padded)
    ]
    return orders, recorded
