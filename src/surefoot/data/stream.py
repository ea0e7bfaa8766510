"""Training rows that are read while training goes on, ahead of the step that needs them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from surefoot.data.decoding import cores
from surefoot.data.stream_order import Blocks, EpochOrder

Array = NDArray[Any]
# One core is the step's.
_MOST_READERS = 4


class Part(NamedTuple):
    """Rows that are ready for the step.

    Attributes:
        x: inputs ``[n, …]``.
        y: targets ``[n]`` or ``[n, outputs]``.
        weights: of the rows ``[n]``, or `None` where all are 1.
    """

    x: Array
    y: Array
    weights: Array | None


@dataclass(frozen=True, eq=False)
class Chunk:
    """The rows of some steps, batch after batch; what follows after the last step is no data.

    Attributes:
        part: ``steps · batch`` rows, the same number in each chunk of a stream.
        first: the first step, counted from 0 in its epoch.
        steps: how many of them are there.
    """

    part: Part
    first: int
    steps: int


class Reader(Protocol):
    """What rows are read from. Several threads read at once."""

    def read(self, rows: NDArray[np.int64]) -> Part:
        """Return rows of one block, given in rising order.

        Raises:
            DataError: they cannot be read any more, or cannot be used.
        """
        ...


@dataclass(frozen=True, eq=False)
class Stream:
    """Training rows in the order in which they train.

    Attributes:
        reader: what they are read from.
        blocks: which rows are read together, and which do not train.
        width: how many blocks are shuffled together; `EpochOrder` tells what is promised.
    """

    reader: Reader
    blocks: Blocks
    width: int

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        return self.blocks.rows

    def epoch_order(self, seed: int, epoch: int) -> EpochOrder:
        """Return the order of an epoch; none of the epochs before is needed for it."""
        return EpochOrder(self.blocks, self.width, seed, epoch)

    def batches(self, seed: int, epoch: int, batch: int) -> NDArray[np.int64]:
        """Return the numbers of the rows of each batch of an epoch, ``[steps, batch]``.

        Where the rows do not fill the last batch, it is filled up from the epoch's beginning.
        """
        order = self.epoch_order(seed, epoch)
        rows = np.concatenate([order.rows(window) for window in range(len(order.windows))])
        steps = -(-self.rows // batch)
        return np.resize(rows, steps * batch).reshape(steps, batch)

    def chunks(
        self, seed: int, batch: int, steps: int, *, epoch: int = 1, step: int = 0, last: int = 1
    ) -> Iterator[Chunk]:
        """Yield the rows of `batches`, epoch after epoch.

        Grain reads the window after the one that is in use, in a thread of its own.

        Args:
            seed: of the order.
            batch: rows in a step.
            steps: of a chunk.
            epoch: where to begin, counted from 1.
            step: where to begin in this epoch, counted from 0; steps beyond it are the next one's.
            last: the epoch to end with.

        Raises:
            DataError: rows cannot be read any more, or cannot be used.
        """
        import grain

        further, step = divmod(step, -(-self.rows // batch))
        epoch, position = epoch + further, step * batch
        pool = ThreadPoolExecutor(max(1, min(_MOST_READERS, cores() - 1)))
        windows = _Windows(self, seed, epoch, last, pool)
        start = int(np.searchsorted(windows.order(epoch).starts, position, "right")) - 1
        ahead = grain.ReadOptions(num_threads=1, prefetch_buffer_size=1)
        iterator = iter(grain.MapDataset.source(windows).to_iter_dataset(ahead))
        iterator.set_state({"next_index": start})
        iterator.start_prefetch()
        try:
            offset = position - int(windows.order(epoch).starts[start])
            for number in range(epoch, last + 1):
                rows = _Rows(iterator, offset)
                yield from self._epoch(rows, windows, number, (batch, steps, step))
                offset = step = 0
        finally:
            iterator.close()
            pool.shutdown(cancel_futures=True)

    def _epoch(
        self, rows: _Rows, windows: _Windows, epoch: int, sizes: tuple[int, int, int]
    ) -> Iterator[Chunk]:
        """Yield the chunks of one epoch, and read all of its rows."""
        batch, steps, step = sizes
        every = -(-self.rows // batch)
        lacking = every * batch - self.rows
        # The rows that fill up the last batch: kept when they pass, or read where we begin later.
        head = windows.head(epoch, lacking) if step and lacking else None
        for first in range(step, every, steps):
            count = min(steps, every - first)
            wanted = min(count * batch, self.rows - first * batch)
            parts = rows.take(wanted)
            if head is None and lacking:
                head = _joined(parts, lacking, lacking) if wanted >= lacking else None
            if head is None and lacking:  # a first chunk shorter than what fills the last batch
                head = windows.head(epoch, lacking)
            if wanted < count * batch and head is not None:
                parts.append(head)
            chunk = Chunk(_joined(parts, count * batch, steps * batch), first, count)
            del parts  # so that its window can go while the next one is waited for
            yield chunk
            del chunk


class _Windows:
    """All windows of some epochs, one after another, as Grain reads a source: by number."""

    def __init__(
        self, stream: Stream, seed: int, first: int, last: int, pool: ThreadPoolExecutor
    ) -> None:
        self._stream, self._seed, self._first, self._pool = stream, seed, first, pool
        self._each = len(self.order(first).windows)
        self._count = self._each * (last + 1 - first)

    def order(self, epoch: int) -> EpochOrder:
        return self._stream.epoch_order(self._seed, epoch)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Part:
        epoch, window = divmod(int(number), self._each)
        return self.read(self.order(self._first + epoch), window)

    def read(self, order: EpochOrder, window: int) -> Part:
        """Read a window, its blocks side by side, each row to its place."""
        blocks = order.windows[window].tolist()
        places = order.places(window)
        ends = np.cumsum(self._stream.blocks.sizes[blocks])
        out: list[Part] = []

        def one(block: int, end: int) -> Part:
            rows = self._stream.blocks.training(block)
            part = self._stream.reader.read(rows)
            if out:
                _put(out[0], places[end - len(rows) : end], part)
            return part

        # The first one tells shapes and types.
        first = one(blocks[0], int(ends[0]))
        out.append(_empty_like(first, len(places)))
        _put(out[0], places[: ends[0]], first)
        for _ in self._pool.map(one, blocks[1:], ends[1:].tolist()):
            pass
        return out[0]

    def head(self, epoch: int, count: int) -> Part:
        """Return the first rows of an epoch."""
        order = self.order(epoch)
        needed = int(np.searchsorted(order.starts, count))
        return _joined([self.read(order, window) for window in range(needed)], count, count)


class _Rows:
    """Windows as one long list of rows, from some row of the first window on."""

    def __init__(self, windows: Iterator[Part], offset: int) -> None:
        self._windows, self._offset = windows, offset
        self._window: Part | None = None

    def take(self, count: int) -> list[Part]:
        """Return views of the next rows."""
        parts = []
        while count:
            if self._window is None or self._offset == len(self._window.x):
                if self._window is not None:
                    self._offset = 0
                self._window = None  # before the next is waited for: its memory is needed
                self._window = next(self._windows)
            part = _cut(self._window, self._offset, count)
            self._offset += len(part.x)
            count -= len(part.x)
            parts.append(part)
        return parts


def _cut(part: Part, first: int, count: int) -> Part:
    return Part(*(None if array is None else array[first : first + count] for array in part))


def _empty_like(part: Part, rows: int) -> Part:
    return Part(
        *(
            None if array is None else np.empty((rows, *array.shape[1:]), array.dtype)
            for array in part
        )
    )


def _put(out: Part, places: NDArray[np.int64], part: Part) -> None:
    for whole, rows in zip(out, part, strict=True):
        if whole is not None:
            whole[places] = rows


def _joined(parts: list[Part], rows: int, room: int) -> Part:
    """Return the first rows of some parts in arrays that have room for as many or more."""
    if len(parts) == 1 and len(parts[0].x) == rows == room:
        return parts[0]
    out = _empty_like(parts[0], room)
    place = 0
    for part in parts:
        count = min(len(part.x), rows - place)
        for whole, own in zip(out, part, strict=True):
            if whole is not None:
                whole[place : place + count] = own[:count]
        place += count
    for whole in out:
        if whole is not None:
            whole[place:] = 0
    return out
