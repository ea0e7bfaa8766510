"""The engine's small parts, each alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.data.target import Target
from surefoot.engine.order import epoch_order
from surefoot.engine.records import plan, room_for
from surefoot.engine.stopping import Stopping
from surefoot.engine.weights import class_weights, row_weights
from surefoot.errors import RecipeError
from surefoot.recipe import EarlyStopping, Train, Vitals


@given(
    rows=st.integers(1, 200),
    batch=st.integers(1, 50),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 1000),
)
@settings(max_examples=50, deadline=None)
def test_every_row_is_in_every_epoch(rows, batch, seed, epoch):
    order = epoch_order(seed, epoch, rows, batch)
    assert order.shape == (-(-rows // batch), batch)
    assert set(order.ravel().tolist()) == set(range(rows))


def test_orders_depend_on_seed_and_epoch_alone():
    first = epoch_order(1, 2, 100, 10)
    assert np.array_equal(first, epoch_order(1, 2, 100, 10))
    assert not np.array_equal(first, epoch_order(1, 3, 100, 10))
    assert not np.array_equal(first, epoch_order(2, 2, 100, 10))


@given(
    every=st.integers(0, 20),
    first_steps=st.integers(0, 30),
    first=st.integers(0, 100),
    count=st.integers(1, 64),
)
@settings(max_examples=200, deadline=None)
def test_a_plan_takes_every_step_once(every, first_steps, first, count):
    vitals = Vitals(every=every, first=first_steps)
    room = room_for(vitals, count)
    gaps, followed, recorded, used = plan(vitals, first, count, room)
    assert len(gaps) == len(followed) == room
    assert gaps[:used].sum() + followed[:used].sum() == count
    steps, now = [], first
    for gap, record in zip(gaps[:used], followed[:used], strict=True):
        now += gap
        if record:
            steps.append(now)
            now += 1
    wanted = [
        s for s in range(first, first + count) if s < first_steps or (every and s % every == 0)
    ]
    assert steps == recorded.tolist() == wanted


def test_stopping_waits_for_its_patience():
    stopping = Stopping(
        [EarlyStopping(patience=2), EarlyStopping(monitor="validation_accuracy"), None]
    )
    losses = [3.0, 2.0, 2.5, 2.1, 1.0]
    accuracies = [0.1, 0.2, 0.3, 0.4, 0.5]
    improved = [
        stopping.update(
            epoch,
            {"validation_loss": np.array([loss] * 3), "validation_accuracy": np.array([good] * 3)},
        ).tolist()
        for epoch, (loss, good) in enumerate(zip(losses, accuracies, strict=True), start=1)
    ]
    assert [row[0] for row in improved] == [True, True, False, False, False]
    assert all(row[1] and row[2] for row in improved)
    assert stopping.stopped.tolist() == [True, False, False]
    assert stopping.best_epoch[:2].tolist() == [2, 5]


def test_a_loss_that_is_not_finite_is_no_improvement():
    stopping = Stopping([EarlyStopping(patience=1)])
    assert not stopping.update(1, {"validation_loss": np.array([np.nan])})[0]
    assert stopping.stopped[0]


def test_class_weights_multiply_row_weights():
    target = Target("classes", 2, ("no", "yes"))
    y = np.array([0, 0, 1])
    train = Train(class_weight={"yes": 4.0})
    assert class_weights(train, target, y).tolist() == [1.0, 4.0]
    assert row_weights(train, target, y, np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 2.0, 12.0]
    with pytest.raises(RecipeError, match="has no classes"):
        class_weights(train, Target("numbers", 1), y)
