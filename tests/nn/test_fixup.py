"""Fixup and delta-orthogonal initialization: depth by initialization alone."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.nn.fixup import fixup_initials
from surefoot.nn.probes import FORWARD
from surefoot.recipe import Net

RELU = {"activation": "relu"}
BRANCH = [{"dense": 8}, RELU, {"dense": 8}]
STD = FORWARD.index("activation_std")


def deep(times, stem=16):
    """Return a residual net without normalization."""
    block = [{"residual": [{"dense": stem}, RELU, {"dense": stem}]}, RELU]
    return [{"dense": stem}, RELU, {"repeat": times, "layers": block}, {"dense": 3}]


def rules(layers, initializer="fixup"):
    net = Net.model_validate({"layers": layers, "initializer": initializer})
    return {n: (initial.name, initial.factor) for n, initial in fixup_initials(net).items()}


def test_the_rule_by_hand():
    # L = 9 branches of m = 2 layers: He's times 9^(−1/2); the last of each and of the net, zero.
    assert rules(deep(9)) == {
        "1": ("he_normal", 1.0),
        "3.1.1": ("he_normal", pytest.approx(1 / 3)),
        "3.1.3": ("zeros", 1.0),
        "4": ("zeros", 1.0),
    }
    # m = 3 and L = 16: 16^(−1/4) = 1/2.
    branch = [{"conv": 4}, {"conv": 4}, {"conv": 4}]
    layers = [{"repeat": 16, "layers": [{"residual": branch}]}, {"flatten": {}}, {"dense": 2}]
    assert rules(layers)["1.1.2"] == ("he_normal", pytest.approx(0.5))


def test_only_layers_without_an_initializer_of_their_own_follow_it():
    layers = [{"residual": [{"dense": 8, "initializer": "ones"}, {"dense": 8}]}, {"dense": 2}]
    assert set(rules(layers)) == {"1.2", "2"}
    assert rules(deep(2), initializer="he_normal") == {}
    assert rules([{"dense": 8, "initializer": "fixup"}, {"dense": 2}], "he_normal") == {
        "1": ("he_normal", 1.0)
    }


def test_a_net_that_ends_in_a_branch_and_a_branch_in_a_branch():
    inner = [{"dense": 8}, {"residual": BRANCH}, {"dense": 8}]
    found = rules([{"residual": inner}])
    assert {number: name for number, (name, _) in found.items()} == {
        "1.1": "he_normal", "1.2.1": "he_normal", "1.2.3": "zeros", "1.3": "zeros",
    }  # fmt: skip
    assert found["1.1"][1] == pytest.approx(2 ** (-1 / 2))


def test_every_branch_and_the_output_are_exactly_zero_at_the_start(make):
    layers = [
        {"conv": 4},
        RELU,
        {"repeat": 3, "layers": [{"residual": [{"conv": 4}, RELU, {"conv": 4}]}, RELU]},
        {"residual": [{"conv": 8, "stride": 2}, RELU, {"conv": 8}]},
        {"global_average_pool": {}},
        {"dense": 3},
    ]
    net = make(layers, (6, 6, 2), initializer="fixup")
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 2)).astype(np.float32)
    y, _, vitals = net.apply(x, probes=net.network.no_probes())
    assert not y.any()
    by_name = dict(zip([site.name for site in net.network.sites], np.asarray(vitals), strict=True))
    for name in ("3[1].1.3", "3[2].1.3", "3[3].1.3", "4.3", "6"):
        assert by_name[name][FORWARD.index("activation_max")] == 0
    # So a block passes on what it gets, and the projection is not zero: it is all that passes.
    assert by_name["3[1].1"][STD] == by_name["3[3].2"][STD] == by_name["2"][STD]
    assert by_name["4"][STD] > 0.1
    # 3 + 1 branches of 2 layers: the first of each is He's times 4^(−1/2), variance 2/36/4.
    kernel = net.params[2][0]["branch"][0]["kernel"]
    assert np.var(kernel) == pytest.approx(2 / 36 / 4, rel=0.2)
    projection = net.params[3]["projection"]
    assert np.var(projection) == pytest.approx(2 / 4, rel=0.6)


def spread(net, x):
    """Return each site's standard deviation over that behind the first block of layers."""
    vitals = np.asarray(net.apply(x, probes=net.network.no_probes())[2])
    return vitals[:, STD] / vitals[1, STD]


def test_depth_neither_enlarges_the_signal_nor_stops_training(make):
    x = np.random.default_rng(0).normal(size=(32, 8)).astype(np.float32)
    goal = np.eye(3, dtype=np.float32)[np.arange(32) % 3]
    net = make(deep(48, 8), (8,), initializer="fixup")
    assert spread(net, x)[-2] == pytest.approx(1, rel=1e-6)
    he = make(deep(48, 8), (8,), initializer="he_normal")
    assert spread(he, x)[-2] > 1e6  # each of He's blocks about doubles the variance

    @jax.jit
    def step(params):
        def loss(params):
            return jnp.mean((net.apply(x, params)[0] - goal) ** 2)

        value, grads = jax.value_and_grad(loss)(params)
        return value, jax.tree.map(lambda p, g: p - 0.05 * g, params, grads)

    params, losses = net.params, []
    for _ in range(60):
        value, params = step(params)
        losses.append(float(value))
    assert losses[0] == pytest.approx(np.mean(goal**2))  # all outputs are zero
    assert losses[-1] < 0.7 * losses[0]


def test_delta_orthogonal_keeps_the_norm_through_a_hundred_convolutions_both_ways(make, x64):
    def norms(initializer):
        layers = [{"repeat": 100, "layers": [{"conv": 6}]}, {"flatten": {}}]
        net = make(layers, (5, 4, 6), dtype=np.float64, initializer=initializer)
        x = np.random.default_rng(0).normal(size=(2, 5, 4, 6))
        y, pull = jax.vjp(lambda x: net.apply(x)[0], x)
        signal = np.random.default_rng(1).normal(size=y.shape)
        (back,) = pull(jnp.asarray(signal))
        return [
            float(np.linalg.norm(after) / np.linalg.norm(before))
            for before, after in ((x, y), (signal, back))
        ]

    np.testing.assert_allclose(norms("delta_orthogonal"), 1, rtol=1e-10)
    # The same filters drawn without the restriction to the centre lose it at the borders.
    assert max(norms("lecun_normal")) < 0.1
