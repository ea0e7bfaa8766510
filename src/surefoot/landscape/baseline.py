"""The loss of the best constant prediction: what a net that has learned nothing reaches."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from surefoot.landscape.hessian import Fixed
from surefoot.nn.losses import CLIP, Output


def baseline_loss(fixed: Fixed, objective: object) -> float:
    """Return the mean loss over the sample of the constant that fits it best.

    The constant is the share of each class, or the mean of the targets (their median under
    mean_absolute_error): the minimum of each loss but for the median under row weights.

    Args:
        fixed: the sample and its weights.
        objective: the run's, a `surefoot.engine.objective.Objective`.
    """
    outputs = objective.network.output_shape[0]
    weights = jnp.ravel(fixed.weights)
    y = fixed.y.reshape(len(weights), *fixed.y.shape[2:])
    targets = np.asarray(y, np.float64).reshape(len(weights), -1)
    if objective.measure != "rmse" and y.ndim == 1 and outputs > 1:
        targets = np.eye(outputs)[np.asarray(y, np.int64)]
    if objective.measure == "rmse":
        scaling = fixed.given.scaling
        targets = (targets - np.asarray(scaling.mean)) / np.asarray(scaling.scale)
    counted = np.asarray(weights, np.float64)
    if objective.loss == "mean_absolute_error":
        constant = np.median(targets[counted > 0], axis=0)
    else:
        constant = np.average(targets, axis=0, weights=counted)
    if objective.outputs_are is not Output.RAW:
        p = np.clip(constant, CLIP, 1 - CLIP)
        sigmoid = objective.outputs_are is Output.SIGMOID_LOGITS
        constant = np.log(p) - np.log1p(-p) if sigmoid else np.log(p)
    rows = jnp.broadcast_to(jnp.asarray(constant, fixed.weights.dtype), (len(weights), outputs))
    total, _ = objective.sums(rows, y, weights, jax.tree.map(jnp.asarray, fixed.given.scaling))
    return float(total / jnp.sum(weights))
