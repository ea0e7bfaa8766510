"""`repeat`: a block many times as one scan, with weights and vital signs of its own each time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core

from surefoot.nn.probes import FORWARD, WEIGHT, measure_weight

WIDTH = 4
BLOCK = [{"dense": WIDTH}, {"activation": "tanh"}]
RESIDUAL = [{"residual": [*BLOCK, {"dense": WIDTH}]}]


def equations(jaxpr):
    """Count the equations of a program, those of its inner programs too."""
    inner = (
        item
        for equation in jaxpr.eqns
        for value in equation.params.values()
        for item in (value if isinstance(value, tuple | list) else [value])
    )
    bodies = (
        item.jaxpr if isinstance(item, core.ClosedJaxpr) else item
        for item in inner
        if isinstance(item, core.ClosedJaxpr | core.Jaxpr)
    )
    return len(jaxpr.eqns) + sum(equations(body) for body in bodies)


def program(make, block, times):
    """Return how large the program of an instrumented training step is."""
    net = make([{"repeat": times, "layers": block}, {"dense": 2}], (WIDTH,))
    key = jax.random.key(0) if net.network.random else None

    def loss(params, probes, x):
        y, _, vitals = net.apply(x, params, probes=probes, key=key)
        return jnp.sum(y**2), vitals

    def step(params, x):
        probes = net.network.no_probes()
        (_, vitals), grads = jax.value_and_grad(loss, (0, 1), has_aux=True)(params, probes, x)
        weights = net.network.measure_weights(
            (params, grads[0], params), measure_weight, len(WEIGHT)
        )
        return grads, vitals, weights

    return equations(jax.make_jaxpr(step)(net.params, np.ones((3, WIDTH), np.float32)).jaxpr)


@pytest.mark.parametrize("block", [BLOCK, [*RESIDUAL, {"dropout": 0.1}, {"batch_norm": {}}]])
def test_a_thousand_repetitions_are_as_large_a_program_as_two(block, make):
    two = program(make, block, 2)
    assert program(make, block, 1000) == two
    written_out = [program(make, block * n, 1) for n in (1, 2)]
    assert written_out[1] > 1.3 * written_out[0]  # what repeat saves does grow


def unstacked(params, times):
    return [jax.tree.map(lambda leaf, i=i: leaf[i], params) for i in range(times)]


@pytest.mark.parametrize("block", [BLOCK, [{"batch_norm": {}}, *RESIDUAL]])
def test_it_is_the_block_written_out(block, make, x64):
    times = 3
    once = make([{"repeat": times, "layers": block}], (WIDTH,), dtype=np.float64)
    written = make(block * times, (WIDTH,), dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(5, WIDTH))
    params = [layer for each in unstacked(once.params[0], times) for layer in each]
    y, state, vitals = once.apply(x, probes=once.network.no_probes())
    expected = written.apply(x, params, probes=written.network.no_probes())
    np.testing.assert_allclose(y, expected[0], rtol=1e-10)
    states = [layer for each in unstacked(state[0], times) for layer in each]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10), states, expected[1])
    np.testing.assert_allclose(vitals, expected[2], rtol=1e-5, atol=1e-12)  # float32


def test_each_repetition_has_weights_and_vital_signs_of_its_own(make):
    net = make([{"dense": WIDTH}, {"repeat": 3, "layers": BLOCK}], (WIDTH,))
    assert [site.name for site in net.network.sites] == [
        "1", "2[1].1", "2[1].2", "2[2].1", "2[2].2", "2[3].1", "2[3].2",
    ]  # fmt: skip
    assert [site.kind for site in net.network.sites] == ["dense", *["dense", "tanh"] * 3]
    assert [site.weights for site in net.network.sites] == [16, *[16, 0] * 3]
    kernels = net.params[1][0]["kernel"]
    assert kernels.shape == (3, WIDTH, WIDTH)
    assert len({kernel.tobytes() for kernel in kernels}) == 3

    # The second repetition's weights are zero, so from its output on nothing is left.
    kernels = kernels.copy()
    kernels[1] = 0
    params = [net.params[0], [{**net.params[1][0], "kernel": kernels}, net.params[1][1]]]
    x = np.ones((2, WIDTH), np.float32)
    vitals = net.apply(x, params, probes=net.network.no_probes())[2]
    zeros = np.asarray(vitals)[:, FORWARD.index("zero_share")]
    assert zeros.tolist() == [0, 0, 0, 1, 1, 1, 1]
    measured = net.network.measure_weights((params, params, params), measure_weight, len(WEIGHT))
    rms = np.asarray(measured)[:, WEIGHT.index("weight_rms")]
    expected = np.sqrt(np.mean(np.square(kernels), axis=(1, 2)))
    np.testing.assert_allclose(rms[1::2], expected, rtol=1e-6)
    assert np.isnan(rms[2::2]).all()


def test_nested_sites_carry_every_number(make):
    inner = [{"residual": [{"repeat": 2, "layers": BLOCK}]}, {"activation": "relu"}]
    net = make([{"repeat": 12, "layers": inner}], (WIDTH,))
    names = [site.name for site in net.network.sites]
    assert names[:6] == [
        "1[1].1.1[1].1", "1[1].1.1[1].2", "1[1].1.1[2].1", "1[1].1.1[2].2", "1[1].1", "1[1].2",
    ]  # fmt: skip
    assert names[-1] == "1[12].2"
    assert len(set(names)) == len(names) == 12 * 6


@pytest.mark.parametrize("layer", [{"activation": "relu"}, {"dropout": 0.5}, {"flatten": {}}])
def test_a_block_that_learns_nothing_can_be_repeated(layer, make):
    net = make([{"repeat": 3, "layers": [layer]}], (WIDTH,))
    x = np.ones((2, WIDTH), np.float32)
    for probes in (None, net.network.no_probes()):
        y, _, _ = net.apply(x, train=False, probes=probes)
        np.testing.assert_array_equal(y, x)
    weights = net.network.measure_weights((net.params,) * 3, measure_weight, len(WEIGHT))
    assert weights.shape == (len(net.network.sites), len(WEIGHT))


def test_each_repetition_has_a_dropout_mask_of_its_own(make):
    net = make([{"repeat": 3, "layers": [{"dropout": 0.5}]}], (2000,))
    y, _, _ = net.apply(np.ones((1, 2000), np.float32), key=jax.random.key(0))
    # One mask three times over would keep a half, three masks an eighth.
    assert abs(float(jnp.mean(y != 0)) - 1 / 8) < 0.03
