"""Axes: from numbers to places along a side of a chart, and which numbers are written there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Axis:
    """One side of a chart.

    Attributes:
        low: the number at its beginning.
        high: the number at its end.
        begin: where it begins, in pixels.
        end: where it ends.
        logarithmic: whether equal ratios are equally far apart.
    """

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False

    def place(self, value: float | None) -> float | None:
        """Return where a number is; None for one that has no place.

        >>> Axis(0.1, 1000, 0, 400, logarithmic=True).place(10.0)
        200.0
        """
        if value is None or not math.isfinite(value):
            return None
        low, high = self.low, self.high
        if self.logarithmic:
            if value <= 0:
                return None
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        share = (value - low) / (high - low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self, most: int = 6) -> list[float]:
        """Return round numbers along it.

        >>> Axis(0, 0.93, 0, 1).ticks()
        [0.0, 0.2, 0.4, 0.6, 0.8]
        """
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            every = max(1, math.ceil((last - first + 1) / most))
            powers = [10.0**power for power in range(first, last + 1, every)]
            if len(powers) >= 2:
                return powers
        width = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(width))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= width * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [round((first + i) * step, 12) + 0.0 for i in range(count)]


def axis_for(
    told: Mapping[str, Any], values: Iterable[float | None], begin: float, end: float
) -> Axis:
    """Return an axis that holds all values.

    Args:
        told: the chart's `x` or `y`: `scale`, and the ends where they are fixed.
        values: what is drawn along it; what is not finite is left out.
        begin: where it begins, in pixels.
        end: where it ends.

    >>> axis_for({"scale": "log"}, [0.5, None, 0.0, 20.0], 0, 1)
    Axis(low=0.1, high=100.0, begin=0, end=1, logarithmic=True)
    """
    logarithmic = told.get("scale") == "log"
    finite = [v for v in values if v is not None and math.isfinite(v)]
    if logarithmic:
        finite = [v for v in finite if v > 0] or [0.1, 1.0]
        low = told.get("low") or 10.0 ** math.floor(math.log10(min(finite)))
        high = told.get("high") or 10.0 ** math.ceil(math.log10(max(finite)))
        return Axis(low, high if high > low else low * 10, begin, end, True)
    finite = finite or [0.0, 1.0]
    low, high = told.get("low"), told.get("high")
    least, most = min(finite), max(finite)
    room = 0.04 * (most - least)
    low = least - room if low is None else low
    high = most + room if high is None else high
    if not high > low:
        room = 0.5 * abs(least) or 0.5  # one value alone is drawn in the middle
        low, high = least - room, least + room
    return Axis(low, high, begin, end)


def written(value: float | str | None) -> str:
    """Return a number as people write it on an axis.

    >>> [written(v) for v in (0.0, 0.25, 1e-5, 1500.0, 12000.0, 3e8)]
    ['0', '0.25', '1e-5', '1500', '12,000', '3e8']
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    size = abs(value)
    if size != 0 and (size < 1e-3 or size >= 1e7):
        digits, power = f"{value:.2e}".split("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:,.0f}" if size >= 1e4 else f"{value:.4g}"
