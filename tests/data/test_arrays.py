"""Arrays as people pass them, and what is said about those that cannot be used."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surefoot.data import arrays
from surefoot.data.arrays import LEAVE_OUT, as_features, check_finite
from surefoot.data.dataset import load
from surefoot.errors import DataError
from surefoot.recipe import Data


class Frame:
    """Stands for a data frame: whatever NumPy can read as an array."""

    def __array__(self, dtype=None, copy=None):
        return np.array([[1.0, 2.0], [3.0, 4.0]], dtype)


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2.0), (3.0, 4.0)),
        np.array([[1, 2], [3, 4]], np.uint8),
        np.array([[1, 2], [3, 4]], np.longdouble),
        np.array([[1, 2.0], [3, "4"]], object),
        Frame(),
    ],
)
def test_takes_what_holds_numbers(values):
    np.testing.assert_array_equal(as_features(values, "x"), [[1, 2], [3, 4]])


def test_takes_booleans():
    np.testing.assert_array_equal(as_features([[True, False]], "x"), [[1, 0]])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (3.0, "x is a single value of type float"),
        (None, "single value of type NoneType"),
        ([], "x is empty"),
        (np.zeros((0, 3)), "x is empty"),
        (np.zeros((3, 0)), "no features"),
        ([1.0, 2.0], r"x\.reshape\(-1, 1\)"),
        (np.zeros((1, 1, 1, 1, 1)), "5 dimensions"),
        ([[1], [2, 3]], "rows of different lengths"),
        (np.array([[1j]]), "complex"),
        (np.array([[np.complex128(1j)]], object), "not a real number"),
        ([["a", "b"]], "holds text"),
        (np.array([["2020-01-01"]], "M8[D]"), "datetime64"),
        (np.array([[1.0, 2.0], [3.0, "old"]], object), "'old' at row 1, column 1"),
        (np.array([[1.0, {}]], object), "{} at row 0, column 1"),
        (scipy.sparse.csr_matrix(np.eye(2)), r"sparse matrix: pass x\.toarray"),
        (np.ma.masked_array([[1.0, 2.0]], [[True, False]]), r"x\.filled"),
    ],
)
def test_refuses_in_one_line(values, said):
    with pytest.raises(DataError, match=said) as caught:
        as_features(values, "x")
    assert "\n" not in str(caught.value)


def test_missing_values_are_counted_and_placed(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK", 4)  # several blocks: the row is counted over all of them
    x = np.ones((7, 2))
    x[4, 1], x[6, 0] = np.nan, np.inf
    with pytest.raises(DataError, match=r"2 values that are missing.*first nan at row 4, column 1"):
        check_finite(x, "x", np.float32, fix=LEAVE_OUT)
    check_finite(x, "x", np.float32, fix="")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_missing_values_in_narrow_types(dtype):
    with pytest.raises(DataError, match="1 value that is missing"):
        check_finite(np.array([[np.inf]], dtype), "x", np.float64)


def test_too_large_for_the_type():
    x = np.array([[1.0], [1e39]])
    with pytest.raises(DataError, match=r"1e\+39 at row 1, column 0.*too large for float32"):
        check_finite(x, "x", np.float32)
    check_finite(x, "x", np.float64)
    with pytest.raises(DataError, match="too large for float64"):
        check_finite(x * 1e200, "x", np.float64)


def test_an_endless_sequence_within_is_no_number():
    values = np.empty(2, object)
    values[:] = range(10**12), 1.0
    with pytest.raises(DataError, match=r"range\(0, 10{12}\).* at row 0"):
        as_features(values, "x")


def outcome(data, given_arrays, **options):
    try:
        return load(data, arrays=given_arrays, **options), ""
    except DataError as error:
        return None, str(error)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
_ANY_ARRAY = hnp.arrays(
    st.one_of(
        hnp.scalar_dtypes(),
        st.just(np.dtype(object)),
    ),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)
_NUMBERS = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_]),
    st.tuples(st.integers(1, 8), st.integers(1, 3)),
)
_TARGETS = (
    _ANY_ARRAY
    | st.lists(_SCALARS, max_size=8)
    | hnp.arrays(np.int64, 6, elements=st.integers(0, 2))
)


@settings(max_examples=150, deadline=None)
@given(
    x=_ANY_ARRAY | _NUMBERS,
    y=_TARGETS,
    impute=st.sampled_from(["refuse", "mean", "median", "zero"]),
    validation=st.sampled_from([0.0, 0.3, 0.9]),
    task=st.sampled_from([None, "classification", "regression"]),
    images=st.booleans(),
)
def test_any_arrays_load_or_are_refused(x, y, impute, validation, task, images):
    data = Data(validation=validation, impute=impute)
    dataset, said = outcome(data, (x, y), task=task, images=images)
    if dataset is None:
        assert "\n" not in said
        return
    for part in (dataset.x_train, dataset.x_val):
        if part is not None:
            assert part.dtype == np.float32
            assert part.flags.c_contiguous
            assert np.isfinite(part).all()
    if validation == 0:
        assert dataset.x_val is None
        assert len(dataset.x_train) == len(x)
    else:
        assert len(dataset.x_train) + len(dataset.x_val) == len(x)


@settings(max_examples=60, deadline=None)
@given(x=_NUMBERS, impute=st.sampled_from(["mean", "median", "zero"]), seed=st.integers(0, 3))
def test_any_numbers_load_when_imputed(x, impute, seed):
    y = np.arange(len(x)) * 0.5
    dataset, said = outcome(Data(impute=impute, validation=0, split_seed=seed), (x, y))
    if dataset is None:
        assert "too large" in said or "too far" in said
        return
    assert np.isfinite(dataset.x_train).all()
    assert dataset.x_train.shape == x.shape
