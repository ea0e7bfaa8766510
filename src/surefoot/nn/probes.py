"""Probes: what is measured at a layer inside the compiled step.

Forward, summaries of a layer's output are computed on the spot. Backward, `probe` is an identity
whose backward pass returns statistics of the passing gradient as the gradient of a dummy
argument: nothing is stored, and no second backward pass is needed.
"""

from __future__ import annotations

from math import gcd, prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Array = jax.Array

# How many numbers, of all operands together, a stage of a reduction takes for one of its results:
# LLVM unrolls about so many and no more. And how many are few enough to go one after the other.
_UNROLLED = 48
_AT_ONCE = 128
# How many numbers of an array are measured at most, about: a root mean square of so many is good
# to a third of a percent.
_SAMPLE = 65_536

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
WEIGHT = (
    "gradient_rms",
    "gradient_max",
    "weight_rms",
    "update_rms",
    "update_ratio",
    "unit_spread",
    "nonfinite",
)


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

    Where there are more than 65,536 outputs, all but one column is of about so many: of every
    k-th example or place. Inactive units are those of the whole batch, whose Σy² is 0; and
    what is not finite counts at least once for each unit whose Σy² is not.

    >>> y = jnp.array([[0.0, 2.0], [0.0, -4.0]])
    >>> dict(zip(FORWARD, measure_output(y, None).tolist()))["inactive_share"]
    0.5
    """
    whole = y.reshape(-1, y.shape[-1])
    rows = _sample(whole)
    # Variance about one of the values: exact where the mean is large and the spread small.
    shifted = rows - rows[0, 0]
    flags = jnp.zeros_like(rows) if saturated is None else _sample(saturated.reshape(whole.shape))
    sums = (shifted, jnp.square(shifted), rows == 0, flags, ~jnp.isfinite(rows))
    *each, largest = _reduce(sums, (jnp.abs(rows),))
    if rows is whole:
        inactive, broken = each[2] == len(rows), each[4]
    else:
        square = lax.stop_gradient(jnp.sum(jnp.square(whole), axis=0))
        inactive, broken = square == 0, jnp.maximum(each[4], ~jnp.isfinite(square))
    each = [*each[:4], broken, inactive]
    shift, square, zeros, flat, nonfinite, silent, largest = _reduce(tuple(each), (largest,))
    mean = shift / rows.size
    columns = (
        rows[0, 0] + mean,
        jnp.sqrt(jnp.maximum(square / rows.size - jnp.square(mean), 0)),
        zeros / rows.size,
        silent / rows.shape[1],
        jnp.full_like(flat, jnp.nan) if saturated is None else flat / rows.size,
        largest,
        nonfinite,
    )
    return jnp.stack(columns).astype(jnp.float32)


def _sample(rows: Array) -> Array:
    """Return every k-th row, so that about `_SAMPLE` numbers are left.

    k has no factor in common with the number of rows: where those are the places of pictures,
    it falls on all of their columns, not on one side's alone.
    """
    count = len(rows)
    step = min(-(-rows.size // _SAMPLE), count)
    while gcd(step, count) > 1:
        step += 1
    return rows if step == 1 else rows[::step]


def _reduce(sums: tuple[Array, ...], largest: tuple[Array, ...] = ()) -> list[Array]:
    """Reduce arrays of one shape along their first axis: some by +, some by max.

    The first sum is of numbers; others may count what is true.

    One reduction of many operands is one kernel, where as many single ones took three quarters
    of a small net's compilation. It goes in stages of few rows: XLA's CPU backend unrolls those
    and works on many columns at once, while over all rows it adds one number after the other.
    """
    dtype = sums[0].dtype
    # Measured, not differentiated.
    operands = [lax.stop_gradient(jnp.asarray(a, dtype)) for a in (*sums, *largest)]
    combine = [lax.add] * len(sums) + [lax.max] * len(largest)
    start = [jnp.zeros((), dtype)] * len(operands)  # what is maximized here is never negative

    def both(one: list[Array], other: list[Array]) -> list[Array]:
        return [f(a, b) for f, a, b in zip(combine, one, other, strict=True)]

    rest, shape = operands[0].shape[0], operands[0].shape[1:]
    stage = 16 if 16 * len(operands) <= _UNROLLED else 8
    while rest > 1:
        rows = rest if rest * prod(shape) <= _AT_ONCE else min(rest, stage)
        rest = -(-rest // rows)
        # What is filled up is 0, which changes neither a sum nor these maxima.
        filled = [_fill(a, rest * rows).reshape(rows, rest * prod(shape)) for a in operands]
        operands = [a.reshape(rest, *shape) for a in lax.reduce(filled, start, both, (0,))]
    return [a[0] for a in operands]


def _fill(array: Array, rows: int) -> Array:
    """Append rows of zeros."""
    missing = rows - array.shape[0]
    if not missing:
        return array
    return jnp.pad(array, ((0, missing), *[(0, 0)] * (array.ndim - 1)))


@jax.custom_vjp
def probe(y: Array, dummy: Array) -> Array:
    """Return ``y``; the gradient with respect to ``dummy`` is `BACKWARD` of the passing signal.

    The signal is that of one example's loss, ∂L/∂y times the batch size, so that it does not
    shrink when batches grow: its root mean square, its largest absolute value, and how many of
    its values are not finite; of every k-th example or place where there are more than 65,536.

    >>> x = jnp.array([[3.0, -4.0]])
    >>> jax.grad(lambda d: jnp.sum(probe(x, d) ** 2))(jnp.zeros(3)).tolist()
    [7.071067810058594, 8.0, 0.0]
    """
    return y


def _probe_forward(y: Array, dummy: Array) -> tuple[Array, Array]:
    return y, jnp.zeros((0,), dummy.dtype)


def _probe_backward(kept: Array, signal: Array) -> tuple[Array, Array]:
    rows = _sample(signal.reshape(-1, signal.shape[-1]))
    size = jnp.abs(rows.ravel()) * signal.shape[0]
    square, nonfinite, largest = _reduce((jnp.square(size), ~jnp.isfinite(size)), (size,))
    columns = jnp.stack([jnp.sqrt(square / size.size), largest, nonfinite])
    return signal, columns.astype(kept.dtype)


probe.defvjp(_probe_forward, _probe_backward)


def measure_weight(weight: Array, gradient: Array, update: Array) -> Array:
    """Summarize one weight array with its gradient and the update that is about to be added.

    Returns:
        [7], the columns of `WEIGHT`: root mean square and largest absolute value of the
        gradient; root mean square of the weights and of the update; the update's over the
        weights', which is near 10⁻³ in health (CS231n, notes on neural networks 3); how much
        the units' incoming weights differ (`unit_spread`); count of places where weight or
        gradient is not finite. Where there are more than 65,536 weights, all is of about so
        many: those of every k-th input.
    """
    if weight.ndim > 1:
        shape = (-1, weight.shape[-1])
        weight, gradient, update = (_sample(a.reshape(shape)) for a in (weight, gradient, update))
    w, g, u = weight.ravel(), gradient.ravel(), update.ravel()
    nonfinite = ~jnp.isfinite(w) | ~jnp.isfinite(g)
    *squares, count, largest = _reduce((g * g, w * w, u * u, nonfinite), (jnp.abs(g),))
    gradient_rms, weight_rms, update_rms = (jnp.sqrt(square / weight.size) for square in squares)
    ratio = update_rms / jnp.maximum(weight_rms, 1e-30)
    spread = unit_spread(weight, squares[1])
    columns = (gradient_rms, largest, weight_rms, update_rms, ratio, spread, count)
    return jnp.stack(columns).astype(jnp.float32)


def measure_norm(tree: Any) -> Array:
    """Return √Σg² over all numbers of a tree of arrays, from 10⁻³¹ to 10³¹ in float32.

    Squares of float32 leave its range from 1.8·10¹⁹ on, and below 10⁻¹⁹. Two sums, of numbers
    scaled up and down by 2⁴⁰, cost less than the largest number, which has to be known before
    the sum that it scales.

    >>> [f"{measure_norm([jnp.array([3 * s]), jnp.array([4 * s])]):.3e}" for s in (1e-25, 1e25)]
    ['5.000e-25', '5.000e+25']
    """
    up, down = (
        jnp.sqrt(sum(jnp.sum(jnp.square(leaf * scale)) for leaf in jax.tree.leaves(tree))) / scale
        for scale in (2.0**40, 2.0**-40)
    )
    return jnp.where(jnp.isfinite(up), up, down)


def unit_spread(weight: Array, square: Array) -> Array:
    """Return how much units' incoming weights differ: 1 − Σᵢ (Σⱼ wᵢⱼ)² / (n Σ w²), n units.

    It is the share of Σ w² that is not in the units' mean: 0 where all units are alike, also
    where all weights are 0, and about 1 − 1/n where they are independent with mean 0.

    Args:
        weight: [inputs, units], or [height, width, channels, filters].
        square: Σ w².

    Returns:
        a number from 0 to 1; NaN where there is one unit, which nothing can be compared with, or
        where the weights are no incoming ones (normalization's scale, an activation's slope).

    >>> w = jnp.array([[1.0, 1.0], [2.0, -2.0]])
    >>> float(unit_spread(w, jnp.sum(w**2)))  # 8 of 10 lie in the row where the units differ
    0.800000011920929
    """
    units = weight.shape[-1] if weight.ndim > 1 else 1
    if units == 1:
        return jnp.full_like(square, jnp.nan)
    sums = jnp.sum(weight.reshape(-1, units), axis=1)
    together = _reduce((jnp.square(sums),))[0] / units
    # What rounding leaves is no difference; where all are 0, neither is 0/0.
    spread = jnp.maximum(1 - together / jnp.where(square == 0, 1, square), 0)
    return jnp.where(square == 0, 0, spread)
