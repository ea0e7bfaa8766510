"""What is to be repaired, opened."""

from __future__ import annotations

import dataclasses
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import surefoot as sf
from surefoot.repair.case import open_case


def _silent(line: str) -> None:
    pass


def test_a_recipe_without_validation_rows_lends_some_to_the_trials(make):
    recipe = make(data={"validation": 0}, train={"epochs": 2})
    case = open_case(recipe, 20.0, _silent)
    assert len(case.dataset.y_val) == 30
    assert not case.about.validated
    changed = case.base.model_copy(update={"seed": 5})
    assert case.delivered(changed) == case.recipe.model_copy(update={"seed": 5})


def test_trials_are_told_of_before_a_recipe_is_watched(make, tmp_path):
    told = []

    def begun(base, dataset, about):
        told.append((base, dataset.rows, about.kind))

    recipe = make(train={"epochs": 2})
    case = open_case(recipe, 60.0, _silent, begun)
    assert told == [(case.base, case.dataset.rows, "classes")]
    open_case(sf.train(recipe, out=tmp_path / "run"), 60.0, _silent, begun)
    assert len(told) == 1


def test_a_guess_is_the_commonest_class_of_the_validation_rows(make):
    case = open_case(make(train={"epochs": 2}), 20.0, _silent)
    counts = np.bincount(case.dataset.y_val)
    assert case.guess == pytest.approx(counts.max() / counts.sum())
    fewer = dataclasses.replace(case.dataset, y_val=np.array([0, 2, 2, 2]))
    assert dataclasses.replace(case, dataset=fewer).guess == 0.75


@pytest.mark.parametrize(("verdict", "finished"), [("healthy", True), ("unhealthy", False)])
def test_what_goes_well_is_watched_to_its_end(make, monkeypatch, verdict, finished):
    module = sys.modules[open_case.__module__]
    for name in ("_AT_LEAST", "_OF_TRAINING", "_TIMED"):
        monkeypatch.setattr(module, name, 0.0)  # its time is over as soon as it was timed
    said = SimpleNamespace(verdict=verdict)
    monkeypatch.setattr(module._Timed, "diagnosis", lambda self, finished: said)
    assert open_case(make(train={"epochs": 200}), 400.0, _silent).finished is finished


def test_a_run_and_its_recipe_are_the_same_case(make, tmp_path):
    recipe = make(train={"epochs": 4})
    run = sf.train(recipe, out=tmp_path / "run")
    read, trained = (open_case(target, 20.0, _silent) for target in (run, recipe))
    assert read.recipe == trained.recipe
    # Of 30 rows simple methods have 28 right: all of the one half, and 13 of the other.
    assert read.goal == trained.goal == pytest.approx(14 / 15)
    assert read.goal_to_prove == trained.goal_to_prove == pytest.approx(12 / 15)
    assert read.diagnosis.verdict == trained.diagnosis.verdict
    assert read.lane_seconds > 0


@pytest.mark.parametrize("gross", [False, True])
def test_inputs_that_lie_far_out_are_seen(make, tmp_path, gross):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    x[7] *= 1e4 if gross else 1
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    recipe = make(data={"source": str(tmp_path / "rows.npz")}, train={"epochs": 1})
    assert open_case(recipe, 20.0, _silent).about.far is gross
