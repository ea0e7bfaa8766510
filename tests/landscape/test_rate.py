"""The rate at which a step bounces, from what a run recorded."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.landscape.rate import step_rate
from surefoot.recipe import Recipe

METRICS = {
    "step": np.arange(4),
    "learning_rate": np.array([0.2, np.nan, 0.1, 0.05]),
    "gradient_norm": np.array([1.0, np.nan, 4.0, 1.0]),
    "clipped_gradient_norm": np.array([1.0, np.nan, 2.0, 1.0]),
}
# Two layers of 1 and 3 weights: ‖update‖² = 1 + 3 · 4, ‖gradient‖² = 4 + 3 · 16.
VITALS = {
    "step": np.array([0, 0, 2, 2]),
    "layer": np.array(["1", "2", "1", "2"], object),
    "update_rms": np.array([9.0, 9, 1, 2]),
    "gradient_rms": np.array([1.0, 1, 2, 4]),
}


def _rate(step, **optimizer):
    recipe = Recipe.parse({"net": {"layers": [{"dense": 1}]}, "optimizer": optimizer})
    return step_rate(recipe, METRICS, VITALS, {"1": 1, "2": 3}, step)


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [
        ({"name": "sgd"}, 0.1 / 2),
        ({"name": "momentum", "momentum": 0.5}, 0.05 / 1.5),
        ({"name": "momentum", "momentum": 0.5, "average": True}, 0.05 * 0.5 / 1.5),
        ({"name": "nesterov", "momentum": 0.5}, 0.05 * 2 / 1.5),
        ({"name": "adam"}, np.sqrt(13 / 52)),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_each_rule_has_its_rate(optimizer, rate):
    assert _rate(2, **optimizer) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("rule", "most"),
    [
        ({"name": "momentum", "momentum": 0.9}, 2.0),
        ({"name": "nesterov", "momentum": 0.9}, 2.0),
        ({"name": "momentum", "momentum": 0.9, "average": True}, 2.0),
    ],
    ids=["momentum", "nesterov", "average"],
)
def test_curvature_two_over_the_rate_is_where_the_rule_turns_unstable(rule, most):
    """The update's own recurrence on λx²/2, just below the limit and just above it."""
    from surefoot.optim import build

    eta = _rate(0, **rule) / 0.2  # for a learning rate of 1
    for factor, grows in ((0.98, False), (1.02, True)):
        curvature = factor * most / eta
        name, beta = rule["name"], {"momentum": rule["momentum"]}
        flags = {"average": True, "bias_correction": False} if "average" in rule else {}
        update = build(name, beta, 1.0, **flags)
        x = np.float32(1.0)
        state = update.init(x)
        largest = []
        for _ in range(400):
            step, state = update.update(np.float32(curvature * x), state, x)
            x = np.float32(x + step)
            largest.append(abs(float(x)))
            if largest[-1] > 1e6:
                break
        assert (max(largest[-20:]) > max(largest[:20])) == grows


def test_before_anything_was_recorded_there_is_no_rate():
    assert np.isnan(_rate(-1, name="sgd"))
    assert np.isnan(_rate(-1, name="adam"))
