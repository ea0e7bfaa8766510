"""Lanes in groups, so that every core of a CPU has work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np


class Groups:
    """Lanes in groups of equal size, each run by a thread of its own.

    On the CPU XLA runs a product that is batched over lanes on one core. Several lanes are
    therefore dealt out to the cores: one program, compiled for the size of a group, runs for all
    groups at the same time, and lanes do not depend on each other. The number of groups is the
    largest divisor of the number of lanes that is not above the number of cores. Other devices
    take all lanes as one group.

    >>> groups = Groups(lanes=6, cores=4)
    >>> groups.count, [part.tolist() for part in groups.split(np.arange(6))]
    (3, [[0, 1], [2, 3], [4, 5]])
    """

    def __init__(self, lanes: int, cores: int | None = None) -> None:
        if cores is None:
            cores = _cores() if jax.default_backend() == "cpu" else 1
        self.count = max(n for n in range(1, max(1, min(lanes, cores)) + 1) if lanes % n == 0)
        self._size = lanes // self.count
        self._pool = ThreadPoolExecutor(self.count) if self.count > 1 else None

    def split(self, tree: Any) -> list[Any]:
        """Return each group's part of arrays that have the lanes first."""
        if self.count == 1:
            return [tree]

        def part(group: int) -> Any:
            lanes = slice(group * self._size, (group + 1) * self._size)
            return jax.tree.map(lambda array: np.asarray(array)[lanes], tree)

        return [part(group) for group in range(self.count)]

    def join(self, parts: Sequence[Any], axis: int = 0) -> Any:
        """Return the groups' parts as NumPy arrays that have all lanes along an axis."""
        if self.count == 1:
            return jax.tree.map(np.asarray, parts[0])
        return jax.tree.map(lambda *arrays: np.concatenate(arrays, axis), *parts)

    def run(self, function: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        """Call a function for each group, at the same time, with each group's arguments."""
        return list((self._pool.map if self._pool else map)(function, *arguments))


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
