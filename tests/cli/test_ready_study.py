"""`surefoot study NAME`: a ready study, its table, its JSON, and what it refuses."""

from __future__ import annotations

import json

import pytest

RECIPE = """
[data]
source = "iris"

[net]
layers = [{dense = "classes"}]

[train]
loss = "mean_squared_error"
epochs = 5
batch_size = "full"
"""


@pytest.fixture
def recipe(folder):
    (folder / "recipe.toml").write_text(RECIPE)
    return "recipe.toml"


def test_a_ready_study_is_shown_and_printed_as_json(surefoot, recipe, folder):
    asked = ("study", "momentum", recipe, "--seeds", "2", "--set", "epochs=3", "--out", "s")
    shown = surefoot(*asked)
    assert shown.code == 0
    assert "How much sooner does momentum" in shown.err
    assert "momentum 0.99" in shown.out
    assert "- Updates until the training loss" in shown.out
    assert "study: s" in shown.out
    printed = surefoot(*asked, "--json")
    summary = json.loads(printed.out)
    assert summary["ready"] == "momentum"
    assert summary["arms"][0] == "no momentum"
    assert "epochs = 3" in (folder / "s" / "study.toml").read_text()
    assert "this study is finished" in printed.err


def test_ready_studies_are_listed_with_their_questions(surefoot):
    listed = surefoot("study", "--list")
    assert listed.code == 0
    told = json.loads(surefoot("study", "--list", "--json").out)["studies"]
    assert [each["name"] for each in told] == [
        "rate",
        "optimizers",
        "initializers",
        "activations",
        "momentum",
        "batch-size",
        "depth",
        "batch-norm",
        "dropout",
        "loss",
    ]
    assert all(each["name"] in listed.out and each["asks"].endswith("?") for each in told)


def test_the_study_of_rates_is_the_rate_finder(surefoot, recipe, folder):
    printed = surefoot("study", "rate", recipe, "--seeds", "1", "--set", "lr=0.5", "--json")
    assert printed.code == 0
    found = json.loads(printed.out)
    assert found["low"] <= found["rate"] <= found["high"]
    assert [path.name for path in folder.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a study.toml or a ready study"),
        (("optimiser", "iris"), "no ready study is called 'optimiser'; did you mean 'optimizers'?"),
        (("optimizers", "nowhere.csv"), "nowhere.csv"),
        (("optimizers", "iris", "--set", "lr=1"), "sets it itself"),
        (("optimizers", "iris", "--seeds", "0"), "seeds = 0"),
        (("momentum", "iris", "--epochs", "0"), "epochs = 0"),
        (("rate", "iris", "--out", "s"), "--out"),
        (("recipe.toml", "iris"), "a source goes with a ready study alone"),
        (("recipe.toml", "--seeds", "3"), "--seeds goes with a ready study alone"),
        (("none.toml",), "none.toml"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(surefoot, recipe, folder, arguments, message):
    ended = surefoot("study", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["recipe.toml"]
