"""The rate finder: an interval and a reason, never nothing, and no trace."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.study.rate_finder import RATES, judge

THREE = np.array([0.01, 0.1, 1.0, 10.0])
CALM = np.zeros((4, 2), bool)
START = np.full((4, 2), 2.0)


def ends(*losses):
    return np.array(losses)[:, None] + np.zeros((1, 2))


def test_the_interval_is_that_of_rates_that_fall_far_enough():
    found = judge(THREE, START, ends(1.5, 0.3, 0.0, 9.0), CALM)
    assert (found.rate, found.low, found.high, found.clear) == (1.0, 0.1, 1.0, True)
    assert found.table["fall"].tolist() == pytest.approx([0.25, 0.85, 1.0, -3.5])
    assert found.table["serves"].tolist() == [False, True, True, False]
    assert "fell from 2 to 0" in found.reason
    assert "with 10 it ends at 9" in found.reason


def test_a_rate_of_which_a_seed_diverged_does_not_serve():
    diverged = CALM.copy()
    diverged[2, 1] = True
    found = judge(THREE, START, ends(1.0, 0.5, 0.0, np.inf), diverged)
    assert (found.rate, found.high) == (0.1, 0.1)
    assert "with 1 it diverges" in found.reason


def test_there_is_an_answer_and_a_reason_where_no_rate_helps():
    still = judge(THREE, START, ends(2.0, 1.99, 2.0, 2.0), CALM)
    assert not still.clear
    assert (still.low, still.high) == (0.01, 10.0)
    assert "not what is wrong" in still.reason
    lost = judge(THREE, np.full((4, 2), np.nan), ends(*[np.nan] * 4), ~CALM)
    assert not lost.clear
    assert "diverged" in lost.reason
    assert not lost.table["serves"].any()


def test_the_best_at_the_edge_is_said_to_be_there():
    found = judge(THREE, START, ends(1.9, 1.5, 1.0, 0.5), CALM)
    assert (found.rate, found.clear) == (10.0, False)
    assert "one beyond it may be better" in found.reason


def test_a_found_rate_trains_and_one_far_outside_does_not(job, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = job.recipe.to_dict()
    found = sf.find_rate(job, seeds=2, steps=60)
    assert job.recipe.to_dict() == before
    assert not list(tmp_path.iterdir())
    assert found.table["learning_rate"].tolist() == list(RATES)
    assert 1e-3 < found.low <= found.rate <= found.high <= 10
    again = sf.find_rate(job, seeds=2, steps=60)
    assert again.to_dict() == found.to_dict()
    losses = dict(zip(RATES, found.table["loss"], strict=True))
    assert losses[found.rate] == min(losses.values()) < 0.5 * losses[1e-5]


def test_bad_input_is_one_line(job):
    with pytest.raises(sf.RecipeError, match="steps = 0"):
        sf.find_rate(job, steps=0)
    with pytest.raises(sf.RecipeError, match="seeds = 1000"):
        sf.find_rate(job, seeds=1000)
