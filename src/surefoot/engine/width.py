"""How many lanes a group of a study has: a rule, so that results are the same on each machine."""

from __future__ import annotations

from math import prod

from surefoot.backend import groups_at_once, on_cpu
from surefoot.engine.cohort import Cohort

# Numbers that the lanes of a group hold together: their weights, and each layer's outputs for a
# batch. With about these a step takes little time a lane: fewer lanes have less work for a kernel
# that is started; more do not fit into a core's cache. On two cores, for 10 epochs of digits with
# batches of 32, seconds of both cores by the lanes of a group:
#   128 lanes of 64-64-64-10:    4: 3.2, 8: 2.9, 16: 2.8, 32: 2.8, 64: 3.1
#   128 lanes of 64-8-10, twice: 8: 1.0, 16: 1.0, 32: 0.9, 64: 0.8
#   32 lanes of 64-128-128-10, 4 epochs: 1: 0.71, 4: 0.75, 8: 0.75, 16: 0.83
#   16 lanes of 64-256-256-10, 4 epochs: 1: 1.05, 2: 1.02, 4: 1.06, 8: 1.23
# Of those that are nearly as fast the rule takes the fewest, since a group is always full.
_NUMBERS = 160_000
_MOST = 64


def group_width(cohort: Cohort) -> int:
    """Return the lanes of a group: the largest power of two within bounds, from 1 to 64.

    It depends on layers and batch size alone: neither on how many lanes there are, nor on the
    machine, nor on a measurement, whose result would be another each time.

    >>> from surefoot.job import prepare
    >>> def wide(*sizes): return {"data": {"source": "iris"}, "net": {"layers": [
    ...     *({"dense": size} for size in sizes), {"dense": "classes"}, {"activation": "softmax"}]}}
    >>> [group_width(prepare(wide(*sizes)).cohort) for sizes in ((8,), (64, 64), (512, 512))]
    [64, 16, 1]
    """
    sites = cohort.blueprint.network.sites
    weights = sum(site.weights for site in sites)
    outputs = sum(prod(site.shape) for site in sites)
    fitting = _NUMBERS // (weights + cohort.batch * outputs)
    return min(_MOST, 1 << max(0, fitting.bit_length() - 1))


def dealt_width(cohort: Cohort) -> int | None:
    """Return the lanes of a group where nobody asks for a width; None for a share for each core.

    Where a core's share is more than twice what `group_width` says, smaller groups take turns: 128
    lanes of 64-64-64-10 take 12 % less time in groups of 16 than in two of 64. Cores
    have as many groups as each other, where lanes are many, and hardly a lane is there twice.
    """
    most, cores = 2 * group_width(cohort), groups_at_once()
    if cohort.lanes <= most * cores or not on_cpu():
        return None
    rounds = -(-cohort.lanes // (most * cores))
    return -(-cohort.lanes // (rounds * cores))


def shares_batches(width: int) -> bool:
    """Return whether lanes that see the same batches share them, in groups of a width.

    For the tiny nets of wide groups a product of shared inputs takes a third less time. Others
    gather their batches each for itself, which takes less there, and gives a run the same bits
    whether or not all runs beside it have its seed.
    """
    return width > 16
