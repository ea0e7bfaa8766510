"""From a chart as plain data, as the pages have it, to a picture.

What a chart holds is told in `surefoot.report.charts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from surefoot.errors import InputError
from surefoot.figures.cells import heatmap, matrix
from surefoot.figures.plot import parallel, plot
from surefoot.figures.scene import Scene

_KINDS: dict[str, Callable[[Mapping[str, Any], float, float], Scene]] = {
    "plot": plot,
    "heatmap": heatmap,
    "matrix": matrix,
    "parallel": parallel,
}


def draw(chart: Mapping[str, Any], width: float = 760, height: float = 400) -> Scene:
    """Return a chart as a picture on white.

    Args:
        chart: as plain data.
        width: in pixels.
        height: in pixels; a heat map of many layers is made higher.

    Raises:
        InputError: there is no such kind of chart.

    >>> from surefoot.figures.svg import to_svg
    >>> line = {"name": "train", "mark": "line", "x": [0, 1, 2], "y": [2.0, None, 1.0]}
    >>> axes = {"x": {"label": "step"}, "y": {"label": "loss"}}
    >>> chart = {"name": "loss", "kind": "plot", "title": "Loss", **axes, "series": [line]}
    >>> to_svg(draw(chart)).count("<text")
    14
    """
    kind = chart.get("kind")
    if kind not in _KINDS:
        raise InputError(f"a chart of kind {kind!r} cannot be drawn without a browser")
    return _KINDS[kind](chart, width, height)
