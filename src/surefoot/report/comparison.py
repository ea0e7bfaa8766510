"""Two error surfaces beside each other, and how rough each is, as one picture."""

from __future__ import annotations

import numpy as np

from surefoot.figures.beside import beside
from surefoot.figures.draw import draw
from surefoot.figures.scene import Scene
from surefoot.landscape.comparisons import SURENESS, Comparison, Variant
from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.contours import contours

_WIDTH, _HEIGHT = 470.0, 350.0
_LEVELS = 10
_TITLES = {
    "batch_norm": "Error surfaces with and without batch normalization",
    "loss": "Error surfaces of cross-entropy and of squared error on a softmax",
}


def draw_comparison(found: Comparison) -> Scene:
    """Return both surfaces beside each other, and below what was measured on the way.

    Lines are medians over seeds, areas go from the least to the most.
    """
    planes = [draw(_plane(own), _WIDTH, _HEIGHT) for own in found.variants]
    charts = [_over_steps(found, "turning", "turn of the gradient", "How much the gradient turns")]
    if found.kind == "loss":
        charts.append(_far(found))
    else:
        told = "change of the loss, relative, per length"
        charts.append(_over_steps(found, "steepness", told, "How much the loss changes"))
    below = [draw(chart, _WIDTH, _HEIGHT) for chart in charts]
    return beside(_TITLES[found.kind], [planes, below])


def _plane(own: Variant) -> Chart:
    finite = own.plane[np.isfinite(own.plane)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low > 0 and high > 10 * low:
        levels = np.geomspace(low, high, _LEVELS + 2)[1:-1]
    else:
        levels = np.linspace(low, high, _LEVELS + 2)[1:-1]
    # The first direction is across: a row of the picture is a place along the second.
    lines = [
        {**line, "unlisted": True}
        for line in contours(own.axis, own.axis, own.plane.T, levels.tolist())
    ]
    here = {**series("end", [0.0], [0.0], mark="points", role="good"), "unlisted": True}
    return plot(
        own.name,
        f"{own.name.capitalize()}: loss {low:.3g} to {high:.3g}",
        axis("first random direction", low=-1, high=1),
        axis("second", low=-1, high=1),
        [*lines, here],
    )


def _over_steps(found: Comparison, name: str, label: str, title: str) -> Chart:
    lines = []
    for place, own in enumerate(found.variants):
        values = getattr(own, name)
        lines += _spread(own.name, own.steps, values, place)
    return plot(name, title, axis("step"), axis(label, "log"), lines)


def _far(found: Comparison) -> Chart:
    lines = []
    for place, own in enumerate(found.variants):
        assert own.far is not None
        lines += _spread(own.name, SURENESS, own.far, place)
    across = axis("how sure the wrong net is: factor of the last layer", "log")
    return plot("far", "The gradient where the net is wrong", across, axis("norm", "log"), lines)


def _spread(name: str, x: np.ndarray, values: np.ndarray, place: int) -> list[dict]:
    """Return the median over seeds as a line, and from the least to the most as an area."""
    low, middle, high = values.min(axis=0), np.median(values, axis=0), values.max(axis=0)
    area = series(name, x, middle, mark="interval", role=place, low=low, high=high)
    return [{**area, "unlisted": True}, series(name, x, middle, role=place)]
