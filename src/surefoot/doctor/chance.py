"""What the best constant prediction costs: the loss that a net which knows nothing has."""

from __future__ import annotations

import math

import numpy as np

from surefoot.doctor.evidence import Evidence


def chance_loss(evidence: Evidence) -> float:
    """Return the loss of always predicting the classes' shares, or the targets' mean.

    With shares pₖ: cross-entropy −Σ pₖ ln pₖ, ln C for C equal classes; binary cross-entropy the
    mean over outputs of −pₖ ln pₖ − (1 − pₖ) ln(1 − pₖ); squared error the mean of pₖ(1 − pₖ), or
    the targets' variance; absolute error the mean of pₖ where classes are many. NaN where the
    targets are not known.
    """
    loss = evidence.recipe.train.loss
    if evidence.fact("prepared", "targets", "kind") == "numbers":
        std, mean = (evidence.number("prepared", "targets", key) for key in ("std", "mean"))
        known = {"mean_squared_error": std**2, "mean_absolute_error": 0.8 * std}
        return known.get(loss, math.nan) if math.isfinite(mean) else math.nan
    counts = evidence.numbers("prepared", "targets", "counts")
    shares = evidence.numbers("prepared", "targets", "shares")
    if counts.any():
        shares = counts / counts.sum()
    if len(shares) == 0:
        return math.nan
    inside = shares[(shares > 0) & (shares < 1)]
    both = -inside * np.log(inside) - (1 - inside) * np.log1p(-inside)
    known = {
        "cross_entropy": float(-np.sum(inside * np.log(inside))),
        "binary_cross_entropy": float(np.sum(both) / len(shares)),
        "mean_squared_error": float(np.mean(shares * (1 - shares))),
        "mean_absolute_error": float(np.mean(np.minimum(shares, 1 - shares))),
    }
    return known.get(loss, math.nan)
