"""The order of rows that are read in a stream: a function of the seed and the epoch alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Rows in blocks of consecutive ones, which are read at once.

    Attributes:
        bounds: the first row of each block, and the end of the last ``[blocks + 1]``.
        apart: the rows that do not train, sorted.
    """

    bounds: Rows
    apart: Rows

    @cached_property
    def sizes(self) -> Rows:
        """How many training rows each block has ``[blocks]``."""
        return np.diff(self.bounds) - np.diff(np.searchsorted(self.apart, self.bounds))

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        return int(self.sizes.sum())

    def training(self, block: int) -> Rows:
        """Return the training rows of a block, in their order.

        >>> Blocks(np.array([0, 3, 6]), np.array([1, 4])).training(1).tolist()
        [3, 5]
        """
        first, end = self.bounds[block : block + 2].tolist()
        low, high = np.searchsorted(self.apart, (first, end))
        kept = np.ones(end - first, bool)
        kept[self.apart[low:high] - first] = False
        return first + np.flatnonzero(kept)


class EpochOrder:
    """The order of an epoch's training rows: blocks are shuffled, then rows within windows.

    All blocks come in an order drawn uniformly at random, the epoch's own. A window is so many
    consecutive ones of them; within a window, rows come in an order drawn uniformly at random. So
    each row comes once, and a batch mixes rows from all places of its window: of the whole file
    where one window holds it, else of blocks from all over it.

    The generator is Philox with (seed, epoch) as its key, and for the rows of a window with the
    window's number as its counter: the order of any window can be had without those before.
    """

    def __init__(self, blocks: Blocks, width: int, seed: int, epoch: int) -> None:
        """Draw the order of the blocks.

        Args:
            blocks: of the rows.
            width: how many blocks a window has; the last one has those that are left.
            seed: of the order.
            epoch: counted from 1.
        """
        self._blocks = blocks
        self._key = [seed, epoch]
        used = np.flatnonzero(blocks.sizes)
        order = np.random.Generator(np.random.Philox(key=self._key)).permutation(used)
        self.windows = [order[i : i + width] for i in range(0, len(order), width)]

    @cached_property
    def starts(self) -> Rows:
        """Where each window begins among the epoch's rows, and where the last ends."""
        sizes = [int(self._blocks.sizes[window].sum()) for window in self.windows]
        return np.cumsum([0, *sizes])

    def places(self, window: int) -> Rows:
        """Return where in the window each of its rows goes, the blocks' rows one after another."""
        start, end = self.starts[window : window + 2].tolist()
        counter = [0, 0, 0, window + 1]
        generator = np.random.Generator(np.random.Philox(key=self._key, counter=counter))
        return generator.permutation(end - start)

    def rows(self, window: int) -> Rows:
        """Return the rows of a window in the order in which they train.

        >>> order = EpochOrder(Blocks(np.array([0, 4, 8]), np.array([2])), 1, seed=0, epoch=1)
        >>> sorted(np.concatenate([order.rows(0), order.rows(1)]).tolist())
        [0, 1, 3, 4, 5, 6, 7]
        """
        rows = [self._blocks.training(int(block)) for block in self.windows[window]]
        ordered = np.empty(sum(map(len, rows)), np.int64)
        ordered[self.places(window)] = np.concatenate(rows)
        return ordered
