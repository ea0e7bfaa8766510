"""Gradients that vanish or explode, and divergence: layers, steps and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.doctor.detector import ramp
from surefoot.doctor.detectors.gradients import diverged, exploding_gradients, vanishing_gradients

SIGMOID = (
    *[{"dense": 16}, {"activation": "sigmoid"}] * 4,
    {"dense": "classes"},
    {"activation": "softmax"},
)


def test_the_loss_that_is_not_finite_is_found_at_its_step(evidence):
    loss = np.append(np.geomspace(1, 2e4, 100), np.full(540, np.nan))
    nonfinite = np.zeros((56, 6))
    nonfinite[20:, 2] = 3
    found = diverged(evidence(metrics={"loss": loss}, vitals={"nonfinite": nonfinite[:55]}))
    assert (found.since_step, found.layers, found.strength) == (100, ("3",), 1.0)
    assert found.evidence["largest_finite_loss"] == pytest.approx(2e4)
    assert "step 100" in found.explanation
    assert found.remedies[0].edits == {"optimizer.learning_rate": 1e-5}


def test_a_loss_that_was_never_finite_has_no_number_before(evidence):
    found = diverged(evidence(metrics={"loss": np.nan}))
    assert found.since_step == 0
    assert "nan" not in found.explanation


def test_a_gradient_that_is_not_finite_counts_at_recorded_steps_alone(evidence):
    norm = np.full(640, np.nan)
    rate = np.full(640, np.nan)
    rate[::16] = 1e-3
    norm[::16] = 0.5
    assert diverged(evidence(metrics={"gradient_norm": norm, "learning_rate": rate})) is None
    norm[320] = np.nan
    found = diverged(evidence(metrics={"gradient_norm": norm, "learning_rate": rate}))
    assert found.since_step == 320


@pytest.mark.parametrize(("end", "fires"), [(50.0, False), (150.0, True)])
def test_a_loss_that_grows_a_hundredfold_has_diverged(evidence, end, fires):
    loss = np.append(np.full(320, 1.2), np.full(320, 1.2 * end))
    found = diverged(evidence(metrics={"loss": loss}))
    assert (found is not None) == fires
    if fires:
        assert found.since_step == 320


def test_ten_sigmoid_layers_are_told_by_their_slope(evidence):
    signal = 0.25 ** np.arange(9, -1, -1.0)
    found = vanishing_gradients(evidence(layers=SIGMOID, vitals={"signal_rms": signal}))
    ratio = 0.25**8  # the last layer with weights stands in front of the softmax
    assert found.evidence["signal_ratio"] == pytest.approx(ratio)
    assert found.strength == pytest.approx(ramp(ratio, 0.02, 1e-5))
    assert found.layers == ("1", "3", "5", "7")
    assert "sigmoid multiplies it by a slope of at most 1/4" in found.explanation
    swapped = found.remedies[0].edits["net.layers"]
    assert [layer.get("activation") for layer in swapped[1::2]] == ["relu"] * 4 + ["softmax"]


def test_two_layers_are_no_chain(evidence):
    layers = ({"dense": 8}, {"activation": "relu"}, {"dense": "classes"}, {"activation": "softmax"})
    assert (
        vanishing_gradients(evidence(layers=layers, vitals={"signal_rms": [1e-9, 1, 1, 1]})) is None
    )


def test_the_layers_that_explode_are_named(evidence):
    signal = [1000.0, 1000.0, 50.0, 50.0, 1.0, 1.0]
    found = exploding_gradients(evidence(vitals={"signal_rms": signal}))
    assert found.layers == ("1", "3")
    assert found.evidence["signal_ratio"] == 1000.0
    assert "1e+03-fold" in found.explanation


def test_the_unit_of_the_loss_does_not_matter(evidence):
    for look, signal in (
        (vanishing_gradients, [1e-4, 1, 1e-2, 1, 1, 1]),
        (exploding_gradients, [1e4, 1, 1e2, 1, 1, 1]),
    ):
        one, other = (
            look(evidence(vitals={"signal_rms": np.multiply(signal, unit)})) for unit in (1.0, 1e-9)
        )
        assert one.strength == pytest.approx(other.strength)
