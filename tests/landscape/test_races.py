"""Update rules on functions of two variables: who arrives is known from theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize

import surefoot as sf
from surefoot.landscape.functions import FUNCTIONS
from surefoot.recipe import RULES
from surefoot.report.races import race_chart


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_minima_are_where_scipy_finds_them(name):
    function = FUNCTIONS[name]

    def value(place):
        return float(function.value(place[0], place[1]))

    for minimum in function.minima:
        found = minimize(value, np.add(minimum, [0.05, -0.03]), method="Nelder-Mead", tol=1e-10)
        np.testing.assert_allclose(found.x, minimum, atol=1e-6)
        assert value(minimum) == pytest.approx(function.lowest, abs=1e-9)
    left, right = function.across
    low, high = function.up
    for x, y in (function.start, *function.minima):
        assert left <= x <= right
        assert low <= y <= high


def test_descent_on_the_ravine_is_what_theory_says():
    """Each coordinate shrinks by 1 − ηλ a step, λ = 1 and 50; it diverges from η = 2/50 on."""
    (lane,) = sf.race("ravine", ["sgd"], learning_rate=0.03, steps=200).lanes
    start = np.array(FUNCTIONS["ravine"].start)
    expected = start * (1 - 0.03 * np.array([1, 50])) ** np.arange(201)[:, None]
    np.testing.assert_allclose(lane.path, expected, atol=1e-12)
    near = np.linalg.norm(expected, axis=1) <= 0.05
    assert lane.arrived == int(np.argmax(near))
    (wild,) = sf.race("ravine", ["sgd"], learning_rate=0.05, steps=3000).lanes
    assert wild.diverged
    assert wild.arrived is None


def test_every_rule_runs_and_is_shown_at_the_rate_that_arrives_first():
    found = sf.race("ravine", steps=300)
    assert [lane.rule for lane in found.lanes] == list(RULES)
    by_name = {lane.rule: lane for lane in found.lanes}
    assert all(lane.path.shape == (301, 2) for lane in found.lanes)
    for rule in ("momentum", "nesterov"):
        assert by_name[rule].arrived < by_name["sgd"].arrived
    # The function is a parabola in each variable, to whose minimum Quickprop jumps.
    assert by_name["quickprop"].arrived <= 3
    for lane in found.lanes:
        if lane.arrived is not None:
            assert lane.rate in lane.serving
            assert np.linalg.norm(lane.path[lane.arrived :], axis=1).max() <= 0.05
            assert np.linalg.norm(lane.path[lane.arrived - 1]) > 0.05
            again = sf.race("ravine", [lane.rule], learning_rate=lane.rate, steps=300).lanes[0]
            assert again.arrived == lane.arrived
            break


def test_a_path_that_leaves_the_chart_is_broken_off():
    found = sf.race("ravine", ["sgd", "sgd"], learning_rate=0.045, steps=100)
    assert len(found.lanes) == 1
    chart = race_chart(found)
    (path,) = [own for own in chart["series"] if own["name"] == "sgd"]
    assert None in path["y"]
    assert all(abs(value) <= 2.5 for value in path["y"] if value is not None)
    assert sum(not own.get("unlisted") for own in chart["series"]) == 1


def test_gradients_of_the_functions_are_right():
    for name, function in FUNCTIONS.items():
        lane = sf.race(name, ["sgd"], learning_rate=1e-6, steps=1).lanes[0]
        gradient = (lane.path[0] - lane.path[1]) / 1e-6
        error = check_grad(
            lambda p, f=function: float(f.value(p[0], p[1])),
            lambda p, g=gradient: g,
            np.array(function.start),
        )
        assert error < 1e-4 * max(np.linalg.norm(gradient), 1), name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bele"], "did you mean 'beale'"),
        (["beale", ["sdg"]], "did you mean 'sgd'"),
        (["beale", []], "no update rule"),
    ],
)
def test_unknown_names_are_one_line(arguments, words):
    with pytest.raises(sf.InputError, match=words):
        sf.race(*arguments)


@pytest.mark.parametrize("numbers", [{"steps": 0}, {"learning_rate": 0.0}, {"steps": 10**6}])
def test_impossible_numbers_are_refused(numbers):
    with pytest.raises(sf.InputError):
        sf.race("beale", ["sgd"], **numbers)
