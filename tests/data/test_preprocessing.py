"""Standardizing and imputing against scikit-learn, and in the corners."""

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from surefoot.data import Preprocessing, load, preprocessing
from surefoot.data.preprocessing import fit
from surefoot.errors import DataError
from surefoot.recipe import Data


@pytest.fixture(params=[1 << 20, 16], ids=["one block", "many blocks"], autouse=True)
def block(request, monkeypatch):
    monkeypatch.setattr(preprocessing, "BLOCK", request.param)


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    return rng.normal(rng.normal(size=5) * 100, [1e-3, 1, 50, 1e6, 0], (40, 5))


@pytest.mark.parametrize("weighted", [False, True])
def test_standardize_as_scikit_learn(x, weighted):
    weights = np.random.default_rng(1).uniform(0, 3, 40) if weighted else None
    oracle = StandardScaler().fit(x, sample_weight=weights)
    fitted = fit(x, weights=weights)
    np.testing.assert_allclose(fitted.mean, oracle.mean_, rtol=1e-12)
    np.testing.assert_allclose(fitted.scale, oracle.scale_, rtol=1e-9)
    np.testing.assert_allclose(
        fitted.apply(x, np.float64), oracle.transform(x), rtol=1e-6, atol=1e-9
    )
    assert fitted.scale[-1] == 1.0  # the constant column


def test_weights_are_repetitions(x):
    times = np.arange(40) % 3
    weighted, repeated = fit(x, weights=times), fit(np.repeat(x, times, axis=0))
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-12)
    np.testing.assert_allclose(weighted.scale, repeated.scale, rtol=1e-9)


def test_rows_are_as_if_the_others_were_not_there(x):
    rows = np.arange(3, 40, 2)
    fitted, alone = fit(x, rows), fit(x[rows])
    np.testing.assert_allclose(fitted.mean, alone.mean, rtol=1e-12)
    np.testing.assert_array_equal(fitted.apply(x, rows=rows), fitted.apply(x[rows]))


def test_pictures_per_channel():
    x = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3)).astype(np.uint8)
    weights = np.arange(6.0)
    oracle = StandardScaler().fit(x.reshape(-1, 3), sample_weight=np.repeat(weights, 20))
    fitted = fit(x, weights=weights)
    np.testing.assert_allclose(fitted.mean, oracle.mean_)
    np.testing.assert_allclose(fitted.scale, oracle.scale_)
    assert fitted.apply(x).shape == x.shape


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, -1e-300, 1e140])
def test_a_constant_column_is_only_centred(value):
    fitted = fit(np.full((1001, 1), value))
    assert fitted.scale == 1.0
    np.testing.assert_allclose(fitted.mean, value, rtol=1e-14)


def test_a_small_spread_about_a_large_mean_is_kept():
    x = 1e8 + np.random.default_rng(0).normal(size=(1000, 1))
    out = fit(x).apply(x)
    assert abs(out.std() - 1) < 1e-5
    assert abs(out.mean()) < 1e-5


@pytest.mark.parametrize(
    ("impute", "strategy"), [("mean", "mean"), ("median", "median"), ("zero", "constant")]
)
def test_impute_as_scikit_learn(x, impute, strategy):
    x = x.copy()
    x[::7, 1], x[3, 2] = np.nan, np.nan
    infinite = x.copy()
    infinite[0, 1] = np.inf  # counts as missing
    oracle = SimpleImputer(strategy=strategy, fill_value=0.0).fit_transform(x)
    fitted = fit(infinite, impute=impute, standardize=False)
    np.testing.assert_allclose(fitted.apply(infinite, np.float64), oracle, rtol=1e-12)
    both = fit(infinite, impute=impute)
    np.testing.assert_allclose(both.mean, oracle.mean(axis=0), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("impute", ["mean", "median", "zero"])
def test_a_column_with_nothing_in_it_becomes_zero(impute):
    fitted = fit(np.full((3, 1), np.nan), impute=impute)
    assert fitted.apply(np.array([[np.nan], [2.0]])).tolist() == [[0.0], [2.0]]


def test_missing_values_of_one_channel_in_chosen_rows():
    x = np.ones((4, 2, 2, 2))
    x[..., 1] = np.arange(4)[:, None, None]
    x[1, 0, 0, 1] = np.nan
    fitted = fit(x, np.array([1, 3]), impute="median", standardize=False)
    assert fitted.fill.tolist() == [1.0, 3.0]


def test_arrays_round_trip(x):
    for fitted in (Preprocessing(), fit(x), fit(x, impute="mean")):
        again = Preprocessing.from_arrays(fitted.to_arrays())
        np.testing.assert_array_equal(again.apply(x), fitted.apply(x))
    with pytest.raises(DataError, match="not the arrays"):
        Preprocessing.from_arrays({"mean": np.zeros(1)})
    with pytest.raises(DataError, match="not the arrays"):
        Preprocessing.from_arrays({"other": np.zeros(1)})


def test_a_value_far_from_the_training_rows():
    fitted = fit(np.array([[0.0], [1e-30]]))
    x = np.zeros((20, 1))
    x[18] = 1e30
    with pytest.raises(DataError, match="x_val holds 1e\\+30 at row 18"):
        fitted.apply(x, name="x_val")
    with pytest.raises(DataError, match="row 18"):
        fitted.apply(x, rows=np.arange(10, 20))


def test_the_users_array_is_left_alone(x):
    before = x.copy()
    out = Preprocessing().apply(x, np.float64)
    out += 1
    fit(x, impute="mean").apply(x)
    np.testing.assert_array_equal(x, before)


def test_what_lies_far_out_is_cut_as_numpy_cuts_it(x):
    x[3] = 1e9
    low, high = np.quantile(x, (0.05, 0.95), axis=0)
    width = high - low
    width[-1] = np.median(width)  # of the constant column
    cut = np.clip(x, low - 2 * width, high + 2 * width)
    fitted = fit(x, clip=2.0)
    oracle = StandardScaler().fit(cut)
    np.testing.assert_allclose(fitted.apply(x, np.float64), oracle.transform(cut), rtol=1e-6)
    assert fitted.apply(np.full((1, 5), -1e12)).min() > -1e3  # new rows, too
    bare = fit(x, standardize=False, clip=2.0)
    np.testing.assert_allclose(bare.apply(x, np.float64), cut, rtol=1e-12)
    again = Preprocessing.from_arrays(fitted.to_arrays())
    np.testing.assert_array_equal(again.apply(x), fitted.apply(x))
    with pytest.raises(DataError, match="not the arrays of a preprocessing"):
        Preprocessing.from_arrays({"low": fitted.low})


def test_tables_are_not_cut(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{i * i},{i % 2}\n" for i in range(30)))
    with pytest.raises(DataError, match=r"data\.clip is for arrays of numbers, not for tables"):
        load(Data(source=str(path), target="y", clip=2.0))
