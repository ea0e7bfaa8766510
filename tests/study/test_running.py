"""Runs of a study: the same whatever they are trained beside."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.engine.cohort import Cohort
from surefoot.engine.training import train
from surefoot.study.plan import make_plan
from surefoot.study.running import run
from surefoot.study.space import expand, read_vary

pytestmark = pytest.mark.usefixtures("users_compiler")

RATES = {"learning_rate": [1e-3, 1e-2, 0.1], "initializer": ["he_normal", "zeros"]}
MEASURED = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


def trained(job, most_lanes, vary=None, seeds=(0, 1)):
    settings = expand(job.recipe, job.dataset, read_vary(vary or RATES))
    plan = make_plan(settings, seeds, lambda recipe: job.dataset, most_lanes=most_lanes)
    said: list[str] = []
    parts = list(run(plan, settings, said.append))
    assert len(said) == len(parts)
    assert said[-1].startswith(f"{plan.runs} of {plan.runs} runs")
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.fixture(scope="module")
def whole(job):
    return trained(job, 128)


@pytest.mark.parametrize("lanes", [1, 5])
def test_results_do_not_depend_on_how_lanes_were_grouped(job, whole, lanes):
    parts = trained(job, lanes)
    for name, column in whole.items():
        if name != "seconds":
            assert np.array_equal(parts[name], column), name


def test_results_do_not_depend_on_what_else_is_studied(job, whole):
    """Other settings, in another order, and one of the seeds; its bits are the same."""
    few = trained(job, 128, {"initializer": ["zeros", "he_normal"], "learning_rate": [0.1, 1e-2]})
    for rate in (0.1, 1e-2):
        at = [
            (table["learning_rate"] == rate)
            & (table["initializer"] == "he_normal")
            & (table["seed"] == 1)
            for table in (whole, few)
        ]
        for name in MEASURED:
            assert whole[name][at[0]].tobytes() == few[name][at[1]].tobytes(), name


def test_a_row_is_what_training_the_recipe_alone_leaves_behind(job, whole):
    recipe = job.recipe.model_copy(
        update={
            "seed": 1,
            "optimizer": job.recipe.optimizer.model_copy(update={"learning_rate": 0.1}),
        }
    )
    (alone,) = train(Cohort([recipe], job.dataset))
    at = (whole["setting"] == 4) & (whole["seed"] == 1)
    assert whole["learning_rate"][at] == 0.1
    assert whole["initializer"][at] == "he_normal"
    np.testing.assert_allclose(whole["train_loss"][at], alone.train[0], rtol=2e-5)
    np.testing.assert_allclose(whole["validation_loss"][at], alone.validation[0], rtol=2e-5)


def test_equal_seeds_see_the_same_batches_whatever_the_setting(job):
    recipes = [
        job.recipe.model_copy(update={"seed": seed, "optimizer": rule})
        for seed in (3, 4)
        for rule in (
            job.recipe.optimizer.model_copy(update={"learning_rate": rate}) for rate in (0.1, 0.2)
        )
    ]
    order = Cohort(recipes, job.dataset).order(1)
    assert (order[0] == order[1]).all()
    assert (order[2] == order[3]).all()
    assert (order[0] != order[2]).any()


def test_runs_that_diverge_still_give_rows(job):
    vary = {"learning_rate": [1e30], "optimizer": ["sgd"], "train.loss": ["mean_squared_error"]}
    vary["net.layers.3.activation"] = ["identity"]
    rows = trained(job, 128, vary)
    assert (rows["diverged"] >= 0).all()
    assert set(rows["ended"]) == {"diverged"}
