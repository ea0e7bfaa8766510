"""What a study varies: grids, draws, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import RecipeError
from surefoot.study.space import expand, read_vary


def settings(job, vary, draws=None):
    return expand(job.recipe, job.dataset, read_vary(vary), draws)


def test_a_grid_has_every_combination_once(job):
    found = settings(job, {"learning_rate": [0.1, 0.2, 0.1], "optimizer": ["sgd", "adam"]})
    assert [tuple(setting.values.values()) for setting in found] == [
        (0.1, "sgd"),
        (0.1, "adam"),
        (0.2, "sgd"),
        (0.2, "adam"),
    ]
    assert found[2].recipe.optimizer.name == "sgd"
    assert found[2].recipe.optimizer.learning_rate == 0.2
    assert found[0].label == "learning_rate = 0.1, optimizer = sgd"


def test_draws_lie_in_their_ranges_and_follow_from_the_seed(job):
    vary = {
        "learning_rate": sf.LogUniform(1e-4, 1.0),
        "weight_decay": sf.Uniform(0.0, 0.1),
        "optimizer": ["adam", "sgd"],
    }
    found = settings(job, vary, draws=400)
    rates = np.log10([setting.values["learning_rate"] for setting in found])
    assert len(found) == 400
    assert -4 <= rates.min() < rates.max() <= 0
    # Evenly over four factors of ten: each holds 100, give or take five deviations of √(400·3/16).
    counts = np.histogram(rates, bins=[-4, -3, -2, -1, 0])[0]
    assert (abs(counts - 100) < 44).all()
    assert {setting.values["optimizer"] for setting in found} == {"adam", "sgd"}
    again = settings(job, vary, draws=400)
    assert [s.values for s in again] == [s.values for s in found]


def test_numpys_values_ready_nets_and_nested_tables_are_read(job):
    assert read_vary({"lr": np.array([0.1, 0.2])}) == {"lr": [0.1, 0.2]}
    assert sf.logspace(-4, 0, 5) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])
    found = settings(job, {"net": [sf.nets.mlp(3), "mlp:5,2"]})
    assert found[0].label == "net = mlp:3"
    sizes = [layer["dense"] for layer in found[1].recipe.to_dict()["net"]["layers"][::2]]
    assert sizes == [5, 2, "outputs"]
    assert found[1].recipe.train == job.recipe.train
    log = read_vary({"lr": {"low": 1e-4, "high": 1, "count": 3, "scale": "log"}})
    assert log["lr"] == pytest.approx([1e-4, 1e-2, 1])


@pytest.mark.parametrize(
    ("vary", "draws", "message"),
    [
        ({"learning_rat": [1]}, None, "unknown key 'learning_rat'; did you mean 'learning_rate'"),
        ({"learning_rate": [0.1, -1]}, None, r"learning_rate = -1: .*greater than 0"),
        ({"optimizer.beta3": [1]}, None, "unknown key"),
        ({"seed": [1, 2]}, None, "seeds are given by themselves"),
        ({"learning_rate": []}, None, "must be a list of values"),
        ({"learning_rate": 3}, None, "must be a list of values"),
        ({"learning_rate": [None]}, None, "None is no value"),
        ({"learning_rate": {"low": 1, "high": 1}}, 3, "must be below high"),
        ({"learning_rate": {"low": 0, "high": 1, "scale": "log"}}, 3, "above 0"),
        ({"learning_rate": {"low": 1, "high": 2, "n": 1}}, 3, "unknown key 'n'"),
        ({"learning_rate": {"low": 1, "high": 2, "scale": "l"}}, 3, "scale = 'l'"),
        ({"learning_rate": {"low": 1, "high": 2}}, None, "say how many draws"),
        ({"learning_rate": [1, 2]}, 0, "draws = 0"),
        ({"lr": [*range(1, 1001)], "warmup": [*range(1000)]}, None, "1,000,000 combinations"),
        ({"optimizer": [{"name": "custom"}]}, None, "by name alone"),
        ([1], None, "must be a table"),
    ],
)
def test_what_cannot_be_varied_is_refused_in_one_line(job, vary, draws, message):
    with pytest.raises(RecipeError, match=message) as refused:
        settings(job, vary, draws)
    assert "\n" not in str(refused.value)
