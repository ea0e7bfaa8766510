"""Single keys by name."""

from __future__ import annotations

import copy

import pytest

from surefoot.errors import RecipeError
from surefoot.recipe import Recipe
from surefoot.recipe.overrides import parse_assignments, set_key, short_names

TABLES = {"net": {"layers": [{"dense": 8}, {"residual": [{"dense": 8}, {"dropout": 0.1}]}]}}


def after(key, value, tables=TABLES):
    tables = copy.deepcopy(tables)
    set_key(tables, key, value)
    return tables


def test_every_short_name_leads_to_its_key():
    names = short_names()
    assert names["momentum"] == "optimizer.momentum"
    assert names["every"] == "vitals.every"  # not the schedule's
    assert names["source"] == "data.source"
    assert names["batch_size"] == "train.batch_size"
    assert names["options"] == "optimizer.options"
    assert all(path.split(".")[0] in Recipe.model_fields for path in names.values())


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("epochs", 3, {"train": {"epochs": 3}}),
        ("train.epochs", 3, {"train": {"epochs": 3}}),
        ("lr", 0.5, {"optimizer": {"learning_rate": 0.5}}),
        ("seed", 3, {"seed": 3}),
        ("early_stopping.patience", 3, {"train": {"early_stopping": {"patience": 3}}}),
        ("train.early_stopping.patience", 3, {"train": {"early_stopping": {"patience": 3}}}),
        ("optimizer", "sgd", {"optimizer": {"name": "sgd"}}),
        ("optimizer", {"name": "sgd"}, {"optimizer": {"name": "sgd"}}),
        ("schedule.name", "step", {"schedule": {"name": "step"}}),
        ("net.initializer", "zeros", {"net": {**TABLES["net"], "initializer": "zeros"}}),
    ],
)
def test_set(key, value, expected):
    assert after(key, value) == {**TABLES, **expected}


@pytest.mark.parametrize(
    "key", ["net.layers.1.residual.1.dropout", "layers[1].residual[1].dropout"]
)
def test_set_within_a_list(key):
    assert after(key, 0.5)["net"]["layers"][1]["residual"] == [{"dense": 8}, {"dropout": 0.5}]


def test_set_a_whole_layer():
    assert after("net.layers.0", {"dense": 3})["net"]["layers"][0] == {"dense": 3}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            {"name": "momentum", "learning_rate": 0.3, "momentum": 0.5},
            "adam",
            {"name": "adam", "learning_rate": 0.3},
        ),
        ({"name": "adam", "beta1": 0.3}, "adam", {"name": "adam", "beta1": 0.3}),
        ("momentum", "adam", {"name": "adam"}),
    ],
)
def test_a_new_rule_drops_the_numbers_of_the_old_one(old, new, expected):
    assert after("optimizer", new, {**TABLES, "optimizer": old})["optimizer"] == expected


def test_a_new_schedule_keeps_the_warmup():
    old = {"name": "step", "warmup": 0.1, "factor": 0.5}
    expected = {"name": "cosine", "warmup": 0.1}
    assert after("schedule", "cosine", {"schedule": old})["schedule"] == expected


def test_a_number_of_a_rule_given_by_name_alone():
    tables = after("lr", 0.5, {**TABLES, "optimizer": "sgd"})
    assert tables["optimizer"] == {"name": "sgd", "learning_rate": 0.5}


@pytest.mark.parametrize(
    ("key", "fragments"),
    [
        ("epoch", ["'epoch'", "did you mean 'epochs'"]),
        ("trian.epochs", ["'trian.epochs'", "did you mean 'train'"]),
        ("", ["unknown key ''"]),
        ("net.layers.2.dense", ["net.layers.2.dense", "'2'", "2 entries", "from 0"]),
        ("net.layers.-1.dense", ["'-1'", "2 entries"]),
        ("net.layers.²", ["'²'", "2 entries"]),
        ("net.layers.dense", ["'dense'", "2 entries"]),
        ("net.layers.0.dense.size", ["'net.layers.0.dense'", "no table"]),
        ("seed.a.b", ["nothing lies below"]),
    ],
)
def test_set_refuses(key, fragments):
    with pytest.raises(RecipeError) as caught:
        after(key, 3, {**TABLES, "seed": 1})
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [3, [1], None, 1.5, True])
def test_a_rule_of_a_wrong_type_is_refused_with_the_recipe(value):
    with pytest.raises(RecipeError, match=r"optimizer"):
        Recipe.parse(after("optimizer", value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epochs=3", ("epochs", 3)),
        (" epochs = 3 ", ("epochs", 3)),
        ("optimizer=sgd", ("optimizer", "sgd")),
        ('optimizer="sgd"', ("optimizer", "sgd")),
        ("data.standardize=false", ("data.standardize", False)),
        ("data.source=a=b.npz", ("data.source", "a=b.npz")),
        ("net.layers=[{dense=2}]", ("net.layers", [{"dense": 2}])),
        ("data.source=", ("data.source", "")),
    ],
)
def test_assignments(text, expected):
    assert parse_assignments([text]) == [expected]


@pytest.mark.parametrize("text", ["epochs", "=3", "  =3", "seed=" + "9" * 5000, "x=" + "[" * 5000])
def test_assignments_refused(text):
    with pytest.raises(RecipeError) as caught:
        parse_assignments([text])
    assert "\n" not in str(caught.value)
