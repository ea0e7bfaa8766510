"""The ready nets: their layers, their sizes, what they refuse."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from surefoot.errors import RecipeError
from surefoot.job import prepare
from surefoot.nn.nets import (
    convnet,
    delta_orthogonal,
    fixup,
    mlp,
    needs_pictures,
    plain,
    ready,
    resnet,
)

RELU = {"activation": "relu"}


def parameters(make, layers, shape, outputs):
    net = make(layers, shape, outputs, initializer="zeros")
    return sum(leaf.size for leaf in jax.tree.leaves(net.params))


def test_mlp_layers():
    assert mlp(8, 4).hidden == [{"dense": 8}, RELU, {"dense": 4}, RELU]
    assert mlp(8, activation="tanh", dropout=0.2, batch_norm=True).hidden == [
        {"dense": 8},
        {"batch_norm": {}},
        {"activation": "tanh"},
        {"dropout": 0.2},
    ]
    assert mlp().layers() == [{"dense": "outputs"}]
    assert mlp().layers("sigmoid1") == [{"dense": 1}, {"activation": "sigmoid"}]
    assert mlp().layers("softmax") == [{"dense": "outputs"}, {"activation": "softmax"}]


def test_convnet_layers():
    block = [
        {"conv": 8, "bias": False},
        {"batch_norm": {}},
        RELU,
        {"max_pool": 2, "padding": "same"},
    ]
    assert convnet(8).hidden == [*block, {"flatten": {}}, {"dropout": 0.5}]
    assert convnet(8, dropout=0).hidden == [*block, {"flatten": {}}]
    assert convnet().text == "convnet:16,32,64"


def test_resnet_layers():
    def conv(filters, **options):
        return [{"conv": filters, "bias": False, **options}, {"batch_norm": {}}]

    def block(filters, **options):
        return [{"residual": [*conv(filters, **options), RELU, *conv(filters)]}, RELU]

    assert resnet(8, 4).hidden == [
        *conv(4), RELU, *block(4), *block(8, stride=2), *block(16, stride=2),
        {"global_average_pool": {}},
    ]  # fmt: skip
    deep = resnet(110).hidden
    assert [layer["repeat"] for layer in deep if "repeat" in layer] == [18, 17, 17]
    assert len(deep) == len(resnet(20).hidden)


def test_deep_nets_are_resnets_without_connections_or_without_normalization():
    normed = [{"conv": 4, "bias": False}, {"batch_norm": {}}]
    assert plain(14, 4).hidden[:4] == [*normed, RELU, {"repeat": 2, "layers": [*normed, RELU] * 2}]
    conv = {"conv": 4, "initializer": "fixup"}
    block = [{"residual": [conv, RELU, conv]}, RELU]
    assert fixup(14, 4).hidden[:3] == [conv, RELU, {"repeat": 2, "layers": block}]
    assert fixup(8).layers("softmax")[-2] == {"dense": "outputs", "initializer": "fixup"}


@pytest.mark.parametrize(
    ("depth", "optimizer", "rate"), [(1000, None, 1e-4), (40, None, 1e-3), (1000, "momentum", 0.01)]
)
def test_a_very_deep_net_brings_its_rate(depth, optimizer, rate):
    chosen = {} if optimizer is None else {"optimizer": optimizer}
    recipe = prepare("digits", net=f"delta-orthogonal:{depth}", facts=False, **chosen).recipe
    assert recipe.optimizer.learning_rate == rate


def test_delta_orthogonal_layers():
    conv = {
        "conv": 4,
        "initializer": {"name": "delta_orthogonal", "gain": 1.023856},
        "bias_initializer": {"name": "normal", "stddev": 0.004257},
    }
    tanh = {"activation": "tanh"}
    first = {"conv": 4, "stride": 2, "initializer": "lecun_normal"}
    assert delta_orthogonal(3, 4).hidden == [first, tanh, conv, tanh, {"flatten": {}}]
    assert delta_orthogonal(9, 4).hidden[2] == {"repeat": 7, "layers": [conv, tanh]}
    assert delta_orthogonal(9, 4).layers()[-1]["initializer"] == "lecun_normal"


@pytest.mark.parametrize(
    ("text", "shape", "outputs", "expected"),
    [
        ("mlp", (64,), 10, 64 * 10 + 10),
        ("mlp:128,64", (64,), 10, 64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10),
        # 3·3·3·8, γ and β, 3·3·8·16, γ and β; 8×8 pooled twice is 2×2.
        ("convnet:8,16", (8, 8, 3), 10, 216 + 16 + 1152 + 32 + (2 * 2 * 16) * 10 + 10),
        ("convnet:4", (5, 5, 1), 2, 36 + 8 + (3 * 3 * 4) * 2 + 2),
        # He and others 2016, table 6: 0.27 M for 20 layers, 0.85 M for 56, 1.7 M for 110. To the
        # filters come γ and β, the two projections (512 + 2048) and the output layer.
        (
            "resnet:20",
            (32, 32, 3),
            10,
            432 + 6 * 2304 + 4608 + 5 * 9216 + 18432 + 5 * 36864
            + 2 * (7 * 16 + 6 * 32 + 6 * 64) + 512 + 2048 + 650,
        ),
    ],
)  # fmt: skip
def test_parameter_counts(text, shape, outputs, expected, make):
    assert parameters(make, ready(text).layers("softmax"), shape, outputs) == expected


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (56, 0.85), (110, 1.7)])
def test_resnets_are_as_large_as_the_paper_says(depth, millions, make):
    found = parameters(make, resnet(depth).layers("softmax"), (32, 32, 3), 10)
    assert found / 1e6 == pytest.approx(millions, rel=0.02)


def test_a_resnets_depth_is_its_count_of_weight_layers(make):
    for depth in (8, 20, 44):
        sites = make(resnet(depth, 2).layers("softmax"), (8, 8, 1)).network.sites
        assert sum(site.kind in ("conv", "dense") for site in sites) == depth


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resnet:19", "resnet:19: the depth must be 6n + 2, such as 14 or 20"),
        ("resnet:21", "such as 20 or 26"),
        ("plain:21", "plain:21: the depth must be 6n + 2, such as 20 or 26"),
        ("fixup:1000", "fixup:1000: the depth must be 6n + 2, such as 998 or 1004"),
        ("fixup:20,8,4", "fixup takes a depth and a width"),
        ("delta-orthogonal:2", "the depth must be at least 3"),
        ("delta:1000", "delta-orthogonal:DEPTH"),
        ("resnet:2", "such as 8 or 14"),
        ("resnet:1", "such as 8 or 14"),
        ("resnet:20,16,4", "takes a depth and a width"),
        ("resnet:-8", "whole numbers above 0"),
        ("mlp:8,0", "whole numbers above 0"),
        ("mlp:8,x", "whole numbers above 0"),
        ("mlp:8,,4", "whole numbers above 0"),
        ("mlp:1.5", "whole numbers above 0"),
        ("mpl:8", "did you mean 'mlp'"),
        ("", "must be one of mlp:SIZES, convnet, resnet:DEPTH"),
    ],
)
def test_refusals_are_one_line(text, message):
    with pytest.raises(RecipeError) as caught:
        ready(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_leads_back_to_the_net():
    for net in (mlp(8, 4), mlp(), convnet(), convnet(8)):
        assert ready(net.text) == net
    assert ready("resnet:14") == resnet(14)
    assert ready("resnet:14,4") == resnet(14, 4)
    for net in (resnet(14, 4), plain(14, 4), plain(), fixup(14), fixup(14, 4)):
        assert ready(net.text) == net
    for net in (delta_orthogonal(), delta_orthogonal(5, 4)):
        assert ready(net.text) == net


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (mlp(8).layers(), False),
        (convnet(8).layers(), True),
        ([{"residual": [{"repeat": 2, "layers": [{"conv": 4}]}]}], True),
        ([{"flatten": {}}, {"residual": [{"dense": 4}]}], False),
        ([{"global_average_pool": {}}], True),
    ],
)
def test_needs_pictures(layers, expected):
    assert needs_pictures(layers) == expected


def test_one_hidden_layer_approximates_a_continuous_function(make):
    wide = {"name": "uniform", "low": -20.0, "high": 20.0}
    net = make(
        mlp(300, activation="tanh").layers(), (1,), 1, initializer=wide, bias_initializer=wide
    )
    x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    y = np.abs(np.sin(5 * x[:, 0]))
    # The hidden layer as it starts, the output layer by least squares.
    hidden = np.tanh(x @ net.params[0]["kernel"] + net.params[0]["bias"])
    solution = np.linalg.lstsq(np.column_stack([hidden, np.ones(len(x))]), y, rcond=1e-5)[0]
    output = {"kernel": solution[:-1, None], "bias": solution[-1:]}
    params = [*net.params[:2], jax.tree.map(np.float32, output)]
    assert np.abs(net.apply(x, params)[0][:, 0] - y).max() < 0.05
