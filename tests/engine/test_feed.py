"""Training on a stream: to the bit what training on the same order of resident rows gives."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import jax
import numpy as np
import pytest

from surefoot.data import load
from surefoot.data import stream_limits as limits
from surefoot.engine.cohort import Cohort
from surefoot.engine.programs import programs_for
from surefoot.engine.training import train
from surefoot.errors import DataError, RecipeError

ROWS = 130


class Stop:
    """A listener that ends training after some dispatches, and keeps the losses."""

    def __init__(self, after=10**9):
        self.blocks, self._after = [], after

    def block(self, block):
        self.blocks.append(block)

    def stop(self):
        return len(self.blocks) >= self._after

    @property
    def loss(self):
        return np.concatenate([block.loss for block in self.blocks])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A table of five numbers and a class that they tell."""
    path = tmp_path_factory.mktemp("table") / "t.parquet"
    columns = ", ".join(f"sin(i * {k + 1}.7) + (i % 3 = {k})::INT AS x{k}" for k in range(5))
    query = f"SELECT {columns}, i % 3 AS y, 1 + i % 2 AS w FROM range({ROWS}) t(i)"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return str(path)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Windows of two blocks: several an epoch, which batches and chunks cross."""
    monkeypatch.setattr(limits, "BLOCK_ROWS", 8)
    monkeypatch.setattr(limits, "WINDOW_ROWS", 40)
    monkeypatch.setattr("surefoot.engine.feed._CHUNK_BYTES", 5 * 10 * 24)


@pytest.fixture
def make(make_recipe, path):
    def make(lanes=1, **tables):
        data = {"source": path, "target": "y", "stream": True, **tables.pop("data", {})}
        recipes = [
            make_recipe(data=data, optimizer={"learning_rate": 0.01 * 2**i}, **tables)
            for i in range(lanes)
        ]
        return recipes, load(recipes[0].data)

    return make


def resident(recipes, dataset):
    """Return a cohort on the same rows in memory, in the stream's order."""
    rows = np.unique(dataset.stream.batches(0, 1, 1))
    cohort = Cohort(recipes, replace(dataset, stream=None))

    def order(epoch):
        batches = dataset.stream.batches(cohort.shuffle_seed, epoch, cohort.batch)
        return np.searchsorted(rows, batches).astype(np.int32)

    cohort.order = order
    return cohort


def same_bits(one, other):
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "tables",
    [{}, {"data": {"weight": "w"}, "train": {"class_weight": "balanced"}}],
    ids=["plain", "weighted"],
)
def test_a_stream_trains_as_resident_rows_in_its_order_do(make, tables):
    recipes, dataset = make(**tables)
    assert len(dataset.x_train) == dataset.rows == 98
    streamed, held = Stop(), Stop()
    (one,) = train(Cohort(recipes, dataset), streamed)
    (other,) = train(resident(recipes, dataset), held)
    assert np.array_equal(streamed.loss, held.loss)
    assert same_bits(one.params, other.params)
    assert (one.train, one.validation, one.steps) == (other.train, other.validation, 40)
    assert one.train[1] > 0.5


def test_lanes_see_the_same_batches(make):
    recipes, dataset = make(lanes=2)
    streamed, held = Stop(), Stop()
    train(Cohort(recipes, dataset), streamed)
    train(resident(recipes, dataset), held)
    assert np.array_equal(streamed.loss, held.loss)
    assert not np.array_equal(streamed.loss[:, 0], streamed.loss[:, 1])


def test_training_goes_on_after_an_epoch_as_if_it_had_never_stopped(make):
    recipes, dataset = make()
    (whole,) = train(Cohort(recipes, dataset))
    two = [recipe.model_copy(update={"train": recipe.train.model_copy(update={"epochs": 2})})
           for recipe in recipes]  # fmt: skip
    (first,) = train(Cohort(two, dataset))
    (second,) = train(Cohort(two, dataset), start=[first.last], epochs_before=2)
    assert same_bits(second.last, whole.last)


def test_one_program_serves_all_chunks(make):
    recipes, dataset = make(train={"batch_size": 9})
    cohort = Cohort(recipes, dataset)
    before = programs_for(cohort.blueprint).train.count
    train(cohort)
    assert programs_for(cohort.blueprint).train.count <= before + 1


def test_an_interrupted_stream_keeps_what_it_reached(make):
    recipes, dataset = make()
    (result,) = train(Cohort(recipes, dataset), Stop(after=3))
    assert result.ended == "interrupted"
    assert 0 < result.steps < 40


@pytest.mark.parametrize(
    ("tables", "error", "words"),
    [
        ({"train": {"batch_size": 99}}, DataError, "batch_size = 99 is more than the 98"),
        ({"train": {"batch_size": "full"}}, RecipeError, "never in memory"),
    ],
)
def test_batches_that_a_stream_does_not_have_are_refused(make, tables, error, words):
    recipes, dataset = make(**tables)
    with pytest.raises(error, match=words):
        Cohort(recipes, dataset)


def test_lanes_with_orders_of_their_own_are_refused(make):
    recipes, dataset = make(lanes=2)
    recipes[1] = recipes[1].model_copy(update={"seed": 7})
    with pytest.raises(RecipeError, match="gives all lanes the same batches"):
        Cohort(recipes, dataset)


def test_a_batch_of_all_rows_is_shuffled_and_complete(make):
    recipes, dataset = make(train={"batch_size": 98, "epochs": 2})
    streamed, held = Stop(), Stop()
    train(Cohort(recipes, dataset), streamed)
    train(resident(recipes, dataset), held)
    assert streamed.loss == pytest.approx(held.loss, rel=1e-6)
