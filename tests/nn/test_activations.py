"""Every activation against PyTorch, finite differences and forward mode."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from surefoot.nn.activations import ACTIVATIONS, FLAT

POINTS = np.array([[-30.0, -3.0, -1.0, -0.3, -0.01], [0.01, 0.2, 1.0, 4.0, 30.0]])

TORCH = {
    "identity": lambda x: x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    # PyTorch's softplus turns linear above its threshold: 20 by default, too early for 1e-9.
    "softplus": lambda x: torch.nn.functional.softplus(x, threshold=50),
    "leaky_relu": lambda x: torch.nn.functional.leaky_relu(x, 0.01),
    "prelu": lambda x: torch.nn.functional.prelu(x, torch.tensor([0.25], dtype=x.dtype)),
    "rrelu": lambda x: torch.nn.functional.rrelu(x, training=False),
    "elu": torch.nn.functional.elu,
    "selu": torch.selu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "exponential": torch.exp,
    "softmax": lambda x: torch.softmax(x, dim=-1),
    "step": lambda x: torch.heaviside(x, torch.ones((), dtype=x.dtype)),
}


@functools.partial(jax.jit, static_argnums=0)
def pulled_back(name, x, arriving):
    """Return the output, and the gradient that leaves below when this one arrives above."""
    y, pull = jax.vjp(ACTIVATIONS[name], x)
    return y, pull(arriving)[0]


def test_every_activation_has_an_oracle():
    assert set(TORCH) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_gradient_match_pytorch(name, x64):
    weights = np.linspace(0.5, 1.5, POINTS.size).reshape(POINTS.shape)
    x = torch.tensor(POINTS, requires_grad=name != "step")
    expected = TORCH[name](x)
    y, gradient = pulled_back(name, jnp.asarray(POINTS), jnp.asarray(weights))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-9, atol=1e-100)
    if name == "step":
        assert not gradient.any()
    else:
        expected.backward(torch.tensor(weights))
        np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient_matches_finite_differences_and_forward_mode(name, x64):
    function = jax.jit(ACTIVATIONS[name])
    x = np.clip(POINTS, -5, 5)
    direction, weights = np.random.default_rng(0).normal(size=(2, *POINTS.shape))
    _, forward = jax.jvp(function, (x,), (direction,))
    backward = np.sum(pulled_back(name, x, weights)[1] * direction)
    np.testing.assert_allclose(np.sum(weights * forward), backward, rtol=1e-12, atol=1e-14)
    h = 1e-6  # small enough that no point crosses 0
    slope = (function(x + h * direction) - function(x - h * direction)) / (2 * h)
    np.testing.assert_allclose(forward, slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_extreme_inputs_stay_finite_and_keep_their_type(name, dtype, x64):
    x = jnp.array([[-1e4, -100.0, 0.0], [0.0, 100.0, 1e4]], dtype)
    if name == "exponential":  # infinite beyond these by definition
        x = jnp.clip(x, -1e4, 80.0)
    y, gradient = pulled_back(name, x, jnp.ones_like(x))
    assert y.dtype == gradient.dtype == x.dtype
    assert y.shape == x.shape
    assert jnp.isfinite(y).all()
    assert jnp.isfinite(gradient).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_nan_is_not_hidden(name):
    assert jnp.isnan(ACTIVATIONS[name](jnp.array([1.0, jnp.nan]))).any()


def test_relu_at_zero_has_no_gradient():
    assert jax.grad(ACTIVATIONS["relu"])(0.0) == 0.0


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_numbers_may_be_traced(name):
    entry = ACTIVATIONS[name]
    x = jnp.array([[-2.0, 1.0], [0.5, -0.1]])

    @jax.jit
    def apply(x, numbers):
        return jax.vmap(lambda row: entry(row, numbers))(x)

    scaled = {number: 0.5 * value for number, value in entry.defaults.items()}
    np.testing.assert_allclose(apply(x, scaled), entry(x, scaled), rtol=1e-6)
    if scaled:
        assert not np.allclose(apply(x, scaled), entry(x))


def test_prelu_learns_one_slope(x64):
    entry = ACTIVATIONS["prelu"]
    assert entry.learned == ("slope",)
    x = torch.tensor(POINTS)
    slope = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    (torch.nn.functional.prelu(x, slope) ** 2).sum().backward()
    gradient = jax.grad(lambda s: (entry(jnp.asarray(POINTS), params={"slope": s}) ** 2).sum())(0.3)
    np.testing.assert_allclose(gradient, slope.grad.item(), rtol=1e-12)


def test_rrelu_draws_a_slope_for_each_element_in_training():
    entry = ACTIVATIONS["rrelu"]
    assert entry.random
    x = -jnp.ones(20_000)
    slopes = -np.asarray(entry(x, key=jax.random.key(0), train=True))
    low, high = 1 / 8, 1 / 3
    assert low <= slopes.min() < low + 0.001
    assert high - 0.001 < slopes.max() <= high
    assert abs(slopes.mean() - (low + high) / 2) < 0.002
    assert abs(slopes.std() - (high - low) / 12**0.5) < 0.002
    np.testing.assert_allclose(-entry(x[:2]), (low + high) / 2, rtol=1e-6)
    assert (entry(-x, key=jax.random.key(0), train=True) == 1).all()


def test_rrelu_goes_back_with_the_slopes_it_went_forward_with():
    key, x = jax.random.key(3), jnp.linspace(-2.0, 2.0, 64)
    y, pull = jax.vjp(lambda x: ACTIVATIONS["rrelu"](x, key=key, train=True), x)
    np.testing.assert_allclose(pull(jnp.ones_like(y))[0], y / x, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "steepest", "numbers"),
    [
        ("sigmoid", 0.25, {}),
        ("tanh", 1.0, {}),
        ("softplus", 1.0, {}),
        ("elu", 0.7, {"alpha": 0.7}),
        ("selu", 1.0507009873554805 * 1.6732632423543772, {}),
        ("exponential", 1.0, {}),
    ],
)
def test_saturated_is_where_the_slope_is_small(name, steepest, numbers, x64):
    entry = ACTIVATIONS[name]
    x = jnp.linspace(-12.0, 12.0, 1001)
    slope = jax.vmap(jax.grad(lambda x: entry(x, numbers)))(x)
    saturated = entry.saturated(entry(x, numbers), {**entry.defaults, **numbers})
    np.testing.assert_array_equal(saturated, slope < FLAT * steepest)
    assert saturated.any()
    assert not saturated.all()


def test_saturated_softmax_is_a_row_that_one_output_holds():
    entry = ACTIVATIONS["softmax"]
    y = entry(jnp.array([[9.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    assert entry.saturated(y, {}).tolist() == [[True] * 3, [False] * 3]
    # A softmax over one unit is constant, and a step is flat everywhere.
    assert entry.saturated(entry(jnp.array([[3.0]])), {}).all()
    step = ACTIVATIONS["step"]
    assert step.saturated(step(jnp.array([-1.0, 1.0])), {}).all()
