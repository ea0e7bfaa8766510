"""Scale of inputs, targets and first weights."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.doctor.detectors.scaling import (
    initialization_scale,
    unscaled_inputs,
    unscaled_targets,
)

RAW = {"data.standardize": False}
TANH = ({"dense": 8}, {"activation": "tanh"}, {"dense": "classes"}, {"activation": "softmax"})


def of_inputs(**changes):
    return {"prepared": {"inputs": changes}}


def of_targets(numbers, **changes):
    return {**numbers, "prepared": {"targets": {**numbers["prepared"]["targets"], **changes}}}


def test_inputs_in_large_units(evidence):
    found = unscaled_inputs(evidence(recipe=RAW, facts=of_inputs(rms=224.0, largest_offset=750.0)))
    assert (found.strength, found.since_step) == (1.0, 0)
    assert found.evidence["rms"] == 224.0
    for word in ("224", "750", "data.standardize = true"):
        assert word in found.explanation
    assert found.remedies[0].edits == {"data.standardize": True}


def test_what_is_standardized_already_is_not_to_be_standardized(evidence):
    found = unscaled_inputs(evidence(facts=of_inputs(rms=1e-3)))
    assert found.remedies == ()
    assert "standardized already" in found.explanation


def test_squashing_units_take_less(evidence):
    facts = of_inputs(rms=2.5)
    assert unscaled_inputs(evidence(recipe=RAW, facts=facts)) is None
    assert unscaled_inputs(evidence(recipe=RAW, layers=TANH, facts=facts)).strength > 0.2


def test_what_a_batch_normalization_gets_has_no_scale(evidence):
    layers = ({"batch_norm": {}}, *TANH)
    assert unscaled_inputs(evidence(recipe=RAW, layers=layers, facts=of_inputs(rms=1e4))) is None


@pytest.mark.parametrize(
    "facts",
    [of_inputs(rms=1e-3), of_inputs(largest_offset=30.0), of_inputs(largest_scale=1000.0)],
    ids=["small", "offset", "uneven"],
)
def test_small_shifted_and_uneven_inputs_count_too(evidence, facts):
    assert unscaled_inputs(evidence(recipe=RAW, facts=facts)).strength >= 0.7


def test_targets_in_large_units(evidence, numbers):
    found = unscaled_targets(evidence(facts=of_targets(numbers, mean=2e5, std=1e5)))
    assert found.strength == 1.0
    assert found.evidence == {"mean": 2e5, "std": 1e5}
    assert "2e+05" in found.explanation
    assert found.remedies[0].edits == {"data.standardize_targets": True}


def test_classes_have_no_scale(evidence):
    assert unscaled_targets(evidence(facts={"prepared": {"targets": {"mean": 1e9}}})) is None


@pytest.mark.parametrize(
    ("spread", "layers", "word"),
    [
        ([1.0, 0.6, 1e-3, 6e-4, 1e-5, 0.3], ("3", "5"), "shrink"),
        ([20.0, 12.0, 300.0, 180.0, 90.0, 0.3], ("1", "3", "5"), "blow the signal up 300-fold"),
    ],
    ids=["small", "large"],
)
def test_the_layers_whose_signal_fades_or_grows_are_named(evidence, spread, layers, word):
    signs = {"activation_mean": 0.0, "activation_std": spread}
    sick = evidence(recipe={"net.initializer": {"name": "normal", "stddev": 0.01}}, vitals=signs)
    found = initialization_scale(sick)
    assert found.layers == layers
    assert word in found.explanation
    assert found.evidence["first_loss"] == pytest.approx(np.log(3))
    assert found.evidence["chance_loss"] == pytest.approx(np.log(3), abs=1e-5)
    assert found.remedies[0].apply(sick.recipe).net.initializer.name == "he_normal"


def test_dropout_widens_what_is_healthy(evidence):
    with_dropout = ({"dropout": 0.75}, {"dense": "classes"}, {"activation": "softmax"})
    signs = {"activation_mean": 0.0, "activation_std": [2.0, 7.0, 0.3]}
    plain = ({"activation": "identity"}, *with_dropout[1:])
    assert initialization_scale(evidence(layers=plain, vitals=signs)) is not None
    assert initialization_scale(evidence(layers=with_dropout, vitals=signs)) is None


def test_what_a_normalization_follows_is_left_out(evidence):
    layers = (
        {"dense": 8},
        {"batch_norm": {}},
        {"activation": "relu"},
        {"dense": "classes"},
        {"activation": "softmax"},
    )
    signs = {"activation_mean": 0.0, "activation_std": [500.0, 1.0, 0.6, 1.0, 0.3]}
    assert initialization_scale(evidence(layers=layers, vitals=signs)) is None
