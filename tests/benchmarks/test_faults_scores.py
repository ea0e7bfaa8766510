"""Published rules and scores on hand-made tables."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.faults.outcomes import Judged, Outcome
from benchmarks.faults.programs import Program
from benchmarks.faults.published import TOOLS
from benchmarks.faults.scoring import Entry, Opinion, Score, checkpoints, table
from surefoot.doctor.evidence import Evidence
from surefoot.recipe import Recipe
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import Table

EPOCHS, STEPS = 10, 8
LAYERS = (("1", "dense"), ("2", "relu"), ("3", "dense"), ("4", "softmax"))
HEALTH = {
    "activation_mean": 0.5,
    "activation_std": 1.0,
    "zero_share": 0.5,
    "inactive_share": 0.0,
    "gradient_rms": 0.01,
    "weight_rms": 0.3,
    "update_rms": 0.0003,
    "update_ratio": 0.001,
    "nonfinite": 0.0,
}


def run(loss=None, accuracy=None, kinds=LAYERS, facts=None, **vitals):
    """Return a run that goes well but for what is given: [steps] or by layer."""
    steps = EPOCHS * STEPS
    columns = {name: np.full(steps, np.nan) for name in METRIC_COLUMNS}
    columns["loss"] = np.exp(-np.arange(steps) / 20) if loss is None else np.asarray(loss)
    rising = 1 - 0.5 * np.exp(-np.arange(steps) / 20)
    columns["accuracy"] = rising if accuracy is None else np.asarray(accuracy)
    ends = np.arange(steps) % STEPS == STEPS - 1
    for name in ("loss", "accuracy"):
        columns[f"validation_{name}"] = np.where(ends, columns[name], np.nan)
    metrics = Table({"step": np.arange(steps), "epoch": np.arange(steps) // STEPS + 1, **columns})
    rng = np.random.default_rng(0)
    values = {}
    for name in VITAL_COLUMNS:
        each = vitals.get(name, HEALTH.get(name, np.nan))
        grid = np.broadcast_to(np.asarray(each, float), (steps, len(kinds))).copy()
        if name == "activation_mean" and name not in vitals:
            grid += 0.01 * rng.normal(size=grid.shape)
        values[name] = grid.reshape(-1)
    vital_table = Table(
        {
            "step": np.repeat(np.arange(steps), len(kinds)),
            "layer": np.tile([name for name, _ in kinds], steps),
            "kind": np.tile([kind for _, kind in kinds], steps),
            "depth": np.tile(np.arange(len(kinds)), steps),
            **values,
        }
    )
    recipe = Recipe.parse(
        {"net": {"layers": [{"dense": 4}]}, "train": {"epochs": EPOCHS, "batch_size": 4}}
    )
    about = {"target": {"kind": "classes", "classes": {"0": 16, "1": 16}, "balance": 1.0}}
    about["prepared"] = {"inputs": {"largest": 0.9}}
    return Evidence(recipe, metrics, vital_table, {**about, **(facts or {})}, steps)


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_a_run_that_goes_well_is_healthy(tool):
    assert not TOOLS[tool](run()).unhealthy


def test_autotrainer():
    tool = TOOLS["AutoTrainer"]
    broken = np.where(np.arange(80) < 20, 1.0, np.nan)
    assert tool(run(loss=broken)).causes == ("exploding-gradients",)
    flat = np.full(80, 0.3)
    slow = tool(run(accuracy=flat))
    # Three of ten epochs must have passed.
    assert (slow.symptom, slow.step) == ("not_converge", 24)
    assert tool(run(accuracy=flat, inactive_share=0.8)).symptom == "relu"
    vanishing = np.array([1e-6, 1e-6, 1.0, 1.0])
    assert tool(run(accuracy=flat, gradient_rms=vanishing)).symptom == "vanish"
    assert tool(run(accuracy=flat, gradient_rms=vanishing[::-1] * 1e4)).symptom == "explode"
    swinging = 0.8 + 0.05 * (np.arange(80) // STEPS % 2)
    assert tool(run(accuracy=swinging)).causes[0] == "learning-rate-too-high"


def test_deep_diagnosis():
    tool = TOOLS["DeepDiagnosis"]
    raw = (*LAYERS[:3],)
    assert tool(run(kinds=raw)).causes == ("wrong-output",)
    assert tool(run(kinds=raw)).step == STEPS
    assert tool(run(activation_mean=0.0)).symptom == "numerical error"
    unscaled = {"prepared": {"inputs": {"largest": 300.0}}}
    assert tool(run(activation_mean=0.0, facts=unscaled)).causes == ("unscaled-inputs",)
    assert tool(run(gradient_rms=1e-8)).symptom == "vanishing"
    dead = tool(run(zero_share=np.array([0, 0.75, 0, 0])))
    assert (dead.symptom, dead.step) == ("dead node", 80)
    tanh = (("1", "dense"), ("2", "tanh"), *LAYERS[2:])
    assert tool(run(kinds=tanh, activation_std=20.0)).symptom == "saturated"


def test_sagemaker():
    tool = TOOLS["SageMaker, quiet"]
    assert tool(run(gradient_rms=1e-8)).symptom == "VanishingGradient"
    assert tool(run(inactive_share=np.array([0, 0.6, 0, 0]))).causes == ("dead-units",)
    assert tool(run(update_ratio=20.0)).causes == ("learning-rate-too-high",)
    assert tool(run(facts={"target": {"balance": 0.05}})).causes == ("class-imbalance",)
    late = np.where(np.arange(80) < 33, 1.0, np.inf)
    assert tool(run(loss=late)).step == 34
    whole = TOOLS["SageMaker"]
    assert whole(run(loss=np.ones(80))).symptom == "LossNotDecreasing"


def entry(label, unhealthy, causes, right, step):
    program = Program(
        "p", "moons", "report", Recipe.parse({"net": {"layers": [{"dense": 1}]}}), (), {}
    )
    outcome = Outcome((0.5,), (0.5,), (None,), (100,), 0)
    judged = Judged(program, outcome, 1.0, label, {}, ("rate-low=0.01",) if right else (), right)
    return Entry(judged, Opinion(unhealthy, causes, step, ""), 100)


def test_scores():
    slow = frozenset({"learning-rate-too-low"})
    score = Score(
        (
            entry("fails", True, ("learning-rate-too-low",), slow, 10),
            entry("fails", True, ("dead-units",), slow, 30),
            entry("fails", False, (), frozenset(), None),
            entry("trains", True, ("dead-units",), frozenset(), 5),
            entry("trains", False, (), frozenset(), None),
            entry("between", True, (), frozenset(), 5),
        )
    )
    assert score.found == pytest.approx(2 / 3)
    assert score.alarms == 0.5
    assert score.named == 0.5
    assert score.share == pytest.approx(0.3)
    assert dict(score.confusion()) == {("rate-low", "dead-units"): 1}
    assert "66.7% (2/3)" in table({"any": score})


def test_a_short_run_is_looked_at_after_each_step_it_has():
    assert checkpoints(3) == [1, 2, 3]
