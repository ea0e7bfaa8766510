"""Probes: what is measured at a layer inside the compiled step.

Forward, summaries of a layer's output are computed on the spot. Backward, `probe` is an identity
whose backward pass returns statistics of the passing gradient as the gradient of a dummy
argument: nothing is stored, and no second backward pass is needed.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

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
    zero = y == 0
    over_batch = tuple(range(y.ndim - 1))
    mean = jnp.mean(y)
    share = jnp.nan if saturated is None else jnp.mean(saturated, dtype=jnp.float32)
    columns = (
        mean,
        jnp.sqrt(jnp.mean(jnp.square(y - mean))),
        jnp.mean(zero, dtype=jnp.float32),
        jnp.mean(jnp.all(zero, axis=over_batch), dtype=jnp.float32),
        share,
        jnp.max(jnp.abs(y)),
        jnp.sum(~jnp.isfinite(y)),
    )
    return jnp.stack([jnp.asarray(column, jnp.float32) for column in columns])


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
    size = jnp.abs(signal) * signal.shape[0]
    columns = (
        jnp.sqrt(jnp.mean(jnp.square(size))),
        jnp.max(size),
        jnp.sum(~jnp.isfinite(signal)),
    )
    return signal, jnp.stack([jnp.asarray(column, kept.dtype) for column in columns])


probe.defvjp(_probe_forward, _probe_backward)


def measure_weight(weight: Array, gradient: Array, update: Array) -> Array:
    """Summarize one weight array with its gradient and the update that is about to be added.

    Returns:
        [6], the columns of `WEIGHT`: root mean square and largest absolute value of the
        gradient; root mean square of the weights and of the update; the update's over the
        weights', which is near 10⁻³ in health (CS231n, notes on neural networks 3); count of
        weights and gradients that are not finite.
    """
    weight_rms = jnp.sqrt(jnp.mean(jnp.square(weight)))
    update_rms = jnp.sqrt(jnp.mean(jnp.square(update)))
    columns = (
        jnp.sqrt(jnp.mean(jnp.square(gradient))),
        jnp.max(jnp.abs(gradient)),
        weight_rms,
        update_rms,
        update_rms / jnp.maximum(weight_rms, 1e-30),
        jnp.sum(~jnp.isfinite(weight)) + jnp.sum(~jnp.isfinite(gradient)),
    )
    return jnp.stack([jnp.asarray(column, jnp.float32) for column in columns])
