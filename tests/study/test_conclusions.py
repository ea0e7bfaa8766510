"""Statistics against SciPy and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from surefoot.study.conclusions import conclude, grain, holm, interval, paired_p

NONE = np.zeros((4, 6), bool)


@pytest.fixture
def scores():
    drawn = np.random.default_rng(0)
    return np.array([[0.5], [0.9], [0.89], [0.7]]) + drawn.normal(0, 0.02, (4, 6))


def test_p_is_that_of_scipys_paired_t_test(scores):
    expected = [scipy.stats.ttest_rel(row, scores[1]).pvalue for row in scores[[0, 2, 3]]]
    np.testing.assert_allclose(paired_p(scores[[0, 2, 3]] - scores[1]), expected, rtol=1e-9)


def test_p_of_differences_without_spread():
    p = paired_p(np.array([[0.1, 0.1, 0.1], [0, 0, 0], [0.5, np.nan, np.nan]]))
    assert p[:2].tolist() == [0.0, 1.0]
    assert np.isnan(p[2])


def test_there_is_no_p_of_a_single_seed():
    assert np.isnan(paired_p(np.array([[0.1], [np.nan]]))).tolist() == [True, True]


def test_holms_correction_is_that_of_his_example():
    # Four p, worked by hand: 4 · 0.005, 3 · 0.01, 2 · 0.03, and 0.04, raised to what precedes it.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005]), 4) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, np.nan, 0.7]), 2)[[0, 2]] == pytest.approx([1.0, 1.0])


def test_the_interval_is_that_of_scipys_bootstrap(scores):
    low, high = interval(scores)
    for row, a, b in zip(scores, low, high, strict=True):
        found = scipy.stats.bootstrap(
            (row,), np.mean, method="percentile", n_resamples=20_000, rng=1
        ).confidence_interval
        # Ends of 10,000 resamples vary by about 3 % of the interval's width.
        assert [a, b] == pytest.approx([found.low, found.high], abs=0.05 * (b - a))
    alone = interval(scores[:, :1])
    assert np.isnan(alone).all()


def test_verdicts_say_better_worse_or_nothing(scores):
    found = conclude(scores, NONE, higher=True)
    assert (found.best, found.reference) == (1, 1)
    assert found.verdict == ("worse", "", "no difference shown", "worse")
    np.testing.assert_allclose(found.mean, scores.mean(axis=1))
    np.testing.assert_allclose(found.difference, scores.mean(axis=1) - scores[1].mean(), atol=1e-12)
    lower = conclude(scores, NONE, higher=False, baseline=3)
    assert (lower.best, lower.reference) == (0, 3)
    assert lower.verdict == ("better", "worse", "worse", "")


def test_the_best_is_compared_with_a_stricter_correction_than_a_baseline(scores):
    best, named = (conclude(scores, NONE, higher=True, baseline=b) for b in (None, 1))
    # Of 4 settings 6 pairs might have been the one, and 3 pairs hold the baseline.
    assert best.p[3] / named.p[3] == pytest.approx(5 / 2)


def test_noise_is_seldom_called_a_difference():
    drawn = np.random.default_rng(1).normal(size=(400, 8, 5))
    found = [conclude(scores, np.zeros((8, 5), bool), higher=True) for scores in drawn]
    wrong = np.mean([{"better", "worse"} & set(each.verdict) != set() for each in found])
    assert wrong < 0.08  # 5 % and three deviations of 400 draws


def test_settings_that_diverged_are_best_only_where_all_did(scores):
    diverged = NONE.copy()
    diverged[1, 2] = True
    assert conclude(scores, diverged, higher=True).best == 2
    assert conclude(scores, ~NONE, higher=True).best == 1


def test_equal_means_are_put_in_order_by_what_is_given_for_ties():
    scores = np.array([[0.9, 0.8], [0.8, 0.9], [0.5, 0.5]])
    ties = np.array([[0.4, 0.4], [0.3, 0.3], [0.0, 0.0]])
    calm = np.zeros((3, 2), bool)
    assert conclude(scores, calm, higher=True, ties=ties).order == (1, 0, 2)
    assert conclude(scores, calm, higher=True).order == (0, 1, 2)


def test_what_is_not_finite_is_left_out():
    scores = np.array([[1.0, np.inf, 1.2], [np.nan, np.nan, np.nan], [0.5, 0.6, 0.4]])
    found = conclude(scores, np.zeros((3, 3), bool), higher=False)
    assert found.best == 2
    assert found.mean[0] == pytest.approx(1.1)
    assert np.isnan(found.mean[1])
    assert found.verdict[1] == "no result"


@pytest.mark.parametrize(("seeds", "low", "high"), [(40, 0.92, 0.97), (5, 0.75, 0.9)])
def test_the_interval_holds_the_mean_as_often_as_it_is_said_to(seeds, low, high):
    """Of many seeds in 95 % of draws; of few it is narrow, which is why verdicts do not use it."""
    drawn = np.random.default_rng(2).normal(0.7, 0.02, (2000, seeds))
    ends = interval(drawn)
    held = np.mean((ends[0] <= 0.7) & (ends[1] >= 0.7))
    assert low < held < high
    t = scipy.stats.t.interval(
        0.95, seeds - 1, drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / np.sqrt(seeds)
    )
    assert np.mean((t[0] <= 0.7) & (t[1] >= 0.7)) == pytest.approx(0.95, abs=0.015)


def test_scores_that_are_counts_are_known_to_within_half_a_step():
    scores = np.array([[14, 13], [15, 14], [15, 15]]) / 15
    assert grain(scores) == pytest.approx(1 / 15)
    assert grain(np.array([[np.nan]])) == 1.0
    # Seeds that all differ by one row: p worked by hand, t = √(6n), of 2 − 1 and 9 − 1 degrees.
    for count in (2, 9):
        (p,) = paired_p(np.full((1, count), 1 / 15), 1 / 15)
        assert p == pytest.approx(2 * scipy.stats.t.sf(np.sqrt(6 * count), count - 1))


@pytest.mark.parametrize(("rows", "seeds"), [(10, 2), (15, 3), (75, 2), (180, 5)])
def test_counts_of_few_rows_are_seldom_called_different(rows, seeds):
    drawn = np.random.default_rng(rows).binomial(rows, 0.95, (2, 10_000, seeds)) / rows
    p = paired_p(drawn[0] - drawn[1], grain(drawn))
    assert np.mean(p < 0.05) < 0.057  # 5 % and three deviations


def test_a_real_difference_is_shown():
    drawn = np.random.default_rng(5)
    shown = 0
    for _ in range(40):
        shared = drawn.normal(0, 0.05, 8)  # of the seed: paired differences are free of it
        scores = 0.9 + shared + np.array([[0.0], [0.02]]) + drawn.normal(0, 0.005, (2, 8))
        found = conclude(scores, np.zeros((2, 8), bool), higher=True, baseline=0)
        shown += found.verdict[1] == "better"
    assert shown > 37
