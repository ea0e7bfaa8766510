"""Networks built from recipes: shapes checked first, weights drawn, signals through depth."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.errors import RecipeError
from surefoot.nn import network as network_module
from surefoot.nn.network import build
from surefoot.recipe import Net

ROW, PICTURE = (6,), (8, 8, 3)
FLAT, GAP = {"flatten": {}}, {"global_average_pool": {}}

# What does not fit: the layers, the shape of the data, the layer to blame, the fix that is named.
REFUSED = {
    "dense on pictures": ([{"dense": 4}], PICTURE, "layer 1 (dense)", "put {flatten = {}}"),
    "dense after conv": (
        [{"conv": 4}, {"activation": "relu"}, {"dense": 4}],
        PICTURE,
        "layer 3 (dense): needs a row of numbers and gets 8×8 pictures with 4 channels",
        "{global_average_pool = {}} before it",
    ),
    "dense on a grid": ([{"dense": 4}], (8, 8), "layer 1 (dense)", "gets 8×8"),
    "conv on rows": ([{"conv": 4}], ROW, "layer 1 (conv)", "take it out where the data are rows"),
    "conv after flatten": ([FLAT, {"conv": 4}], PICTURE, "layer 2 (conv)", "put it before"),
    "conv after dense": ([{"dense": 4}, {"conv": 4}], ROW, "layer 2 (conv)", "a row of 4 numbers"),
    "max_pool on rows": ([{"max_pool": 2}], ROW, "layer 1 (max_pool)", "put it before"),
    "average_pool on rows": ([{"average_pool": 2}], ROW, "layer 1 (average_pool)", "put it before"),
    "global pool on rows": ([GAP, GAP], PICTURE, "layer 2 (global_average_pool)", "put it before"),
    "pool larger than its input": (
        [{"max_pool": 2}, {"max_pool": 5}],
        PICTURE,
        "layer 2 (max_pool): its 5×5 window is larger than its 4×4 input",
        "make it smaller",
    ),
    "pooled once too often": ([{"max_pool": 2}] * 4, PICTURE, "layer 4 (max_pool)", "pool less"),
    "conv larger than its input": (
        [{"conv": 4, "size": [9, 1], "padding": "valid"}],
        PICTURE,
        "layer 1 (conv): its 9×1 window is larger than its 8×8 input",
        'padding = "same"',
    ),
    "residual that shrinks": (
        [{"residual": [{"conv": 4, "padding": "valid"}]}, GAP],
        PICTURE,
        "layer 1 (residual): its branch turns 8×8 pictures with 3 channels into 6×6 pictures",
        'padding = "same" inside the branch',
    ),
    "residual from pictures to rows": (
        [{"residual": [FLAT, {"dense": 4}]}],
        PICTURE,
        "layer 1 (residual)",
        "take what makes rows of pictures out of the branch",
    ),
    "embedding of pictures": (
        [{"embedding": 2, "columns": [[0, 3]]}],
        PICTURE,
        "layer 1 (embedding): needs a row of numbers",
        "gets 8×8 pictures",
    ),
    "embedding of a column that is not there": (
        [{"embedding": 2, "columns": [[6, 3]]}],
        ROW,
        "layer 1 (embedding): column 6 is not there",
        "columns 0 to 5",
    ),
    "embedding of a column twice": (
        [{"embedding": 2, "columns": [[1, 3], [1, 2]]}],
        ROW,
        "layer 1 (embedding): column 1 is named twice",
        "name each column once",
    ),
    "inside a residual": (
        [{"dense": 4}, {"residual": [{"dense": 2}, {"conv": 2}]}],
        ROW,
        "layer 2.2 (conv): needs pictures (height, width, channels) and gets a row of 2 numbers",
        "data are rows",
    ),
    "inside a repeat": ([{"repeat": 3, "layers": [GAP]}], ROW, "layer 1.1 (global", "pictures"),
    "a repeat that changes the shape": (
        [{"dense": 5}, {"repeat": 3, "layers": [{"dense": 4}]}],
        ROW,
        "layer 2 (repeat): its block turns a row of 5 numbers into a row of 4 numbers",
        "before the repeat",
    ),
    "narrowing delta_orthogonal": (
        [{"conv": 8}, {"conv": 4, "initializer": "delta_orthogonal"}, GAP],
        PICTURE,
        "layer 2 (conv)",
        "widen it or use another initializer",
    ),
    "ends in pictures": ([{"conv": 4}], PICTURE, "layer 1 (conv): the net ends in 8×8", "{flatten"),
    "a softmax over pictures": (
        [{"activation": "softmax"}],
        PICTURE,
        "layer 1 (activation): the net ends in 8×8",
        "{dense",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_shape_that_does_not_fit_is_refused_before_anything_runs(name, monkeypatch):
    layers, shape, culprit, fix = REFUSED[name]
    for layer in (network_module.Dense, network_module.Conv):
        monkeypatch.setattr(layer, "init", lambda *_: pytest.fail("weights were drawn"))
    with pytest.raises(RecipeError) as caught:
        build(Net.model_validate({"layers": layers}), shape, 3)
    message = str(caught.value)
    assert message.startswith(culprit)
    assert fix in message
    assert "\n" not in message


def test_weights_depend_on_the_seed_and_the_place_alone(make):
    layers = [{"dense": 6}, {"residual": [{"dense": 6}]}, {"repeat": 2, "layers": [{"dense": 6}]}]

    def kernels(seed):
        leaves = jax.tree.leaves(make(layers, ROW, seed=seed).params)
        kernels = [leaf for leaf in leaves if leaf.ndim > 1 and leaf.any()]  # biases are zero
        return [matrix for leaf in kernels for matrix in leaf.reshape(-1, 6, 6)]

    first, again, other = kernels(0), kernels(0), kernels(1)
    assert len(first) == 4
    np.testing.assert_array_equal(first, again)
    distinct = [matrix.tobytes() for matrix in (*first, *other)]
    assert len(set(distinct)) == 8


def test_a_layers_own_initializer_goes_before_the_nets(make):
    net = make(
        [
            {"dense": 6, "initializer": {"name": "constant", "value": 0.5}},
            {"dense": 6, "bias_initializer": "ones"},
            {"dense": 6, "bias": False},
        ],
        ROW,
        initializer="identity",
        bias_initializer={"name": "constant", "value": 0.25},
    )
    assert (net.params[0]["kernel"] == 0.5).all()
    assert (net.params[0]["bias"] == 0.25).all()
    np.testing.assert_array_equal(net.params[1]["kernel"], np.eye(6))
    assert (net.params[1]["bias"] == 1).all()
    assert set(net.params[2]) == {"kernel"}


@pytest.mark.parametrize(
    ("last", "head"), [("softmax", True), ("sigmoid", True), ("relu", False), ("identity", False)]
)
def test_the_loss_takes_softmax_and_sigmoid_over(last, head, make):
    net = make([{"dense": 4, "initializer": "identity"}, {"activation": last}], (4,))
    assert (net.network.head is not None) == head
    x = jnp.array([[-1.0, 2.0, 3.0, -4.0]])
    expected = x if head or last == "identity" else jnp.maximum(x, 0)
    np.testing.assert_array_equal(net.apply(x)[0], expected)
    assert [site.kind for site in net.network.sites] == ["dense", last]


def test_a_head_alone_is_a_net(make):
    net = make([{"activation": "softmax"}], (3,))
    assert net.apply(jnp.ones((2, 3)))[0].shape == (2, 3)
    vitals = net.apply(jnp.ones((2, 3)), probes=net.network.no_probes())[2]
    assert vitals.shape == (1, 7)


@pytest.mark.parametrize(
    ("layer", "random"),
    [
        ({"dropout": 0.1}, True),
        ({"activation": "rrelu"}, True),
        ({"residual": [{"repeat": 2, "layers": [{"dropout": 0.1}]}]}, True),
        ({"repeat": 2, "layers": [{"residual": [{"activation": "rrelu"}]}]}, True),
        ({"residual": [{"activation": "relu"}]}, False),
    ],
)
def test_it_is_known_whether_a_step_draws_random_numbers(layer, random, make):
    assert make([layer, {"dense": 2}], ROW).network.random == random


def kept_variance(make, initializer, width, nets):
    """Return the mean over nets of layer 50's over layer 1's variance in a plain ReLU net."""
    block = [{"dense": width}, {"activation": "relu"}]
    x = np.random.default_rng(0).normal(size=(16, width)).astype(np.float32)
    first = make([{"repeat": 50, "layers": block}], (width,), initializer=initializer)
    run = jax.jit(lambda params: first.apply(x, params, probes=first.network.no_probes())[2])
    dense = [i for i, site in enumerate(first.network.sites) if site.kind == "dense"]
    ratios = []
    for seed in range(nets):
        net = make([{"repeat": 50, "layers": block}], (width,), seed=seed, initializer=initializer)
        std = np.asarray(run(net.params))[dense, 1]
        ratios.append((std[-1] / std[0]) ** 2)
    return float(np.mean(ratios))


def test_fifty_relu_layers_keep_their_variance_under_he(make):
    assert 0.5 < kept_variance(make, "he_normal", width=256, nets=8) < 2


def test_fifty_relu_layers_lose_their_variance_under_a_small_gaussian(make):
    assert kept_variance(make, {"name": "normal", "stddev": 0.01}, width=64, nets=1) < 1e-30


@pytest.mark.parametrize("initializer", ["zeros", {"name": "constant", "value": 0.2}, "he_normal"])
def test_units_that_start_alike_stay_alike(initializer, make):
    layers = [{"dense": 5}, {"activation": "tanh"}, {"dense": 1}]
    net = make(layers, (3,), initializer=initializer)
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    y = np.sin(2 * x[:, :1])

    @jax.jit
    def step(params):
        grads = jax.grad(lambda params: jnp.mean((net.apply(x, params)[0] - y) ** 2))(params)
        return jax.tree.map(lambda p, g: p - 0.2 * g, params, grads)

    params = net.params
    for _ in range(30):
        params = step(params)
    kernel = np.asarray(params[0]["kernel"])
    spread = np.ptp(kernel, axis=1).max()  # between units, for each input
    if initializer == "he_normal":
        assert spread > 0.1
    else:
        assert spread < 1e-6
    # From zero the hidden weights do not move at all: no signal comes back through zero weights.
    assert (np.abs(kernel).max() == 0) == (initializer == "zeros")
