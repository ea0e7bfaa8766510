"""Criticality: the two equations, solved by other means, and the source's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from surefoot.errors import InputError
from surefoot.nn.criticality import critical_tanh


def expected(function):
    """Return E[function(x)], x ~ N(0, 1), by adaptive integration."""
    return quad(lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * function(x), -12, 12)[0]


@pytest.mark.parametrize("variance", [1e-4, 1 / 40, 1.0])
def test_variance_and_slope_are_fixed_points(variance):
    gain, stddev = critical_tanh(variance)
    scale = np.sqrt(variance)
    kept = gain**2 * expected(lambda x: np.tanh(scale * x) ** 2) + stddev**2
    assert kept == pytest.approx(variance, rel=1e-9)
    slope = gain**2 * expected(lambda x: np.cosh(scale * x) ** -4)
    assert slope == pytest.approx(1, rel=1e-9)


def test_the_pair_that_is_often_used_lies_on_the_line():
    # σ_w² = 1.05 and σ_b² = 2.01·10⁻⁵, of Pennington and others 2017 for deep nets of tanh.
    variance = brentq(lambda q: critical_tanh(q)[0] ** 2 - 1.05, 0.01, 0.1)
    assert critical_tanh(variance)[1] ** 2 == pytest.approx(2.01e-5, rel=1e-3)


@pytest.mark.parametrize("variance", [0.0, -1.0, 1.5, float("nan")])
def test_refusals_are_one_line(variance):
    with pytest.raises(InputError, match="must be above 0 and at most 1"):
        critical_tanh(variance)
