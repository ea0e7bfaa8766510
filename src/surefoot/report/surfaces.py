"""The loss around a run's weights: along a line, and on a plane with the optimizer's path."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.contours import contours
from surefoot.report.words import figure
from surefoot.vitals.table import Table

# Levels that can be told apart by the page's ramp of colours.
_LEVELS = 8
# Losses that span a decade have as many levels in each.
_WIDE = 10.0
_ALONG = {
    "random": "Along a random direction, each filter's part as long as the filter: 0 is where the "
    "run stands, 1 a change as large as the weights.",
    "path": "Along the straight line from the run's first weights, at −1, to where it stands, at "
    "0, and as far beyond.",
}
_ON = {
    "random": "The training loss on two random directions, each filter's part as long as the "
    "filter; the run stands at 0.",
    "path": "The training loss on the plane that holds most of the path, in distances from where "
    "the run stands.",
}

_WHERE = {
    ("surface", "path"): "The plane of the path",
    ("surface", "random"): "A random plane",
    ("slice", "path"): "The line from the start",
    ("slice", "random"): "A random line",
}
_DIRECTION = {"random": "direction", "path": "component"}


def sections(table: Table | None) -> list[dict[str, Any]]:
    """Return what the page shows of slices and planes: a title, sentences, and a chart each."""
    if table is None:
        return []
    told = []
    for kind in ("surface", "slice"):
        for plane in ("path", "random"):
            own = table.where((table["kind"] == kind) & (table["plane"] == plane))
            if own.rows < 2:
                continue
            name = f"{kind}-{plane}"
            if kind == "slice":
                chart, said = _slice(own, name), _ALONG[plane]
            else:
                way = table.where((table["kind"] == "path") & (table["plane"] == plane))
                chart, said = _surface(own, way, name), _ON[plane] + _holds(way)
            if chart is not None:
                told.append({"title": _title(own), "said": said + _lost(own), "chart": chart})
    return told


def _title(own: Table) -> str:
    which, step = own["which"][0], figure(int(own["at"][0]))
    where = f"step {step}" if which == "step" else f"the {which} weights, step {step}"
    return f"{_WHERE[own['kind'][0], own['plane'][0]]}, around {where}"


def _holds(way: Table) -> str:
    """Say what of the path the plane holds."""
    if not way.rows:
        return ""
    shares = [float(way[f"explained_{name}"][0]) for name in "ab"]
    return (
        f" It holds {100 * sum(shares):.1f}\u00a0% of the path's variance, "
        f"{100 * shares[0]:.1f}\u00a0% across and {100 * shares[1]:.1f}\u00a0% up; what lies off "
        "it is not seen, so the path may cross lines that its loss does not."
    )


def _lost(own: Table) -> str:
    count = int((~np.isfinite(own["loss"])).sum())
    if not count:
        return ""
    return f" At {count:,} of {own.rows:,} places the loss is not finite, which leaves a hole."


def _slice(own: Table, name: str) -> Chart:
    order = np.argsort(own["a"], kind="stable")
    lines = [series("training", own["a"][order], own["loss"][order], role="train")]
    if np.isfinite(own["validation_loss"]).any():
        validation = own["validation_loss"][order]
        lines.append(series("validation", own["a"][order], validation, role="validation"))
    return plot(
        name,
        "Loss along the line",
        axis("way" if own["plane"][0] == "path" else "direction"),
        axis("loss", toggle=True),
        lines,
        marks=[{"x": 0, "label": "here"}],
    )


def _surface(own: Table, way: Table, name: str) -> Chart | None:
    """Draw contour lines of the training loss, and the path over them."""
    (x, columns), (y, rows) = (np.unique(own[axis], return_inverse=True) for axis in "ab")
    if min(len(x), len(y)) < 2 or len(x) * len(y) != own.rows:
        return None
    z = np.full((len(y), len(x)), np.nan)
    z[rows, columns] = own["loss"]
    levels = _levels(z[np.isfinite(z)])
    lines = contours(x, y, z, levels)
    here = [0.0], [0.0]
    if way.rows:
        a, b = way["a"], way["b"]
        notes = [
            f"step {figure(int(step))}, loss {figure(float(loss))}"
            for step, loss in zip(way["step"], way["loss"], strict=True)
        ]
        lines += [
            series("path", a, b, mark="path", role=1),
            series("snapshots", a, b, mark="points", role=1, notes=notes),
            series("start", a[:1], b[:1], mark="points", role=3, notes=notes[:1]),
        ]
        here = a[-1:], b[-1:]
    end = series("end" if way.rows else "here", *here, mark="points", role="good")
    labels = [f"{which} {_DIRECTION[own['plane'][0]]}" for which in ("first", "second")]
    across, up = map(axis, labels)
    return plot(
        name,
        "Contours of the loss",
        across,
        up,
        [*lines, end],
        about="Lines join places of one loss; the stronger a line, the higher.",
        named=True,
    )


def _levels(losses: NDArray[Any]) -> list[float]:
    """Return the heights of the contour lines: by ratio where the losses span a decade.

    >>> [round(level, 2) for level in _levels(np.array([0.01, 100.0]))[:3]]
    [0.03, 0.08, 0.22]
    """
    if not losses.size or losses.min() == losses.max():
        return []
    low, high = float(losses.min()), float(losses.max())
    if low > 0 and high / low >= _WIDE:
        return np.exp(np.linspace(math.log(low), math.log(high), _LEVELS + 2))[1:-1].tolist()
    return np.linspace(low, high, _LEVELS + 2)[1:-1].tolist()
