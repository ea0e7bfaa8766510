"""From columns to a matrix: recognized, fitted on the training rows, kept as plain data."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from surefoot.data.columns import Column, Columns
from surefoot.data.encoding import Encoding, fit
from surefoot.data.kinds import recognize
from surefoot.errors import DataError
from surefoot.recipe import Data


def column(values):
    """Make a column of a list of texts, or of numbers with None for missing."""
    if any(isinstance(value, str) for value in values):
        return Column.of(np.array(values, object))
    missing = np.array([value is None for value in values])
    array = np.array([0 if value is None else value for value in values])
    return Column.of(np.ma.masked_array(array, missing) if missing.any() else array)


def table(**columns):
    return Columns({name: column(values) for name, values in columns.items()})


WORDS = "the quick brown fox jumps over number"
KINDS = {
    "fractions": ("x", [0.5, 1.5, 2.5], "numeric"),
    "counts": ("x", [3, 1, 2, 2], "numeric"),
    "0 and 1": ("x", [0, 1, 1, 0], "boolean"),
    "0 and 1 with holes": ("x", [0, None, 1], "boolean"),
    "truth values": ("x", [True, False], "boolean"),
    "yes and no": ("x", ["yes", "No", "no"], "boolean"),
    "yes alone": ("x", ["yes", "perhaps", "yes"], "categorical"),
    "labels": ("x", ["a", "b", "a", "c", "b"], "categorical"),
    "a counter": ("x", list(range(50)), "identifier"),
    "shuffled counter": ("x", [*range(25, 50), *range(25)], "identifier"),
    "called id": ("user_id", [7 * i for i in range(30)], "identifier"),
    "called Id": ("PassengerId", [7 * i for i in range(30)], "identifier"),
    "unique amounts": ("humid", [7 * i for i in range(30)], "numeric"),
    "names": ("x", [f"name{i}" for i in range(30)], "identifier"),
    "sentences": ("x", [f"{WORDS} {i}" for i in range(30)], "text"),
    "ISO dates": ("x", ["2024-01-02", "2024-03-04", None], "date"),
    "European dates": ("x", ["25.03.2021", "01.04.2021"], "date"),
    "numbers as text": ("x", ["1", "2.5", "3"], "numeric"),
    "decimal commas": ("x", ["1,5", "2,25"], "numeric"),
    "codes": ("x", ["0042", "0042", "0007"], "categorical"),
    "one value": ("x", [4, 4, 4], "constant"),
    "one value and holes": ("x", ["a", None, "a"], "categorical"),
    "nothing": ("x", [None, None], "constant"),
}


@pytest.mark.parametrize(("name", "values", "kind"), KINDS.values(), ids=KINDS)
def test_kinds(name, values, kind):
    assert recognize(column(values), name).name == kind


def test_mixed_types_are_refused_with_the_way_out():
    mixed = table(x=[*map(str, range(99)), "oops"], y=list(range(100)))
    with pytest.raises(DataError, match=r"column 'x' mixes types.*'oops'.*data.columns"):
        fit(mixed)
    encoding = fit(mixed, data=Data(columns={"x": "numeric", "y": "numeric"}))
    matrix = encoding.apply(mixed)
    assert encoding.names == ("x", "x missing", "y")
    assert matrix[99, :2].tolist() == [0.0, 1.0] or matrix[99, 1] == 1.0


def test_numbers_are_as_in_scikit_learn():
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=200)
    values[rng.random(200) < 0.2] = np.nan
    rows = np.arange(0, 200, 2)
    data = Columns({"x": Column(values)})
    filled = SimpleImputer(add_indicator=True).set_params(strategy="median").fit(values[rows, None])
    expected = filled.transform(values[:, None])
    expected[:, :1] = StandardScaler().fit(expected[rows, :1]).transform(expected[:, :1])
    np.testing.assert_allclose(fit(data, rows).apply(data), expected, rtol=1e-5, atol=1e-6)


def test_labels_are_as_in_scikit_learn():
    values = list("aabbbbccccdd" * 3)
    data = table(x=values)
    ours = fit(data)
    expected = OneHotEncoder(sparse_output=False).fit_transform(np.array(values)[:, None])
    order = np.argsort([name.removeprefix("x=") for name in ours.names])
    np.testing.assert_array_equal(ours.apply(data)[:, order], expected)


def test_unseen_labels_count_as_average_ones():
    encoding = fit(table(x=["a", "a", "a", "b"]))
    assert encoding.names == ("x=a", "x=b")
    assert encoding.apply(table(x=["z", None, "b"])).tolist() == [
        [0.75, 0.25],
        [0.75, 0.25],
        [0, 1],
    ]


def test_rare_labels_share_a_place_with_unseen_ones():
    encoding = fit(table(x=["a"] * 600 + ["b"] * 600 + ["c"]))
    assert encoding.names == ("x=a", "x=b", "x other")
    assert encoding.apply(table(x=["c", "z"])).tolist() == [[0, 0, 1], [0, 0, 1]]


def test_many_labels_become_codes_at_the_end():
    values = [f"v{i % 40:02}" for i in range(400)]
    data = table(x=values, n=[float(i % 7) for i in range(400)])
    encoding = fit(data)
    (code,) = encoding.code_columns
    assert (code.index, code.categories, encoding.names) == (1, 41, ("n", "x"))
    matrix = encoding.apply(data)
    assert set(matrix[:, 1]) == set(range(40))
    assert encoding.apply(table(x=["new"], n=[1.0]))[0, 1] == 40
    assert not fit(data, embed=False).code_columns


def test_booleans_in_any_writing():
    encoding = fit(table(x=[True, False, True, True]))
    for values in (["yes", "no"], ["TRUE", "f"], [1, 0], [1.0, 0.0], [True, False]):
        assert encoding.apply(table(x=values)).ravel().tolist() == [1, 0]
    assert encoding.apply(table(x=[None, None])).ravel().tolist() == [0.75, 0.75]


def test_dates_become_parts():
    days = np.datetime64("2023-01-02") + np.arange(730)  # a Monday first
    data = Columns({"d": Column(days.astype("datetime64[us]"))})
    encoding = fit(data)
    assert encoding.names == ("d time", "d year sin", "d year cos", "d week sin", "d week cos")
    matrix = encoding.apply(data, np.float64)
    np.testing.assert_allclose(matrix[0, 3:], [0, 1], atol=1e-12)
    np.testing.assert_allclose(matrix[7, 3:], [0, 1], atol=1e-12)
    np.testing.assert_allclose(matrix[:, 0].mean(), 0, atol=1e-9)
    np.testing.assert_allclose(matrix[:, 0].std(), 1)
    text = table(d=["2023-01-02", "2024-01-02"])
    np.testing.assert_allclose(encoding.apply(text, np.float64), matrix[[0, 365]])


def test_what_is_left_out_tells_by_what_is_missing():
    names = [f"n{i}" if i % 2 else None for i in range(60)]
    encoding = fit(table(x=names, y=[0.5, 1.5] * 30))
    assert encoding.names == ("x missing", "y")
    assert [t.kind for t in encoding.treatments] == ["identifier", "numeric"]
    assert "left out" in encoding.treatments[0].what


def test_the_recipe_decides():
    data = table(n=[1, 2, 3, 1], s=["a", "b", "a", "b"])
    encoding = fit(data, data=Data(columns={"n": "categorical", "s": "drop"}))
    assert encoding.names == ("n=1", "n=2", "n=3")
    assert encoding.apply(table(n=[2.0], s=["a"])).tolist() == [[0, 1, 0]]
    with pytest.raises(DataError, match="did you mean 'n'"):
        fit(data, data=Data(columns={"nn": "drop"}))
    with pytest.raises(DataError, match="neither true nor false"):
        fit(data, data=Data(columns={"s": "boolean"}))
    with pytest.raises(DataError, match="no column is left"):
        fit(data, data=Data(columns={"n": "drop", "s": "drop"}))
    with pytest.raises(DataError, match="missing"):
        fit(table(n=[1.0, None]), data=Data(impute="refuse"))


def test_only_training_rows_are_looked_at():
    rng = np.random.default_rng(1)
    x = rng.normal(size=100)
    s = np.array(["a", "b"], object)[rng.integers(2, size=100)]
    rows = np.arange(60)
    before = fit(Columns({"x": Column(x), "s": Column.of(s)}), rows).to_dict()
    x[60:], s[60:] = 1e9, "only later"
    assert fit(Columns({"x": Column(x), "s": Column.of(s)}), rows).to_dict() == before


def test_another_table_at_predict():
    encoding = fit(table(age=[1.0, 2.0, 4.0], sex=["f", "m", "f"]), apart=("y",))
    with pytest.raises(DataError, match=r"lacks the column 'age'.*did you mean 'Age'"):
        encoding.apply(table(Age=[1.0], sex=["f"]))
    with pytest.raises(DataError, match="'old' at row 1"):
        encoding.apply(table(age=["1", "old"], sex=["f", "f"]))
    other = table(extra=[1], sex=["f"], y=[1], age=[None])
    assert encoding.extra(other) == ("extra",)
    assert np.isfinite(encoding.apply(other)).all()


def test_far_values_are_cut_and_infinite_ones_missing():
    encoding = fit(table(x=[0.0, 1.0, 2.0]))
    matrix = encoding.apply(table(x=[1e30, -1e30, np.inf, np.nan]))
    assert matrix.ravel().tolist() == [1000, -1000, 0, 0]
    plain = fit(table(x=[0.0, 1.0, 2.0]), data=Data(standardize=False))
    with pytest.raises(DataError, match="too large for float32"):
        plain.apply(table(x=[1e100]))


def test_a_damaged_description_is_refused():
    plain = fit(table(x=[0.5, 1.5])).to_dict()
    for broken in ({}, {**plain, "features": [{"column": "x"}]}, {**plain, "treatments": [{}]}):
        with pytest.raises(DataError, match="not the description"):
            Encoding.from_dict(broken)


_COLUMN = st.one_of(
    st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), min_size=6, max_size=6),
    st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=6, max_size=6),
    st.lists(st.none() | st.booleans(), min_size=6, max_size=6),
    st.lists(st.none() | st.text(max_size=8), min_size=6, max_size=6),
)


@settings(max_examples=150, deadline=None)
@given(columns=st.lists(_COLUMN, min_size=1, max_size=4))
def test_any_table_is_encoded_without_holes_and_comes_back_from_json(columns):
    data = Columns({f"c{i}": column(values) for i, values in enumerate(columns)})
    rows = np.array([0, 1, 2, 4])
    try:
        encoding = fit(data, rows)
    except DataError as error:
        assert "no column is left" in str(error) or "mixes types" in str(error)  # noqa: PT017
        return
    try:
        matrix = encoding.apply(data)
    except DataError as error:  # rows that were not fitted hold text where numbers were
        assert "is needed" in str(error) or "one format" in str(error)  # noqa: PT017
        return
    assert matrix.shape == (6, len(encoding.names))
    assert np.isfinite(matrix).all()
    again = Encoding.from_dict(json.loads(json.dumps(encoding.to_dict(), allow_nan=False)))
    np.testing.assert_array_equal(again.apply(data), matrix)
    np.testing.assert_array_equal(encoding.apply(data, rows=rows), matrix[rows])
