"""A table from its file to a dataset: targets, weights, splits and notes."""

from pathlib import Path

import numpy as np
import pytest

from surefoot.data import load
from surefoot.data.split import split_groups, split_time
from surefoot.errors import DataError
from surefoot.recipe import Data

TITANIC = Path(__file__).parents[3] / "shared/data/titanic.csv"


@pytest.fixture
def people(tmp_path):
    """Write 60 rows: two numbers, a label, a group, a day, a weight; targets of all kinds."""
    rng = np.random.default_rng(0)
    lines = ["age,city,house,day,w,left,price,grade,kind"]
    for i in range(60):
        age = rng.uniform(20, 70)
        kind = ("red", "green", "blue")[i % 3]
        day = np.datetime64("2024-01-01") + i
        lines.append(
            f"{age:.2f},{'ABC'[i % 3]},{i // 6},{day},{1 + i % 5},{i % 2},{age * 3 + i:.2f},"
            f"{'' if i in (4, 9) else 40 + i},{kind}"
        )
    path = tmp_path / "people.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def refused(said, **keys):
    with pytest.raises(DataError, match=said) as caught:
        load(Data(**keys))
    assert "\n" not in str(caught.value)


def test_targets_of_all_kinds(people):
    words = load(Data(source=people, target="kind"))
    assert words.target.classes == ("blue", "green", "red")
    assert words.x_train.shape[0] == 48
    assert words.x_train.shape[1:] == words.feature_shape == (len(words.encoding.names),)
    assert "kind" not in words.encoding.features
    zero_one = load(Data(source=people, target="left"))
    assert (zero_one.target.kind, zero_one.target.classes) == ("classes", (0, 1))
    assert load(Data(source=people, target="price")).target.kind == "numbers"
    both = load(Data(source=people, target=["price", "grade"]))
    assert (both.target.kind, both.target.size) == ("numbers", 2)


def test_rows_without_a_target_are_left_out_and_counted(people):
    dataset = load(Data(source=people, target="grade"))
    assert any(note.startswith("2 rows without a target") for note in dataset.notes)
    assert any("predicted as a number" in note for note in dataset.notes)
    stood = np.concatenate([dataset.train_rows, dataset.validation_rows])
    assert sorted(stood.tolist()) == sorted(set(range(60)) - {4, 9})


def test_weights(people):
    dataset = load(Data(source=people, target="left", weight="w"))
    np.testing.assert_array_equal(dataset.w_train, 1 + dataset.train_rows % 5)
    assert "w" not in dataset.encoding.features


