"""Loading as a whole, and new rows for a trained net."""

import dataclasses

import numpy as np
import pytest

from surefoot.data import Preprocessing, load, prepare
from surefoot.errors import DataError
from surefoot.recipe import Data

RNG = np.random.default_rng(0)
X, Y = RNG.normal(3.0, 2.0, (50, 4)), np.arange(50) % 3
PICTURES = RNG.integers(0, 256, (10, 6, 5, 3)).astype(np.uint8)


def test_split_scaled_and_encoded():
    dataset = load(Data(), arrays=(X, Y))
    assert (len(dataset.x_train), len(dataset.x_val)) == (40, 10)
    np.testing.assert_array_equal(dataset.y_train, Y[dataset.train_rows])
    np.testing.assert_array_equal(dataset.y_val, Y[dataset.validation_rows])
    train = X[dataset.train_rows]
    expected = (X[dataset.validation_rows] - train.mean(axis=0)) / train.std(axis=0)
    np.testing.assert_allclose(dataset.x_val, expected, rtol=1e-5, atol=1e-6)
    assert dataset.x_train.dtype == np.float32
    assert dataset.y_train.dtype == np.int32
    assert dataset.w_train is None
    assert dataset.source == "arrays"
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.source = "other"


@pytest.mark.parametrize("impute", ["mean", "median", "zero"])
def test_nothing_is_learned_from_validation_rows(impute):
    x = X.copy()
    x[::9, 1] = np.nan
    before = load(Data(impute=impute), arrays=(x, Y))
    x[before.validation_rows] = 1e6 * RNG.normal(size=(10, 4))
    x[before.validation_rows[0]] = np.nan
    after = load(Data(impute=impute), arrays=(x, Y))
    for name, values in before.preprocessing.to_arrays().items():
        np.testing.assert_array_equal(after.preprocessing.to_arrays()[name], values)
    np.testing.assert_array_equal(after.x_train, before.x_train)


def test_given_validation_rows():
    dataset = load(Data(), arrays=(X, Y, X[:5] + 100, Y[:5]), dtype=np.float64)
    assert len(dataset.x_train) == 50
    assert dataset.train_rows is None
    np.testing.assert_allclose(dataset.preprocessing.mean, X.mean(axis=0))
    np.testing.assert_allclose(dataset.x_val, (X[:5] + 100 - X.mean(axis=0)) / X.std(axis=0))


def test_no_validation():
    dataset = load(Data(validation=0, standardize=False), arrays=(X, Y))
    assert dataset.x_val is None
    assert dataset.y_val is None
    np.testing.assert_array_equal(dataset.x_train, X.astype(np.float32))
    assert dataset.preprocessing.to_arrays() == {}


def test_weights_go_with_their_rows():
    weights = np.arange(50) + 1.0
    dataset = load(Data(), arrays=(X, Y), sample_weight=weights)
    np.testing.assert_array_equal(dataset.w_train, weights[dataset.train_rows])
    np.testing.assert_array_equal(dataset.w_val, weights[dataset.validation_rows])
    mean = np.average(X[dataset.train_rows], axis=0, weights=dataset.w_train)
    np.testing.assert_allclose(dataset.preprocessing.mean, mean)


def test_pictures_kept_or_flattened():
    y = np.arange(10) % 2
    kept = load(Data(standardize=False, validation=0), arrays=(PICTURES, y), images=True)
    assert kept.feature_shape == (6, 5, 3)
    flat = load(Data(standardize=False, validation=0), arrays=(PICTURES, y))
    assert flat.feature_shape == (90,)
    np.testing.assert_array_equal(flat.x_train, kept.x_train.reshape(10, -1))
    grey = load(Data(), arrays=(PICTURES[..., 0], y), images=True)
    assert grey.feature_shape == (6, 5, 1)


def test_regression_targets():
    dataset = load(Data(), arrays=(X, X[:, :2] * 0.5))
    assert dataset.y_train.shape == (40, 2)
    assert dataset.y_train.dtype == np.float32
    assert dataset.target.kind == "numbers"
    assert load(Data(), arrays=(X, Y), task="regression").y_train.shape == (40, 1)


def test_prepare_repeats_what_training_did():
    x = X.copy()
    x[3, 2] = np.nan
    dataset = load(Data(impute="mean", validation=0), arrays=(x, Y))
    np.testing.assert_array_equal(
        prepare(x, dataset.preprocessing, dataset.feature_shape), dataset.x_train
    )
    pictures = load(Data(validation=0), arrays=(PICTURES, np.arange(10) % 2), images=True)
    for rows in (PICTURES, PICTURES.reshape(10, -1)):
        np.testing.assert_array_equal(
            prepare(rows, pictures.preprocessing, pictures.feature_shape), pictures.x_train
        )


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.zeros((2, 3)), "rows of shape \\(3,\\), .* trained on rows of shape \\(4,\\)"),
        (np.zeros(4), "x.reshape\\(1, -1\\)"),
        (np.full((1, 4), np.nan), "4 values that are missing.*repair"),
        ([["a", "b", "c", "d"]], "text"),
    ],
)
def test_prepare_refuses(x, said):
    with pytest.raises(DataError, match=said):
        prepare(x, Preprocessing(), (4,))


@pytest.mark.parametrize(
    ("arrays", "options", "said"),
    [
        ((X, Y[:40]), {}, "x has 50 rows and y has 40"),
        ((X, Y, X), {}, "3 arrays were given"),
        ((X, Y, X[:, :2], Y), {}, "x_val has rows of shape \\(2,\\)"),
        ((X, Y, X, Y[:3]), {}, "x_val has 50 rows and y_val has 3"),
        ((X, Y, X, None), {}, "x_val without y_val"),
        ((X, Y, X, Y + 1), {}, "y_val holds the label 3"),
        ((X, Y, np.full_like(X, np.inf), Y), {}, "x_val holds 200 values"),
        ((np.full_like(X, np.nan), Y), {}, "first nan at row 0, column 0.*data.impute"),
        ((X, np.zeros(50, int)), {}, "one class only"),
        ((X, Y), {"images": True}, "convolution needs pictures"),
        ((X, np.arange(50)), {}, "occurs only once.*give y as floats"),
        ((X[:1], [0.5]), {}, "single row"),
        ((X, Y), {"sample_weight": np.ones(3)}, "x has 50 rows and sample_weight has 3"),
        ((X, Y), {"sample_weight": np.ones((50, 2))}, "sample_weight has shape"),
        ((X, Y), {"sample_weight": -np.ones(50)}, "negative weight"),
        ((X, Y), {"sample_weight": np.zeros(50)}, "0 for all rows"),
        ((X, Y), {"sample_weight": np.full(50, np.nan)}, "sample_weight holds 50 values"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(arrays, options, said):
    with pytest.raises(DataError, match=said) as caught:
        load(Data(), arrays=arrays, **options)
    assert "\n" not in str(caught.value)


def test_settings_of_generated_sets_do_not_go_with_arrays():
    with pytest.raises(DataError, match=r"data\.noise is for generated sets"):
        load(Data(noise=0.1), arrays=(X, Y))
