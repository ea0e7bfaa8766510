"""The paths of update rules over the contours of a test function."""

from __future__ import annotations

import math

import numpy as np

from surefoot.landscape.races import Race
from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.contours import contours

_POINTS, _LEVELS = 161, 12
# The palette has so many colours; further rules are drawn broken.
_COLOURS = 8


def race_chart(race: Race) -> Chart:
    """Return a chart of a race: contours, a path for each rule, the minima, the start.

    A path that leaves the chart is broken off where it does. Levels are even in the logarithm of
    the height above the minimum, for these functions span decades.
    """
    function = race.function
    (left, right), (low, high) = function.across, function.up
    x, y = np.linspace(left, right, _POINTS), np.linspace(low, high, _POINTS)
    z = np.asarray(function.value(*np.meshgrid(x, y)))
    above = z - function.lowest
    spread = np.quantile(above, [0.01, 0.9])
    levels = np.geomspace(max(spread[0], spread[1] * 1e-4), spread[1], _LEVELS) + function.lowest
    lines = [{**own, "faint": True, "unlisted": True} for own in contours(x, y, z, levels.tolist())]
    for place, lane in enumerate(race.lanes):
        a, b = lane.path.T
        with np.errstate(invalid="ignore"):
            inside = (a >= left) & (a <= right) & (b >= low) & (b <= high)
        a, b = (np.where(inside, own, math.nan) for own in (a, b))
        own = series(lane.rule, a, b, mark="path", role=place)
        # Of two that go the same way, as AdamW without decay goes Adam's, both are seen.
        before = any(np.array_equal(lane.path, other.path) for other in race.lanes[:place])
        lines.append({**own, "dashed": before or place >= _COLOURS})
    minima = np.asarray(function.minima).T
    for name, places in (("minimum", minima), ("start", np.asarray([function.start]).T)):
        role = "good" if name == "minimum" else "error"
        lines.append({**series(name, *places, mark="points", role=role), "unlisted": True})
    return plot(
        f"race-{race.name}",
        f"{race.name.capitalize()}: {function.formula}",
        axis("x", low=left, high=right),
        axis("y", low=low, high=high),
        lines,
        named=True,
    )
