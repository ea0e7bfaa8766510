"""Losses and metrics against PyTorch, hand-worked numbers, finite differences, forward mode."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.nn import functional

from surefoot.errors import InputError
from surefoot.nn.losses import LOSSES, Output, accuracy_count, activate, squared_error_sum

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4)) * 3
CLASSES = np.array([0, 3, 1, 1, 2, 0])
ONE_HOT = np.eye(4)[CLASSES]
SOFT = RNG.dirichlet(np.ones(4), size=6)
SOFTMAX, SIGMOID, RAW = Output.SOFTMAX_LOGITS, Output.SIGMOID_LOGITS, Output.RAW


def keras_cross_entropy(p, t):
    p = (p / p.sum(-1, keepdim=True)).clamp(1e-7, 1 - 1e-7)
    return -(t * p.log()).sum(-1)


def keras_binary_cross_entropy(p, t):
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(t * p.log() + (1 - t) * (1 - p).log()).mean(-1)


def softmax(z):
    return torch.softmax(z, -1)


def squared(y, t):
    return functional.mse_loss(y, t, reduction="none").mean(-1)


def absolute(y, t):
    return functional.l1_loss(y, t, reduction="none").mean(-1)


ORACLES = {
    ("cross_entropy", SOFTMAX): lambda z, t: functional.cross_entropy(z, t, reduction="none"),
    ("cross_entropy", SIGMOID): lambda z, t: keras_cross_entropy(torch.sigmoid(z), t),
    ("cross_entropy", RAW): keras_cross_entropy,
    ("binary_cross_entropy", SOFTMAX): lambda z, t: keras_binary_cross_entropy(softmax(z), t),
    ("binary_cross_entropy", SIGMOID): lambda z, t: functional.binary_cross_entropy_with_logits(
        z, t, reduction="none"
    ).mean(-1),
    ("binary_cross_entropy", RAW): keras_binary_cross_entropy,
    ("mean_squared_error", SOFTMAX): lambda z, t: squared(softmax(z), t),
    ("mean_squared_error", SIGMOID): lambda z, t: squared(torch.sigmoid(z), t),
    ("mean_squared_error", RAW): squared,
    ("mean_absolute_error", SOFTMAX): lambda z, t: absolute(softmax(z), t),
    ("mean_absolute_error", SIGMOID): lambda z, t: absolute(torch.sigmoid(z), t),
    ("mean_absolute_error", RAW): absolute,
}
CASES = [(name, kind) for name in LOSSES for kind in Output]


def outputs_for(name, kind):
    """Return outputs on which the loss is smooth: raw ones within (0, 1) for a logarithm."""
    return 1 / (1 + np.exp(-LOGITS)) if kind is RAW and name.endswith("entropy") else LOGITS


@pytest.mark.parametrize("targets", [ONE_HOT, SOFT], ids=["one-hot", "soft"])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_value_and_gradient_match_pytorch(name, kind, targets, x64):
    outputs = outputs_for(name, kind)
    z = torch.tensor(outputs, requires_grad=True)
    expected = ORACLES[name, kind](z, torch.tensor(targets))
    expected.sum().backward()

    @jax.jit
    def rows_and_gradient(z):
        loss = LOSSES[name].per_example
        rows, pull = jax.vjp(lambda z: loss(z, targets, outputs_are=kind), z)
        return rows, pull(jnp.ones(6))[0]

    rows, gradient = rows_and_gradient(outputs)
    assert rows.shape == (6,)
    np.testing.assert_allclose(rows, expected.detach().numpy(), rtol=1e-9)
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_gradient_matches_finite_differences_and_forward_mode(name, kind, x64):
    outputs = outputs_for(name, kind)
    direction = RNG.normal(size=outputs.shape)

    @jax.jit
    def loss(z):
        return LOSSES[name].per_example(z, SOFT, outputs_are=kind).mean()

    backward = np.sum(jax.grad(loss)(outputs) * direction)
    _, forward = jax.jvp(loss, (outputs,), (direction,))
    np.testing.assert_allclose(forward, backward, rtol=1e-11)
    h = 1e-6
    slope = (loss(outputs + h * direction) - loss(outputs - h * direction)) / (2 * h)
    np.testing.assert_allclose(forward, slope, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_extreme_outputs_stay_finite(name, kind, dtype, x64):
    rows = [[1e4, -1e4], [-1e4, 1e4], [-1e4, -1e4], [0, 0], [-95, -95], [1e-30, 0], [1e4, 1e4]]
    outputs = jnp.array(rows, dtype)
    targets = jnp.array([[0, 1]] * len(rows), dtype)

    def loss(z):
        return LOSSES[name].per_example(z, targets, outputs_are=kind).sum()

    value, gradient = jax.jit(jax.value_and_grad(loss))(outputs)
    assert value.dtype == gradient.dtype == outputs.dtype
    assert jnp.isfinite(value)
    assert jnp.isfinite(gradient).all()


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_class_numbers_count_as_one_hot(name, kind, x64):
    outputs, loss = jnp.asarray(outputs_for(name, kind)), LOSSES[name].per_example
    by_number = loss(outputs, jnp.asarray(CLASSES), outputs_are=kind)
    np.testing.assert_allclose(
        by_number, loss(outputs, jnp.asarray(ONE_HOT), outputs_are=kind), rtol=1e-12
    )


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_one_output_takes_a_vector(name, kind):
    outputs, loss = jnp.array([[0.3], [0.8]]), LOSSES[name].per_example
    vector = loss(outputs, jnp.array([1, 0]), outputs_are=kind)
    assert vector.shape == (2,)
    np.testing.assert_array_equal(
        vector, loss(outputs, jnp.array([[1.0], [0.0]]), outputs_are=kind)
    )
    if name == "cross_entropy":  # one output divided by itself: constant, as Keras has it
        np.testing.assert_allclose(vector, 0, atol=1e-6)


def test_cross_entropy_of_raw_outputs_by_hand():
    loss = LOSSES["cross_entropy"].per_example
    outputs = jnp.array([[1.0, 3.0, 4.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    targets = jnp.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    # p = 3/8; p = 0, kept at 1e-7; nothing to divide by: p = 0 again
    expected = [np.log(8 / 3), -np.log(1e-7), -np.log(1e-7)]
    np.testing.assert_allclose(loss(outputs, targets, outputs_are=RAW), expected, rtol=1e-6)


def test_cross_entropy_of_sigmoids_is_clipped():
    loss = LOSSES["cross_entropy"].per_example
    rows = loss(jnp.array([[-40.0, 40.0]] * 2), jnp.array([0, 1]), outputs_are=SIGMOID)
    np.testing.assert_allclose(rows, [-np.log(1e-7), 1e-7], rtol=1e-6)


def test_binary_cross_entropy_of_raw_outputs_is_clipped():
    loss = LOSSES["binary_cross_entropy"].per_example
    rows = loss(jnp.array([[0.0], [1.5], [0.25]]), jnp.array([1, 1, 1]), outputs_are=RAW)
    np.testing.assert_allclose(rows, [-np.log(1e-7), 0.0, np.log(4)], rtol=1e-6, atol=2e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_pictures_are_averaged_to_one_number_a_row(name):
    outputs = jax.random.uniform(jax.random.key(0), (3, 2, 2, 4))
    rows = LOSSES[name].per_example(outputs, outputs, outputs_are=RAW)
    assert rows.shape == (3,)


@pytest.mark.parametrize(
    "targets", [jnp.zeros((2, 4)), jnp.zeros(3, int), jnp.zeros(2), jnp.zeros((1, 3))]
)
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("kind", Output)
def test_targets_that_do_not_fit_are_refused(name, kind, targets):
    with pytest.raises(InputError, match="do not fit"):
        LOSSES[name].per_example(jnp.zeros((2, 3)), targets, outputs_are=kind)


def test_activate():
    z = jnp.array([[1.0, 2.0]])
    np.testing.assert_allclose(activate(z, SOFTMAX), softmax(torch.tensor([[1.0, 2.0]])).numpy())
    np.testing.assert_allclose(activate(z, SIGMOID), 1 / (1 + np.exp(-z)), rtol=1e-6)
    np.testing.assert_array_equal(activate(z, RAW), z)


def test_accuracy_count():
    outputs = jnp.asarray(LOGITS, jnp.float32)
    right = float(np.sum(LOGITS.argmax(-1) == CLASSES))
    assert accuracy_count(outputs, jnp.asarray(CLASSES), outputs_are=SOFTMAX) == right
    assert accuracy_count(outputs, jnp.asarray(ONE_HOT), outputs_are=SOFTMAX) == right
    z = jnp.array([[-0.1], [0.1], [0.7]])
    truth = jnp.array([0, 1, 1])
    assert accuracy_count(z, truth, outputs_are=SIGMOID) == 3
    assert accuracy_count(z, truth, outputs_are=RAW) == 2
    assert accuracy_count(z, truth, outputs_are=SOFTMAX) == 2  # a softmax over one unit is 1
    weights = jnp.array([1.0, 1.0, 0.0])
    assert accuracy_count(z, truth, outputs_are=SIGMOID, weights=weights) == 2


def test_accuracy_of_several_labels_is_the_share_that_is_right():
    z = jnp.array([[1.0, -1.0, 2.0, -3.0], [1.0, 1.0, 1.0, 1.0]])
    truth = jnp.array([[1, 0, 0, 0], [1, 1, 1, 1]])
    assert accuracy_count(z, truth, outputs_are=SIGMOID, multi_label=True) == 1.75


def test_squared_error_sum():
    y, t = jnp.array([[1.0, 2.0], [0.0, 0.0]]), jnp.array([[0.0, 0.0], [0.0, 4.0]])
    assert squared_error_sum(y, t, outputs_are=RAW) == 2.5 + 8.0
    assert squared_error_sum(y, t, outputs_are=RAW, weights=jnp.array([2.0, 0.0])) == 5.0


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_lanes_and_compilation_change_nothing(name, kind):
    outputs = jnp.asarray(outputs_for(name, kind), jnp.float32)
    lanes = jnp.stack([outputs, outputs * 0.5])
    loss = LOSSES[name].per_example
    both = jax.jit(jax.vmap(lambda z: loss(z, jnp.asarray(CLASSES), outputs_are=kind)))(lanes)
    for lane in range(2):
        alone = loss(lanes[lane], jnp.asarray(CLASSES), outputs_are=kind)
        np.testing.assert_allclose(both[lane], alone, rtol=2e-6, atol=1e-6)
