"""Exponentially weighted averages, beside Optax's and by hand."""

from __future__ import annotations

import numpy as np
import optax
import pytest

import surefoot as sf
from surefoot.report.averages import averages_chart


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.98])
def test_they_are_those_of_optax(beta):
    x = np.random.default_rng(1).normal(size=50).astype(np.float32)
    (own,) = sf.averages([beta], x).averages
    for debias, ours in ((False, own.plain), (True, own.corrected)):
        rule = optax.ema(beta, debias=debias)
        state, theirs = rule.init(x[0]), []
        for value in x:
            out, state = rule.update(value, state)
            theirs.append(float(out))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_correction_is_exact_for_a_constant():
    (own,) = sf.averages([0.9], np.full(30, 7.0)).averages
    np.testing.assert_allclose(own.corrected, 7.0)
    np.testing.assert_allclose(own.plain, 7.0 * (1 - 0.9 ** np.arange(1, 31)))
    assert own.window == pytest.approx(10)
    # 0.9⁴³ = 0.0108 and 0.9⁴⁴ = 0.0097.
    assert own.settled == 44


def test_a_longer_window_is_smoother_and_the_correction_helps_at_the_start():
    rows = sf.averages([0.5, 0.9, 0.98]).rows()
    roughness = [row["roughness"] for row in rows]
    assert roughness == sorted(roughness, reverse=True)
    assert all(row["error_corrected"] < row["error"] for row in rows)


def test_the_chart_has_two_lines_for_each():
    chart = averages_chart(sf.averages([0.5, 0.9]))
    assert len(chart["series"]) == 5
    assert sum(bool(own.get("dashed")) for own in chart["series"]) == 2


@pytest.mark.parametrize(
    ("betas", "values"), [([1.0], None), ([-0.1], None), ([0.9], []), ([], None)]
)
def test_bad_input_is_refused(betas, values):
    with pytest.raises(sf.InputError):
        sf.averages(betas, values)
