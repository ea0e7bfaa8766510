"""What is known before training: a healthy recipe passes, and each fault fails its own check."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from surefoot.data import load
from surefoot.doctor.diagnosis import weigh
from surefoot.doctor.finding import Suspicion
from surefoot.doctor.overfit import examples, overfit
from surefoot.doctor.preflight import Preflight, check, quoted
from surefoot.engine.programs import programs_for
from surefoot.engine.training import train
from surefoot.job import Job, prepare
from surefoot.recipe import Data, Recipe

MLP = [{"dense": 32}, {"activation": "relu"}, {"dense": "classes"}, {"activation": "softmax"}]
ONE_UNIT = [*MLP[:2], {"dense": 1}, {"activation": "softmax"}]


def job_of(source="digits", layers=MLP, rate=0.01, initializer="he_normal", **tables) -> Job:
    return prepare(
        Recipe.parse(
            {
                "data": {"source": source, **tables.pop("data", {})},
                "net": {"layers": layers, "initializer": initializer},
                "optimizer": {"name": "adam", "learning_rate": rate},
                "train": {"epochs": 2, **tables.pop("train", {})},
                **tables,
            }
        )
    )


@cache
def healthy() -> Preflight:
    return check(job_of())


def failed(found: Preflight) -> set[str]:
    return {row["check"] for row in found.checks if not row["passed"]}


def test_a_healthy_recipe_passes_every_check():
    found = healthy()
    assert failed(found) == set()
    rows = {row["check"]: row for row in found.checks}
    assert set(rows) == {
        "output",
        "loss",
        "input-scale",
        "initial-loss",
        "signal-variance",
        "gradient-variance",
        "symmetry",
        "overfit-20",
    }
    assert rows["initial-loss"]["expected"] == "near 2.3"  # ln 10
    assert rows["initial-loss"]["value"] == pytest.approx(math.log(10), rel=0.5)
    assert rows["overfit-20"]["value"] >= 0.95
    assert found.evidence.steps == 1
    assert found.evidence.total_steps == 90


def test_the_programs_of_the_first_step_are_those_of_training():
    healthy()
    job = job_of()
    programs = programs_for(job.cohort.blueprint)
    before = programs.train.count, programs.evaluate.count
    train(job.cohort)
    assert (programs.train.count, programs.evaluate.count) == before


def test_zero_weights_fail_symmetry_and_twenty_rows():
    found = check(job_of(initializer="zeros"))
    assert {"symmetry", "overfit-20", "signal-variance"} <= failed(found)
    symmetric = next(s for s in found.suspicions if s.id == "symmetric-units")
    assert "20 of its training rows" in symmetric.explanation
    assert symmetric.evidence["overfit_20"] < 0.95


def test_a_softmax_over_one_unit_fails_output_and_twenty_rows():
    found = check(job_of("moons", ONE_UNIT))
    assert {"output", "overfit-20"} <= failed(found)
    diagnosis = weigh(found.evidence, found.suspicions, checks=found.checks)
    assert diagnosis.root_cause == "wrong-output"
    assert diagnosis.to_dict()["checks"] == [dict(row) for row in found.checks]


def test_next_to_no_rate_fails_twenty_rows_and_one_that_suits_does_not():
    # The same net and rows as the healthy one: no compilation of its own.
    slow = overfit(job_of(rate=1e-9))
    assert not slow.passed
    assert slow.complete
    assert slow.steps == 300
    assert slow.best < 0.5


def test_what_regularizes_is_left_out():
    held = [MLP[0], {"dropout": 0.95}, *MLP[1:]]
    job = job_of(layers=held, train={"class_weight": "balanced", "early_stopping": {}})
    found = overfit(job)
    assert found.passed
    assert found.examples == 20
    assert job.recipe.train.early_stopping is not None


def test_numbers_are_judged_by_their_variance_and_unscaled_ones_told():
    layers = [{"dense": 32}, {"activation": "relu"}, {"dense": "outputs"}]
    job = job_of("diabetes", layers, train={"loss": "mean_squared_error"})
    found = check(job)
    rows = {row["check"]: row for row in found.checks}
    assert {"target-scale", "initial-loss"} <= failed(found)
    assert rows["target-scale"]["value"] > 100
    assert rows["overfit-20"]["expected"].startswith("R²")


def test_examples_differ_and_hold_every_class():
    data = load(Data(source="digits"))
    rows = examples(data)
    assert len(rows) == len(set(rows.tolist())) == 20
    assert np.bincount(data.y_train[rows]).tolist() == [2] * 10


def test_rows_of_one_target_say_nothing():
    job = prepare(np.random.default_rng(0).normal(size=(40, 3)), np.zeros(40), net=[{"dense": 1}])
    assert overfit(job) is None


def test_only_faults_of_wiring_quote_the_twenty_rows():
    def suspicion(name, strength):
        return Suspicion(name, strength, "So.", {})

    said = [suspicion("dead-units", 0.6), suspicion("overfitting", 0.6), suspicion("ravine", 0.01)]
    row = {"check": "overfit-20", "passed": False, "value": 0.4, "sentence": "It cannot."}
    dead, *others = quoted(said, [row])
    assert dead.strength == pytest.approx(0.7)
    assert dead.explanation == "So. It cannot."
    assert others == said[1:]
    assert quoted(said, [{**row, "passed": True}]) == said
