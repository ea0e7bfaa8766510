"""Recipes to TOML and back without loss, and files that hold none."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.errors import RecipeError, RunError
from surefoot.recipe import Recipe, dumps, load, save
from surefoot.recipe.initializers import INITIALIZER_NUMBERS
from surefoot.recipe.layers import ACTIVATION_NUMBERS, LAYER_KINDS, ActivationName, kind_of
from surefoot.recipe.optimizer import RULES
from surefoot.recipe.schedule import SCHEDULES
from surefoot.recipe.section import MAX_COUNT
from surefoot.recipe.toml import MAX_BYTES, read_table
from surefoot.recipe.train import LossName, Monitor

NET = "[net]\nlayers = [{dense = 2}]\n"

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
share = st.floats(0, 1, exclude_max=True)
count = st.integers(1, MAX_COUNT)
pair = st.one_of(count, st.lists(count, min_size=2, max_size=2))
seed = st.integers(0, 2**32 - 1)
text = st.text(st.characters(codec="utf-8"))


def table(needed, **optional):
    return st.fixed_dictionaries(needed, optional=optional)


def names(literal):
    return st.sampled_from(literal.__args__)


@st.composite
def initializers(draw, bias=False):
    usable = [n for n, takes in INITIALIZER_NUMBERS.items() if not bias or "gain" not in takes]
    name = draw(st.sampled_from(usable))
    values = {key: draw(positive) for key in INITIALIZER_NUMBERS[name] if draw(st.booleans())}
    if name == "uniform":
        values = dict(zip(("low", "high"), sorted([draw(finite), draw(finite)]), strict=True))
    return {"name": name, **values} if values or draw(st.booleans()) else name


@st.composite
def activations(draw):
    name = draw(names(ActivationName))
    values = {key: draw(finite) for key in ACTIVATION_NUMBERS.get(name, {})}
    if name == "rrelu":
        values = dict(zip(("low", "high"), sorted(values.values()), strict=True))
    return {"activation": name, **(values if draw(st.booleans()) else {})}


def layers(depth):
    given = {
        "bias": st.booleans(),
        "initializer": initializers(),
        "bias_initializer": initializers(bias=True),
    }
    window = {"stride": pair, "padding": st.sampled_from(["same", "valid"])}
    kinds = [
        table({"dense": st.one_of(count, st.sampled_from(["classes", "outputs"]))}, **given),
        table({"conv": count}, size=pair, **window, **given),
        activations(),
        table({"batch_norm": table({}, momentum=share, epsilon=positive)}),
        table({"dropout": share}),
        table({"max_pool": pair}, **window),
        table({"average_pool": pair}, **window),
        table({"global_average_pool": st.just({})}),
        table({"flatten": st.just({})}),
    ]
    if depth:
        inner = layers(depth - 1)
        kinds += [
            table({"residual": inner}),
            table({"repeat": st.integers(1, 99), "layers": inner}),
        ]
    return st.lists(st.one_of(kinds), min_size=1, max_size=3)


not_negative = st.floats(min_value=0, allow_infinity=False)
OPTIMIZERS = {
    "sgd": {},
    "momentum": {"momentum": share, "average": st.booleans(), "bias_correction": st.booleans()},
    "nesterov": {"momentum": share},
    "adagrad": {"initial_accumulator": not_negative, "epsilon": not_negative},
    "rmsprop": {"decay": share, "epsilon": not_negative, "momentum": share},
    "adam": {"beta1": share, "beta2": share, "epsilon": not_negative},
    "adamw": {"beta1": share},
    "radam": {"beta2": share},
    "quickprop": {"growth": positive},
}
SCHEDULE_KEYS = {
    "constant": {},
    "step": {"factor": positive, "every": st.floats(0, 1, exclude_min=True)},
    "exponential": {"factor": positive},
    "inverse_time": {"decay": not_negative},
    "cosine": {"final": share},
    "cyclic_cosine": {"cycles": count, "final": share},
    "transformer": {},
    "plateau": {
        "factor": st.floats(0, 1, exclude_min=True, exclude_max=True),
        "patience": count,
        "cooldown": st.integers(0, MAX_COUNT),
        "minimum_change": not_negative,
        "monitor": st.sampled_from(["train_loss", "validation_loss"]),
    },
}
rates = {"learning_rate": positive}
options = st.dictionaries(
    text, st.one_of(st.booleans(), st.integers(-(2**62), 2**62), finite, text)
)
optimizers = st.one_of(
    [
        table({"name": st.just(n)}, **rates, weight_decay=not_negative, **k)
        for n, k in OPTIMIZERS.items()
    ]
    + [table({"name": st.just("optax.lion")}, **rates, options=options), st.just("sgd")]
)
schedules = st.one_of(
    [table({"name": st.just(n)}, warmup=share, **keys) for n, keys in SCHEDULE_KEYS.items()]
)
data = table(
    {},
    source=text.filter(lambda t: t and "\0" not in t),
    validation=share,
    split_seed=seed,
    shuffle_seed=seed,
    standardize=st.booleans(),
    standardize_targets=st.booleans(),
    impute=st.sampled_from(["refuse", "mean", "median", "zero"]),
    rows=count,
    noise=st.floats(0, 100),
)
weights = st.one_of(st.just("balanced"), st.dictionaries(text, positive, min_size=1, max_size=3))
train = table(
    {},
    loss=names(LossName),
    batch_size=st.one_of(count, st.just("full")),
    epochs=count,
    clip_value=positive,
    clip_tensor_norm=positive,
    clip_norm=positive,
    class_weight=weights,
    precision=st.sampled_from(["float32", "float64", "bfloat16"]),
    early_stopping=table({}, monitor=names(Monitor), patience=count, minimum_change=not_negative),
)
net = table(
    {"layers": layers(2)}, initializer=initializers(), bias_initializer=initializers(bias=True)
)
vitals = table({}, every=st.integers(0, MAX_COUNT), first=st.integers(0, MAX_COUNT))
recipes = table(
    {"net": net}, seed=seed, data=data, optimizer=optimizers, schedule=schedules, train=train,
    vitals=vitals,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(recipes)
def test_round_trip(values):
    recipe = Recipe.parse(values)
    written = dumps(recipe)
    # Read by another library than wrote it.
    again = Recipe.parse(tomllib.loads(written))
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert dumps(again) == written


LAYERS = [
    {"dense": 4, "bias": False, "initializer": {"name": "normal", "stddev": 0.1}},
    {"conv": 4, "size": [3, 5], "stride": 2, "padding": "valid", "bias_initializer": "ones"},
    {"activation": "rrelu", "low": 0.1, "high": 0.2},
    {"batch_norm": {"momentum": 0.5}},
    {"dropout": 0.5},
    {"max_pool": 2, "stride": [1, 2]},
    {"average_pool": [2, 1], "padding": "same"},
    {"global_average_pool": {}},
    {"flatten": {}},
    {"embedding": 3, "columns": [[0, 4], [2, 9]]},
    {"residual": [{"dense": 4}, {"repeat": 3, "layers": [{"residual": [{"flatten": {}}]}]}]},
    {"repeat": 2, "layers": [{"activation": "elu", "alpha": 1.5}]},
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: next(iter(layer)))
def test_a_layer_is_written_as_a_person_would(layer):
    recipe = Recipe.parse({"net": {"layers": [layer]}})
    assert tomllib.loads(dumps(recipe))["net"]["layers"] == [layer]
    assert Recipe.parse(tomllib.loads(dumps(recipe))) == recipe


def test_all_kinds_are_tried():
    recipe = Recipe.parse({"net": {"layers": LAYERS}})
    assert {kind_of(layer) for layer in recipe.net.layers} == set(LAYER_KINDS)
    assert set(OPTIMIZERS) == set(RULES)
    assert set(SCHEDULE_KEYS) == set(SCHEDULES)


def test_the_file_reads_well():
    recipe = Recipe.parse({"net": {"layers": LAYERS[:2]}})
    lines = dumps(recipe).splitlines()
    assert lines[0] == "seed = 0"
    assert (
        '    {conv = 4, size = [3, 5], stride = 2, padding = "valid", bias_initializer = "ones"},'
        in lines
    )
    assert 'name = "adam"' in lines


def test_short_forms():
    recipe = Recipe.parse(
        {
            "net": {"layers": ["flatten"], "initializer": "zeros"},
            "optimizer": "sgd",
            "schedule": "step",
        }
    )
    assert recipe.optimizer.name == "sgd"
    assert recipe.schedule.name == "step"
    assert kind_of(recipe.net.layers[0]) == "flatten"
    assert Recipe.parse({**recipe.to_dict(), "optimizer": {"beta1": 0.5}}).optimizer.name == "adam"


def test_save_and_load(tmp_path):
    recipe = Recipe.parse({"net": {"layers": LAYERS}, "train": {"class_weight": {"é\n": 2.0}}})
    save(recipe, tmp_path / "recipe.toml")
    assert load(tmp_path / "recipe.toml") == recipe


def test_save_where_nothing_can_be_written(tmp_path):
    with pytest.raises(RunError, match="cannot be written"):
        save(Recipe.parse({"net": {"layers": LAYERS}}), tmp_path / "no" / "recipe.toml")


@pytest.mark.parametrize("content", [NET, "﻿" + NET, NET.replace("\n", "\r\n"), "# ünïcode\n" + NET])
def test_texts_as_editors_write_them(content, tmp_path):
    (tmp_path / "r.toml").write_bytes(content.encode())
    assert load(tmp_path / "r.toml").net.layers[0].dense == 2


def nested(depth):
    return "{residual = [" * depth + "{dense = 2}" + "]}" * depth


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\xff", "not a text in UTF-8 (at byte 0)"),
        (b"\x00" * 100, "not valid TOML"),
        (b"", "net: is missing"),
        (b"[net\nlayers = 3", "line 1"),
        (b"seed = 1\nseed = 2\n", "not valid TOML"),
        (b"seed = " + b"9" * 5000, "too many digits"),
        (b"#" * (MAX_BYTES + 1), "larger than 4,000,000 bytes"),
        (f"[net]\nlayers = [{nested(1000)}]".encode(), "deeper"),
        (f"[net]\nlayers = [{nested(60)}]".encode(), "net: holds tables deeper"),
        (("[" + ".".join("a" * 2000) + "]\n").encode(), "deeper"),
        ((NET + "[train]\nepochs = 0").encode(), "train.epochs = 0: must be at least 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_that_hold_no_recipe(content, fragment, tmp_path):
    path = tmp_path / "r.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        load(path)
    message = str(caught.value)
    assert fragment in message
    assert str(path) in message
    assert "\n" not in message


def test_no_such_file(tmp_path):
    with pytest.raises(RecipeError, match=r"none\.toml: no such file"):
        load(tmp_path / "none.toml")


def test_a_folder(tmp_path):
    with pytest.raises(RecipeError, match="is a folder"):
        load(tmp_path)


def test_a_path_that_cannot_be_one():
    with pytest.raises(RecipeError, match="cannot be read"):
        read_table("a\0b")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device without an end")
def test_a_device_without_an_end():
    with pytest.raises(RecipeError, match="larger than"):
        read_table("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(NET)
    path.chmod(0)
    with pytest.raises(RecipeError, match="Permission denied"):
        load(path)


def test_nesting_that_can_be_worked_with():
    recipe = Recipe.parse(tomllib.loads(f"[net]\nlayers = [{nested(25)}]"))
    assert Recipe.parse(tomllib.loads(dumps(recipe))) == recipe