def test_groups_stay_together(people):
    dataset = load(Data(source=people, target="left", split="group", split_column="house"))
    assert not set(dataset.train_rows // 6) & set(dataset.validation_rows // 6)
    assert len(dataset.validation_rows) == 12
    assert "house" not in dataset.encoding.features


def test_the_last_rows_of_a_time_validate(people):
    dataset = load(Data(source=people, target="left", split="time", split_column="day"))
    assert dataset.validation_rows.tolist() == list(range(48, 60))
    assert "day" in dataset.encoding.features


def test_a_validation_file_of_its_own(people):
    dataset = load(Data(source=people, target="left", validation=people))
    assert len(dataset.x_train) == len(dataset.x_val) == 60
    np.testing.assert_array_equal(dataset.x_train, dataset.x_val)


def test_nothing_is_fitted_on_validation_rows(people, tmp_path):
    before = load(Data(source=people, target="left"))
    lines = Path(people).read_text().splitlines()
    for row in before.validation_rows:
        cells = lines[row + 1].split(",")
        lines[row + 1] = ",".join(
            ["9999", "Z", cells[2], "2030-01-01", *cells[4:6], "0", *cells[7:]]
        )
    other = tmp_path / "other.csv"
    other.write_text("\n".join(lines) + "\n")
    after = load(Data(source=str(other), target="left"))
    assert after.encoding.to_dict() == before.encoding.to_dict()
    np.testing.assert_array_equal(after.x_train, before.x_train)
    assert not np.array_equal(after.x_val, before.x_val)


def test_duplicates_across_the_split_are_counted(people, tmp_path):
    lines = Path(people).read_text().splitlines()
    twice = tmp_path / "twice.csv"
    twice.write_text("\n".join([*lines, *lines[1:]]) + "\n")
    dataset = load(Data(source=str(twice), target="left", split="random"))
    train = set((dataset.train_rows % 60).tolist())
    shared = sum(row % 60 in train for row in dataset.validation_rows.tolist())
    assert shared > 0
    assert any(
        note.startswith(f"{shared} of {len(dataset.x_val)} validation rows equal")
        for note in dataset.notes
    )
    assert not load(Data(source=people, target="left")).notes


def test_columns_that_give_the_target_away_are_named(people):
    dataset = load(Data(source=people, target="kind"))
    assert any("'city' tells the target 'kind' exactly" in note for note in dataset.notes)


def test_bad_targets_and_columns(people):
    refused("say which column .*'age', 'city'", source=people)
    refused("did you mean 'price'", source=people, target="prices")
    refused("holds dates", source=people, target="day")
    refused("holds text", source=people, target=["kind", "price"])
    refused("data.weight = 'v'", source=people, target="left", weight="v")
    refused("needs data.split_column", source=people, target="left", split="time")
    refused("is for classes", source=people, target="price", split="stratified")
    with pytest.raises(DataError, match="convolution needs pictures"):
        load(Data(source=people, target="left"), images=True)


def test_one_class_and_no_target(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,x,\n2,x,\n3,x,\n")
    refused("one class only", source=str(path), target="b")
    refused("no row has a value", source=str(path), target="c")


def test_frames_with_and_without_targets_in_them(people):
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(people)
    inside = load(Data(target="left"), arrays=(frame, None))
    beside = load(Data(), arrays=(frame.drop(columns="left"), frame["left"]))
    np.testing.assert_array_equal(inside.x_train, beside.x_train)
    np.testing.assert_array_equal(inside.y_train, beside.y_train)
    file = load(Data(source=people, target="left"))
    np.testing.assert_allclose(inside.x_train, file.x_train, rtol=1e-6)
    refused_twice = Data(target="left")
    with pytest.raises(DataError, match="give one of them"):
        load(refused_twice, arrays=(frame, frame["left"]))


def test_groups_keep_each_classs_share():
    rng = np.random.default_rng(0)
    groups = rng.integers(100, size=1000)
    labels = (rng.random(1000) < 0.3).astype(int)
    train, validation = split_groups(groups, 0.2, 1, labels)
    assert not set(groups[train]) & set(groups[validation])
    assert sorted([*train, *validation]) == list(range(1000))
    assert abs(len(validation) - 200) <= 10
    assert abs(labels[validation].mean() - labels.mean()) < 0.03
    again = split_groups(groups, 0.2, 1, labels)[1]
    np.testing.assert_array_equal(validation, again)
    with pytest.raises(DataError, match="one group only"):
        split_groups(np.zeros(9, int), 0.2, 0)


def test_a_time_that_cannot_be_split():
    train, validation = split_time(np.array([1, 2, 2, 2, 3]), 0.4)
    assert (train.tolist(), validation.tolist()) == ([0, 1, 2, 3], [4])
    with pytest.raises(DataError, match="latest time"):
        split_time(np.ones(5), 0.4)


@pytest.mark.skipif(not TITANIC.exists(), reason=f"{TITANIC} is not there")
def test_titanic():
    dataset = load(Data(source=str(TITANIC), target="Survived"))
    kinds = {t.column: t.kind for t in dataset.encoding.treatments}
    assert kinds == {
        "PassengerId": "identifier",
        "Pclass": "numeric",
        "Name": "text",
        "Sex": "categorical",
        "Age": "numeric",
        "SibSp": "numeric",
        "Parch": "numeric",
        "Ticket": "identifier",
        "Fare": "numeric",
        "Cabin": "identifier",
        "Embarked": "categorical",
    }
    assert len(dataset.x_train) + len(dataset.x_val) == 891
    assert np.isfinite(dataset.x_train).all()
