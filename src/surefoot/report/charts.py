"""A chart as plain data: what Python says, and `assets/charts.js` draws.

A chart is a dictionary that JSON holds. The page carries it, and one call draws it:
`SurefootCharts.draw(element, chart)` returns a handle; `handle.update(chart)` draws anew what has
changed, and keeps the zoom. Nothing in it is HTML: every text is shown as text.

| key | what it holds |
| --- | --- |
| `name` | unique in its page; also the name of a saved picture |
| `kind` | "plot", "heatmap", "matrix" or "parallel" |
| `title`, `about` | what it shows; in one more sentence |
| `group` | charts of one group zoom together along x |
| `x`, `y` | axes: `label`, `scale` ("linear", "log" or "category"), `categories`, `low`, `high`; `toggle` where a button shall switch between linear and logarithmic; `whole` where only whole numbers are marked |
| `series` | of a plot: `name`, `role`, `mark` ("line", "points", "bars", "interval", "path"), `x`, `y` (for an interval `low` and `high` too), `faint`, `notes` |
| `marks` | vertical lines: `x`, `label`, `severity` |
| `bands` | horizontal ranges that are shaded: `low`, `high`, `label` |
| `diagonal` | whether to draw y = x |
| `choices` | of a heat map: one for each thing that can be shown; `layers.py` tells their keys |
| `cells`, `shown` | of a matrix: rows of values, and of texts |
| `axes`, `lines` | of parallel coordinates |

Colours follow `role`: "train", "validation", "good", "bad", "plain", or a number of the palette.
"""  # noqa: E501

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Chart = dict[str, Any]
# Enough for a curve a thousand points wide, and for reading a value off.
_DIGITS = 5


def axis(
    label: str,
    scale: str = "linear",
    *,
    categories: Sequence[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    toggle: bool = False,
) -> dict[str, Any]:
    """Return an axis; ends that are not given follow from the values.

    >>> axis("step", low=0)
    {'label': 'step', 'scale': 'linear', 'low': 0}
    """
    ends = {"low": low, "high": high}
    return {
        "label": label,
        "scale": scale,
        **({} if categories is None else {"categories": list(categories)}),
        **{name: value for name, value in ends.items() if value is not None},
        **({"toggle": True} if toggle else {}),
    }


def series(
    name: str,
    x: Iterable[Any],
    y: Iterable[Any],
    *,
    mark: str = "line",
    role: str | int = "plain",
    low: Iterable[Any] | None = None,
    high: Iterable[Any] | None = None,
    faint: bool = False,
    notes: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return a series of a plot.

    Args:
        name: what the legend calls it.
        x: where its points are.
        y: how high they are; what is not finite is a gap.
        mark: "line", "points", "bars", "interval" (from low to high about y) or "path" (a line
            whose x may turn back).
        role: which colour it has.
        low: lower ends of an interval.
        high: upper ends of an interval.
        faint: whether it stands back, as what was measured does behind what is smoothed.
        notes: a text for each point, for its tooltip.

    >>> series("loss", [0, 1], [2.0, float("nan")], role="train")["y"]
    [2, None]
    """
    own: dict[str, Any] = {"name": name, "mark": mark, "role": role}
    columns = {"x": x, "y": y, "low": low, "high": high}
    own |= {key: plain(values) for key, values in columns.items() if values is not None}
    if faint:
        own["faint"] = True
    if notes is not None:
        own["notes"] = list(notes)
    return own


def plot(
    name: str,
    title: str,
    x: Mapping[str, Any],
    y: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    **more: Any,
) -> Chart:
    """Return a chart of lines, points, bars or intervals.

    >>> chart = plot("loss", "Loss", axis("step"), axis("loss"), [series("train", [0], [2.0])])
    >>> chart["kind"], chart["series"][0]["name"]
    ('plot', 'train')
    """
    return {
        "name": name,
        "kind": "plot",
        "title": title,
        "x": dict(x),
        "y": dict(y),
        "series": [dict(line) for line in lines],
        **more,
    }


def plain(values: Iterable[Any], digits: int = _DIGITS) -> list[Any]:
    """Return numbers as JSON writes them shortly: rounded, whole ones without a point, gaps None.

    >>> plain([0.123456789, 3.0, float("inf"), "a"])
    [0.12346, 3, None, 'a']
    """
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return [_short(value, digits) for value in values]


def _short(value: Any, digits: int) -> Any:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded
