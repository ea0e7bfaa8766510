"""The contract that every kind of layer keeps, and what is special about some."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from surefoot.nn.layer import describe_shape
from surefoot.recipe import LAYER_KINDS

ROW, PICTURE = (4,), (4, 3, 2)
KEY = 7

# Kind or variant: one layer, the shape of its input, the shape of its output.
CASES = {
    "dense": ({"dense": 3}, ROW, (3,)),
    "conv": ({"conv": 3, "size": 2, "stride": [2, 1]}, PICTURE, (2, 3, 3)),
    "conv valid": ({"conv": 3, "size": 2, "padding": "valid"}, PICTURE, (3, 2, 3)),
    "activation": ({"activation": "elu", "alpha": 0.7}, PICTURE, PICTURE),
    "activation learned": ({"activation": "prelu"}, ROW, ROW),
    "activation random": ({"activation": "rrelu"}, ROW, ROW),
    "batch_norm": ({"batch_norm": {}}, PICTURE, PICTURE),
    "dropout": ({"dropout": 0.4}, PICTURE, PICTURE),
    "max_pool": ({"max_pool": 2, "padding": "same"}, PICTURE, (2, 2, 2)),
    "average_pool": ({"average_pool": [2, 3], "stride": 1}, PICTURE, (3, 1, 2)),
    "global_average_pool": ({"global_average_pool": {}}, PICTURE, (2,)),
    "flatten": ({"flatten": {}}, PICTURE, (24,)),
    "embedding": ({"embedding": 3, "columns": [[1, 2], [0, 4]]}, ROW, (8,)),
    "residual": ({"residual": [{"dense": 3}, {"activation": "tanh"}]}, ROW, (3,)),
    "repeat": ({"repeat": 2, "layers": [{"batch_norm": {}}, {"dense": 4}]}, ROW, ROW),
    "repeat nothing learned": ({"repeat": 2, "layers": [{"activation": "tanh"}]}, ROW, ROW),
}
# Where nothing but rows may leave a net: what takes pictures to rows.
FLAT = {"flatten": {}}


def net_of(make, name, **options):
    """Return a net of the one layer; nothing else in it computes."""
    spec, shape, out = CASES[name]
    return make([spec] if len(out) == 1 else [spec, FLAT], shape, **options)


def objective(net, params, x, numbers, probes=None, train=True):
    """Return a number that depends on every output in its own way, and what came with it."""
    key = jax.random.key(KEY) if net.network.random else None
    y, state, vitals = net.apply(x, params, train, key, probes, numbers)
    weights = jnp.linspace(0.5, 1.5, y.size, dtype=y.dtype).reshape(y.shape)
    return jnp.sum(weights * jnp.sin(y)), (y, state, vitals)


def test_every_kind_is_here():
    assert {next(key for key in spec if key in LAYER_KINDS) for spec, _, _ in CASES.values()} == (
        set(LAYER_KINDS)
    )


@pytest.mark.parametrize("name", CASES)
def test_shape_is_known_before_it_runs(name, make):
    net = net_of(make, name)
    shape = net.network.body.layers[0].output_shape(net.network.input_shape)
    assert shape == CASES[name][2]
    x = jax.ShapeDtypeStruct((5, *net.network.input_shape), jnp.float32)
    y, _, _ = jax.eval_shape(lambda x: net.apply(x, train=False), x)
    assert y.shape == (5, int(np.prod(shape)))


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_dtype_follows_the_inputs_without_a_silent_promotion(name, dtype, train, make, x64):
    net = net_of(make, name, dtype=dtype)
    x = jax.ShapeDtypeStruct((5, *net.network.input_shape), dtype)

    def instrumented(params, probes, x):
        return objective(net, params, x, net.numbers, probes=probes, train=train)

    with jax.numpy_dtype_promotion("strict"):
        (loss, (y, state, _)), grads = jax.eval_shape(
            jax.value_and_grad(instrumented, (0, 2), has_aux=True),
            net.params,
            net.network.no_probes(),
            x,
        )
    assert {leaf.dtype for leaf in jax.tree.leaves((loss, y, state, grads))} == {np.dtype(dtype)}
    like = jax.tree.map(np.shape, (net.state, net.params, x))
    assert jax.tree.map(np.shape, (state, *grads)) == like


@pytest.mark.parametrize("name", CASES)
def test_lanes_are_each_alone_and_numbers_do_not_compile_again(name, make):
    spec, shape, _ = CASES[name]
    nets = [net_of(make, name, seed=seed) for seed in range(3)]
    scales = np.linspace(1, 0.8, len(nets), dtype=np.float32)
    numbers = [jax.tree.map(lambda n, s=s: np.float32(n) * s, nets[0].numbers) for s in scales]
    params = [net.params for net in nets]
    x = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    traces = []

    def step(params, numbers):
        traces.append(spec)
        (_, (y, state, _)), grads = jax.value_and_grad(
            lambda params: objective(nets[0], params, x, numbers), has_aux=True
        )(params)
        return y, state, grads

    alone = jax.jit(step)
    each = [alone(p, n) for p, n in zip(params, numbers, strict=True)]
    assert len(traces) == 1
    lanes = jax.jit(jax.vmap(step))(
        *(jax.tree.map(lambda *a: np.stack(a), *t) for t in (params, numbers))
    )
    together = jax.tree.map(lambda *a: np.stack(a), *each)
    for a, b in zip(jax.tree.leaves(lanes), jax.tree.leaves(together), strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_gradients_agree_with_differences_forward_mode_and_the_instrumented_pass(name, make, x64):
    net = net_of(make, name, dtype=np.float64)
    x = np.random.default_rng(3).normal(size=(3, *net.network.input_shape))
    start, unravel = ravel_pytree((net.params, x))
    step = 1e-5

    def loss(flat, probes=None):
        value, (y, state, vitals) = objective(net, *unravel(flat), net.numbers, probes=probes)
        return value, (y, state, vitals)

    @jax.jit
    def all_ways(at):
        plain = jax.value_and_grad(loss, has_aux=True)(at)
        probed = jax.value_and_grad(loss, has_aux=True)(at, net.network.no_probes())
        forward = jax.jacfwd(lambda at: loss(at)[0])(at)
        steps = step * jnp.eye(at.size)
        up, down = (jax.vmap(lambda at: loss(at)[0])(at + sign * steps) for sign in (1, -1))
        return plain, probed, forward, (up - down) / (2 * step)

    plain, probed, forward, differences = all_ways(start)
    (value, (y, state, nothing)), gradient = plain
    np.testing.assert_allclose(forward, gradient, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(differences, gradient, rtol=1e-6, atol=1e-8)
    (probed_value, (probed_y, probed_state, vitals)), probed_gradient = probed
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14),
        (value, y, state, gradient),
        (probed_value, probed_y, probed_state, probed_gradient),
    )
    assert nothing is None
    assert (0 if vitals is None else len(vitals)) == len(net.network.sites)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.97])
def test_dropout_keeps_its_rate_and_the_mean(rate, make):
    net = make([{"dropout": rate}], (500,))
    y, _, _ = net.apply(jnp.ones((400, 500)), key=jax.random.key(0))
    count, share = y.size, float(jnp.mean(y == 0))
    assert abs(share - rate) < 4 * (rate * (1 - rate) / count) ** 0.5 + 2**-16
    assert abs(float(jnp.mean(y)) - 1) < 4 * (rate / (1 - rate) / count) ** 0.5 + 1e-4
    np.testing.assert_allclose(np.unique(y)[-1], 1 / (1 - rate), rtol=1e-3)
    assert len(np.unique(y)) == (2 if rate else 1)


def test_dropouts_backward_mask_is_its_forward_mask(make):
    net = make([{"dropout": 0.3}], (50,))
    x = jnp.linspace(1, 2, 400).reshape(8, 50)
    for key in (0, 1):
        y, pull = jax.vjp(lambda x, key=key: net.apply(x, key=jax.random.key(key))[0], x)
        (back,) = pull(jnp.ones_like(y))
        np.testing.assert_allclose(back, y / x, rtol=1e-6)


def test_dropout_differs_between_steps_and_places_and_not_in_evaluation(make):
    net = make([{"dropout": 0.5}, {"dropout": 0.5}], (1000,))
    x = jnp.ones((1, 1000))
    first, again, other = (net.apply(x, key=jax.random.key(k))[0] for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert abs(float(jnp.mean(first == 0)) - 0.75) < 0.06  # two masks, not the same one twice
    np.testing.assert_array_equal(net.apply(x, train=False, key=jax.random.key(0))[0], x)


def test_the_strongest_dropout_has_a_finite_gradient(make):
    net = make([{"dropout": 1 - 1e-9}], (300,))
    x = jnp.ones((200, 300))
    y, pull = jax.vjp(lambda x: net.apply(x, key=jax.random.key(0))[0], x)
    assert np.isfinite(pull(y)[0]).all()


def test_batch_norm_by_hand(make):
    net = make([{"batch_norm": {"momentum": 0.75, "epsilon": 1.0}}], (1,))
    # Mean 4, variance 8 over the batch and 16 unbiased: (x − 4) / √(8 + 1).
    y, state, _ = net.apply(jnp.array([[4 - 8**0.5], [4 + 8**0.5]]))
    np.testing.assert_allclose(y[:, 0], [-(8**0.5) / 3, 8**0.5 / 3], rtol=1e-6)
    np.testing.assert_allclose(state[0]["mean"], [0.25 * 4], rtol=1e-6)
    np.testing.assert_allclose(state[0]["variance"], [0.75 * 1 + 0.25 * 16], rtol=1e-6)
    # In evaluation the running averages, mean 0 and variance 1 at the start, and no new state.
    y, state, _ = net.apply(jnp.array([[2.0]]), train=False)
    np.testing.assert_allclose(y, [[2 / 2**0.5]], rtol=1e-6)
    assert state == net.state


@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(3, 1, "same"), (2, 2, "valid"), ([3, 2], [2, 1], "same")]
)
def test_convolution_is_a_dense_layer_with_restricted_and_shared_weights(
    size, stride, padding, make
):
    height, width, channels, filters = 5, 4, 2, 3
    spec = {"conv": filters, "size": size, "stride": stride, "padding": padding}
    net = make([spec, FLAT], (height, width, channels), dtype=np.float32)
    kernel = net.params[0]["kernel"]
    down, across, _ = net.network.body.layers[0].output_shape((height, width, channels))
    (tall, wide), (step_down, step_across) = kernel.shape[:2], np.broadcast_to(stride, 2)
    # "same" pads what is missing, the smaller half before.
    up, left = (
        max((places - 1) * step + window - length, 0) // 2
        for places, step, window, length in (
            (down, step_down, tall, height),
            (across, step_across, wide, width),
        )
    )
    matrix = np.zeros((height, width, channels, down, across, filters), np.float32)
    for i, j, a, b in np.ndindex(down, across, tall, wide):
        row, column = i * step_down + a - up, j * step_across + b - left
        if 0 <= row < height and 0 <= column < width:
            matrix[row, column, :, i, j, :] = kernel[a, b]
    dense = matrix.reshape(height * width * channels, -1)
    x = np.random.default_rng(0).normal(size=(3, height, width, channels)).astype(np.float32)
    np.testing.assert_allclose(net.apply(x)[0], x.reshape(3, -1) @ dense, rtol=1e-5, atol=1e-6)
    # Restricted: a unit sees its field only. Shared: no more different weights than the kernel's.
    assert (np.count_nonzero(dense, axis=0) <= tall * wide * channels).all()
    assert len(np.unique(dense[dense != 0])) <= kernel.size < np.count_nonzero(dense)


def test_shapes_are_told_as_people_say_them():
    assert describe_shape(()) == "a single number"
    assert describe_shape((2, 3)) == "2×3"
    assert describe_shape((2, 3, 2)) == "2×3 pictures with 2 channels"


@pytest.mark.parametrize("far", [0.0, 1e4, 1e8])
def test_batch_norm_survives_a_mean_far_from_zero_and_a_first_value_far_from_the_mean(far, make):
    x = np.random.default_rng(0).normal(size=(64, 8, 8, 1)).astype(np.float32) + np.float32(1e4)
    x[0, 0, 0, 0] += far
    net = make([{"batch_norm": {"momentum": 0.0}}, FLAT], (8, 8, 1))
    y, state, _ = net.apply(x)
    assert np.isfinite(y).all()
    variance = np.var(x, ddof=1, dtype=np.float64)
    np.testing.assert_allclose(state[0]["variance"], [variance], rtol=0.02)
