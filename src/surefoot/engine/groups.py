"""Lanes in groups, so that every core of a CPU has work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.backend import group_lanes, groups_at_once
from surefoot.engine.mesh import SINGLE, Layout


class Groups:
    """Lanes in groups of equal size; as many groups run at a time as there are cores.

    On the CPU XLA runs a product that is batched over lanes on one core. Several lanes are
    therefore dealt out to the cores: one program, compiled for the size of a group, runs for all
    groups, and lanes do not depend on each other.

    With a *width* each group has that many lanes, however many lanes there are; the last is filled
    up with copies of its last lane. A lane then goes through the same program, and comes out with
    the same bits, whatever it is trained beside; and where lanes are gone, those that are left are
    dealt out anew to fewer groups, which compiles nothing. Without a width there are as many groups
    as the largest divisor of the number of lanes that is not above the number of cores. Devices
    other than the CPU take all lanes as one group.

    Where several devices share the lanes, a group has as many for each of them, and groups go one
    after the other: they would wait for each other's devices.

    Attributes:
        count: how many groups there are.
        width: the lanes of each.
        layout: of the devices.

    >>> groups = Groups(lanes=6, cores=4)
    >>> groups.count, [part.tolist() for part in groups.split(np.arange(6))]
    (3, [[0, 1], [2, 3], [4, 5]])
    >>> groups = Groups(lanes=6, width=4)
    >>> [part.tolist() for part in groups.split(np.arange(6))]
    [[0, 1, 2, 3], [4, 5, 5, 5]]
    >>> groups.deal(np.array([0, 2, 5]))
    >>> parts = groups.split(np.arange(6.0))
    >>> groups.join(parts).tolist()
    [0.0, nan, 2.0, nan, nan, 5.0]
    """

    def __init__(
        self,
        lanes: int,
        width: int | None = None,
        cores: int | None = None,
        layout: Layout = SINGLE,
    ) -> None:
        alone = layout.mesh is None
        cores, width = (cores or groups_at_once()) if alone else 1, group_lanes(width)
        if width is None:
            most = max(1, min(lanes, cores))
            shares = max(n for n in range(1, most + 1) if lanes % n == 0) * layout.lanes
            width = -(-lanes // shares)
        self.layout = layout
        self.width = width * layout.lanes
        self._lanes = lanes
        self.deal(np.arange(lanes))
        at_once = min(self.count, cores)
        self._pool = ThreadPoolExecutor(at_once) if at_once > 1 else None

    def deal(self, members: NDArray[np.integer]) -> None:
        """Deal out these lanes; the others are gone."""
        self._members = members
        self.count = -(-len(members) // self.width)
        filled = np.full(self.count * self.width, members[-1])
        filled[: len(members)] = members
        self._places = filled.reshape(self.count, self.width)

    def dealt(self) -> NDArray[np.bool_]:
        """Return which lanes are dealt out, [lanes]."""
        return np.isin(np.arange(self._lanes), self._members)

    def would_shrink(self, going: NDArray[np.bool_]) -> bool:
        """Return whether the lanes that still train would fit into fewer groups."""
        return 0 < -(-int(going.sum()) // self.width) < self.count

    @property
    def _as_they_are(self) -> bool:
        return self.count == 1 and len(self._members) == self._lanes == self.width

    def split(self, tree: Any) -> list[Any]:
        """Return each group's part of arrays that have all lanes first."""
        if self._as_they_are:
            return [tree]

        def part(places: NDArray[np.integer]) -> Any:
            return jax.tree.map(lambda array: np.asarray(array)[places], tree)

        return [part(places) for places in self._places]

    def join(self, parts: Sequence[Any], axis: int = 0, into: Any = None) -> Any:
        """Return the groups' parts as NumPy arrays that have all lanes along an axis.

        Args:
            parts: of each group.
            axis: where the lanes are.
            into: arrays of all lanes that say what those that are gone have; without them it is
                NaN. They are not written to.
        """
        parts = self.layout.fetch(list(parts))
        if self._as_they_are:
            return parts[0]
        whole = jax.tree.map(lambda *arrays: self._joined(arrays, axis), *parts)
        if len(self._members) == self._lanes:
            return whole
        if into is None:
            return jax.tree.map(lambda own: self._spread(own, axis), whole)
        return jax.tree.map(lambda own, old: self._spread(own, axis, old), whole, into)

    def _joined(self, arrays: Sequence[Any], axis: int) -> NDArray[Any]:
        """Return the parts one after the other, without the copies at the end."""
        return np.concatenate(arrays, axis)[(slice(None),) * axis + (slice(len(self._members)),)]

    def _spread(self, own: NDArray[Any], axis: int, old: Any = None) -> NDArray[Any]:
        """Return an array of all lanes with what is known of the members in their places."""
        shape = (*own.shape[:axis], self._lanes, *own.shape[axis + 1 :])
        whole = np.full(shape, np.nan, own.dtype) if old is None else np.array(old)
        whole[(slice(None),) * axis + (self._members,)] = own
        return whole

    def run(self, function: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        """Call a function for each group, with each group's arguments."""
        return list((self._pool.map if self._pool else map)(function, *arguments))

    def place(self, tree: Any) -> Any:
        """Put a group's part on the devices."""
        return self.layout.place(tree)

    def described(self, lane: Any) -> Any:
        """Return the shapes and types of a group's part, from the arrays of one of its lanes."""
        return self.layout.described(
            jax.tree.map(lambda array: np.broadcast_to(array, (self.width, *array.shape)), lane)
        )
