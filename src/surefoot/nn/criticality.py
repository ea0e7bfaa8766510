"""Criticality: first weights that neither shrink nor enlarge signals, at any depth."""

from __future__ import annotations

import numpy as np

from surefoot.errors import InputError

# Gauss–Hermite points: for variances up to 1 they agree with adaptive integration to 14 digits.
_POINTS = 201


def critical_tanh(variance: float = 1 / 40) -> tuple[float, float]:
    """Return σ_w and σ_b at which wide nets of tanh keep a signal of this variance, both ways.

    A layer z' = W tanh(z) + b, with Var[W] = σ_w² / n_in and Var[b] = σ_b², turns inputs of
    variance q into outputs of variance σ_w² E[tanh(√q x)²] + σ_b², x ~ N(0, 1), and multiplies
    the square of a gradient that comes back by χ = σ_w² E[tanh'(√q x)²]. The numbers returned
    solve variance = q and χ = 1. An orthogonal W of gain σ_w has this variance; then the layer's
    Jacobian is near an isometry, as near as tanh is to linear: take a small variance.

    Args:
        variance: q, above 0 and up to 1.

    Raises:
        InputError: the variance lies elsewhere.

    Source: Xiao and others (2018), *Dynamical isometry and a mean field theory of CNNs*;
    the pair often used for tanh, σ_w² = 1.05 and σ_b² = 2.01·10⁻⁵, solves them at q = 0.0259.

    >>> [f"{number:.4g}" for number in critical_tanh(1 / 40)]
    ['1.024', '0.004257']
    """
    if not 0 < variance <= 1:
        raise InputError(f"variance = {variance!r}: must be above 0 and at most 1")
    x, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
    weights = weights / weights.sum()
    z = np.sqrt(variance) * x
    # tanh' = 1 / cosh², and E[tanh'²] falls as q grows, so each variance has one σ_w.
    weight_variance = 1 / (weights @ np.cosh(z) ** -4)
    bias_variance = variance - weight_variance * (weights @ np.tanh(z) ** 2)
    return float(np.sqrt(weight_variance)), float(np.sqrt(bias_variance))
