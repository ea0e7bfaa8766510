"""Which rows make up which batch: a function of the seed and the epoch, nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def epoch_order(seed: int, epoch: int, rows: int, batch: int) -> NDArray[np.int32]:
    """Return the rows of each batch of an epoch, [steps, batch].

    Every row is seen in every epoch, in a fresh random order. Where the rows do not fill the last
    batch, it is filled up from the beginning of the same order.

    The generator is Philox with (seed, epoch) as its key: any epoch's order can be had without
    the ones before, so a resumed run needs no memory of it.

    >>> sorted(set(epoch_order(0, 3, rows=5, batch=2).ravel().tolist()))
    [0, 1, 2, 3, 4]
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    order = generator.permutation(rows).astype(np.int32)
    steps = -(-rows // batch)
    return np.resize(order, steps * batch).reshape(steps, batch)
