"""Three modes on functions whose derivatives, right and wrong, are known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.gradients.compare import compare
from surefoot.gradients.differences import differentiate, step_sizes
from surefoot.gradients.operations import count_operations
from surefoot.gradients.point import Weight

W = np.array([0.3, -1.2, 2.0, 0.01])


def _compare(function, w=W, **more):
    with jax.enable_x64(True):
        (found,) = compare(function, {"w": w}, [Weight("1", "test", "w")], entries=9, **more)
    return found


def _wrong(factor):
    """Return Σ sin(w)² whose backward pass is off by a factor in the third place."""

    @jax.custom_vjp
    def square(x):
        return x**2

    def forward(x):
        return x**2, x

    def backward(x, signal):
        return (2 * x * signal * jnp.ones_like(x).at[2].set(factor),)

    square.defvjp(forward, backward)
    return lambda params: jnp.sum(square(jnp.sin(params["w"])))


def test_a_right_gradient_agrees_in_every_entry():
    found = _compare(lambda p: jnp.sum(jnp.sin(p["w"]) ** 2))
    np.testing.assert_allclose(found.entries["reverse"], np.sin(2 * W), rtol=1e-12)
    np.testing.assert_allclose(found.entries["difference"], np.sin(2 * W), rtol=1e-8)
    assert (found.sampled, found.compared, found.kinks, found.agrees) == (4, 4, 0, True)
    assert found.forward_error < 1e-12
    assert found.difference_error < 1e-8


@pytest.mark.parametrize(("factor", "agrees"), [(1.0, True), (1.001, False), (0.0, False)])
def test_a_gradient_that_was_written_wrongly_is_caught(factor, agrees):
    found = _compare(_wrong(factor))
    assert found.agrees is agrees
    assert found.forward_error is None  # forward mode has no rule for it
    if not agrees:
        assert found.difference_error == pytest.approx(abs(1 - factor), rel=2e-3)


def test_a_wrong_forward_rule_is_caught():
    @jax.custom_jvp
    def square(x):
        return x**2

    square.defjvp(lambda primals, tangents: (square(*primals), 3 * primals[0] * tangents[0]))
    found = _compare(lambda p: jnp.sum(square(p["w"])))
    assert not found.agrees  # reverse mode follows from the same rule: differences tell
    assert found.forward_error < 1e-12
    assert found.difference_error == pytest.approx(1 / 3, rel=1e-6)


def test_kinks_are_counted_and_left_out():
    at = np.array([0.0, 1.0, -2.0, 0.0])
    found = _compare(lambda p: jnp.sum(jax.nn.relu(p["w"]) * jnp.arange(1.0, 5.0)), at)
    assert found.entries["kink"] == [True, False, False, True]
    assert (found.compared, found.kinks, found.small, found.agrees) == (1, 2, 1, True)


@pytest.mark.parametrize("offset", [0.0, 1e-8, 1e-6, 3.3e-6, 1e-4, 1e-2])
def test_a_kink_near_by_never_looks_like_a_wrong_gradient(offset):
    found = _compare(lambda p: jnp.sum(jnp.abs(p["w"] - 1 - offset)), np.array([1.0, 1.5]))
    assert found.agrees
    assert found.kinks == (1 if offset < 1e-6 else found.kinks)
    assert found.compared >= 1


def test_steps_fit_functions_of_any_scale():
    for scale in (1e-6, 1.0, 1e4):
        w = np.array([1.0, 0.0, -2.0]) * scale
        steps = step_sizes(w, np.full(3, scale))
        values = [np.exp((w[:, None] + s * steps) / scale) for s in (1, -1)]
        middles = np.exp(w / scale)
        for i in range(3):
            one = (middles[i], values[0][i : i + 1], values[1][i : i + 1], steps[i : i + 1])
            found = differentiate(*one, 1e-5)
            # At 1e-6 a step of a thousandth of 0.1 is far too long, and is said to be.
            near = abs(found.derivative[0] * scale / middles[i] - 1) < 1e-8
            assert near or found.kink[0] or found.uncertainty[0] > 0
            assert near or scale == 1e-6


def test_a_bias_whose_gradient_is_zero_but_for_rounding_agrees():
    def centred(params):
        z = params["w"] + params["b"]
        return jnp.sum((z - jnp.mean(z)) ** 3)

    weights = [Weight("1", "test", name) for name in ("b", "w")]
    with jax.enable_x64(True):
        params = {"b": np.array(0.3), "w": W}
        bias, _ = compare(centred, params, weights, entries=9)
    assert abs(bias.entries["reverse"][0]) < 1e-12
    assert bias.agrees


def test_entries_are_sampled_and_counted():
    with jax.enable_x64(True):
        params = {"w": np.linspace(0, 1, 60).reshape(3, 4, 5)}
        (found,) = compare(
            lambda p: jnp.sum(p["w"] ** 2), params, [Weight("1", "test", "w")], entries=7
        )
    assert (found.sampled, len(found.entries["index"]), found.shape) == (7, 7, (3, 4, 5))
    for index, value in zip(found.entries["index"], found.entries["reverse"], strict=True):
        assert value == pytest.approx(2 * params["w"][tuple(index)])


def test_operations_are_counted_as_by_hand():
    a, b = np.ones((4, 3), np.float32), np.ones((3, 5), np.float32)
    assert count_operations(lambda a, b: a @ b, a, b) == 2 * 4 * 3 * 5
    assert count_operations(lambda a, b: jnp.sum((a @ b).T), a, b) == 2 * 4 * 3 * 5 + 20

    def many(x):
        return jax.lax.scan(lambda c, _: (c * 2 + 1, None), x, None, 10)[0]

    assert count_operations(many, np.ones(7, np.float32)) == 10 * 2 * 7
    kernel = np.ones((3, 3, 2, 4), np.float32)

    def conv(x, k):
        layout = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, k, (1, 1), "VALID", dimension_numbers=layout)

    x = np.ones((1, 5, 5, 2), np.float32)
    assert count_operations(conv, x, kernel) == 2 * (3 * 3 * 4) * (3 * 3 * 2)
