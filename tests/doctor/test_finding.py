"""Remedies as edits, as lines to paste, and findings as plain data."""

from __future__ import annotations

import json
import tomllib

import pytest

from surefoot.doctor.finding import IDS, Finding, Remedy
from surefoot.errors import RecipeError
from surefoot.recipe import Recipe

RECIPE = Recipe.parse({"net": {"layers": [{"dense": 4}]}, "train": {"clip_norm": 1.0}})


def test_the_ids_are_those_of_the_interface():
    assert len(IDS) == len(set(IDS)) == 24


def test_a_remedy_edits_and_leaves_the_old_recipe_alone():
    remedy = Remedy("slower", {"optimizer.learning_rate": 0.5, "net.initializer": "zeros"})
    edited = remedy.apply(RECIPE)
    assert (edited.optimizer.learning_rate, edited.net.initializer.name) == (0.5, "zeros")
    assert RECIPE.optimizer.learning_rate == 1e-3
    assert tomllib.loads(remedy.toml) == {
        "optimizer": {"learning_rate": 0.5},
        "net": {"initializer": "zeros"},
    }


def test_what_is_taken_out_is_said_as_a_comment():
    remedy = Remedy("no clipping", {"train.clip_norm": None})
    assert remedy.toml == "# take out train.clip_norm\n"
    assert remedy.apply(RECIPE).train.clip_norm is None


def test_layers_are_pasted_whole():
    layers = [{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}]
    remedy = Remedy("wider", {"net.layers": layers})
    assert tomllib.loads(remedy.toml)["net"]["layers"] == layers


def test_an_edit_that_does_not_fit_is_a_recipe_error():
    with pytest.raises(RecipeError):
        Remedy("none", {"optimizer.learning_rate": -1.0}).apply(RECIPE)


def test_advice_that_is_no_edit_changes_nothing():
    advice = Remedy("look at the rows")
    assert advice.toml == ""
    assert advice.apply(RECIPE) == RECIPE


def test_a_finding_becomes_plain_data():
    finding = Finding(
        "ravine", "warning", 3, ("1", "2"), {"rate": 0.1}, "observed", "Words.", (Remedy("slower"),)
    )
    values = json.loads(json.dumps(finding.to_dict()))
    assert values["layers"] == ["1", "2"]
    assert values["remedies"] == [{"text": "slower", "edits": {}, "toml": ""}]
    assert values["caused_by"] is None
