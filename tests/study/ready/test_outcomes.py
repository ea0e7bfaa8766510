"""What arms are compared by, and what a ready study concludes, on results made up for it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from surefoot.study.ready import outcomes
from surefoot.study.ready.found import best_rates, compare, first_of_runs
from surefoot.study.ready.outcomes import Stage


def stage(rates=1, guess=0.1, curves=None, **columns):
    """Return runs with these columns, [settings, seeds]."""
    arrays = {name: np.asarray(column, float) for name, column in columns.items()}
    shape = next(iter(arrays.values())).shape
    arrays = {"train_loss": np.zeros(shape), "diverged": np.full(shape, -1), **arrays}
    curves = np.zeros((*shape, 1)) if curves is None else np.asarray(curves, float)
    return Stage(arrays, curves, np.ones(shape[0]), guess, rates)


def test_a_gap_is_how_much_better_training_rows_come_out():
    runs = stage(train_accuracy=[[1.0]], validation_accuracy=[[0.9]])
    assert outcomes.gap("accuracy").of(runs, runs) == pytest.approx(0.1)
    runs = stage(train_rmse=[[2.0]], validation_rmse=[[3.0]])
    assert outcomes.gap("rmse").of(runs, runs) == pytest.approx(1.0)


def test_without_validation_rows_training_rows_are_compared():
    runs = stage(train_accuracy=[[0.7]], validation_accuracy=[[np.nan]])
    assert outcomes.validation("accuracy").of(runs, runs).tolist() == [[0.7]]


def test_the_end_of_the_way_is_set_by_the_runs_that_chose_rates():
    search = stage(train_loss=[[0.0], [0.0]], curves=[[[3.0, 1.0]], [[1.0, 0.0]]])
    # From the mean first loss, 2, to the lowest, 0, a ten-thousandth of the way is left.
    assert outcomes.reached(search) == pytest.approx(2e-4)
    runs = stage(
        train_loss=[[0.0], [0.0], [0.0]],
        curves=[[[1.0, 1e-4, 0.0]], [[1.0, 0.5, 0.4]], [[1.0, np.nan, np.nan]]],
    )
    steps = outcomes.steps_to_reach().of(runs, search)
    # One that never gets there counts as the last update; so does one that diverged early.
    assert steps.tolist() == [[1.0], [3.0], [3.0]]
    nothing = stage(train_loss=[[0.0]], curves=[[[np.nan]]], diverged=[[0]])
    assert outcomes.reached(nothing) == -np.inf


@pytest.mark.parametrize(
    ("measure", "reached", "guess", "expected"),
    [
        ("accuracy", [[0.9], [0.75], [0.73], [0.95]], 0.1, [True, True, False, False]),
        ("rmse", [[2.0], [3.5], [3.7], [1.0]], 10.0, [True, True, False, False]),
        ("accuracy", [[0.1], [0.1], [0.05], [0.95]], 0.1, [False] * 4),
        ("accuracy", [[np.nan], [np.nan], [np.nan], [0.95]], 0.1, [False] * 4),
    ],
)
def test_a_run_trains_that_goes_four_fifths_of_the_way(measure, reached, guess, expected):
    search = stage(guess=guess, **{f"train_{measure}": reached}, diverged=[[-1], [-1], [-1], [7]])
    assert outcomes.trains(search, measure)[:, 0].tolist() == expected


def test_rates_that_train_are_counted_of_each_arm_and_seed():
    search = stage(rates=2, train_accuracy=[[0.9, 0.9], [0.2, 0.9], [0.2, 0.2], [0.9, 0.2]])
    outcome = outcomes.rates_that_train("accuracy")
    assert outcome.of(search, search).tolist() == [[1.0, 2.0], [1.0, 0.0]]


def test_each_arm_has_its_own_best_rate_and_ties_go_by_the_loss():
    search = stage(
        rates=3,
        validation_accuracy=[[0.5], [0.9], [0.9], [0.99], [0.6], [0.7]],
        train_accuracy=np.zeros((6, 1)),
        train_loss=[[0], [2], [1], [0], [0], [0]],
        diverged=[[-1], [-1], [-1], [4], [-1], [-1]],
    )
    chosen, best = best_rates(search, outcomes.validation("accuracy"))
    assert (chosen, best) == ([2, 2], 0)
    both = outcomes.rates_that_train("accuracy"), outcomes.validation("accuracy")
    assert first_of_runs(both).name == "validation_accuracy"


def test_p_is_scipys_times_what_holm_says_over_all_outcomes():
    drawn = np.random.default_rng(0)
    accuracy = np.array([[0.5], [0.56], [0.9]]) + drawn.normal(0, 0.02, (3, 6))
    runs = stage(validation_accuracy=accuracy, train_accuracy=accuracy + 0.01)
    both = outcomes.validation("accuracy"), outcomes.training("accuracy")
    found = compare(both, [-1, 0, 0], runs, runs)
    raw = [scipy.stats.ttest_rel(accuracy[i], accuracy[0]).pvalue for i in (1, 2)]
    # The same two p twice: four comparisons, and the smallest two are multiplied by 4 and by 3,
    # where the second of equal ones is no smaller than the first.
    assert found[0].p[2] == pytest.approx(4 * raw[1], rel=1e-6)
    assert found[1].p[2] == pytest.approx(4 * raw[1], rel=1e-6)
    assert found[0].p[1] == pytest.approx(2 * raw[0], rel=1e-6)
    assert found[0].verdict == ("", "better", "better")
    assert np.isnan(found[0].p[0])
    np.testing.assert_allclose(found[0].difference[1:], (accuracy[1:] - accuracy[0]).mean(axis=1))


def test_updates_are_compared_by_factors():
    search = stage(train_loss=[[0.0]], curves=[[[1.0, 0.0]]])
    # Ends at the second update, at the eighth.
    slow, fast = np.ones(9), np.ones(9)
    slow[8:], fast[2:] = 0, 0
    runs = stage(train_loss=np.zeros((2, 3)), curves=np.array([[slow] * 3, [fast] * 3]))
    (found,) = compare([outcomes.steps_to_reach()], [-1, 0], runs, search)
    assert found.mean == pytest.approx([8, 2])
    assert found.difference[1] == pytest.approx(1 / 4)
    assert found.verdict[1] == "better"
    assert found.outcome.distance(found.difference[1]) == "a factor of 4"


def test_arms_that_are_equal_are_seldom_called_different():
    drawn, wrong = np.random.default_rng(3), 0
    outcome = [outcomes.validation("accuracy")]
    for _ in range(150):
        # Counts of few rows: seeds often differ by the very same amount.
        accuracy = drawn.binomial(20, 0.9, (6, 3)) / 20
        runs = stage(validation_accuracy=accuracy, train_accuracy=accuracy)
        (found,) = compare(outcome, [-1, 0, 0, 0, 0, 0], runs, runs)
        wrong += bool({"better", "worse"} & set(found.verdict))
    assert wrong < 0.1 * 150  # 5 % and three deviations of 150 draws
