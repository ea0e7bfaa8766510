"""What charts are made of: thinning, smoothing, calibration, colours' healthy ranges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from surefoot.report.calibration import calibration
from surefoot.report.layers import choice_of
from surefoot.report.signs import BY_NAME, SIGNS, Sign
from surefoot.report.thinning import buckets, extremes, smooth


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.integers(4, 300), st.integers(0, 2**32 - 1), st.floats(0, 0.3))
def test_thinning_keeps_extremes_order_and_bound(count, most, seed, gaps):
    random = np.random.default_rng(seed)
    values = random.normal(size=count)
    values[random.uniform(size=count) < gaps] = np.nan
    kept = extremes(values, most)
    assert len(kept) <= most
    assert (np.diff(kept) > 0).all()
    if np.isfinite(values).any():
        assert np.nanmax(values[kept]) == np.nanmax(values)
        assert np.nanmin(values[kept]) == np.nanmin(values)


def test_smoothing_is_the_mean_of_the_window():
    values = np.random.default_rng(0).normal(size=50)
    expected = [values[max(0, i - 3) : i + 4].mean() for i in range(50)]
    np.testing.assert_allclose(smooth(values, 7), expected, rtol=1e-10)


def test_a_bucket_keeps_the_one_that_stands_out():
    values = np.ones((100, 2))
    values[37, 0], values[81, 1] = 1e-6, 1e6
    found = buckets(values, np.array([0, 50, 100]), logarithmic=True)
    np.testing.assert_array_equal(found, [[1e-6, 1], [1, 1e6]])


def test_calibration_agrees_with_scikit_learn():
    random = np.random.default_rng(1)
    chance = random.uniform(0, 1, 4000)
    happened = random.uniform(size=4000) < chance**2
    found = calibration(chance, happened)
    share, mean = calibration_curve(happened, chance, n_bins=10)
    np.testing.assert_allclose(found["accuracy"], share, atol=2e-3)
    np.testing.assert_allclose(found["confidence"], mean, atol=2e-3)
    expected = np.sum(np.array(found["rows"]) * np.abs(share - mean)) / 4000
    assert found["ece"] == pytest.approx(expected, abs=2e-3)


def test_calibration_of_a_bin_by_hand():
    found = calibration(np.array([0.9, 0.9, 0.9, 0.3]), np.array([1, 1, 0, 0]))
    assert found["rows"] == [1, 3]
    assert found["ece"] == pytest.approx((3 * (0.9 - 2 / 3) + 1 * 0.3) / 4)


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.name)
def test_every_sign_is_told(sign: Sign):
    assert sign.about.endswith(".")
    assert sign.label[0].islower()
    if sign.band is not None:
        low, high = sign.band
        assert low is None or high is None or low < high


def _evidence(path):
    from surefoot.doctor.folder import read_run

    return read_run(path)[0]


@pytest.mark.parametrize(
    ("name", "finding"),
    [("inactive_share", "dead-units"), ("saturated_share", "saturated-units")],
)
def test_the_healthy_range_ends_where_the_doctor_begins_to_suspect(made, tmp_path, name, finding):
    from surefoot.doctor.diagnosis import suspect
    from surefoot.vitals.table import read, write

    made(tmp_path / "run")
    limit = BY_NAME[name].band[1]
    table = dict(read(tmp_path / "run", "vitals"))
    if name == "saturated_share":
        table["kind"] = np.where(table["kind"] == "relu", "tanh", table["kind"]).astype(object)
    found = {}
    for share in (limit - 0.02, limit + 0.02):
        table[name] = np.full(len(table["step"]), share, np.float32)
        write(tmp_path / "run", "vitals", table)
        suspicions, _ = suspect(_evidence(tmp_path / "run"))
        found[share] = finding in {own.id for own in suspicions}
    assert list(found.values()) == [False, True]


def test_a_heat_map_shows_the_layers_that_have_the_sign(made, tmp_path):
    evidence = _evidence(made(tmp_path / "run", steps=500, layers=6))
    choice = choice_of(evidence, BY_NAME["signal_ratio"])
    assert choice["rows"] == ["1 dense", "3 dense", "5 dense"]
    assert choice["edges"][0] == 0
    assert choice["edges"][-1] == 500
    assert {len(row) for row in choice["values"]} == {len(choice["edges"]) - 1}
    assert set(choice["values"][-1]) == {1}  # the last layer beside itself
