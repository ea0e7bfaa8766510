"""Structure and numbers, and what a frozen recipe promises."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from pydantic import ValidationError

from surefoot.recipe import Recipe, numbers, structure

BASE = {
    "seed": 3,
    "data": {"source": "moons", "noise": 0.1, "rows": 100},
    "net": {
        "layers": [
            {"dense": 8, "initializer": {"name": "normal", "stddev": 0.1}},
            {"activation": "leaky_relu", "slope": 0.2},
            {"repeat": 2, "layers": [{"residual": [{"dense": 8}, {"dropout": 0.1}]}]},
            {"batch_norm": {"momentum": 0.8}},
            {"dense": "classes"},
        ],
    },
    "optimizer": {"name": "momentum", "learning_rate": 0.1, "momentum": 0.8},
    "schedule": {"name": "step", "factor": 0.5, "every": 0.25},
    "train": {"clip_norm": 1.0, "early_stopping": {"minimum_change": 0.1}},
}


def changed(path, value):
    tables = copy.deepcopy(BASE)
    place = tables
    for step in path[:-1]:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    place[path[-1]] = value
    return Recipe.parse(tables)


NUMBERS = [
    (("seed",), 4),
    (("net", "layers", 0, "initializer", "stddev"), 0.2),
    (("net", "layers", 1, "slope"), 0.3),
    (("net", "layers", 2, "layers", 0, "residual", 1, "dropout"), 0.9),
    (("net", "layers", 3, "batch_norm", "momentum"), 0.7),
    (("net", "layers", 3, "batch_norm", "epsilon"), 0.1),
    (("optimizer", "learning_rate"), 100.0),
    (("optimizer", "momentum"), 0.0),
    (("optimizer", "weight_decay"), 0.1),
    (("schedule", "factor"), 0.1),
    (("schedule", "warmup"), 0.1),
    (("train", "clip_norm"), 2.0),
    (("train", "early_stopping", "minimum_change"), 0.2),
]

STRUCTURE = [
    (("data", "source"), "circles"),
    (("data", "noise"), 0.2),
    (("data", "validation"), 0.5),
    (("data", "split_seed"), 1),
    (("data", "standardize"), False),
    (("net", "layers", 0, "dense"), 9),
    (("net", "layers", 0, "bias"), False),
    (("net", "layers", 0, "initializer"), "he_normal"),
    (("net", "layers", 1), {"activation": "relu"}),
    (("net", "layers", 2, "repeat"), 3),
    (("net", "layers", 2, "layers", 0, "residual", 0, "dense"), 9),
    (("net", "layers", 3), {"dropout": 0.8}),
    (("net", "bias_initializer"), "ones"),
    (("optimizer", "average"), True),
    (("optimizer", "name"), "nesterov"),
    (("schedule",), "cosine"),
    (("train", "loss"), "binary_cross_entropy"),
    (("train", "from_logits"), True),
    (("train", "batch_size"), "full"),
    (("train", "epochs"), 7),
    (("train", "clip_value"), 1.0),
    (("train", "class_weight"), "balanced"),
    (("train", "precision"), "float64"),
    (("train", "early_stopping", "patience"), 3),
    (("vitals", "every"), 3),
]


def name_of(value):
    return ".".join(map(str, value)) if isinstance(value, tuple) else ""


@pytest.mark.parametrize(("path", "value"), NUMBERS, ids=name_of)
def test_numbers_are_not_structure(path, value):
    base, other = Recipe.parse(BASE), changed(path, value)
    assert base != other
    assert structure(base) == structure(other)
    assert hash(structure(base)) == hash(structure(other))
    assert numbers(base) != numbers(other)


@pytest.mark.parametrize(("path", "value"), STRUCTURE, ids=name_of)
def test_structure_is_all_else(path, value):
    assert structure(Recipe.parse(BASE)) != structure(changed(path, value))


def test_numbers_have_the_shape_of_the_section():
    tree = numbers(Recipe.parse(BASE))
    assert tree["seed"] == 3
    assert tree["optimizer"] == {"learning_rate": 0.1, "momentum": 0.8, "weight_decay": 0.0}
    assert tree["train"] == {"clip_norm": 1.0, "early_stopping": {"minimum_change": 0.1}}
    assert tree["net"]["layers"][0]["initializer"] == {"mean": 0.0, "stddev": 0.1}
    assert tree["net"]["layers"][2] == {"layers": [{"residual": [{}, {"dropout": 0.1}]}]}
    assert tree["data"] == {"pictures": {}, "augment": {}}


def test_frozen_and_hashable():
    recipe = Recipe.parse(BASE)
    with pytest.raises(ValidationError, match="frozen"):
        recipe.seed = 4
    with pytest.raises(ValidationError, match="frozen"):
        recipe.net.layers[0].dense = 4
    assert hash(recipe) == hash(Recipe.parse(copy.deepcopy(BASE)))
    assert len({recipe, Recipe.parse(BASE), changed(("seed",), 4)}) == 2


def test_numpy_numbers_become_pythons():
    recipe = Recipe.parse(
        {
            "seed": np.int64(3),
            "net": {"layers": [{"dense": np.int32(4)}, {"dropout": np.float32(0.5)}]},
            "optimizer": {"learning_rate": np.float64(0.1)},
        }
    )
    values = (recipe.seed, recipe.net.layers[0].dense, recipe.net.layers[1].dropout)
    assert values == (3, 4, 0.5)
    assert [type(value) for value in (*values, recipe.optimizer.learning_rate)] == [
        int,
        int,
        float,
        float,
    ]


def test_a_dump_with_everything_in_it_is_read_back():
    recipe = Recipe.parse(BASE)
    assert Recipe.parse(recipe.model_dump()) == recipe
