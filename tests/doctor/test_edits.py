"""Edits of a net: what becomes of its layers, nested ones too."""

from __future__ import annotations

import pytest

from surefoot.doctor import edits
from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe

BLOCK = [{"dense": 8, "initializer": "ones"}, {"activation": "sigmoid"}]
LAYERS = [
    *BLOCK,
    {"repeat": 3, "layers": BLOCK},
    {"residual": BLOCK},
    {"dropout": 0.5},
    {"dense": "classes"},
    {"activation": "sigmoid"},
]


@pytest.fixture
def recipe():
    return Recipe.parse({"net": {"layers": LAYERS, "initializer": "zeros"}})


def applied(recipe, changes):
    return Remedy("", changes).apply(recipe).to_dict()["net"]


def activations(layers):
    return [layer["activation"] for layer in edits.flat(layers) if "activation" in layer]


def test_every_layer_is_found_once(recipe):
    found = list(edits.flat(edits.layers(recipe)))
    assert [next(iter(layer)) for layer in found] == [
        *("dense", "activation") * 3,
        "dropout",
        "dense",
        "activation",
    ]


def test_depth_counts_repetitions(recipe):
    assert edits.depth(recipe) == 1 + 3 + 1 + 1


def test_hidden_activations_are_all_but_the_outputs(recipe):
    softmax = Recipe.parse({"net": {"layers": [*LAYERS[:-1], {"activation": "softmax"}]}})
    assert edits.hidden_activations(softmax) == {"sigmoid"}
    assert edits.output_activation(softmax) == "softmax"
    bare = Recipe.parse({"net": {"layers": LAYERS[:-1]}})
    assert edits.output_activation(bare) is None


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [("relu", "he_normal"), ("tanh", "glorot_uniform"), ("selu", "lecun_normal")],
)
def test_the_initializer_fits_the_activation(activation, initializer):
    layers = [{"dense": 8}, {"activation": activation}, {"dense": 3}]
    recipe = Recipe.parse({"net": {"layers": layers}})
    assert edits.fitting_initializer(recipe) == initializer


def test_initializers_of_single_layers_go_too(recipe):
    net = applied(recipe, edits.initialized(recipe))
    assert net["initializer"] == "glorot_uniform"
    assert not any("initializer" in layer for layer in edits.flat(net["layers"]))


def test_another_activation_everywhere_but_at_the_output(recipe):
    net = applied(recipe, edits.activated(recipe, ("sigmoid",), "relu"))
    assert activations(net["layers"]) == ["relu", "relu", "relu", "sigmoid"]
    assert net["initializer"] == "he_normal"


def test_normalization_stands_before_hidden_activations(recipe):
    net = applied(recipe, edits.normalized(recipe))
    kinds = [next(iter(layer)) for layer in edits.flat(net["layers"])]
    assert kinds[:3] == ["dense", "batch_norm", "activation"]
    assert kinds[-2:] == ["dense", "activation"]
    assert kinds.count("batch_norm") == 3


def test_what_is_taken_out_is_gone(recipe):
    net = applied(recipe, edits.without(recipe, "dropout"))
    assert "dropout" not in edits.kinds(net["layers"])


def test_a_shallower_net_keeps_its_output(recipe):
    changed = Remedy("", edits.shallower(recipe, 3)).apply(recipe)
    assert edits.depth(changed) == 4
    assert edits.output_activation(changed) == "sigmoid"


@pytest.mark.parametrize(
    ("kind", "tail", "loss"),
    [
        ("classes", [{"dense": "classes"}, {"activation": "softmax"}], "cross_entropy"),
        ("labels", [{"dense": "outputs"}, {"activation": "sigmoid"}], "binary_cross_entropy"),
        ("numbers", [{"dense": "outputs"}], "mean_squared_error"),
    ],
)
def test_an_output_for_each_target(kind, tail, loss):
    logits = {"loss": "cross_entropy", "from_logits": True}
    recipe = Recipe.parse({"net": {"layers": LAYERS}, "train": logits})
    changed = Remedy("", edits.fitted_output(recipe, kind)).apply(recipe)
    layers = changed.to_dict()["net"]["layers"]
    plain = [{k: v for k, v in layer.items() if k in ("dense", "activation")} for layer in layers]
    assert plain[-len(tail) :] == tail
    assert (changed.train.loss, changed.train.from_logits) == (loss, False)


def test_a_rule_without_a_rate_has_none():
    layers = {"layers": [{"dense": 3}]}
    assert edits.rate_of(Recipe.parse({"net": layers})) == 1e-3
    assert edits.rate_of(Recipe.parse({"net": layers, "optimizer": "custom"})) is None
