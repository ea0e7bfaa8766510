"""A small picture of a run's loss."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from surefoot.figures.draw import draw
from surefoot.figures.svg import to_svg
from surefoot.vitals.table import Table

# The picture is this many points wide at most.
_POINTS = 200


def loss_picture(history: Table) -> Markup:
    """Return the loss of training and validation as SVG; nothing where there is none.

    Of training each point is the mean of a stretch of steps.

    >>> table = Table({"step": np.arange(4), "loss": np.array([2.0, 1.5, 1.0, 0.5])})
    >>> str(loss_picture(table))[:4], str(loss_picture(Table({})))
    ('<svg', '')
    """
    series = []
    for column, name in (("loss", "train"), ("validation_loss", "validation")):
        values = np.asarray(history.get(column, np.zeros(0)), np.float64)
        there = np.isfinite(values)
        if not there.any():
            continue
        steps, values = np.asarray(history["step"])[there], values[there]
        count = min(len(steps), _POINTS)
        means = [
            [float(np.mean(part)) for part in np.array_split(own, count)] for own in (steps, values)
        ]
        series.append({"name": name, "role": name, "mark": "line", "x": means[0], "y": means[1]})
    if not series:
        return Markup("")
    chart = {
        "name": "loss",
        "kind": "plot",
        "title": "Loss",
        "x": {"label": "step", "low": 0},
        "y": {"label": "loss"},
        "series": series,
        "named": True,
    }
    return Markup(to_svg(draw(chart, 460, 240)))
