"""Probes: what is measured at a layer inside the compiled step.

Forward, summaries of a layer's output are computed on the spot. Backward, `probe` is an identity
whose backward pass returns statistics of the passing gradient as the gradient of a dummy
argument: nothing is stored, and no second backward pass is needed.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

Array = jax.Array

# The columns of each measurement, in order.
FORWARD = (
    "activation_mean",
    "activation_std",
    "zero_share",
    "inactive_share",
    "saturated_share",
    "activation_max",
    "nonfinite",
)
BACKWARD = ("signal_rms", "signal_max", "nonfinite")
WEIGHT = ("gradient_rms", "gradient_max", "weight_rms", "update_rms", "update_ratio", "nonfinite")


def measure_output(y: Array, saturated: Array | None) -> Array:
    """Summarize a layer's output over the batch.

    Args:
        y: the output, [batch, …, units].
        saturated: which outputs lie in a flat part of the activation, or None.

    Returns:
        [7], the columns of `FORWARD`: mean; standard deviation; share of outputs that are
        exactly zero; share of units that are zero on the whole batch (a unit is a column of the
        last axis: a channel for pictures); share saturated, NaN where that has no meaning;
        largest absolute value; count of values that are not finite.

    >>> y = jnp.array([[0.0, 2.0], [0.0, -4.0]])
    >>> dict(zip(FORWARD, measure_output(y, None).tolist()))["inactive_share"]
    0.5
    """
    rows = y.reshape(-1, y.shape[-1])
    # Variance about one of the values: exact where the mean is large and the spread small.
    shifted = rows - rows[0, 0]
    flags = jnp.zeros_like(rows) if saturated is None else saturated.reshape(rows.shape)
    sums = (shifted, jnp.square(shifted), rows == 0, flags, ~jnp.isfinite(rows))
    *each, largest = _reduce(sums, (jnp.abs(rows),))
    inactive = each[2] == len(rows)
    shift, square, zeros, flat, nonfinite, silent, largest = _reduce((*each, inactive), (largest,))
    mean = shift / y.size
    columns = (
        rows[0, 0] + mean,
        jnp.sqrt(jnp.maximum(square / y.size - jnp.square(mean), 0)),
        zeros / y.size,
        silent / rows.shape[1],
        jnp.full_like(flat, jnp.nan) if saturated is None else flat / y.size,
        largest,
        nonfinite,
    )
    return jnp.stack(columns).astype(jnp.float32)


def _reduce(sums: tuple[Array, ...], largest: tuple[Array, ...]) -> list[Array]:
    """Reduce arrays of one shape along their first axis, in one pass: some by +, some by max.

    One reduction of many operands is one kernel; as many single ones took three quarters of a
    small net's compilation.
    """
    dtype = largest[0].dtype
    # Measured, not differentiated.
    operands = [lax.stop_gradient(jnp.asarray(a, dtype)) for a in (*sums, *largest)]
    combine = [lax.add] * len(sums) + [lax.max] * len(largest)
    start = [jnp.zeros((), dtype)] * len(operands)  # what is maximized here is never negative

    def both(one: list[Array], other: list[Array]) -> list[Array]:
        return [f(a, b) for f, a, b in zip(combine, one, other, strict=True)]

    return lax.reduce(operands, start, both, (0,))


@jax.custom_vjp
def probe(y: Array, dummy: Array) -> Array:
    """Return ``y``; the gradient with respect to ``dummy`` is `BACKWARD` of the passing signal.

    The signal is that of one example's loss, ∂L/∂y times the batch size, so that it does not
    shrink when batches grow: its root mean square, its largest absolute value, and how many of
    its values are not finite.

    >>> x = jnp.array([[3.0, -4.0]])
    >>> jax.grad(lambda d: jnp.sum(probe(x, d) ** 2))(jnp.zeros(3)).tolist()
    [7.071067810058594, 8.0, 0.0]
    """
    return y


def _probe_forward(y: Array, dummy: Array) -> tuple[Array, Array]:
    return y, jnp.zeros((0,), dummy.dtype)


def _probe_backward(kept: Array, signal: Array) -> tuple[Array, Array]:
    size = jnp.abs(signal.ravel()) * signal.shape[0]
    square, nonfinite, largest = _reduce((jnp.square(size), ~jnp.isfinite(size)), (size,))
    columns = jnp.stack([jnp.sqrt(square / size.size), largest, nonfinite])
    return signal, columns.astype(kept.dtype)


probe.defvjp(_probe_forward, _probe_backward)


def measure_weight(weight: Array, gradient: Array, update: Array) -> Array:
    """Summarize one weight array with its gradient and the update that is about to be added.

    Returns:
        [6], the columns of `WEIGHT`: root mean square and largest absolute value of the
        gradient; root mean square of the weights and of the update; the update's over the
        weights', which is near 10⁻³ in health (CS231n, notes on neural networks 3); count of
        places where weight or gradient is not finite.
    """
    w, g, u = weight.ravel(), gradient.ravel(), update.ravel()
    nonfinite = ~jnp.isfinite(w) | ~jnp.isfinite(g)
    *squares, count, largest = _reduce((g * g, w * w, u * u, nonfinite), (jnp.abs(g),))
    gradient_rms, weight_rms, update_rms = (jnp.sqrt(square / w.size) for square in squares)
    ratio = update_rms / jnp.maximum(weight_rms, 1e-30)
    columns = (gradient_rms, largest, weight_rms, update_rms, ratio, count)
    return jnp.stack(columns).astype(jnp.float32)
