"""Dead, saturated and symmetric units: which layers, since when, by which numbers."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.doctor.detectors.units import dead_units, saturated_units, symmetric_units

TANH = (
    {"dense": 32},
    {"activation": "tanh"},
    {"dense": 32},
    {"activation": "tanh"},
    {"dense": "classes"},
    {"activation": "softmax"},
)
RECORDS = 55  # of 640 steps: the first 16, then every 16th


def rising(start, end, since, layer):
    """A share that leaps in one layer from the record ``since`` on."""
    columns = np.full((RECORDS, 6), start)
    columns[since:, layer] = end
    return columns


def test_a_layer_that_died_is_named_with_its_step(evidence):
    found = dead_units(evidence(vitals={"inactive_share": rising(0.05, 0.8, 20, 3)}))
    assert (found.layers, found.since_step) == (("4",), 80)
    assert found.evidence == {"dead_share": 0.8, "dead_at_start": 0.05}
    assert "80%" in found.explanation
    assert "about step 80" in found.explanation
    assert found.remedies[0].edits == {"optimizer.learning_rate": 1e-4}


def test_units_that_began_dead_are_the_initializers_doing(evidence):
    sick = evidence(recipe={"net.bias_initializer": "ones"}, vitals={"inactive_share": 1.0})
    found = dead_units(sick)
    assert (found.since_step, found.evidence["dead_at_start"]) == (0, 1.0)
    assert "At the first step 100% were silent already" in found.explanation
    assert found.remedies[0].apply(sick.recipe).net.bias_initializer.name == "zeros"


def test_a_unit_that_wakes_once_is_not_dead(evidence):
    silent = np.full((RECORDS, 6), 0.9)
    silent[-3] = 0.3
    assert dead_units(evidence(vitals={"inactive_share": silent})) is None


def test_zeros_of_a_healthy_relu_and_of_the_output_are_not_counted(evidence):
    assert dead_units(evidence(vitals={"zero_share": 0.9})) is None
    assert dead_units(evidence(vitals={"inactive_share": [0, 0, 0, 0, 0, 1.0]})) is None


def test_other_activations_cannot_die(evidence):
    assert dead_units(evidence(layers=TANH, vitals={"inactive_share": 1.0})) is None


def test_saturation_from_the_start_and_later_are_told_apart(evidence):
    start = saturated_units(evidence(layers=TANH, vitals={"saturated_share": 0.9}))
    later = saturated_units(
        evidence(layers=TANH, vitals={"saturated_share": rising(0.02, 0.9, 30, 1)})
    )
    assert (start.layers, start.since_step) == (("2", "4"), 0)
    assert "from the first steps" in start.explanation
    assert (later.layers, later.since_step) == (("2",), 240)
    assert "about step 240" in later.explanation


def test_an_output_that_is_sure_is_not_saturated(evidence):
    share = [0, 0.1, 0, 0.1, 0, 1.0]
    assert saturated_units(evidence(layers=TANH, vitals={"saturated_share": share})) is None


@pytest.mark.parametrize(("weight", "words"), [(0.0, "began at zero"), (0.5, "same weights")])
def test_copies_are_found_in_hidden_layers(evidence, weight, words):
    spread = [1e-6, np.nan, 0.0, np.nan, 0.9, np.nan]
    found = symmetric_units(
        evidence(
            recipe={"net.initializer": "zeros"},
            vitals={"unit_spread": spread, "weight_rms": weight},
        )
    )
    assert (found.layers, found.strength, found.since_step) == (("1", "3"), 1.0, 0)
    assert words in found.explanation
    assert found.remedies[0].edits["net.initializer"] == "he_normal"


def test_one_layer_of_copies_is_a_little_less_sure(evidence):
    found = symmetric_units(evidence(vitals={"unit_spread": [0.0, 0, 0.9, 0, 0.9, 0]}))
    assert (found.layers, found.strength) == (("1",), 0.9)


def test_a_spread_that_is_not_known_is_no_copy(evidence):
    unknown = {"unit_spread": np.nan, "weight_rms": np.nan}
    assert symmetric_units(evidence(vitals=unknown)) is None
    known = {"unit_spread": 0.0, "weight_rms": np.nan}
    assert "same weights" in symmetric_units(evidence(vitals=known)).explanation
