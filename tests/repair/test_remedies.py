"""Each remedy says an edit that fits, and nothing where there is nothing to change."""

from __future__ import annotations

import pytest

from surefoot.doctor.finding import Remedy
from surefoot.errors import RecipeError
from surefoot.recipe import Recipe
from surefoot.repair.anchors import clean, plain, restrained
from surefoot.repair.remedies import registry
from surefoot.repair.remedies.registry import GENERAL, REMEDIES, THOROUGH
from surefoot.repair.step import About, Step, applied, stated

CLASSES = About("classes", True, 1000, far=True)
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
# Where the recipe above has nothing for a remedy to change: what is laid over it.
OTHERWISE = {
    "clipped": {"train": {"clip_norm": None}},
    "constant": {"schedule": {"name": "exponential"}},
    "decay": {"optimizer": {"name": "sgd"}},
    "decay-strong": {"optimizer": {"name": "sgd", "weight_decay": 1e-3}},
    "decay-firm": {"optimizer": {"name": "sgd", "weight_decay": 1e-3}},
    "dropout": {
        "net": {"layers": [{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}]},
    },
    "fewer-layers": {
        "net": {
            "layers": [
                {"repeat": 9, "layers": [{"dense": 8}, {"activation": "relu"}]},
                {"dense": "classes"},
            ]
        }
    },
    "residual": {
        "net": {
            "layers": [
                {"dense": 8},
                {"activation": "tanh"},
                {"dense": 8},
                {"activation": "tanh"},
                {"repeat": 3, "layers": [{"dense": 8}, {"activation": "tanh"}]},
                {"dense": "classes"},
            ]
        }
    },
}
# What each makes of the recipe above, a key and its value then.
EXPECTED = {
    "inputs": lambda r: r.data.standardize,
    "cut": lambda r: r.data.clip == 2.0,
    "targets": lambda r: r.data.standardize_targets,
    "output": lambda r: r.train.loss == "cross_entropy",
    "net": lambda r: (
        [layer.get("dense") for layer in r.to_dict()["net"]["layers"]]
        == [64, None, 64, None, "classes", None]
    ),
    "fewer-layers": lambda r: r.to_dict()["net"]["layers"][0]["repeat"] == 3,
    "wider": lambda r: r.to_dict()["net"]["layers"][0]["dense"] == 64,
    "activation": lambda r: r.to_dict()["net"]["layers"][1] == {"activation": "relu"},
    "weights": lambda r: (
        r.net.initializer.name == "glorot_uniform"
        and "initializer" not in r.to_dict()["net"]["layers"][0]
    ),
    "normalization": lambda r: r.to_dict()["net"]["layers"][1] == {"batch_norm": {}},
    "residual": lambda r: (
        r.to_dict()["net"]["layers"][2:4]
        == [
            {"residual": [{"dense": 8}, {"activation": "tanh"}]},
            {"repeat": 3, "layers": [{"residual": [{"dense": 8}, {"activation": "tanh"}]}]},
        ]
    ),
    "robust": lambda r: r.train.loss == "mean_absolute_error",
    "unrestrained": lambda r: (
        (r.train.clip_norm, r.optimizer.weight_decay) == (None, 0.0)
        and not any("dropout" in layer for layer in r.to_dict()["net"]["layers"])
    ),
    "classes": lambda r: r.train.class_weight is None,
    "balanced": lambda r: r.train.class_weight == "balanced",
    "clipped": lambda r: r.train.clip_norm == 1.0,
    "momentum": lambda r: (r.optimizer.name, r.optimizer.learning_rate) == ("momentum", 3.0),
    "adam": lambda r: (r.optimizer.name, r.optimizer.learning_rate) == ("adam", 1e-3),
    "adam-fast": lambda r: (r.optimizer.name, r.optimizer.learning_rate) == ("adam", 5e-3),
    "constant": lambda r: r.schedule.name == "constant",
    "cosine": lambda r: (r.schedule.name, r.schedule.warmup) == ("cosine", 0.05),
    "rate-down": lambda r: r.optimizer.learning_rate == 0.3,
    "rate-up": lambda r: r.optimizer.learning_rate == 30.0,
    "rate-far-down": lambda r: r.optimizer.learning_rate == 0.03,
    "rate-far-up": lambda r: r.optimizer.learning_rate == 300.0,
    "rate-1000th": lambda r: r.optimizer.learning_rate == 0.003,
    "rate-10000th": lambda r: r.optimizer.learning_rate == 0.0003,
    "rate-1000-fold": lambda r: r.optimizer.learning_rate == 3000.0,
    "rate-10000-fold": lambda r: r.optimizer.learning_rate == 30000.0,
    "decay": lambda r: r.optimizer.weight_decay == 1e-3,
    "decay-strong": lambda r: r.optimizer.weight_decay == 1e-2,
    "decay-firm": lambda r: r.optimizer.weight_decay == 3e-2,
    "dropout": lambda r: r.to_dict()["net"]["layers"][2] == {"dropout": 0.5},
    "batch": lambda r: r.train.batch_size == 32,
    "settled": lambda r: r.train.epochs == 1000,
    "epochs": lambda r: r.train.epochs == 60,
    "stopping": lambda r: r.train.early_stopping is not None,
}


def test_all_remedies_are_tried_and_tested():
    assert set(EXPECTED) == set(REMEDIES)
    tried = set(GENERAL) | set(THOROUGH) | set(registry.NUMBERS) | set(registry.RATES)
    tried |= {step.name for steps in [*plain(), *clean(), *restrained()] for step in steps}
    assert tried == set(REMEDIES)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_remedy_changes_what_it_says(name):
    recipe = Recipe.parse({**SPOILED, **OTHERWISE.get(name, {})})
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


def test_nothing_is_cut_where_nothing_lies_far_out():
    about = About("classes", True, 1000)
    assert applied(Recipe.parse(SPOILED), [REMEDIES["cut"]], about).steps == ()


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


def test_several_changes_of_the_rate_are_told_as_one(make):
    base = make(optimizer={"name": "sgd", "learning_rate": 1.0})
    down, decay, far = (REMEDIES[name] for name in ("rate-down", "decay", "rate-far-down"))
    made = applied(base, [down, decay, far], CLASSES)
    assert made.steps == (down, decay, far)
    assert made.texts == ("a weight decay of 0.001", "a rate 1000 times lower")
    anew = applied(base, [down, REMEDIES["adam"], far], CLASSES)
    assert anew.texts == (
        "a tenth of the rate",
        "Adam at a rate of 0.001",
        "a hundredth of the rate",
    )
