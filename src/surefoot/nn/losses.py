"""Losses and the two metrics that go with them, each one number a row.

A net hands over its last layer's pre-activations (logits) where that layer is a softmax or a
sigmoid, because the logarithm of either is exact only in terms of its logits; `Output` says
which. Targets are a matrix of the outputs' shape [N, K], or a vector [N]: class numbers where
K > 1, the values themselves where K = 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Protocol

import jax
import jax.numpy as jnp
import optax
from jax import Array

from surefoot.errors import InputError

CLIP = 1e-7
"""Probabilities are kept this far from 0 and 1 before a logarithm, as Keras does."""


class Output(Enum):
    """What a net hands to its loss."""

    SOFTMAX_LOGITS = "softmax_logits"
    """The logits of a softmax over the last axis."""
    SIGMOID_LOGITS = "sigmoid_logits"
    """The logits of one sigmoid an output."""
    RAW = "raw"
    """The outputs as they came."""


class PerExample(Protocol):
    """A loss: outputs and targets to one number a row."""

    def __call__(self, outputs: Array, targets: Array, *, outputs_are: Output) -> Array:
        """Return the loss of each row, shape [N]."""


def activate(outputs: Array, outputs_are: Output) -> Array:
    """Return what the user sees as the prediction: softmax, sigmoid, or the outputs as they are.

    >>> activate(jnp.zeros((1, 4)), Output.SOFTMAX_LOGITS).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    if outputs_are is Output.SOFTMAX_LOGITS:
        return jax.nn.softmax(outputs, axis=-1)
    if outputs_are is Output.SIGMOID_LOGITS:
        return jax.nn.sigmoid(outputs)
    return outputs


def cross_entropy(outputs: Array, targets: Array, *, outputs_are: Output) -> Array:
    """−Σₖ tₖ ln pₖ for each row, shape [N]; targets are class numbers, one-hot, or any weights.

    Softmax logits go through log-softmax (Optax). Other outputs are divided by their sum over
    the last axis and kept within [1e-7, 1 − 1e-7], as Keras's `categorical_crossentropy` does
    (`keras/src/backend/jax/nn.py`); a row that sums to exactly 0, where Keras gives NaN, counts
    as p = 0.

    >>> logits = jnp.array([[2.0, 0.0], [0.0, 0.0]])
    >>> rows = cross_entropy(logits, jnp.array([0, 1]), outputs_are=Output.SOFTMAX_LOGITS)
    >>> [round(row, 4) for row in rows.tolist()]
    [0.1269, 0.6931]
    >>> raw = jnp.array([[3.0, 1.0]])  # p = 3/4, 1/4
    >>> round(float(cross_entropy(raw, jnp.array([0]), outputs_are=Output.RAW)[0]), 4)
    0.2877
    """
    if outputs_are is Output.SOFTMAX_LOGITS:
        if targets.ndim < outputs.ndim and outputs.shape[-1] > 1:
            labels = _labels(outputs, targets)
            return _mean_rows(optax.softmax_cross_entropy_with_integer_labels(outputs, labels))
        return _mean_rows(optax.softmax_cross_entropy(outputs, _matrix(outputs, targets)))
    if outputs_are is Output.SIGMOID_LOGITS:
        # In logarithms: the ratio of sigmoids that have all underflowed is still defined.
        log_sigmoid = jax.nn.log_sigmoid(outputs)
        log_p = log_sigmoid - jax.nn.logsumexp(log_sigmoid, axis=-1, keepdims=True)
        log_p = jnp.clip(log_p, math.log(CLIP), math.log1p(-CLIP))
    else:
        # The ratio does not change when a row is scaled; its gradient stays finite for tiny rows.
        largest = jax.lax.stop_gradient(jnp.max(jnp.abs(outputs), axis=-1, keepdims=True))
        scaled = outputs / jnp.where(largest == 0, 1, largest)
        total = jnp.sum(scaled, axis=-1, keepdims=True)
        log_p = jnp.log(_clip(scaled / jnp.where(total == 0, 1, total)))
    return _mean_rows(-jnp.sum(_matrix(outputs, targets) * log_p, axis=-1))


def binary_cross_entropy(outputs: Array, targets: Array, *, outputs_are: Output) -> Array:
    """Mean over the outputs of −t ln p − (1 − t) ln(1 − p) for each row, shape [N].

    Sigmoid logits z take the stable form max(z, 0) − z t + ln(1 + e^−|z|) (Optax). A softmax is
    computed first, and its probabilities, like raw outputs, are kept within [1e-7, 1 − 1e-7] as
    Keras's `binary_crossentropy` does.

    >>> z, t = jnp.array([[0.0], [1000.0]]), jnp.array([1, 0])
    >>> rows = binary_cross_entropy(z, t, outputs_are=Output.SIGMOID_LOGITS)
    >>> [round(row, 4) for row in rows.tolist()]
    [0.6931, 1000.0]
    """
    targets = _matrix(outputs, targets)
    if outputs_are is Output.SIGMOID_LOGITS:
        return _mean_rows(optax.sigmoid_binary_cross_entropy(outputs, targets))
    p = _clip(activate(outputs, outputs_are))
    return _mean_rows(-targets * jnp.log(p) - (1 - targets) * jnp.log1p(-p))


