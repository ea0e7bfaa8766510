"""Means of weights within a training: carried, kept, restored, and left behind."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from surefoot.engine.cohort import Cohort
from surefoot.engine.training import Training, train
from surefoot.recipe import EarlyStopping, Recipe

LAYERS = [
    {"dense": 6},
    {"batch_norm": {}},
    {"activation": "relu"},
    {"dense": "classes"},
    {"activation": "softmax"},
]


@pytest.fixture(scope="module")
def recipe(make_recipe):
    return make_recipe(
        LAYERS, train={"epochs": 2, "batch_size": 30}, vitals={"every": 0, "first": 0}
    )


def averaging(recipe, average):
    return Recipe.parse({**recipe.to_dict(), "average": average})


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def test_what_is_left_behind_is_the_mean_of_the_weights_after_each_step(recipe, dataset):
    own = averaging(recipe, {"name": "stochastic", "start": 0.5})
    cohort = Cohort([own], dataset)
    steps = cohort.total_steps
    each = [train(cohort, until=step)[0].last for step in range(1, steps + 1)]
    (found,) = train(cohort)
    taken = each[round(0.5 * steps) :]
    for name, left in (("params", found.params), ("state", found.state)):
        expected = np.mean([flat(getattr(last, name)) for last in taken], axis=0)
        np.testing.assert_allclose(flat(left), expected, rtol=1e-5, atol=1e-6)
    # The weights that train are those of a training without a mean, to the bit.
    (plain,) = train(Cohort([recipe], dataset))
    np.testing.assert_array_equal(flat(found.last.params), flat(plain.params))
    assert found.unaveraged == (plain.train, plain.validation)
    assert found.validation != plain.validation
    assert plain.unaveraged is None
    assert plain.last.average is None


def test_a_training_that_goes_on_from_a_snapshot_ends_with_the_same_bits(recipe, dataset):
    own = averaging(recipe, {"name": "exponential", "decay": 0.8, "start": 0.2})
    (whole,) = train(Cohort([own], dataset))
    half = Training(Cohort([own], dataset))
    half.advance(1)
    again = Training(Cohort([own], dataset))
    again.restore(half.snapshot())
    again.advance()
    (found,) = again.results()
    np.testing.assert_array_equal(flat(found.params), flat(whole.params))
    assert int(found.last.average.taken) == int(whole.last.average.taken)


def test_lanes_have_their_own_numbers_and_one_program(recipe, dataset):
    tables = [{"decay": decay, "start": start} for decay, start in ((0.5, 0.0), (0.9, 0.5))]
    recipes = [averaging(recipe, table) for table in tables]
    cohort = Cohort(recipes, dataset)
    together = train(cohort, width=2)
    for own, found in zip(recipes, together, strict=True):
        (alone,) = train(Cohort([own], dataset), width=2)
        np.testing.assert_array_equal(flat(found.params), flat(alone.params))
    assert not np.allclose(flat(together[0].params), flat(together[1].params))


def test_early_stopping_keeps_the_mean_of_the_best_epoch(recipe, dataset):
    own = averaging(recipe, {"name": "exponential", "decay": 0.8})
    stopping = own.train.model_copy(update={"early_stopping": EarlyStopping(patience=1)})
    (found,) = train(Cohort([own.model_copy(update={"train": stopping})], dataset))
    last = found.best_epoch * 3
    (there,) = train(Cohort([own], dataset), until=last)
    np.testing.assert_array_equal(flat(found.params), flat(there.last.average.params))


def test_a_recipe_without_a_mean_keeps_its_program_and_its_snapshot(recipe, dataset):
    plain, other = Cohort([recipe], dataset), Cohort([averaging(recipe, "stochastic")], dataset)
    assert plain.blueprint != other.blueprint
    assert "average" not in recipe.to_dict()
    training = Training(plain)
    assert training.snapshot().lanes.states.average is None


def test_averaged_running_averages_serve_as_well_as_those_measured_anew(make_recipe, dataset):
    """One pass over the rows with the mean weights gives nearly the same predictions."""
    recipe = make_recipe(
        LAYERS,
        train={"epochs": 20, "batch_size": 10},
        vitals={"every": 0, "first": 0},
        average={"name": "stochastic"},
        optimizer={"learning_rate": 0.01},
    )
    (found,) = train(Cohort([recipe], dataset))
    hidden = dataset.x_train @ found.params[0]["kernel"] + found.params[0]["bias"]
    carried, anew = found.state[1], (hidden.mean(axis=0), hidden.var(axis=0, ddof=1))
    spread = np.sqrt(anew[1])
    assert np.abs(carried["mean"] - anew[0]).max() < 0.1 * spread.max()
    np.testing.assert_allclose(carried["variance"], anew[1], rtol=0.15)
