"""Descent, Newton steps, ways along a direction, and the best constant prediction."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.landscape.baseline import baseline_loss
from surefoot.landscape.hessian import Surface
from surefoot.landscape.lanczos import lanczos
from surefoot.landscape.trials import descend, newton, step_along


class Function:
    """A surface that is a function of NumPy vectors."""

    start = np.zeros(0)

    def __init__(self, loss, gradient):
        self.loss, self._gradient = loss, gradient

    def gradient(self, theta):
        return self.loss(theta), self._gradient(theta)


CURVATURES = np.array([100.0, 1.0, 0.1])
BOWL = Function(lambda t: CURVATURES @ t**2 / 2, lambda t: CURVATURES * t)
SADDLE = Function(lambda t: t[0] ** 2 - t[1] ** 2 + t[1] ** 4, lambda t: t)


def test_descent_never_rises_and_ends_where_nothing_is_to_be_gained():
    walks = [descend(BOWL, np.ones(3), steps, rate=1.0) for steps in (1, 5, 20)]
    losses = [BOWL.loss(np.ones(3)), *(walk.loss for walk in walks)]
    assert all(np.diff(losses) < 0)
    assert descend(BOWL, np.zeros(3), 5, 1.0).loss == 0


def test_a_newton_step_reaches_the_bottom_of_a_bowl():
    theta = np.ones(3)
    gradient = CURVATURES * theta
    krylov = lanczos(lambda v: CURVATURES * v, gradient, 32, 0.0)
    walk = newton(BOWL, theta, BOWL.loss(theta), gradient, krylov, scale=1.0)
    np.testing.assert_allclose(walk.theta, 0, atol=1e-9)
    assert walk.loss < 1e-15


def test_a_newton_step_near_a_saddle_does_not_leave_it():
    theta = np.array([1e-3, 1e-3])
    gradient = np.array([2e-3, -2e-3])
    krylov = lanczos(lambda v: np.array([2.0, -2.0]) * v, gradient, 32, 0.0)
    walk = newton(SADDLE, theta, SADDLE.loss(theta), gradient, krylov, scale=1.0)
    assert np.abs(walk.theta).max() < 3e-3


def test_a_step_along_negative_curvature_finds_the_lowest_doubling():
    walk = step_along(SADDLE, np.zeros(2), 0.0, np.array([0.0, 1.0]), reach=4.0)
    # −s² + s⁴ is lowest at √½, and of the doublings at ½.
    assert (walk.distance, walk.loss) == (0.5, -0.1875)


def test_a_step_does_not_go_through_a_wall():
    wall = Function(lambda t: float(np.sin(t[0]) ** 2 - 0.1 * abs(t[0])) + 0.2 * abs(t[0]), None)
    walk = step_along(wall, np.zeros(1), 0.0, np.ones(1), reach=np.pi)
    assert walk.distance == 0


@pytest.mark.usefixtures("x64")
def test_the_baseline_is_the_entropy_of_the_classes(make_cohort):
    cohort, params, state = make_cohort(rows=50)
    surface = Surface.of(cohort, params, state)
    shares = np.bincount(np.arange(50) % 3) / 50
    baseline = baseline_loss(surface.fixed, cohort.blueprint.objective)
    assert baseline == pytest.approx(-shares @ np.log(shares))


@pytest.mark.usefixtures("x64")
def test_the_baseline_of_squared_error_is_the_variance(make_cohort):
    cohort, params, state = make_cohort(
        [{"dense": "classes"}], rows=50, train={"loss": "mean_squared_error"}
    )
    surface = Surface.of(cohort, params, state)
    one_hot = np.eye(3)[np.arange(50) % 3]
    baseline = baseline_loss(surface.fixed, cohort.blueprint.objective)
    assert baseline == pytest.approx(one_hot.var(axis=0).mean())
