"""Lanes in groups of a width: the same bits whatever a lane is trained beside, and whoever goes."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from surefoot.engine import carried
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Silent
from surefoot.engine.programs import programs_for
from surefoot.engine.training import Training, train

NETS = {
    "dropout": [
        {"dense": 11},
        {"activation": "relu"},
        {"dropout": 0.3},
        {"dense": "classes"},
        {"activation": "softmax"},
    ],
    "batch_norm": [
        {"dense": 8},
        {"batch_norm": {}},
        {"activation": "tanh"},
        {"dense": "classes"},
        {"activation": "softmax"},
    ],
}


class Blocks(Silent):
    """Keeps what it is told."""

    def __init__(self):
        self.all = []

    def block(self, block):
        self.all.append(block)

    def losses(self):
        """Return the loss of each step and lane; NaN where a lane was not training any more."""
        return np.concatenate([np.where(b.running, b.loss, np.nan) for b in self.all])


def same(one, two):
    """Whether two lanes left the same bits behind."""
    facts = [(r.steps, r.ended, r.diverged, r.best_epoch) for r in (one, two)]
    left = [jax.tree.leaves((r.params, r.state, r.train, r.validation)) for r in (one, two)]
    return facts[0] == facts[1] and all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(*left, strict=True)
    )


def trained(recipes, dataset, listener=None, width=4):
    cohort = Cohort(recipes, dataset, share_batches=False)
    return train(cohort, listener, width=width)


RATES = (1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0, 3.0)


def lanes(make_recipe, layers=None, rates=RATES, rule="adam", **tables):
    return [
        make_recipe(layers, seed=i % 3, optimizer={"name": rule, "learning_rate": rate}, **tables)
        for i, rate in enumerate(rates)
    ]


@pytest.mark.parametrize("net", NETS)
def test_a_lane_gets_the_same_bits_whatever_its_place_and_company(make_recipe, dataset, net):
    recipes = lanes(make_recipe, NETS[net])
    whole = trained(recipes, dataset)
    order = [5, 2, 6, 0, 3, 1, 4]
    moved = trained([recipes[i] for i in order], dataset)
    assert all(same(whole[i], lane) for i, lane in zip(order, moved, strict=True))
    alone = trained(recipes[2:3], dataset)
    assert same(whole[2], alone[0])
    few = trained([recipes[i] for i in (0, 3, 6)], dataset)
    assert all(same(whole[i], lane) for i, lane in zip((0, 3, 6), few, strict=True))


def compared(monkeypatch, recipes, dataset):
    """Return results and losses of training with lanes that go, and with lanes that stay."""
    found, sizes = [], []
    deal = carried.Groups.deal
    with monkeypatch.context() as patch:
        patch.setattr(
            carried.Groups, "deal", lambda self, own: (sizes.append(len(own)), deal(self, own))
        )
        blocks = Blocks()
        found.append((trained(recipes, dataset, blocks), blocks.losses()))
    with monkeypatch.context() as patch:
        patch.setattr(carried.CarriedLanes, "compact", lambda self, going: None)
        blocks = Blocks()
        found.append((trained(recipes, dataset, blocks), blocks.losses()))
    return found, sizes


def test_lanes_that_diverge_go_and_the_others_do_not_notice(monkeypatch, make_recipe, dataset):
    layers = [{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}]
    rates = (1e38, 0.1, 1e38, 0.01, 1e38, 1e38, 0.2)
    recipes = lanes(make_recipe, layers, rates, "sgd", train={"loss": "mean_squared_error"})
    (gone, stayed), sizes = compared(monkeypatch, recipes, dataset)
    assert [r.ended == "diverged" for r in gone[0]] == [i in (0, 2, 4, 5) for i in range(7)]
    assert 3 in sizes
    assert all(same(one, two) for one, two in zip(gone[0], stayed[0], strict=True))
    assert np.array_equal(gone[1], stayed[1], equal_nan=True)


def test_lanes_that_stop_early_go_with_their_best_weights(monkeypatch, make_recipe, dataset):
    recipes = lanes(
        make_recipe,
        schedule={"name": "plateau", "monitor": "train_loss", "patience": 1},
        train={"epochs": 12, "early_stopping": {"patience": 1}},
    )
    (gone, stayed), sizes = compared(monkeypatch, recipes, dataset)
    assert {r.ended for r in gone[0]} == {"early", "finished"}
    assert len({r.best_epoch for r in gone[0]}) > 2
    assert min(sizes) <= 4
    assert all(same(one, two) for one, two in zip(gone[0], stayed[0], strict=True))
    assert np.array_equal(gone[1], stayed[1], equal_nan=True)


def test_dropped_lanes_keep_what_they_had_and_the_others_go_on(make_recipe, dataset):
    recipes = lanes(make_recipe)
    whole = trained(recipes, dataset)
    blocks = Blocks()
    training = Training(Cohort(recipes, dataset, share_batches=False), blocks, width=4)
    training.advance(2)
    before = training.results()
    dropped = np.array([True, False, True, True, False, True, True])
    training.drop(dropped)
    training.advance()
    after = training.results()
    for lane, gone in enumerate(dropped):
        if gone:
            assert (after[lane].ended, after[lane].steps, after[lane].epochs) == (
                "dropped",
                before[lane].steps,
                2,
            )
            assert after[lane].validation == before[lane].validation
        else:
            assert same(after[lane], whole[lane])
    assert blocks.all[-1].loss.shape[1] == 7
    assert np.isnan(blocks.all[-1].loss[:, dropped]).all()


class Uninterested(Blocks):
    """Does not look at validation, and counts how often it is given time."""

    looks_at_validation = False

    def __init__(self):
        super().__init__()
        self.given_time = 0

    def compiling(self):
        self.given_time += 1


def test_validation_is_measured_where_somebody_looks_at_it(make_recipe, dataset):
    recipes = lanes(make_recipe)
    looking, not_looking = Blocks(), Uninterested()
    whole = trained(recipes, dataset, looking)
    other = trained(recipes, dataset, not_looking)
    assert [block.validation for block in looking.all if block.validation is not None]
    assert [block.validation for block in not_looking.all if block.validation is not None] == []
    assert not_looking.given_time == 1
    assert all(same(one, two) for one, two in zip(whole, other, strict=True))
    assert np.isfinite(other[0].validation[0])


def test_early_stopping_looks_at_validation_whoever_listens(make_recipe, dataset):
    stopping = {"monitor": "validation_loss", "patience": 1}
    recipes = lanes(make_recipe, train={"epochs": 6, "early_stopping": stopping})
    whole = trained(recipes, dataset)
    other = trained(recipes, dataset, Uninterested())
    assert {lane.best_epoch for lane in other} != {None}
    assert all(same(one, two) for one, two in zip(whole, other, strict=True))


def test_a_part_is_described_as_it_will_be_placed(make_recipe, dataset):
    recipes = lanes(make_recipe, NETS["batch_norm"])
    cohort = Cohort(recipes, dataset, share_batches=False)
    groups = carried.Groups(len(recipes), width=4)
    first = carried.FirstParts(cohort, programs_for(cohort.blueprint), groups, None, 0)
    for part in first.draw(keep=True):
        described, placed = (
            jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), states)
            for states in (first.states, part.states)
        )
        assert described == placed
        assert jax.tree.structure(part.kept) == jax.tree.structure(part.weights)
