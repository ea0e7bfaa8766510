"""Derivatives by finite differences: the step chosen anew for each weight, kinks recognized."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# Steps as shares of a weight's size: from where the fourth derivative may count to where rounding
# does. A factor of 4 lets neighbours be extrapolated, (16 D(h/4) − D(h))/15.
STEPS: Values = 1e-3 * 0.25 ** np.arange(6)
_RATIO = 4.0
# What rounding adds to a loss, in units of its last place; a mean over rows and layers has more
# than one.
_ROUNDINGS = 8.0
# A difference that does not settle to this many times its rounding meets a kink.
_UNSETTLED = 30.0


class Differences(NamedTuple):
    """What the values around each weight tell.

    Attributes:
        derivative: by central differences, [weights].
        uncertainty: how far apart two neighbouring steps' values are, at least rounding's part.
        kink: whether the slopes on both sides differ, or no step gives a settled value.
    """

    derivative: Values
    uncertainty: Values
    kink: NDArray[np.bool_]


def step_sizes(weights: Values, scale: Values) -> Values:
    """Return the steps of each weight, [weights, steps], largest first.

    Args:
        weights: w, [weights].
        scale: the usual size of the weights of its array, [weights].

    Steps are such that w + h is a number, so that h is exact.

    >>> step_sizes(np.array([2.0]), np.array([1.0])).round(9)[0, :2].tolist()
    [0.002, 0.0005]
    """
    size = np.maximum(np.maximum(np.abs(weights), scale), 0.1)[:, None]
    return (weights[:, None] + size * STEPS) - weights[:, None]


def differentiate(
    middle: float, above: Values, below: Values, steps: Values, tolerance: float
) -> Differences:
    """Return derivatives from the values at w ± h for several h.

    D(h) = (f(w+h) − f(w−h))/2h, extrapolated to (16 D(h/4) − D(h))/15, whose error falls with h⁴.
    Of the steps the one is taken whose value is nearest to that of the next smaller one, or where
    rounding, 8 ε|f|/h, is larger than that.

    The slopes on both sides, (f(w+h) − f(w))/h and (f(w) − f(w−h))/h, differ by h f″ where f is
    smooth; what is left of the difference as h → 0 is a kink's. A kink within every step but not
    in its middle shows in values that do not settle.

    Args:
        middle: f(w).
        above: f(w + h), [weights, steps].
        below: f(w − h), [weights, steps].
        steps: h, [weights, steps], each a quarter of the one before.
        tolerance: as a share of the derivative, what is not worth to be called a kink.

    Source: Ridders (1982), *Accurate computation of F′(x) and F′(x)F″(x)*, for the choice of h.

    >>> h = step_sizes(np.array([1.0, 0.0]), np.ones(2))
    >>> w = np.array([[1.0], [0.0]])
    >>> found = differentiate(0.0, *((w + s * h) ** 3 - w**3 for s in (1, -1)), h, 1e-6)
    >>> found.derivative.round(8).tolist(), found.kink.tolist()
    ([3.0, 0.0], [False, False])
    >>> differentiate(0.0, np.abs(h), np.maximum(h, 0), h, 1e-6).kink.tolist()
    [True, True]
    """
    central = (above - below) / (2 * steps)
    apart = (above - 2 * middle + below) / steps
    better = (_RATIO**2 * central[:, 1:] - central[:, :-1]) / (_RATIO**2 - 1)
    size = np.maximum(np.maximum(np.abs(above), np.abs(below)).max(axis=1), abs(middle))
    rounding = _ROUNDINGS * np.finfo(np.float64).eps * size[:, None] / steps[:, 2:]
    errors = np.maximum(np.abs(np.diff(better)), rounding)
    # What overflows is never chosen.
    best = np.argmin(np.where(np.isfinite(errors), errors, np.inf), axis=1)
    derivative, error, noise = (_at(own, best) for own in (better, errors, rounding))
    bend = np.abs(_RATIO * _at(apart, best + 1) - _at(apart, best)) / (_RATIO - 1)
    wanted = tolerance * np.abs(derivative)
    one_sided = bend > np.maximum(wanted, _UNSETTLED * noise)
    unsettled = ~(error <= np.maximum(wanted, _UNSETTLED * noise))
    return Differences(derivative, error, one_sided | unsettled)


def _at(values: Values, places: Any) -> Values:
    return np.take_along_axis(values, places[:, None], axis=1)[:, 0]
