"""Verdicts on points whose kind is known beforehand, and on rows that lack numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.critical_cases import CASES
from benchmarks.critical_points import examine
from surefoot.doctor.plateau import judge


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_a_known_point_is_told_right(make):
    case = make(7)
    found = examine(case)
    assert (found["kind"], found["cause"]) == (case.kind, case.cause)
    assert found["eigenvalue_error"] <= 0.01
    if case.kind == "saddle-point":
        assert found["escaped"] < 0.99 * found["loss"]


def test_there_are_cases_of_every_kind():
    assert len(CASES) >= 20


POINT = {
    "loss": 1.0,
    "baseline_loss": 2.0,
    "gradient_norm": 1e-6,
    "gradient_noise": 0.0,
    "newton_loss": 1.0,
    "largest_eigenvalue": 3.0,
    "smallest_eigenvalue": 0.5,
    "unit_scale": 2.0,
    "descent_loss": 1.0,
    "descent_steps": 32.0,
}


def test_the_sentence_quotes_the_numbers():
    saddle = {
        **POINT,
        "smallest_eigenvalue": -0.25,
        "smallest_residual": 1e-6,
        "escape_loss": 0.8,
        "escape_descent_loss": 0.125,
    }
    verdict = judge(saddle)
    assert verdict.kind == "saddle-point"
    for word in ("-0.25", "0.8", "0.125", "32 steps"):
        assert word in verdict.sentence
    assert verdict.evidence["escape_loss"] == 0.8


def test_the_scale_of_the_loss_and_of_the_weights_does_not_matter():
    losses = ("loss", "baseline_loss", "newton_loss", "descent_loss")
    others = ("gradient_norm", "largest_eigenvalue", "smallest_eigenvalue")
    scaled = {**POINT, **{name: 1e-9 * POINT[name] for name in (*losses, *others)}}
    assert judge(scaled).kind == judge(POINT).kind == "local-minimum"


def test_negative_curvature_within_its_residual_is_no_saddle():
    point = {
        **POINT,
        "smallest_eigenvalue": -0.01,
        "smallest_residual": 0.02,
        "escape_loss": 0.9,
        "escape_descent_loss": 0.9,
    }
    assert judge(point).kind == "local-minimum"
    assert judge({**point, "smallest_residual": 1e-4}).kind == "saddle-point"


def test_an_escape_that_gains_no_more_than_descent_is_no_way_out():
    point = {
        **POINT,
        "smallest_eigenvalue": -0.01,
        "smallest_residual": 0.0,
        "escape_loss": 0.999,
        "escape_descent_loss": 0.5,
        "descent_loss": 0.45,
    }
    assert judge(point).kind == "local-minimum"


def test_a_gain_within_the_noise_of_the_sample_says_nothing():
    point = {**POINT, "gradient_norm": 0.1, "newton_loss": 0.9}
    assert judge(point).kind == "not-critical"
    assert judge({**point, "gradient_noise": 0.1}).kind == "local-minimum"


def test_reversal_and_curvature_together_make_a_ravine():
    point = {**POINT, "gradient_norm": 1.0, "newton_loss": 0.5, "curvature_to_limit": 1.01}
    assert judge({**point, "step_cosine": -0.99}).cause == "ravine"
    assert judge({**point, "step_cosine": 0.99}).cause == "descending"
    shallow = {**point, "curvature_to_limit": 0.4, "step_cosine": -0.99}
    assert judge(shallow).cause == "descending"
    assert judge({**shallow, "step_curvature_to_limit": 1.0}).cause == "ravine"


def test_what_is_not_finite_or_absent_is_not_judged():
    for row in ({}, {**POINT, "loss": math.inf}, {**POINT, "gradient_norm": math.nan}):
        assert judge(row).kind == "unknown"
    assert judge(dict.fromkeys(POINT, np.float64(np.nan))).kind == "unknown"
