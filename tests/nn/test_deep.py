"""Very deep nets: what theory says of their signals and steps, and that they learn."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from surefoot.engine.effort import Effort
from surefoot.engine.training import train
from surefoot.job import prepare
from surefoot.nn.criticality import critical_tanh
from surefoot.nn.nets import delta_orthogonal

RELU = {"activation": "relu"}
_VARIANCE = 1e-4


def singular_values(make, start, activation, layers=200):
    """Return those of the Jacobian of a plain net, at an input of the critical variance."""
    gain, stddev = critical_tanh(_VARIANCE) if activation == "tanh" else (1.0, 0.0)
    block = [{"conv": 4}, {"activation": activation}]
    net = make(
        [{"repeat": layers, "layers": block}, {"flatten": {}}],
        (4, 3, 4),
        dtype=np.float64,
        initializer={"name": start, "gain": gain},
        bias_initializer={"name": "normal", "stddev": stddev},
    )
    x = np.random.default_rng(0).normal(scale=_VARIANCE**0.5, size=(4, 3, 4))
    jacobian = jax.jit(jax.jacrev(lambda x: net.apply(x[None])[0][0]))(x)
    return np.linalg.svd(np.asarray(jacobian).reshape(48, 48), compute_uv=False)


def test_two_hundred_linear_layers_are_an_isometry(make, x64):
    np.testing.assert_allclose(singular_values(make, "delta_orthogonal", "identity"), 1, rtol=1e-10)


def test_tanh_at_its_critical_point_is_nearly_one(make, x64):
    found = singular_values(make, "delta_orthogonal", "tanh")
    np.testing.assert_allclose(found, 1, atol=0.1)
    # Of the same variance, but not orthogonal: products of random matrices spread their values.
    gaussian = singular_values(make, "lecun_normal", "tanh")
    assert gaussian.max() < 1e-3 or gaussian.max() / gaussian.min() > 1e10


def changes_by_rate(make, blocks, *points):
    """Return ‖∂f/∂η‖, how fast the outputs move with the rate of the next step of SGD.

    For each point, a start and how many steps were taken before.
    """
    branch = [{"dense": 8}, RELU, {"dense": 8}]
    layers = [
        {"dense": 8},
        RELU,
        {"repeat": blocks, "layers": [{"residual": branch}, RELU]},
        {"dense": 3},
    ]
    nets = {start: make(layers, (8,), dtype=np.float64, initializer=start) for start, _ in points}
    net = nets[points[0][0]]
    x = np.random.default_rng(0).normal(size=(16, 8))
    goal = np.eye(3)[np.arange(16) % 3]

    def loss(params):
        return -jnp.mean(jnp.sum(goal * jax.nn.log_softmax(net.apply(x, params)[0]), axis=1))

    def step(_, params):
        return jax.tree.map(lambda p, g: p - 0.05 * g, params, jax.grad(loss)(params))

    @jax.jit
    def change(params, steps):
        params = jax.lax.fori_loop(0, steps, step, params)
        away = jax.tree.map(jnp.negative, jax.grad(loss)(params))
        return jax.jvp(lambda params: net.apply(x, params)[0], (params,), (away,))[1]

    moved = [change(nets[start].params, steps) for start, steps in points]
    return [float(jnp.linalg.norm(each)) for each in moved]


def test_a_step_of_fixup_changes_the_output_by_the_rate_at_any_depth(make, x64):
    # At the start only the output layer moves; after some steps all layers do.
    points = ("fixup", 0), ("fixup", 20), ("he_normal", 0)
    shallow, deep = (changes_by_rate(make, blocks, *points) for blocks in (10, 100))
    first, later, he = (b / a for a, b in zip(shallow, deep, strict=True))
    assert 0.9 < first < 1.1
    assert 0.2 < later < 5
    assert he > 1e6


def test_depth_is_one_block_to_the_compiler():
    deep, deeper = (delta_orthogonal(depth).hidden for depth in (1000, 10_000))
    assert [layer.get("repeat") for layer in deep] == [None, None, 998, None]
    assert deep[2]["layers"] == deeper[2]["layers"]


def accuracy(start):
    layers = delta_orthogonal(200, 4).layers("softmax")
    conv = layers[2]["layers"][0]
    if start is not None:
        conv["initializer"] = start
    tables = {
        "data": {"source": "digits"},
        "net": {"layers": layers},
        "optimizer": {"learning_rate": 1e-3},
        "train": {"epochs": 1, "loss": "cross_entropy"},
        "vitals": {"every": 0, "first": 0},
    }
    cohort = prepare(tables, facts=False).cohort
    cohort.effort = Effort.LITTLE  # what 200 layers take unoptimized is more than the compiler
    return train(cohort)[0].train[1]


def test_a_plain_net_of_two_hundred_layers_learns_by_its_start():
    assert accuracy(None) > 0.6
    assert accuracy("glorot_normal") < 0.3
