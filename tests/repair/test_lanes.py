"""Lanes give what trainings one by one give, and score the rows that they are asked to score."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from surefoot.data import load
from surefoot.doctor.lanes import without_vitals
from surefoot.engine.cohort import Cohort
from surefoot.engine.effort import Effort
from surefoot.engine.model import Model
from surefoot.engine.programs import programs_for
from surefoot.engine.training import train
from surefoot.repair.halves import halves
from surefoot.repair.lanes import Lanes


@pytest.fixture
def recipe(make):
    """A recipe whose rows are given to the net as they are, and that keeps its best weights."""
    return make(
        data={"standardize": False},
        train={"epochs": 12, "early_stopping": {"monitor": "validation_loss", "patience": 2}},
        optimizer={"name": "adam", "learning_rate": 0.05},
    )


def _lanes(recipe, seconds=60.0):
    lanes = Lanes(recipe, load(recipe.data))
    lanes.end = time.monotonic() + seconds
    return lanes


def test_the_half_to_prove_on_is_scored_with_weights_that_the_other_half_chose(recipe):
    seeds = (3, 11)
    found = _lanes(recipe).train({recipe: seeds}, proving=True)[recipe]
    choose, prove = halves(load(recipe.data))
    for seed, accuracy in zip(seeds, found.scores, strict=True):
        own = without_vitals(recipe).model_copy(update={"seed": seed})
        (result,) = train(Cohort([own], choose))
        model = Model(
            own,
            result.params,
            result.state,
            result.scaling,
            choose.target,
            choose.preprocessing,
            choose.feature_shape,
            choose.encoding,
        )
        predicted = model.predict(prove.x_val)
        right = np.mean(predicted == choose.target.decode(prove.y_val))
        assert accuracy == pytest.approx(right, abs=1e-6)


def test_what_cannot_be_trained_is_left_out(recipe):
    layers = [{"dense": 5}, {"activation": "softmax"}]
    tables = recipe.to_dict()
    misfit = recipe.parse({**tables, "net": {"layers": layers}})
    lanes = _lanes(recipe)
    assert set(lanes.train({recipe: (0,), misfit: (0,)}, share=0.1)) == {recipe}
    assert lanes.trained == 1


def test_nothing_is_trained_when_the_time_is_over(recipe):
    assert _lanes(recipe, seconds=0.0).train({recipe: (0,)}) == {}
    assert _lanes(recipe, seconds=30.0).train({recipe: (0,)}, reserve=60.0) == {}


def test_lanes_of_large_nets_are_few(recipe):
    layers = [
        {"dense": 512},
        {"activation": "relu"},
        {"dense": 512},
        *recipe.to_dict()["net"]["layers"],
    ]
    large = recipe.parse({**recipe.to_dict(), "net": {"layers": layers}})
    long = [r.parse({**r.to_dict(), "train": {"epochs": 100_000}}) for r in (large, recipe)]
    assert [Lanes(r, load(r.data)).width for r in (*long, large, recipe)] == [2, 4, 8, 8]


def test_what_is_compiled_ahead_is_not_compiled_again(recipe):
    programs_for.cache_clear()
    lanes = _lanes(recipe)
    with ThreadPoolExecutor(1) as pool:
        lanes.compile_ahead([recipe], 1.0, pool)
    assert lanes.compiled(recipe)
    before = programs_for(lanes._cohort([without_vitals(recipe)], 0).blueprint).train.count
    assert lanes.trained == 0
    lanes.train({recipe: range(3)})
    lanes.train({recipe: range(9)}, proving=True)
    after = programs_for(lanes._cohort([without_vitals(recipe)], 0).blueprint).train.count
    assert (before, after) == (1, 1)


def test_seeds_of_few_recipes_fit_into_one_group(recipe):
    slower, alone = (
        recipe.parse({**recipe.to_dict(), "optimizer": {"name": name, "learning_rate": 0.01}})
        for name in ("adam", "rmsprop")
    )
    lanes = _lanes(recipe)
    assert lanes.at_once([recipe, slower, alone], 3) == {recipe: 2, slower: 2, alone: 3}
    assert lanes.at_once([recipe, slower, alone], 1) == {recipe: 1, slower: 1, alone: 1}
    assert lanes.at_once([alone], 5) == {alone: 4}


@pytest.mark.parametrize(
    ("epochs", "share", "effort"),
    [(12, 1.0, Effort.LEAST), (4000, 1.0, Effort.LITTLE), (4000, 0.02, Effort.LITTLE)],
)
def test_what_is_short_as_a_whole_is_compiled_with_the_least_effort(recipe, epochs, share, effort):
    longer = recipe.model_copy(update={"train": recipe.train.model_copy(update={"epochs": epochs})})
    seen = []

    def trained(cohort, *arguments, **options):
        seen.append(cohort.effort)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[Lanes.__module__], "train", trained)
        with pytest.raises(KeyboardInterrupt):
            _lanes(longer).train({longer: (0,)}, share=share)
    assert seen == [effort]


def test_parts_that_train_side_by_side_keep_their_order(recipe):
    lanes = _lanes(recipe)
    seeds = (0, 9)
    alone = [lanes.train({recipe: (seed,)})[recipe].losses[0] for seed in seeds]
    many = lanes.train({recipe: range(10)})[recipe].losses
    assert lanes.width < len(many) == 10
    assert [many[seed] for seed in seeds] == alone
