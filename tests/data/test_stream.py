"""The order of a stream, and its chunks, over rows that are easy to tell apart."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from surefoot.data.stream import Part, Stream
from surefoot.data.stream_order import Blocks
from surefoot.errors import DataError


class Numbers:
    """Rows that hold their own number; it notes what is read."""

    def __init__(self, weights=False, fail_after=None):
        self.read_rows = []
        self._weights, self._fail_after = weights, fail_after
        self._lock = threading.Lock()

    def read(self, rows):
        with self._lock:
            self.read_rows.append(rows)
            if self._fail_after is not None and len(self.read_rows) > self._fail_after:
                raise DataError("the file is gone")
        weights = rows.astype(np.float32) if self._weights else None
        return Part(
            np.stack([rows, rows], axis=1).astype(np.float32), rows.astype(np.int32), weights
        )


def make(bounds=(0, 7, 14, 20, 33, 40), apart=(3, 8, 9, 39), width=2, **reader):
    blocks = Blocks(np.array(bounds, np.int64), np.array(apart, np.int64))
    return Stream(Numbers(**reader), blocks, width)


def seen(stream, batch=5, steps=3, seed=0, **where):
    """Return the rows of each step: a list of arrays for each epoch."""
    epochs = []
    for chunk in stream.chunks(seed, batch, steps, **where):
        assert chunk.part.x.shape == (batch * steps, 2), "one shape, so that one program serves"
        if chunk.first == 0 or not epochs:
            epochs.append([])
        rows = chunk.part.y[: chunk.steps * batch].reshape(chunk.steps, batch)
        assert np.array_equal(chunk.part.x[: chunk.steps * batch, 1], rows.ravel())
        epochs[-1].extend(rows)
    return [np.array(epoch) for epoch in epochs]


TRAINING = sorted(set(range(40)) - {3, 8, 9, 39})


def test_each_training_row_comes_once_an_epoch_and_validation_rows_never():
    for epoch in seen(make(), batch=6, last=3):
        assert epoch.shape == (6, 6)
        assert sorted(epoch.ravel().tolist()) == TRAINING


def test_the_last_batch_is_filled_up_from_the_beginning_of_the_epoch():
    (epoch,) = seen(make(), batch=5)
    assert epoch.shape == (8, 5)
    assert sorted(epoch.ravel()[:36].tolist()) == TRAINING
    assert epoch.ravel()[36:].tolist() == epoch.ravel()[:4].tolist()


def test_chunks_hold_what_batches_promises_whatever_their_size():
    stream = make()
    for steps in (1, 2, 3, 8, 20):
        for number, epoch in enumerate(seen(stream, steps=steps, last=2), 1):
            assert np.array_equal(epoch, stream.batches(0, number, 5))


def test_the_order_follows_from_seed_and_epoch_alone():
    first, second = seen(make(), last=2)
    (again,) = seen(make(), epoch=2, last=2)
    assert np.array_equal(second, again)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, seen(make(), seed=1)[0])
    assert np.array_equal(first, seen(make())[0])


@pytest.mark.parametrize("step", [1, 2, 5, 7])
def test_a_stream_begins_at_any_step(step):
    whole = seen(make(), last=3)
    part = seen(make(), epoch=2, step=step, last=3)
    assert np.array_equal(part[0], whole[1][step:])
    assert np.array_equal(part[1], whole[2])


def test_after_the_last_step_comes_the_next_epoch():
    whole = seen(make(), last=3)
    (part,) = seen(make(), epoch=2, step=len(whole[1]), last=3)
    assert np.array_equal(part, whole[2])
    assert seen(make(), epoch=3, step=len(whole[2]), last=3) == []


def test_what_lies_before_the_first_step_is_not_read():
    stream = make(bounds=range(0, 41, 4), apart=(), width=1)
    seen(stream, batch=4, epoch=1, step=7)
    assert sum(map(len, stream.reader.read_rows)) == 12


def test_a_window_mixes_all_of_its_blocks_and_windows_all_of_the_file():
    stream = make(bounds=range(0, 1001, 10), apart=(), width=10)
    order = stream.epoch_order(0, 1)
    for window in range(10):
        rows = order.rows(window)
        assert len(set((rows // 10).tolist())) == 10
        # The mean of 10 blocks of 100: 50 ± 9.5 (one standard deviation).
        assert 20 < (rows // 10).mean() < 80
        assert len(set((rows[:20] // 10).tolist())) > 5
    # Where a row comes is uniform: its mean place over epochs is the middle, 500 ± 41.
    places = [np.argmax(stream.batches(0, epoch, 1)[:, 0] == 17) for epoch in range(1, 51)]
    assert 370 < np.mean(places) < 630


def test_blocks_without_training_rows_are_not_read():
    stream = make(bounds=(0, 4, 8, 12), apart=(4, 5, 6, 7))
    (epoch,) = seen(stream, batch=4)
    assert sorted(epoch.ravel().tolist()) == [0, 1, 2, 3, 8, 9, 10, 11]
    assert all(set(rows.tolist()).isdisjoint(range(4, 8)) for rows in stream.reader.read_rows)


def test_a_batch_may_span_windows_and_be_all_rows():
    (epoch,) = seen(make(width=1), batch=36, steps=2)
    assert sorted(epoch.ravel().tolist()) == TRAINING
    (epoch,) = seen(make(width=1), batch=30, steps=1)
    assert epoch[1, 6:].tolist() == epoch[0, :24].tolist()
    part = seen(make(width=1), batch=30, steps=1, step=1)
    assert np.array_equal(part[0], epoch[1:])


def test_weights_travel_with_their_rows():
    for chunk in make(weights=True).chunks(0, 5, 3):
        rows = slice(0, chunk.steps * 5)
        assert np.array_equal(chunk.part.weights[rows], chunk.part.y[rows])


def test_what_fails_ahead_is_told_when_its_rows_are_due():
    chunks = make(bounds=range(0, 41, 4), apart=(), width=1, fail_after=6).chunks(0, 4, 1)
    for _ in range(6):
        next(chunks)
    with pytest.raises(DataError, match="the file is gone"):
        next(chunks)


def test_a_stream_that_is_closed_reads_no_more():
    before = set(threading.enumerate())
    stream = make(bounds=range(0, 401, 4), apart=(), width=1)
    chunks = stream.chunks(0, 4, 1)
    next(chunks)
    chunks.close()
    left = [t for t in threading.enumerate() if t not in before]
    for thread in left:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert len(stream.reader.read_rows) < 10
