"""Clipping against PyTorch and Optax."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from surefoot.optim import clip, global_norm

_random = np.random.default_rng(0)
GRADS = {"kernel": _random.normal(size=(4, 3)) * 30, "bias": _random.normal(size=3) * 0.1}


def torch_parameters():
    parameters = {key: torch.zeros(g.shape, dtype=torch.float64) for key, g in GRADS.items()}
    for key, parameter in parameters.items():
        parameter.grad = torch.tensor(GRADS[key])
    return parameters


def test_by_value_as_pytorch(x64):
    parameters = torch_parameters()
    torch.nn.utils.clip_grad_value_(parameters.values(), 0.1)
    found = clip(GRADS, value=jnp.asarray(0.1))
    for key, parameter in parameters.items():
        np.testing.assert_array_equal(found[key], parameter.grad)


@pytest.mark.parametrize("limit", [0.5, 20.0, 1e4])
def test_by_norm_as_pytorch_and_optax(limit, x64):
    parameters = torch_parameters()
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), limit)
    np.testing.assert_allclose(global_norm(GRADS), norm, rtol=1e-12)
    expected, _ = optax.clip_by_global_norm(limit).update(GRADS, optax.EmptyState())
    found = clip(GRADS, global_norm=jnp.asarray(limit))
    for key, parameter in parameters.items():
        # PyTorch divides by the norm and 1e-6 more.
        np.testing.assert_allclose(found[key], parameter.grad, rtol=2e-6 / float(norm))
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-12)


def test_by_each_norm_as_pytorch(x64):
    parameters = torch_parameters()
    for parameter in parameters.values():
        torch.nn.utils.clip_grad_norm_([parameter], 2.0)
    found = clip(GRADS, tensor_norm=2.0)
    assert np.linalg.norm(found["kernel"]) == pytest.approx(2.0, rel=1e-12)
    for key, parameter in parameters.items():
        np.testing.assert_allclose(found[key], parameter.grad, rtol=1e-6)


def test_limits_are_applied_in_order():
    grads = {"a": jnp.asarray([30.0, 40.0]), "b": jnp.asarray([0.0, 5.0])}
    # By value to (4, 4) and (0, 4); by each norm, √32 and 4, to 4; by all, √32, to √8.
    found = clip(grads, value=4.0, tensor_norm=4.0, global_norm=8**0.5)
    np.testing.assert_allclose(found["a"], [2**0.5, 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(found["b"], [0.0, 2.0], rtol=1e-6)


@pytest.mark.parametrize("limit", ["value", "tensor_norm", "global_norm"])
def test_what_is_within_the_limit_keeps_its_bits(limit):
    grads = jax.tree.map(lambda g: jnp.asarray(g, jnp.float32), {**GRADS, "zero": np.zeros(3)})
    found = clip(grads, **{limit: 1e3})
    for key, grad in grads.items():
        np.testing.assert_array_equal(found[key], grad)
        assert found[key].dtype == jnp.float32


@pytest.mark.parametrize("limit", ["tensor_norm", "global_norm"])
def test_an_explosion_is_brought_to_the_limit(limit):
    grads = {"kernel": jnp.asarray([3e30, 0.0, -4e30], jnp.float32)}
    np.testing.assert_allclose(clip(grads, **{limit: 5.0})["kernel"], [3.0, 0.0, -4.0], rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_visible(bad):
    grads = {"kernel": jnp.asarray([1.0, bad]), "bias": jnp.asarray([1.0])}
    assert not np.isfinite(global_norm(grads))
    assert np.all(np.isnan(clip(grads, global_norm=1.0)["bias"]))
    one = clip(grads, tensor_norm=1.0)
    assert np.all(np.isnan(one["kernel"]))
    assert one["bias"].tolist() == [1.0]


def test_lanes_have_limits_of_their_own():
    grads = {"kernel": jnp.asarray([[3.0, 4.0], [3.0, 4.0]])}
    lanes = jax.vmap(lambda g, limit: clip(g, global_norm=limit))(grads, jnp.asarray([1.0, 10.0]))
    np.testing.assert_allclose(lanes["kernel"], [[0.6, 0.8], [3.0, 4.0]], rtol=1e-6)


def test_no_arrays_no_norm():
    assert float(global_norm({})) == 0.0
    assert clip({}, global_norm=1.0) == {}
