"""Targets: recognized, encoded, decoded, written and read."""

import json

import numpy as np
import pytest
from sklearn.preprocessing import LabelEncoder

from surefoot.data import Target
from surefoot.errors import DataError

LABELS = [
    np.array([3, 1, 3, -2]),
    np.array([3, 1, 3], np.uint8),
    np.array(["b", "a", "b"]),
    np.array(["b", "a", "b"], object),
    np.array([True, False, True]),
    np.array([True, False], object),
    np.array([7, 2, 7], object),
    [["no"], ["yes"]],
]


@pytest.mark.parametrize("y", LABELS, ids=str)
def test_labels_as_scikit_learn_encodes_them(y):
    target = Target.fit(y)
    flat = np.asarray(y).reshape(-1)
    oracle = LabelEncoder().fit(flat)
    assert target.kind == "classes"
    assert target.classes == tuple(oracle.classes_.tolist())
    codes = target.encode(y)
    assert codes.dtype == np.int32
    np.testing.assert_array_equal(codes, oracle.transform(flat))
    back = target.decode(codes)
    np.testing.assert_array_equal(back, flat)
    assert type(back[0].item()) is type(flat.tolist()[0])


@pytest.mark.parametrize("y", LABELS, ids=str)
def test_json_round_trip(y):
    target = Target.fit(y)
    assert Target.from_dict(json.loads(json.dumps(target.to_dict()))) == target


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"kind": "other", "size": 1, "classes": None},
        {"kind": "classes", "size": 3, "classes": ["a", "b"]},
        {"kind": "classes", "size": 2, "classes": None},
        {"kind": "numbers", "size": 0, "classes": None},
    ],
)
def test_damaged_descriptions_are_refused(plain):
    with pytest.raises(DataError, match="not the description of a target"):
        Target.from_dict(plain)


def test_floats_are_numbers_unless_classes_are_asked_for():
    whole = [1.0, 0.0, 2.0]
    assert Target.fit(whole) == Target("numbers", 1)
    assert Target.fit(whole, "classification").classes == (0.0, 1.0, 2.0)
    assert Target.fit([1, 0, 2], "regression") == Target("numbers", 1)
    assert Target.fit([[1, 0], [0, 1]], "regression") == Target("numbers", 2)
    np.testing.assert_array_equal(Target("numbers", 1).encode([1, 2]), [[1.0], [2.0]])


def test_numbers_keep_type_and_shape():
    target = Target.fit([[0.5, 2.0], [1.5, 3.0]])
    assert target == Target("numbers", 2)
    assert target.encode([[0.5, 2.0]], dtype=np.float64).dtype == np.float64
    assert Target("numbers", 1).decode([[0.5], [1.5]]).tolist() == [0.5, 1.5]
    assert target.decode([[0.5, 2.0]]).tolist() == [[0.5, 2.0]]


def test_one_hot_rows_are_classes():
    eye = np.eye(3)[[2, 0, 2, 1]]
    target = Target.fit(eye)
    assert target == Target("classes", 3, (0, 1, 2))
    np.testing.assert_array_equal(target.encode(eye), [2, 0, 2, 1])
    assert target.decode([2, 0]).tolist() == [2, 0]


def test_several_ones_are_labels():
    y = [[1, 1, 0], [0, 0, 0]]
    target = Target.fit(y)
    assert target == Target("labels", 3)
    np.testing.assert_array_equal(target.encode(y), np.array(y, np.float32))
    assert target.decode([[0.9, 0.1, 0.5]]).tolist() == [[1, 0, 1]]


def test_distributions_stay_as_they_are():
    y = [[0.25, 0.75], [0.5, 0.5]]
    assert Target.fit(y, "classification") == Target("numbers", 2)


@pytest.mark.parametrize(
    ("y", "task", "said"),
    [
        ([1, 1, 1], None, "one class only, 1"),
        (["a", "a"], None, "one class only, 'a'"),
        ([[0, 1], [0, 1]], None, "one class only, 1"),
        (np.array([1, "a"], object), None, "labels of type int, str"),
        (np.array(["a", None], object), None, "no value at row 1"),
        (np.array(["a", float("nan")], object), None, "no value at row 1"),
        (np.array([2**70, 1], object), None, "beyond 64 bits"),
        ([{"a": 1}, {"b": 2}], None, "labels of type dict"),
        ([1.0, float("nan"), 2.0], None, "y holds 1 value that is missing.*row 1"),
        ([0.5, 1.0], "classification", "0.5, which is no class label"),
        (["a", "b"], "regression", "y holds text such as 'a'"),
        ([[1.0, 2.5], [0.0, 1.0]], "classification", "neither one-hot"),
        ([["a", "b"], ["c", "d"]], None, "y holds text, where numbers"),
        (np.zeros((2, 2, 2)), None, "shape \\(2, 2, 2\\)"),
        (np.zeros((2, 0)), None, "shape \\(2, 0\\)"),
        ([1j, 2j], None, "complex"),
        ([b"a", b"b"], None, "holds text, where numbers are needed"),
        (np.array(["2020-01-01", "2021-01-01"], "M8[D]"), None, "datetime64"),
        ("digits", None, "single value of type str"),
    ],
)
def test_refused_in_one_line(y, task, said):
    with pytest.raises(DataError, match=said) as caught:
        Target.fit(y, task)
    assert "\n" not in str(caught.value)


def test_new_values_must_fit():
    target = Target.fit(["a", "b"])
    with pytest.raises(DataError, match=r"y_val holds the label 'c', .*'a', 'b'"):
        target.encode(["a", "c"], "y_val")
    with pytest.raises(DataError, match="y_val holds the label 1"):
        target.encode([1, 2], "y_val")
    with pytest.raises(DataError, match="2 columns with one 1"):
        target.encode([[1, 1], [0, 1]], "y_val")
    with pytest.raises(DataError, match="y_val has 1 columns, and y has 2"):
        Target("numbers", 2).encode([1.0, 2.0], "y_val")
    with pytest.raises(DataError, match="other values than 0 and 1"):
        Target("labels", 2).encode([[2, 0]], "y_val")
    with pytest.raises(DataError, match="holds text"):
        Target("numbers", 1).encode(["a"], "y_val")
    with pytest.raises(DataError, match="too large for float32"):
        Target("numbers", 1).encode([1e100], "y_val")
