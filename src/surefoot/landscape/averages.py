"""Exponentially weighted averages, with several β, and what bias correction mends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import InputError

Values = NDArray[np.float64]

# Points of the curve that is averaged where none is given, its noise, and how often it turns.
_POINTS, _NOISE = 200, 0.35


@dataclass(frozen=True)
class Average:
    """One average of a curve.

    Attributes:
        beta: β, the share of the past that is kept.
        plain: v, [points].
        corrected: v/(1 − βᵗ), [points].
    """

    beta: float
    plain: Values
    corrected: Values

    @property
    def window(self) -> float:
        """Return 1/(1 − β): over about so many values it averages."""
        return 1 / (1 - self.beta)

    @property
    def settled(self) -> int:
        """Return after how many values the correction is below 1 %: βᵗ < 0.01."""
        return 1 if self.beta == 0 else int(np.ceil(np.log(0.01) / np.log(self.beta)))


@dataclass(frozen=True)
class Averages:
    """A curve and its averages.

    Attributes:
        name: of the curve.
        values: x, [points].
        truth: the curve without its noise, where that is known.
        averages: one for each β.
    """

    name: str
    values: Values
    truth: Values | None
    averages: tuple[Average, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return what is said of each β, as plain values for JSON."""
        told = []
        for own in self.averages:
            row: dict[str, Any] = {
                "beta": own.beta,
                "window": own.window,
                "settled": own.settled,
                "first": float(own.plain[0]),
                "first_corrected": float(own.corrected[0]),
                "roughness": _roughness(own.corrected) / max(_roughness(self.values), 1e-300),
            }
            if self.truth is not None:
                for name, curve in (("error", own.plain), ("error_corrected", own.corrected)):
                    row[name] = float(np.sqrt(np.mean(np.square(curve - self.truth))))
            told.append(row)
        return told


def averages(
    betas: Sequence[float], values: Any = None, *, name: str = "values", seed: int = 0
) -> Averages:
    """Return exponentially weighted averages of a curve.

    v ← βv + (1−β)x from v = 0, and corrected v/(1−βᵗ) at the t-th value, from t = 1. It weighs the
    value k steps ago by (1−β)βᵏ, so it averages over about 1/(1−β) values; the weights of the
    first t values sum to 1 − βᵗ, which is what the correction divides by.

    Args:
        betas: each from 0 to below 1.
        values: x, [points]; a slow wave of 200 points with noise where nothing is given.
        name: of the curve.
        seed: of that noise.

    Raises:
        InputError: a β is not from 0 to below 1, or there is no value.

    Source: Kingma and Ba (2015), *Adam*, section 3, for the correction.

    >>> found = averages([0.5], [4.0, 4.0, 4.0])
    >>> found.averages[0].plain.tolist(), found.averages[0].corrected.tolist()
    ([2.0, 3.0, 3.5], [4.0, 4.0, 4.0])
    """
    for beta in betas:
        if not 0 <= beta < 1:
            raise InputError(f"β = {beta}: must be from 0 to below 1")
    truth = None
    if values is None:
        t = np.arange(_POINTS)
        truth = 2 + np.sin(2 * np.pi * t / _POINTS)
        values = truth + _NOISE * np.random.default_rng(seed).standard_normal(_POINTS)
        name = "a slow wave with noise"
    x = np.asarray(values, np.float64)
    x = x[np.isfinite(x)]
    if not x.size or not betas:
        raise InputError("nothing to average: give at least one β and one finite value")
    return Averages(name, x, truth, tuple(_average(beta, x) for beta in betas))


def _average(beta: float, x: Values) -> Average:
    plain, v = np.empty(len(x)), 0.0
    for i, value in enumerate(x.tolist()):
        v = beta * v + (1 - beta) * value
        plain[i] = v
    return Average(beta, plain, plain / (1 - beta ** np.arange(1, len(x) + 1)))


def _roughness(curve: Values) -> float:
    """Return the root mean square of the changes from value to value."""
    return float(np.sqrt(np.mean(np.square(np.diff(curve))))) if len(curve) > 1 else 0.0
