"""How long a run's steps are, as a multiple of the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.recipe import Recipe

Columns = Mapping[str, NDArray[Any]]


def step_rate(
    recipe: Recipe, metrics: Columns, vitals: Columns, weights: Mapping[str, int], step: int
) -> float:
    """Return the rate η for which a step bounces along curvature κ as plain descent does: κη = 2.

    | rule | η, with the learning rate r |
    | --- | --- |
    | sgd | r |
    | momentum β | r/(1 + β); averaged: r(1 − β)/(1 + β) |
    | nesterov β | r(1 + 2β)/(1 + β) |
    | any other | ‖update‖/‖gradient‖ over all weights, at the last recorded step |

    The limits of stability 2(1 + β)/r and 2(1 + β)/(r(1 + 2β)) follow from the roots of the
    update's recurrence on a quadratic (Polyak 1964; Cohen and others 2021, *Gradient descent on
    neural networks typically occurs at the edge of stability*, appendix B). Adaptive rules have a
    rate for each weight: their η is a mean, and says less. Where the gradient was clipped, η is
    shorter by as much.

    Args:
        recipe: the run's.
        metrics: its metrics table.
        vitals: its vitals table.
        weights: how many weights each layer has, by its number.
        step: how many updates had been made.

    Returns:
        η; NaN where nothing was recorded before that step.
    """
    recorded = np.flatnonzero(
        (metrics["step"] <= step) & np.isfinite(_column(metrics, "learning_rate"))
    )
    optimizer = recipe.optimizer
    if optimizer.name not in ("sgd", "momentum", "nesterov"):
        return _ratio_of_norms(vitals, weights, step)
    if not len(recorded):
        return float("nan")
    last = recorded[-1]
    rate = float(metrics["learning_rate"][last])
    norms = [float(_column(metrics, f"{which}gradient_norm")[last]) for which in ("", "clipped_")]
    if norms[0] > 0 and np.isfinite(norms).all():
        rate *= norms[1] / norms[0]
    beta = getattr(optimizer, "momentum", 0.0)
    if optimizer.name == "nesterov":
        return rate * (1 + 2 * beta) / (1 + beta)
    averaged = getattr(optimizer, "average", False)
    return rate * (1 - beta if averaged else 1) / (1 + beta)


def _ratio_of_norms(vitals: Columns, weights: Mapping[str, int], step: int) -> float:
    """Return the update's norm over the gradient's at the last record, over all layers' weights."""
    if "layer" not in vitals:
        return float("nan")
    counts = np.array([weights.get(str(layer), 0) for layer in vitals["layer"]])
    update, gradient = (
        counts * np.square(_column(vitals, name)) for name in ("update_rms", "gradient_rms")
    )
    known = np.isfinite(update) & np.isfinite(gradient) & (vitals["step"] <= step)
    if not known.any():
        return float("nan")
    known &= vitals["step"] == vitals["step"][known].max()
    whole = gradient[known].sum()
    return float(np.sqrt(update[known].sum() / whole)) if whole > 0 else float("nan")


def _column(table: Columns, name: str) -> NDArray[Any]:
    rows = len(table["step"])
    return np.asarray(table[name], np.float64) if name in table else np.full(rows, np.nan)
