"""What holds for every detector: silent in health, louder the worse the fault, in plain words."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from surefoot.doctor.finding import IDS
from surefoot.doctor.registry import DETECTORS

LOOK = {detector.id: detector for detector in DETECTORS}


def deep(activation, count):
    """A chain of ``count`` hidden layers."""
    hidden = [{"dense": 32}, {"activation": activation}] * count
    return (*hidden, {"dense": "classes"}, {"activation": "softmax"})


def signal(ratio, layers=6):
    """A backward signal of ``ratio`` at the first layer, of 1 at the last, evenly in between."""
    return np.geomspace(ratio, 1.0, layers)


def growing(end, steps=640):
    """A loss that grows from 1 to ``end``, evenly by its logarithm."""
    return np.geomspace(1.0, end, steps)


def plateau(**numbers):
    """A landscape row of a point where the loss of 1 lies still."""
    still = {"loss": 1.0, "baseline_loss": 2.0, "gradient_norm": 1e-6, "gradient_noise": 0.0}
    ways = {"newton_loss": 1.0, "descent_loss": 1.0, "descent_steps": 32.0}
    bends = {"largest_eigenvalue": 3.0, "smallest_eigenvalue": 0.5, "unit_scale": 2.0}
    return {"step": 639.0, **still, **ways, **bends, "smallest_residual": 1e-6, **numbers}


def inputs(**changes):
    return {"prepared": {"inputs": changes}}


def targets(numbers, **changes):
    return {**numbers, "prepared": {"targets": {**numbers["prepared"]["targets"], **changes}}}


TANH = tuple({"activation": "tanh"} if "relu" in str(layer) else layer for layer in deep("relu", 2))
RAW = {"data.standardize": False}


def ladder(name, numbers):
    """Return the changes that make a healthy run worse and worse in one way, the worst last."""
    one = ({"dense": 32}, {"activation": "relu"}, {"dense": 1}, {"activation": "softmax"})
    relu_out = ({"dense": 32}, {"activation": "relu"}, {"dense": "outputs"}, {"activation": "relu"})
    return {
        "diverged": [{"metrics": {"loss": growing(1e6)}}],
        "vanishing-gradients": [{"vitals": {"signal_rms": signal(v)}} for v in (5e-3, 1e-4, 1e-7)],
        "exploding-gradients": [{"vitals": {"signal_rms": signal(v)}} for v in (60, 1e3, 1e6)],
        "dead-units": [{"vitals": {"inactive_share": v}} for v in (0.5, 0.7, 1.0)],
        "saturated-units": [
            {"layers": TANH, "vitals": {"saturated_share": v}} for v in (0.45, 0.7, 1.0)
        ],
        "symmetric-units": [
            {"vitals": {"unit_spread": [0.0, 0, 0.9, 0, 0.9, 0]}},
            {"vitals": {"unit_spread": 0.0}},
        ],
        "initialization-scale": [{"vitals": {"activation_std": v}} for v in (6.0, 20.0, 100.0)],
        "learning-rate-too-high": [{"vitals": {"update_ratio": v}} for v in (0.04, 0.2, 5.0)],
        "learning-rate-too-low": [
            {
                "vitals": {"update_ratio": v},
                "metrics": {"loss": np.linspace(1.1, 1.1 - 300 * v, 640)},
            }
            for v in (3e-4, 1e-4, 1e-7)
        ],
        "unscaled-inputs": [
            {"recipe": RAW, "facts": inputs(rms=v, std=v)} for v in (4.0, 20.0, 300.0)
        ],
        "unscaled-targets": [{"facts": targets(numbers, mean=v)} for v in (5.0, 20.0, 1e4)],
        "wrong-output": [
            {"layers": relu_out, "facts": targets(numbers, mean=m) | {"reference": {}}}
            for m in (2.0, 1.0, 0.0)
        ]
        + [{"layers": one}],
        "wrong-loss": [
            {"recipe": {"train.loss": "mean_squared_error"}},
            {"recipe": {"train.loss": "mean_absolute_error"}},
        ],
        "saddle-point": [
            {
                "curvature": plateau(
                    smallest_eigenvalue=-0.5, escape_loss=0.5, escape_descent_loss=0.4
                )
            }
        ],
        "local-minimum": [{"curvature": plateau()}],
        "flat-region": [{"curvature": plateau(largest_eigenvalue=1e-6, smallest_eigenvalue=0.0)}],
        "ravine": [
            {
                "curvature": plateau(
                    gradient_norm=1.0, newton_loss=0.5, curvature_to_limit=1.0, step_cosine=-0.9
                )
            }
        ],
        "batch-too-small": [
            {"recipe": {"train.batch_size": b}, "vitals": {"update_ratio": 1e-2}} for b in (4, 2, 1)
        ],
        "too-few-epochs": [
            {"steps": n, "metrics": {"loss": np.linspace(1.1, 0.3, n)}} for n in (250, 100, 40)
        ],
        "overfitting": [
            {"metrics": {"validation_accuracy": ends(v), "validation_loss": ends(1.0)}}
            for v in (0.85, 0.7, 0.4)
        ],
        "underfitting": [
            {"layers": ({"dense": 32}, {"dropout": d}, *deep("relu", 0))} for d in (0.7, 0.8, 0.95)
        ],
        "depth-degradation": [{"layers": deep("relu", n)} for n in (8, 12, 30)],
        "class-imbalance": [
            {"facts": {"prepared": {"targets": {"counts": [n, 20, 20]}}}} for n in (120, 240, 2000)
        ],
        "data-problem": [{"facts": {"reference": {"best": b}}} for b in (0.5, 0.45, 0.34)],
    }[name]


def ends(value, steps=640, every=32):
    """A number at the end of each epoch."""
    return np.where(np.arange(steps) % every == every - 1, value, np.nan)


def test_every_finding_has_a_detector_and_only_one():
    assert sorted(detector.id for detector in DETECTORS) == sorted(IDS)


@pytest.mark.parametrize("name", IDS)
def test_silent_on_a_healthy_run(name, evidence):
    assert LOOK[name].look(evidence()) is None


@pytest.mark.parametrize("name", IDS)
def test_louder_the_worse_the_fault(name, evidence, found, numbers):
    rungs = [found(LOOK[name], evidence(**changes)) for changes in ladder(name, numbers)]
    assert all(rung is not None and rung.id == name for rung in rungs)
    strengths = [rung.strength for rung in rungs]
    assert strengths == sorted(strengths)
    if len(rungs) > 1:
        assert strengths[-1] > strengths[0]
    worst = {"local-minimum": 0.3, "saddle-point": 0.6, "flat-region": 0.6, "ravine": 0.6}
    assert strengths[-1] >= worst.get(name, 0.8)


@pytest.mark.parametrize("name", IDS)
def test_the_evidence_is_numbers_and_words(name, evidence, numbers):
    suspicion = LOOK[name].look(evidence(**ladder(name, numbers)[-1]))
    assert suspicion.evidence
    for value in suspicion.evidence.values():
        assert isinstance(value, int | float | str)
    assert type(suspicion.since_step) is int
    assert "nan" not in suspicion.explanation
    assert all(isinstance(layer, str) for layer in suspicion.layers)


@pytest.mark.parametrize("name", [d.id for d in DETECTORS if d.reads])
def test_a_fault_is_seen_as_long_as_the_columns_that_it_reads_are_there(name, evidence, numbers):
    changes = ladder(name, numbers)[-1]
    given = evidence(**changes)
    others = [*given.metrics, *given.vitals]
    needed = {*LOOK[name].reads, "step", "epoch", "layer", "kind", "depth"}
    without = tuple(column for column in others if column not in needed)
    LOOK[name].look(evidence(**changes, without=without))  # says something, or nothing; raises not


@pytest.mark.parametrize("name", IDS)
def test_a_single_step_is_no_reason_to_fail(name, evidence, numbers):
    for changes in ladder(name, numbers):
        metrics = {
            key: value if np.ndim(value) == 0 else float(np.asarray(value)[-1])
            for key, value in changes.get("metrics", {}).items()
        }
        suspicion = LOOK[name].look(evidence(**{**changes, "metrics": metrics, "steps": 1}))
        assert suspicion is None or math.isfinite(suspicion.strength)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.id)
def test_the_docstring_says_rule_threshold_source_and_example(detector):
    text = inspect.getdoc(detector.look)
    assert text.startswith("Say whether ")
    assert any(word in text for word in ("Formula:", "Formula,", "Rules:", "Rules, "))
    assert "Source:" in text or "source:" in text
    assert "Example:" in text
    assert any(character.isdigit() for character in text) or "judge" in text
