"""Rows on the device, in an order that is drawn ahead."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from surefoot.engine.feed import Resident
from surefoot.engine.order import epoch_order


class Drawn(SimpleNamespace):
    """A cohort that notes which epochs it draws."""

    def order(self, epoch):
        self.epochs.append(epoch)
        return epoch_order(0, epoch, rows=7, batch=2)


def test_each_epoch_is_drawn_once_ahead_or_not_and_none_after_the_last():
    cohort = Drawn(epochs=[])
    feed = Resident(cohort, None, 4, last=3)
    for epoch in (1, 2, 3):
        for done in (0, 2):
            rows = feed.take(epoch, done, 2).rows
            np.testing.assert_array_equal(rows, epoch_order(0, epoch, 7, 2)[done : done + 2])
            if epoch != 2:
                feed.ahead()
    assert cohort.epochs == [1, 2, 3]


def test_whoever_takes_another_epoch_than_the_next_gets_that_one():
    cohort = Drawn(epochs=[])
    feed = Resident(cohort, None, 4, last=9)
    feed.take(1, 0, 1)
    feed.ahead()
    rows = feed.take(5, 0, 4).rows
    np.testing.assert_array_equal(rows, epoch_order(0, 5, 7, 2))
    feed.ahead()
    assert cohort.epochs == [1, 2, 5, 6]
