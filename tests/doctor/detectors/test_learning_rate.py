"""Steps that are too long or too short: what the numbers say, and which rate is offered."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.doctor.detectors.learning_rate import learning_rate_too_high, learning_rate_too_low

RECORDS = 55


def test_an_adam_of_rate_one(evidence):
    ratio = np.full((RECORDS, 6), 0.3)
    ratio[:2] = 10.0
    loss = np.append(1.1, np.full(639, 2.5))
    sick = evidence(
        recipe={"optimizer.learning_rate": 1.0},
        metrics={"loss": loss},
        vitals={"update_ratio": ratio},
    )
    found = learning_rate_too_high(sick)
    assert found.strength >= 0.9
    assert found.evidence["first_update_ratio"] == 10.0
    assert found.evidence["median_update_ratio"] == 0.3
    for word in ("10 times their size", "30.00% of their size", "loss now is 2.5"):
        assert word in found.explanation
    rates = [remedy.edits["optimizer.learning_rate"] for remedy in found.remedies]
    assert rates == sorted(set(rates))[::-1] or len(set(rates)) == 2
    assert max(rates) <= 1e-2


def test_since_the_first_record_whose_updates_are_long(evidence):
    ratio = np.full((RECORDS, 6), 2e-3)
    ratio[20:] = 1.0
    assert learning_rate_too_high(evidence(vitals={"update_ratio": ratio})).since_step == 80


def test_layers_whose_weights_are_nearly_zero_say_nothing(evidence):
    signs = {"update_ratio": [9.0, 0, 2e-3, 0, 2e-3, 0], "weight_rms": [1e-12, 0, 0.2, 0, 0.2, 0]}
    assert learning_rate_too_high(evidence(vitals=signs)) is None


def test_a_rule_without_a_rate_gets_no_rate(evidence):
    sick = evidence(recipe={"optimizer": {"name": "custom"}}, vitals={"update_ratio": 5.0})
    found = learning_rate_too_high(sick)
    assert found.remedies == ()
    assert found.explanation.endswith("Lower the learning rate.")


def test_an_adam_of_rate_one_ten_millionth(evidence):
    sick = evidence(
        recipe={"optimizer.learning_rate": 1e-7},
        metrics={"loss": np.linspace(1.1, 1.09, 640)},
        vitals={"update_ratio": 2e-7},
    )
    found = learning_rate_too_low(sick)
    assert found.strength == pytest.approx(0.95)
    assert found.evidence["reach"] == pytest.approx(2e-7 * 640)
    assert "all 640 steps together" in found.explanation
    assert found.remedies[-1].edits["optimizer.learning_rate"] == pytest.approx(1e-3)


def test_the_length_of_the_run_counts(evidence):
    short, long = (
        learning_rate_too_low(
            evidence(
                metrics={"loss": np.linspace(1.1, 1.0, 640)},
                vitals={"update_ratio": 2e-4},
                total_steps=total,
            )
        )
        for total in (640, 64_000)
    )
    assert short.strength > 0.3
    assert long is None


def test_clipping_that_leaves_nothing_is_named(evidence):
    sick = evidence(
        recipe={"train.clip_norm": 1e-5, "optimizer": "sgd"},
        metrics={
            "loss": np.linspace(1.1, 1.09, 640),
            "gradient_norm": 1.0,
            "clipped_gradient_norm": 1e-5,
        },
        vitals={"update_ratio": 1e-7},
    )
    found = learning_rate_too_low(sick)
    assert found.evidence["clipped_share"] == pytest.approx(1e-5)
    assert "Clipping leaves 0.0%" in found.explanation
    assert found.remedies[0].apply(sick.recipe).train.clip_norm is None
    assert found.remedies[0].toml == "# take out train.clip_norm\n"


def test_steps_that_shrink_with_the_gradient_are_not_the_rates_doing(evidence):
    ratio = np.full((RECORDS, 6), 1e-7)
    ratio[:8] = 5e-3
    assert learning_rate_too_low(evidence(vitals={"update_ratio": ratio})) is None
