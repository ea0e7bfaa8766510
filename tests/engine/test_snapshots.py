"""A training that goes on from a snapshot ends with the bits of one that was never stopped."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from surefoot.data import load
from surefoot.engine.checkpoint import Point, read, write
from surefoot.engine.cohort import Cohort
from surefoot.engine.training import Training
from surefoot.recipe import Recipe

pytestmark = pytest.mark.usefixtures("users_compiler")


class Keeper:
    """Keeps all blocks, and a snapshot after each dispatch."""

    def __init__(self):
        self.blocks, self.snapshots = [], []

    def block(self, block):
        self.blocks.append(block)

    def stop(self):
        return False

    def boundary(self, snapshot):
        self.snapshots.append(snapshot())

    def rows(self, name):
        """Return what all blocks say, in one."""
        return np.concatenate([getattr(block, name) for block in self.blocks])


def _recipe(**changes):
    tables = {
        "data": {"source": "iris"},
        "net": {
            "layers": [
                {"dense": 6}, {"batch_norm": {}}, {"activation": "relu"}, {"dropout": 0.2},
                {"dense": "classes"}, {"activation": "softmax"},
            ]
        },
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "train": {"epochs": 4, "batch_size": 8},
    }  # fmt: skip
    for key, value in changes.items():
        tables[key] = {**tables.get(key, {}), **value}
    return Recipe.parse(tables)


STOPS = {"early_stopping": {"patience": 1, "monitor": "train_loss"}}
CASES = {
    "plain": [_recipe()],
    "double": [_recipe(train={"precision": "float64"})],
    "plateau": [_recipe(schedule={"name": "plateau", "patience": 1, "monitor": "train_loss"})],
    "early stopping": [_recipe(train=STOPS)],
    "several lanes": [
        _recipe(optimizer={"learning_rate": rate}, train=STOPS) for rate in (0.02, 1e9, 0.3)
    ],
}


class Paced(Training):
    """Takes so many steps in each dispatch, however long they take."""

    steps = 4
    _pace = property(lambda self: self.steps, lambda self, _: None)


def _train(recipes, steps, snapshot=None, width=None):
    """Train in dispatches of so many steps; from a snapshot, where one is given."""
    keeper = Keeper()
    training = Paced(Cohort(recipes, load(recipes[0].data)), keeper, width=width)
    training.steps = steps
    if snapshot is not None:
        training.restore(snapshot)
    training.advance()
    return keeper, training.results()


def _same(a, b):
    for old, new in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert np.asarray(old).tobytes() == np.asarray(new).tobytes()


@pytest.mark.parametrize("recipes", CASES.values(), ids=CASES)
def test_any_point_leads_to_the_same_bits(recipes):
    width = None if len(recipes) == 1 else 1
    whole, expected = _train(recipes, 4, width=width)
    # In the midst of an epoch, at its end, and at the last step.
    places = [0, 2, 3, len(whole.snapshots) // 2, len(whole.snapshots) - 1]
    for place in places:
        snapshot = whole.snapshots[place]
        again, results = _train(recipes, 7, snapshot, width=width)
        for name in ("loss", "measure", "recorded", "vitals", "rate"):
            if not again.blocks:
                continue
            first = snapshot.step if name in ("loss", "measure") else None
            rows = whole.rows(name)
            if first is None:
                first = int((whole.rows("recorded") < snapshot.step).sum())
            np.testing.assert_array_equal(again.rows(name), rows[first:], err_msg=name)
        for old, new in zip(expected, results, strict=True):
            _same((old.params, old.state, old.last), (new.params, new.state, new.last))
            for name in ("train", "validation", "epochs", "steps", "diverged", "best_epoch"):
                assert getattr(old, name) == getattr(new, name) or str(getattr(old, name)) == str(
                    getattr(new, name)
                )
            assert old.ended == new.ended


def test_the_length_of_a_dispatch_changes_no_bit():
    recipes = CASES["plain"]
    few, many = (_train(recipes, steps) for steps in (3, 15))
    for name in ("loss", "measure", "recorded", "vitals", "norm"):
        np.testing.assert_array_equal(few[0].rows(name), many[0].rows(name))
    _same(few[1][0].last, many[1][0].last)


def test_a_snapshot_goes_to_disk_and_back(tmp_path):
    recipes = CASES["early stopping"]
    whole, expected = _train(recipes, 4)
    old = whole.snapshots[5]
    point = Point("", old.step, old.epoch, old.position, None, {})
    write(tmp_path, point, old.trees)
    found = read(next(tmp_path.iterdir()))
    fresh = whole.snapshots[0]  # what any training of this cohort can take
    assert fresh.position != old.position
    trees = found.restore(fresh.templates(found.point.position))
    new = fresh.at(found.point.epoch, found.point.position, found.point.step, trees)
    _same(new, old)
    _, results = _train(recipes, 7, new)
    _same(results[0].last, expected[0].last)


def test_a_snapshot_stays_as_it_is_while_training_goes_on():
    whole, _ = _train(CASES["plain"], 4)
    first, again = whole.snapshots[0], _train(CASES["plain"], 4)[0].snapshots[0]
    _same(first, again)
    assert any(
        np.any(a != b)
        for a, b in zip(
            jax.tree.leaves(first.lanes), jax.tree.leaves(whole.snapshots[-1].lanes), strict=True
        )
    )
