"""Budget, depth, data and plateaus: numbers of cases that were worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.doctor.detector import ramp
from surefoot.doctor.detectors import plateaus
from surefoot.doctor.detectors.budget import batch_too_small, too_few_epochs
from surefoot.doctor.detectors.data import class_imbalance, data_problem
from surefoot.doctor.detectors.depth import depth_degradation
from surefoot.doctor.plateau import judge

TAIL = ({"dense": "classes"}, {"activation": "softmax"})


def test_few_updates_of_a_loss_that_still_falls(evidence):
    sick = evidence(steps=45, metrics={"loss": np.linspace(1.1, 0.4, 45)})
    found = too_few_epochs(sick)
    assert found.evidence["updates"] == 45
    tenths = np.linspace(1.1, 0.4, 45)[:44].reshape(11, 4).mean(axis=1)
    assert found.evidence["fall_of_last_tenth"] == pytest.approx(1 - tenths[-1] / tenths[-2])
    assert found.strength == pytest.approx(0.9 * ramp(45, 400, 30))
    assert found.remedies[0].apply(sick.recipe).train.epochs == 20 * 27


@pytest.mark.parametrize("ratio", [1.0, 1e-8])
def test_steps_of_an_odd_length_are_the_rates_doing(evidence, ratio):
    sick = {"steps": 45, "metrics": {"loss": np.linspace(1.1, 0.4, 45)}}
    assert too_few_epochs(evidence(**sick, vitals={"update_ratio": ratio})) is None


def test_a_run_that_has_only_begun_is_judged_by_its_whole_length(evidence):
    assert too_few_epochs(evidence(steps=45, total_steps=5000)) is None
    assert too_few_epochs(evidence(steps=20, total_steps=45)) is not None


def test_batches_of_one(evidence):
    sick = evidence(recipe={"train.batch_size": 1}, vitals={"update_ratio": 0.02})
    found = batch_too_small(sick)
    assert found.strength == 1.0
    assert "Each step follows 1 example," in found.explanation
    larger, slower = (remedy.apply(sick.recipe) for remedy in found.remedies)
    assert larger.train.batch_size == 32
    assert slower.optimizer.learning_rate == pytest.approx(1e-3 / 32**0.5, rel=1e-2)


@pytest.mark.parametrize("size", [8, 32, "full"])
def test_batches_of_a_usual_size(evidence, size):
    sick = evidence(recipe={"train.batch_size": size}, vitals={"update_ratio": 0.05})
    assert batch_too_small(sick) is None


def test_normalization_suffers_from_few_rows_whatever_the_steps(evidence):
    layers = ({"dense": 8}, {"batch_norm": {}}, {"activation": "relu"}, *TAIL)
    found = batch_too_small(evidence(layers=layers, recipe={"train.batch_size": 2}))
    assert found.strength == pytest.approx(0.8 * ramp(4, 1, 5))
    assert "Batch normalization takes" in found.explanation


def test_layers_are_counted_through_repetitions(evidence):
    hidden = [{"dense": 8}, {"activation": "relu"}]
    deep = (*hidden, {"repeat": 20, "layers": hidden}, *TAIL)
    sick = evidence(layers=deep)
    found = depth_degradation(sick)
    assert (found.evidence["depth"], found.strength) == (22, 0.9)
    assert "22 layers" in found.explanation
    fewer, normalized = (remedy.apply(sick.recipe) for remedy in found.remedies)
    assert fewer.net.layers[2].repeat == 2
    assert "batch_norm" in str(normalized.to_dict()["net"])
    around = ({"dense": 8}, {"repeat": 20, "layers": [{"residual": hidden}]}, *TAIL)
    assert depth_degradation(evidence(layers=around)) is None


def test_how_many_to_one(evidence):
    facts = {"prepared": {"targets": {"counts": [900, 100, 24]}}}
    found = class_imbalance(evidence(facts=facts))
    assert found.evidence == {"ratio": 37.5, "largest": 900, "smallest": 24}
    assert found.strength == 0.95
    assert "balanced otherwise" in found.explanation
    facts["prepared"]["targets"]["validation_counts"] = [90, 10, 3]
    assert class_imbalance(evidence(facts=facts)).strength == pytest.approx(0.475)
    weighed = evidence(recipe={"train.class_weight": "balanced"}, facts=facts)
    assert class_imbalance(weighed) is None


@pytest.mark.parametrize(
    ("facts", "strength", "word"),
    [
        ({"prepared": {"inputs": {"varying": 0.0}}}, 1.0, "No input varies"),
        ({"reference": {"best": 0.36}}, 1.0, "0.36 against 0.334"),
        ({"reference": {"held_out_train": 0.5}}, 1.0, "0.95 on the validation rows"),
        ({"prepared": {"inputs": {"largest": 1e4}}}, 0.5, "1e+04 standard deviations"),
    ],
    ids=["constant", "chance", "labels", "outlier"],
)
def test_what_is_wrong_with_the_data(evidence, facts, strength, word):
    found = data_problem(evidence(facts=facts))
    assert found.strength == pytest.approx(strength, abs=1e-3)
    assert word in found.explanation
    assert found.remedies[0].edits == {}


def test_numbers_that_nothing_predicts(evidence, numbers):
    facts = {**numbers, "reference": {**numbers["reference"], "best": 0.99}}
    found = data_problem(evidence(facts=facts))
    assert found.strength == 1.0
    assert found.evidence["learnable"] == pytest.approx(1 - 0.99**2)


def test_the_newest_point_of_the_landscape_is_judged(evidence):
    bowl = {"loss": [1.0, 0.5], "baseline_loss": [2.0, 2.0], "gradient_norm": [1e-9, 1e-9]}
    ends = {"largest_eigenvalue": [1e-9, 3.0], "smallest_eigenvalue": [0.0, 0.5]}
    table = {"step": [100, 50], **bowl, **ends, "unit_scale": [1.0, 1.0]}
    table = {name: np.asarray(values) for name, values in table.items()}
    seen = evidence(curvature={})
    object.__setattr__(seen, "curvature", table)
    heard = {d.id: d.look(seen) for d in plateaus.DETECTORS}
    assert [id for id, suspicion in heard.items() if suspicion] == ["flat-region"]
    assert heard["flat-region"].since_step == 100
    first = {name: float(column[0]) for name, column in table.items()}
    assert heard["flat-region"].explanation.startswith(judge(first).sentence)


def test_a_net_that_has_learned_its_rows_is_no_fault(evidence):
    fitted = {"loss": 1e-6, "baseline_loss": 1.0, "gradient_norm": 1e-9, "step": 1.0}
    (found,) = (
        d.look(evidence(curvature=fitted)) for d in plateaus.DETECTORS if d.id == "local-minimum"
    )
    assert found.strength == 0.0
