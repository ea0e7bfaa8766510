"""Exponentially weighted averages as a chart."""

from __future__ import annotations

import numpy as np

from surefoot.landscape.averages import Averages
from surefoot.report.charts import Chart, axis, plot, series

# More points than a picture is wide tell no more.
_MOST_POINTS = 2000


def averages_chart(found: Averages) -> Chart:
    """Return a chart of a curve and its averages: corrected as lines, plain ones broken."""
    every = -(-len(found.values) // _MOST_POINTS)
    t = np.arange(1, len(found.values) + 1)[::every]
    dots = series(found.name, t, found.values[::every], mark="line", role="note", faint=True)
    lines = [dots]
    for place, own in enumerate(found.averages):
        name = f"β = {own.beta:g}"
        plain = series(name, t, own.plain[::every], role=place)
        lines.append({**plain, "dashed": True, "unlisted": True})
        lines.append(series(name, t, own.corrected[::every], role=place))
    return plot(
        "averages",
        "Averages: corrected (lines), from v = 0 (broken)",
        axis("t"),
        axis("value"),
        lines,
        named=True,
    )
