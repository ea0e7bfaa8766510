"""Residual blocks: the sum, the projection, and why depth does not hurt them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

ZERO = {"initializer": "zeros"}
FLAT = {"flatten": {}}


def test_the_sum_by_hand(make):
    half = {"name": "identity", "gain": 0.5}
    net = make([{"residual": [{"dense": 2, "initializer": half}]}], (2,))
    np.testing.assert_allclose(net.apply(jnp.array([[2.0, -4.0]]))[0], [[3.0, -6.0]])


def test_a_branch_of_zeros_is_the_identity_forward_and_backward(make):
    block = {"residual": [{"dense": 4}, {"activation": "relu"}, {"dense": 4, **ZERO}]}
    net = make([{"repeat": 20, "layers": [block]}], (4,))
    x = jnp.arange(8.0).reshape(2, 4) - 3
    y, pull = jax.vjp(lambda x: net.apply(x)[0], x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(pull(x)[0], x)


@pytest.mark.parametrize(
    ("branch", "shape", "projection"),
    [
        ([{"dense": 5}], (5,), None),
        ([{"dense": 3}], (5,), (5, 3)),
        ([{"conv": 2}], (5, 4, 2), None),
        ([{"conv": 3}], (5, 4, 2), (1, 1, 2, 3)),
        ([{"conv": 2, "stride": 2}], (5, 4, 2), (1, 1, 2, 2)),
        ([{"conv": 2, "stride": [1, 3]}], (5, 4, 2), (1, 1, 2, 2)),
        ([{"max_pool": 2}], (4, 4, 2), (1, 1, 2, 2)),
    ],
)
def test_a_projection_stands_where_shapes_differ_and_only_there(branch, shape, projection, make):
    net = make([{"residual": branch}, FLAT], shape)
    params = net.params[0]
    assert ("projection" in params) == (projection is not None)
    site = net.network.sites[-1]
    assert (site.name, site.kind) == ("1", "residual")
    if projection is not None:
        assert params["projection"].shape == projection
        assert site.weights == np.prod(projection)
    else:
        assert site.weights == 0


def test_a_strided_projection_takes_every_second_pixel(make):
    branch = [{"conv": 3, "stride": 2, **ZERO}]
    net = make([{"residual": branch}, FLAT], (5, 4, 2))
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 2)).astype(np.float32)
    kernel = net.params[0]["projection"][0, 0]
    expected = (x[:, ::2, ::2] @ kernel).reshape(2, -1)
    np.testing.assert_allclose(net.apply(x)[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [
        # Unlike a filter, a projection may narrow: delta-orthogonal is orthogonal there.
        ("delta_orthogonal", "orthogonal"),
        ("orthogonal", "orthogonal"),
        ({"name": "constant", "value": 0.5}, 0.5),
    ],
)
def test_the_nets_initializer_starts_the_projection(initializer, expected, make):
    branch = [{"conv": 2, "initializer": "he_normal"}]
    net = make([{"residual": branch}, FLAT], (3, 3, 6), initializer=initializer)
    kernel = net.params[0]["projection"][0, 0]
    if expected == "orthogonal":
        np.testing.assert_allclose(kernel.T @ kernel, np.eye(2), atol=1e-6)
    else:
        assert (kernel == expected).all()


def test_residuals_pass_the_signal_back_through_depth_where_a_plain_net_loses_it(make):
    # A gain of 0.3: each plain layer shrinks the signal, a branch only adds less to it.
    branch = [{"dense": 8, "initializer": {"name": "lecun_normal", "gain": 0.3}}]
    x = np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32)
    norms = {}
    for name, layer in (("plain", branch[0]), ("residual", {"residual": branch})):
        net = make([{"repeat": 30, "layers": [layer, {"activation": "tanh"}]}], (8,))
        gradient = jax.grad(lambda x, net=net: jnp.sum(net.apply(x)[0]))(x)
        norms[name] = float(jnp.linalg.norm(gradient))
    assert norms["plain"] < 1e-12
    assert norms["residual"] > 1e-3
