"""Convolution and pooling against PyTorch, in every form they are computed in."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from surefoot.errors import InputError
from surefoot.nn import lowering
from surefoot.nn.lowering import average_pool2d, conv2d, max_pool2d
from surefoot.nn.winograd import winograd3x3

pytestmark = pytest.mark.usefixtures("x64")

CLOSE = {"rtol": 1e-9, "atol": 1e-11}
SHAPE = (2, 7, 6, 3)  # odd and even, taller than wide


def draw(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def torch_padded(x, size, stride, padding, value):
    """Pad NCHW as TensorFlow's SAME does, worked out here independently."""
    if padding == "valid":
        return x
    (up, down), (left, right) = (
        (total // 2, total - total // 2)
        for total in (
            max(size - (stride if length % stride == 0 else length % stride), 0)
            for length in x.shape[2:]
        )
    )
    return F.pad(x, (left, right, up, down), value=value)


def torch_conv(x, kernel, stride, padding):
    x = torch_padded(x.permute(0, 3, 1, 2), kernel.shape[0], stride, padding, 0.0)
    return F.conv2d(x, kernel.permute(3, 2, 0, 1), stride=stride).permute(0, 2, 3, 1)


def torch_max(x, size, stride, padding):
    x = torch_padded(x.permute(0, 3, 1, 2), size, stride, padding, -np.inf)
    return F.max_pool2d(x, size, stride).permute(0, 2, 3, 1)


def torch_average(x, size, stride, padding):
    x = x.permute(0, 3, 1, 2)
    total, real = (
        F.avg_pool2d(torch_padded(a, size, stride, padding, 0.0), size, stride)
        for a in (x, torch.ones_like(x))
    )
    return (total / real).permute(0, 2, 3, 1)


def assert_agrees(function, oracle, *arrays):
    """Compare outputs and gradients with PyTorch, and forward mode with reverse mode."""
    tensors = [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]
    expected = oracle(*tensors)
    weights = draw(*expected.shape, seed=1)
    (expected * torch.from_numpy(weights)).sum().backward()
    tangents = [draw(*a.shape, seed=2) for a in arrays]

    @jax.jit
    def everything(arrays, tangents):
        y, pull = jax.vjp(function, *arrays)
        return y, pull(weights), jax.jvp(function, arrays, tangents)[1]

    y, gradients, push = everything(tuple(arrays), tuple(tangents))
    assert y.dtype == jnp.float64
    np.testing.assert_allclose(y, expected.detach().numpy(), **CLOSE)
    for gradient, tensor in zip(gradients, tensors, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), **CLOSE)
    pulled = sum(np.vdot(t, g) for t, g in zip(tangents, gradients, strict=True))
    np.testing.assert_allclose(np.vdot(weights, push), pulled, rtol=1e-9)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("method", ["matmul", "lax"])
def test_conv2d_agrees_with_pytorch(method, size, stride, padding):
    assert_agrees(
        partial(conv2d, stride=stride, padding=padding, method=method),
        partial(torch_conv, stride=stride, padding=padding),
        draw(*SHAPE),
        draw(size, size, 3, 4),
    )


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("shape", [(2, 8, 6, 3), (2, 7, 6, 3), (1, 3, 5, 2)])
def test_winograd_agrees_with_pytorch(shape, padding):
    assert_agrees(
        partial(conv2d, padding=padding, method="winograd"),
        partial(torch_conv, stride=1, padding=padding),
        draw(*shape),
        draw(3, 3, shape[-1], 4),
    )


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 3), (3, 2), (2, 1), (1, 2)])
@pytest.mark.parametrize("method", ["slices", "lax"])
@pytest.mark.parametrize(
    ("pool", "oracle"), [(max_pool2d, torch_max), (average_pool2d, torch_average)]
)
def test_pooling_agrees_with_pytorch(pool, oracle, method, size, stride, padding):
    assert_agrees(
        partial(pool, size=size, stride=stride, padding=padding, method=method),
        partial(oracle, size=size, stride=stride, padding=padding),
        draw(*SHAPE),
    )


def test_stride_is_the_window_when_not_given_and_pairs_are_down_then_across():
    x = draw(*SHAPE)
    assert max_pool2d(x, 3).shape == (2, 2, 2, 3)
    assert average_pool2d(x, (3, 2), padding="same").shape == (2, 3, 3, 3)
    assert conv2d(x, draw(3, 1, 3, 4), (2, 3), "valid").shape == (2, 3, 2, 4)
    for method in ("matmul", "lax"):
        y = conv2d(x, draw(3, 2, 3, 4), (1, 2), "same", method)
        np.testing.assert_allclose(y, conv2d(x, draw(3, 2, 3, 4), (1, 2), "same"), **CLOSE)


@pytest.mark.parametrize("method", ["slices", "lax"])
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2)])
def test_ties_send_the_gradient_to_the_first_in_reading_order(method, size, stride):
    # Few distinct values, so that most windows hold a tie, on and off the diagonal.
    x = np.random.default_rng(3).integers(0, 2, (4, 8, 8, 5)).astype(float)
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    y = torch_max(tensor, size, stride, "valid")
    weights = draw(*y.shape)
    (y * torch.from_numpy(weights)).sum().backward()
    gradient = jax.grad(lambda x: (max_pool2d(x, size, stride, method=method) * weights).sum())(x)
    np.testing.assert_allclose(gradient, tensor.grad.numpy(), **CLOSE)


