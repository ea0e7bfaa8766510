"""Where the first value that is not finite arises, on nets that break where we know."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data import load
from surefoot.engine.cohort import Cohort
from surefoot.engine.nonfinite import Origin, find_origin
from surefoot.engine.training import Training
from surefoot.recipe import Recipe

WIDE = {"initializer": {"name": "constant", "value": 1e25}}
HEAD = [{"dense": "classes"}, {"activation": "softmax"}]
# A net, its keys of `train`, and where it breaks first.
CASES = {
    # 1e25 · 1e25 overflows in the second layer's output.
    "forward": (
        [{"dense": 3}, {"dense": 4, **WIDE}, {"dense": 4, **WIDE}, *HEAD],
        {},
        Origin(0, "3", "dense", "forward"),
    ),
    # (1e30)² overflows in the loss; the output itself is finite.
    "loss": (
        [{"dense": "outputs", "initializer": {"name": "constant", "value": 1e30}}],
        {"loss": "mean_squared_error"},
        Origin(0, None, None, "loss"),
    ),
    # Outputs of 4e17 and a loss of 2e35 are finite; the last layer's gradient, a signal of 4e17
    # times inputs of 2e25, is not.
    "backward": (
        [
            {"dense": 2, "initializer": "zeros", "bias_initializer": "ones"},
            {"dense": 2, "initializer": {"name": "constant", "value": 1e25}, "bias": False},
            {"dense": "outputs", "initializer": {"name": "constant", "value": 1e-8}},
        ],
        {"loss": "mean_squared_error"},
        Origin(0, "3", "dense", "backward"),
    ),
}


@pytest.mark.parametrize(("layers", "train", "expected"), CASES.values(), ids=CASES)
def test_the_place_is_the_one_that_was_built_to_break(layers, train, expected):
    tables = {
        "data": {"source": "diabetes" if train else "iris"},
        "net": {"layers": layers},
        "optimizer": {"name": "sgd", "learning_rate": 1e-3},
        "train": {"epochs": 1, **train},
    }
    recipe = Recipe.parse(tables)
    training = Training(Cohort([recipe], load(recipe.data)))
    assert training.origin() is None
    training.advance()
    assert training.results()[0].diverged == expected.step
    assert training.origin() == expected


def test_a_later_step_is_taken_again_as_it_was():
    layers = [{"dense": 8}, {"activation": "relu"}, {"dense": "outputs"}]
    tables = {
        "data": {"source": "diabetes"},
        "net": {"layers": layers},
        "optimizer": {"name": "sgd", "learning_rate": 3.0},
        "train": {"loss": "mean_squared_error", "epochs": 3},
    }
    recipe = Recipe.parse(tables)
    training = Training(Cohort([recipe], load(recipe.data)))
    training.advance()
    (result,) = training.results()
    assert result.diverged > 0
    found = training.origin()
    assert found.step == result.diverged
    assert f"at step {found.step} " in found.sentence
    # Looking changes nothing.
    again = training.results()[0]
    np.testing.assert_array_equal(again.params[0]["kernel"], result.params[0]["kernel"])


def test_a_sum_that_overflows_alone_has_no_place():
    assert find_origin(3, 1.0, np.zeros((2, 15)), ()) is None
