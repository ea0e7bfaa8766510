"""Where the rows of a dispatch come from: all of them on the device, or a stream."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from surefoot.data.stream import Chunk, Stream
from surefoot.engine.cohort import Cohort
from surefoot.engine.mesh import SINGLE, Layout
from surefoot.engine.programs import Rows
from surefoot.engine.weights import class_weights, weighted

# Of a stream's rows on the device at once: some steps of a large batch, or a dispatch of a small
# one. Each chunk is copied there while no step is taken, at several GB a second.
_CHUNK_BYTES = 1 << 24


class Given(NamedTuple):
    """What a dispatch is given.

    Attributes:
        data: rows on the device.
        rows: those of each batch, [steps, batch], or [lanes, steps, batch]; there may be fewer
            steps than were wanted.
    """

    data: Rows
    rows: NDArray[np.int32]


class Feed(Protocol):
    """Gives each dispatch its batches."""

    steps: int

    def take(self, epoch: int, done: int, count: int) -> Given:
        """Return at most `count` steps of an epoch, from the step `done` on."""
        ...

    def ahead(self) -> None:
        """Prepare what is taken next, while steps are being taken; called by any thread."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Resident:
    """Rows that lie on the device, in the order that the cohort draws for each epoch.

    Attributes:
        steps: the most that are taken at once.
    """

    def __init__(self, cohort: Cohort, data: Rows, steps: int, last: int) -> None:
        """Begin with any epoch; none is drawn ahead after the last."""
        self.steps = steps
        self._cohort, self._data, self._last = cohort, data, last
        self._epoch, self._order = 0, np.zeros((0, 0), np.int32)
        self._next: NDArray[np.int32] | None = None
        self._drawing = threading.Lock()

    def take(self, epoch: int, done: int, count: int) -> Given:
        """Return steps of an epoch."""
        if epoch != self._epoch:
            drawn = self._next if epoch == self._epoch + 1 else None
            self._order = self._cohort.order(epoch) if drawn is None else drawn
            self._epoch, self._next = epoch, None
        return Given(self._data, self._order[..., done : done + count, :])

    def ahead(self) -> None:
        """Draw the next epoch's order; where a thread does already, others have nothing to do."""
        if self._next is None and self._epoch < self._last and self._drawing.acquire(False):
            try:
                self._next = self._cohort.order(self._epoch + 1)
            finally:
                self._drawing.release()

    def close(self) -> None:
        """Do nothing."""


class Streamed:
    """Rows that are read ahead of the steps, a chunk of them on the device at a time.

    Attributes:
        steps: of a chunk, the most that are taken at once.
    """

    def __init__(
        self,
        cohort: Cohort,
        stream: Stream,
        steps: int,
        first: int,
        last: int,
        done: int = 0,
        layout: Layout = SINGLE,
    ) -> None:
        """Begin to read.

        Args:
            cohort: whose rows they are.
            stream: that reads them.
            steps: the most that a dispatch takes.
            first: the first epoch.
            last: the last one.
            done: how many steps of the first epoch were taken before.
            layout: of the devices; each is given all rows.
        """
        self._layout = layout
        dataset, train = cohort.dataset, cohort.recipes[0].train
        row_bytes = dataset.x_train[0].nbytes + dataset.y_train[0].nbytes
        fitting = _CHUNK_BYTES // (cohort.batch * row_bytes)
        self.steps = max(1, min(steps, fitting))
        self._batch, self._dtype = cohort.batch, cohort.precision
        self._of_class = class_weights(train, dataset.target, dataset.y_train)
        self._weighted = self._of_class is not None or dataset.w_train is not None
        self._chunks: Generator[Chunk] = stream.chunks(
            cohort.shuffle_seed, cohort.batch, self.steps, epoch=first, step=done, last=last
        )
        self._epoch, self._first, self._end = first, 0, 0
        self._data: Rows | None = None

    def take(self, epoch: int, done: int, count: int) -> Given:
        """Return steps of an epoch that lie in one chunk."""
        if epoch != self._epoch or not self._first <= done < self._end:
            self._data = None  # its memory is needed for what is read meanwhile
            self._data = self._next()
            self._epoch = epoch
        count = min(count, self._end - done)
        first = (done - self._first) * self._batch
        rows = np.arange(first, first + count * self._batch, dtype=np.int32)
        assert self._data is not None
        return Given(self._data, rows.reshape(count, self._batch))

    def _next(self) -> Rows:
        """Put the next chunk on the device."""
        chunk = next(self._chunks)
        self._first, self._end = chunk.first, chunk.first + chunk.steps
        x, y, given = chunk.part
        weights = weighted(self._of_class, y, given)
        if weights is not None:
            weights = weights.astype(self._dtype)
        return self._layout.everywhere(Rows(x, y, weights))

    def ahead(self) -> None:
        """Do nothing: the stream reads ahead by itself."""

    def close(self) -> None:
        """Stop reading."""
        self._chunks.close()


def feed_for(
    cohort: Cohort,
    data: Rows,
    steps: int,
    first: int,
    last: int,
    done: int = 0,
    layout: Layout = SINGLE,
) -> Feed:
    """Return what gives the batches of some epochs.

    Args:
        cohort: that trains.
        data: all rows on the device, where there is no stream.
        steps: the most that a dispatch has room for.
        first: the first epoch.
        last: the last one.
        done: how many steps of the first epoch were taken before.
        layout: of the devices.
    """
    stream = cohort.dataset.stream
    if stream is None:
        return Resident(cohort, data, steps, last)
    return Streamed(cohort, stream, steps, first, last, done, layout)
