"""How well a run goes, and what knowing nothing costs: cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from surefoot.doctor.chance import chance_loss
from surefoot.doctor.outcome import outcome


def ends(value, steps=640, every=32):
    """A number at the end of each epoch."""
    return np.where(np.arange(steps) % every == every - 1, value, np.nan)


@pytest.mark.parametrize(
    ("reached", "state"),
    [(0.97, "fine"), (0.9, "fine"), (0.85, "behind"), (0.6, "failed"), (0.34, "failed")],
)
def test_accuracy_beside_what_simple_methods_reach(evidence, reached, state):
    about = outcome(evidence(metrics={"validation_accuracy": ends(reached)}))
    assert (about.state, about.now, about.reference) == (state, reached, 0.95)
    assert about.gap == pytest.approx(0.95 - reached)
    assert about.learned == pytest.approx((reached - 0.334) / (0.95 - 0.334))


@pytest.mark.parametrize(("rmse", "state"), [(0.3, "fine"), (0.5, "behind"), (1.0, "failed")])
def test_an_rmse_is_compared_as_r_squared(evidence, numbers, rmse, state):
    columns = {"accuracy": np.nan, "rmse": 0.2, "validation_rmse": ends(rmse)}
    about = outcome(evidence(metrics=columns, facts=numbers))
    assert (about.measure, about.state) == ("rmse", state)
    assert about.score == pytest.approx(1 - rmse**2)
    assert about.train == pytest.approx(0.2)


def test_without_rows_for_validation_the_last_epoch_counts(evidence):
    columns = {"accuracy": np.append(np.full(608, 0.1), np.full(32, 0.8))}
    about = outcome(evidence(metrics=columns, without=("validation_accuracy",)))
    assert about.now == about.train == pytest.approx(0.8)


def test_without_a_yardstick_nothing_is_known(evidence):
    about = outcome(evidence(facts={"reference": None}))
    assert about.state == "unknown"
    assert about.chance == pytest.approx(342 / 1024)
    assert not about.poor


def test_where_simple_methods_learn_nothing_neither_must_a_net(evidence):
    facts = {"reference": {"best": 0.4}}
    states = [
        outcome(evidence(facts=facts, metrics={"validation_accuracy": ends(v)})).state
        for v in (0.35, 0.6)
    ]
    assert states == ["failed", "fine"]


def test_a_run_that_broke_off_has_failed(evidence):
    columns = {"accuracy": np.nan, "validation_accuracy": np.nan, "loss": np.nan}
    assert outcome(evidence(metrics=columns)).state == "failed"


COUNTS = {"prepared": {"targets": {"counts": [75, 25], "size": 2}}}
SHARES = {"prepared": {"targets": {"kind": "labels", "counts": None, "shares": [0.5, 0.1]}}}


@pytest.mark.parametrize(
    ("loss", "facts", "expected"),
    [
        ("cross_entropy", {}, math.log(3)),
        ("cross_entropy", COUNTS, -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))),
        ("binary_cross_entropy", SHARES, (math.log(2) + 0.3250829733914482) / 2),
        ("mean_squared_error", COUNTS, 0.1875),
        ("mean_absolute_error", SHARES, 0.3),
    ],
)
def test_what_a_constant_prediction_costs(evidence, loss, facts, expected):
    found = chance_loss(evidence(recipe={"train.loss": loss}, facts=facts))
    assert found == pytest.approx(expected, abs=1e-5)


def test_what_a_constant_prediction_of_numbers_costs(evidence, numbers):
    facts = {**numbers, "prepared": {"targets": {**numbers["prepared"]["targets"], "std": 3.0}}}
    squared = evidence(recipe={"train.loss": "mean_squared_error"}, facts=facts)
    absolute = evidence(recipe={"train.loss": "mean_absolute_error"}, facts=facts)
    assert chance_loss(squared) == 9.0
    normal = np.random.default_rng(0).normal(0, 3, 200_000)
    assert chance_loss(absolute) == pytest.approx(np.abs(normal).mean(), rel=0.01)


def test_what_is_not_known_costs_nobody_knows_what(evidence):
    assert math.isnan(chance_loss(evidence(facts={"prepared": None})))
