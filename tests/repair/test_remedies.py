"""Each remedy says an edit that fits, and nothing where there is nothing to change."""

from __future__ import annotations

import pytest

from surefoot.doctor.finding import Remedy
from surefoot.errors import RecipeError
from surefoot.recipe import Recipe
from surefoot.repair.remedies.registry import GENERAL, REMEDIES, THOROUGH
from surefoot.repair.step import About, Step, applied, stated

CLASSES = About("classes", True, 1000)
NUMBERS = About("numbers", True, 1000)
SPOILED = {
    "data": {"source": "iris", "standardize": False},
    "net": {
        "layers": [
            {"dense": 8, "initializer": "zeros"},
            {"activation": "sigmoid"},
            {"dropout": 0.9},
            {"dense": "classes"},
            {"activation": "relu"},
        ]
    },
    "optimizer": {"name": "sgd", "learning_rate": 3.0, "weight_decay": 1.0},
    "train": {
        "loss": "mean_squared_error",
        "batch_size": 1000,
        "clip_norm": 1e-6,
        "class_weight": {"0": 1.0},
    },
}
# What each makes of the recipe above, a key and its value then.
EXPECTED = {
    "inputs": lambda r: r.data.standardize,
    "targets": lambda r: r.data.standardize_targets,
    "output": lambda r: r.train.loss == "cross_entropy",
    "net": lambda r: (
        [layer.get("dense") for layer in r.to_dict()["net"]["layers"]]
        == [64, None, 64, None, "classes", None]
    ),
    "activation": lambda r: r.to_dict()["net"]["layers"][1] == {"activation": "relu"},
    "weights": lambda r: (
        r.net.initializer.name == "glorot_uniform"
        and "initializer" not in r.to_dict()["net"]["layers"][0]
    ),
    "normalization": lambda r: r.to_dict()["net"]["layers"][1] == {"batch_norm": {}},
    "unrestrained": lambda r: (
        (r.train.clip_norm, r.optimizer.weight_decay) == (None, 0.0)
        and not any("dropout" in layer for layer in r.to_dict()["net"]["layers"])
    ),
    "classes": lambda r: r.train.class_weight is None,
    "clipped": lambda r: r.train.clip_norm == 1.0,
    "adam": lambda r: (r.optimizer.name, r.optimizer.learning_rate) == ("adam", 1e-3),
    "rate-down": lambda r: r.optimizer.learning_rate == 0.3,
    "rate-up": lambda r: r.optimizer.learning_rate == 30.0,
    "rate-far-down": lambda r: r.optimizer.learning_rate == 0.03,
    "rate-far-up": lambda r: r.optimizer.learning_rate == 300.0,
    "batch": lambda r: r.train.batch_size == 32,
    "epochs": lambda r: r.train.epochs == 60,
    "stopping": lambda r: r.train.early_stopping is not None,
}


def test_all_remedies_are_tried_and_tested():
    assert set(EXPECTED) == set(REMEDIES)
    assert set(GENERAL) | set(THOROUGH) | {"net"} == set(REMEDIES)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_remedy_changes_what_it_says(name):
    recipe = Recipe.parse(SPOILED)
    if name == "clipped":
        recipe = Recipe.parse({**SPOILED, "train": {"loss": "mean_squared_error"}})
    about = NUMBERS if name == "targets" else CLASSES
    once = applied(recipe, [REMEDIES[name]], about)
    assert once.recipe != recipe
    assert EXPECTED[name](once.recipe)
    assert len(once.texts) == 1
    if not name.startswith("rate") and name != "epochs":
        again = applied(once.recipe, [REMEDIES[name]], about)
        assert (again.recipe, again.steps) == (once.recipe, ())


def test_together_they_make_a_recipe_of_common_sense():
    all_of_them = applied(Recipe.parse(SPOILED), [REMEDIES[n] for n in THOROUGH], CLASSES).recipe
    tables = all_of_them.to_dict()
    assert tables["net"]["layers"] == [
        {"dense": 8},
        {"activation": "relu"},
        {"dense": "classes"},
        {"activation": "softmax"},
    ]
    assert tables["net"]["initializer"] == "he_normal"
    assert (tables["optimizer"]["name"], tables["train"]["batch_size"]) == ("adam", 32)


def test_without_validation_rows_nothing_is_stopped_by_them():
    about = About("classes", False, 1000)
    assert applied(Recipe.parse(SPOILED), [REMEDIES["stopping"]], about).steps == ()


def test_layers_of_a_finding_do_not_undo_another_change_of_layers():
    base = Recipe.parse(SPOILED)
    bare = [layer for layer in base.to_dict()["net"]["layers"] if "dropout" not in layer]
    own = stated(Remedy("no dropout", {"net.layers": bare}), base)
    assert applied(base, [own], CLASSES).texts == ("no dropout",)
    assert len(applied(base, [REMEDIES["normalization"], own], CLASSES).steps) == 1


def test_an_edit_that_does_not_fit_is_an_error():
    step = Step("wrong", lambda recipe, about: Remedy("wrong", {"train.epochs": -1}))
    with pytest.raises(RecipeError, match="epochs"):
        applied(Recipe.parse(SPOILED), [step], CLASSES)