def mean_squared_error(outputs: Array, targets: Array, *, outputs_are: Output) -> Array:
    """Mean over the outputs of (y − t)² for each row, shape [N], without a factor of 1/2.

    A softmax or sigmoid is applied first where logits are given.

    >>> y, t = jnp.array([[1.0, 3.0]]), jnp.array([[1.0, 1.0]])
    >>> mean_squared_error(y, t, outputs_are=Output.RAW).tolist()
    [2.0]
    """
    targets = _matrix(outputs, targets)
    return _mean_rows(optax.squared_error(activate(outputs, outputs_are), targets))


def mean_absolute_error(outputs: Array, targets: Array, *, outputs_are: Output) -> Array:
    """Mean over the outputs of |y − t| for each row, shape [N]; its gradient at y = t is 0.

    A softmax or sigmoid is applied first where logits are given.

    >>> y, t = jnp.array([[1.0, 3.0]]), jnp.array([[1.0, 1.0]])
    >>> mean_absolute_error(y, t, outputs_are=Output.RAW).tolist()
    [1.0]
    """
    return _mean_rows(jnp.abs(activate(outputs, outputs_are) - _matrix(outputs, targets)))


def accuracy_count(
    outputs: Array,
    targets: Array,
    *,
    outputs_are: Output,
    multi_label: bool = False,
    weights: Array | None = None,
) -> Array:
    """Return how many rows are right, each times its weight ([N], 0 for padding): a scalar.

    Several outputs: the largest is at the target's class. One output: it lies on the target's
    side of 1/2 (of 0 for a logit). With `multi_label` each output is judged so, and a row counts
    the share that is right.

    >>> y = jnp.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    >>> float(accuracy_count(y, jnp.array([1, 0, 0]), outputs_are=Output.RAW))
    2.0
    """
    if multi_label or outputs.shape[-1] == 1:
        if outputs_are is Output.SIGMOID_LOGITS:
            chosen = outputs > 0
        else:
            chosen = activate(outputs, outputs_are) > 0.5
        right = chosen == (_matrix(outputs, targets) > 0.5)
    else:
        whole = targets.ndim == outputs.ndim
        classes = jnp.argmax(targets, axis=-1) if whole else _labels(outputs, targets)
        right = jnp.argmax(outputs, axis=-1) == classes
    return _weighted_sum(_mean_rows(right.astype(outputs.dtype)), weights)


def squared_error_sum(
    outputs: Array, targets: Array, *, outputs_are: Output, weights: Array | None = None
) -> Array:
    """Return Σ over rows of weight · mean squared error: over N rows, RMSE = √(sum / N).

    >>> y, t = jnp.array([[1.0], [5.0]]), jnp.array([[0.0], [3.0]])
    >>> float(squared_error_sum(y, t, outputs_are=Output.RAW))
    5.0
    """
    rows = mean_squared_error(outputs, targets, outputs_are=outputs_are)
    return _weighted_sum(rows, weights)


def _labels(outputs: Array, targets: Array) -> Array:
    """Return class numbers [N], checked."""
    if targets.shape != outputs.shape[:-1] or not jnp.issubdtype(targets.dtype, jnp.integer):
        raise InputError(
            f"targets of shape {targets.shape} and type {targets.dtype} do not fit outputs of "
            f"shape {outputs.shape}: give that shape, or one whole class number a row"
        )
    return targets


def _matrix(outputs: Array, targets: Array) -> Array:
    """Return the targets in the outputs' shape and dtype, class numbers as one-hot rows."""
    if targets.shape == outputs.shape:
        return targets.astype(outputs.dtype)
    if (*targets.shape, 1) == outputs.shape:
        return targets[..., None].astype(outputs.dtype)
    return jax.nn.one_hot(_labels(outputs, targets), outputs.shape[-1], dtype=outputs.dtype)


def _mean_rows(values: Array) -> Array:
    """Return the mean over every axis but the first, shape [N]."""
    return jnp.mean(values, axis=tuple(range(1, values.ndim)))


def _weighted_sum(rows: Array, weights: Array | None) -> Array:
    return jnp.sum(rows if weights is None else rows * weights)


def _clip(p: Array) -> Array:
    return jnp.clip(p, CLIP, 1 - CLIP)


@dataclass(frozen=True, eq=False)
class Loss:
    """One loss: `per_example(outputs, targets, *, outputs_are)` gives one number a row, [N].

    `classification` says that the loss is meant for class targets; any loss still goes with any.

    >>> LOSSES["mean_squared_error"].classification
    False
    """

    per_example: PerExample
    classification: bool


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "cross_entropy": Loss(cross_entropy, classification=True),
        "binary_cross_entropy": Loss(binary_cross_entropy, classification=True),
        "mean_squared_error": Loss(mean_squared_error, classification=False),
        "mean_absolute_error": Loss(mean_absolute_error, classification=False),
    }
)
"""Every loss by its name in a recipe."""