@pytest.mark.parametrize("place", range(4))
def test_max_pool2d_keeps_not_a_number(place):
    x = np.arange(4.0)
    x[place] = np.nan
    assert np.isnan(max_pool2d(x.reshape(1, 2, 2, 1), 2, method="slices")).all()


@pytest.mark.parametrize("method", ["matmul", "winograd", "lax"])
@pytest.mark.parametrize("shared", ["neither", "x", "kernel"])
def test_lanes_are_a_loop(method, shared):
    xs, kernels = draw(3, 2, 5, 4, 3), draw(3, 3, 3, 3, 4)
    axes = (None if shared == "x" else 0, None if shared == "kernel" else 0)
    weights = draw(2, 5, 4, 4)

    def gradients(x, kernel):
        loss = lambda x, kernel: (conv2d(x, kernel, method=method) * weights).sum()  # noqa: E731
        return jax.grad(loss, (0, 1))(x, kernel)

    arguments = (xs[0] if shared == "x" else xs, kernels[0] if shared == "kernel" else kernels)
    lanes = jax.jit(jax.vmap(gradients, axes))(*arguments)
    single = jax.jit(gradients)
    for lane in range(3):
        alone = single(xs[0 if shared == "x" else lane], kernels[0 if shared == "kernel" else lane])
        for both, one in zip(lanes, alone, strict=True):
            np.testing.assert_allclose(both[lane], one, **CLOSE)


@pytest.mark.parametrize("pool", [max_pool2d, average_pool2d])
def test_pooled_lanes_are_a_loop(pool):
    xs = draw(3, 2, 5, 4, 3)
    lanes = jax.vmap(partial(pool, size=2, method="slices"))(xs)
    for lane, x in zip(lanes, xs, strict=True):
        np.testing.assert_array_equal(lane, pool(x, 2, method="slices"))


def test_hessian_vector_products_agree_between_methods():
    x, kernel, direction = draw(1, 4, 4, 2), draw(3, 3, 2, 2), draw(3, 3, 2, 2, seed=5)

    def product(method):
        loss = lambda k: jnp.sum(jnp.tanh(conv2d(x, k, method=method)))  # noqa: E731
        return jax.jvp(jax.grad(loss), (kernel,), (direction,))[1]

    expected = product("lax")
    for method in ("matmul", "winograd"):
        np.testing.assert_allclose(product(method), expected, **CLOSE)


def test_the_backend_chooses(monkeypatch):
    def primitives(channels):
        x, kernel = jnp.ones((1, 4, 4, channels)), jnp.ones((3, 3, channels, 16))
        return str(jax.make_jaxpr(lambda x, k: max_pool2d(conv2d(x, k), 2))(x, kernel))

    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    narrow, wide = primitives(3), primitives(16)
    assert narrow.count("dot_general") == 1
    assert wide.count("dot_general") == 16
    assert "conv_general" not in narrow + wide
    assert "reduce_window" not in narrow + wide
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    elsewhere = primitives(16)
    assert "conv_general" in elsewhere
    assert "reduce_window" in elsewhere
    assert "dot_general" not in elsewhere


@pytest.mark.parametrize("method", ["matmul", "winograd", "lax"])
def test_float32_stays_float32_and_accurate(method):
    x, kernel = draw(2, 8, 8, 64), draw(3, 3, 64, 32) / 24
    exact = conv2d(x, kernel, method="lax")
    y = conv2d(x.astype(np.float32), kernel.astype(np.float32), method=method)
    assert y.dtype == jnp.float32
    # Outputs are about 1; 576 terms, each rounded to 6e-8.
    assert np.abs(y - exact).max() < 1e-5


def test_winograd_by_hand():
    # A kernel of one at its centre copies the picture's inside.
    x = np.arange(20.0).reshape(1, 4, 5, 1)
    kernel = np.zeros((3, 3, 1, 1))
    kernel[1, 1] = 1
    np.testing.assert_allclose(winograd3x3(x, kernel), x[:, 1:-1, 1:-1], **CLOSE)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, k: conv2d(x, k, padding="full"), "padding is 'full'; use one of same, valid"),
        (lambda x, k: conv2d(x, k, method="fft"), "method is 'fft'; use one of auto, matmul"),
        (lambda x, k: conv2d(x, k, 2, method="winograd"), "for 3×3 kernels and stride 1"),
        (lambda x, k: max_pool2d(x, 7), "max_pool2d: a window of 7 columns does not fit in 6"),
        (lambda x, k: average_pool2d(x, 2, method="matmul"), "use one of auto, slices, lax"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(draw(*SHAPE), draw(3, 3, 3, 4))


def test_module_lists_real_elements_of_windows():
    np.testing.assert_array_equal(lowering._real(5, 3, 2, (1, 1)), [2, 3, 2])
