"""Contour lines of a surface, as paths that a chart draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.report.charts import series

# How many steps the page's ramp of colours has beside its palest.
_SHADES = 4


def contours(
    x: NDArray[Any], y: NDArray[Any], z: NDArray[Any], levels: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the contour lines of a surface, one series a level; higher levels are stronger.

    Args:
        x: of the columns, [columns].
        y: of the rows, [rows].
        z: the surface, [rows, columns]; what is not finite is a hole.
        levels: the heights to draw, from low to high.

    >>> x = np.linspace(-1, 1, 41)
    >>> (ring,) = contours(x, x, x[None] ** 2 + x[:, None] ** 2, [0.25])
    >>> round(max(value for value in ring["x"] if value is not None), 2)
    0.5
    """
    from contourpy import contour_generator

    found = contour_generator(x, y, np.ma.masked_invalid(z))
    paths = []
    for place, level in enumerate(levels):
        points: list[tuple[float, float]] = []
        for line in found.lines(level):
            points += [*map(tuple, np.asarray(line).tolist()), (math.nan, math.nan)]
        if points:
            across, up = zip(*points, strict=True)
            shade = 1 + place * _SHADES // len(levels)
            paths.append(series(f"{level:.3g}", across, up, mark="path", role=f"seq-{shade}"))
    return paths
