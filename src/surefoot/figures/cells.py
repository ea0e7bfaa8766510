"""Charts of coloured cells: heat maps of layers over steps, and matrices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.figures.axes import Axis, written
from surefoot.figures.colours import BANDED, EVEN, INK, SOFT, mix, of_role
from surefoot.figures.frame import RIGHT, begin, shortened
from surefoot.figures.scene import Box, Label, Scene

_LEFT, _TOP, _BOTTOM = 124.0, 62.0, 44.0


def heatmap(chart: Mapping[str, Any], width: float, height: float) -> Scene:
    """Return a heat map as a picture: of its choices the one that it shows first."""
    choice = chart["choices"][chart.get("choice") or 0]
    rows, edges = list(choice["rows"]), list(choice["edges"])
    cell = min(max((height - _TOP - _BOTTOM) / max(len(rows), 1), 3.0), 22.0)
    titled = {"title": f"{chart.get('title', '')}: {choice['label']}"}
    scene = begin(titled, width, _TOP + cell * len(rows) + _BOTTOM)
    across = Axis(edges[0], edges[-1], _LEFT, width - RIGHT)
    for r, (name, values) in enumerate(zip(rows, choice["values"], strict=True)):
        y = _TOP + r * cell
        if cell >= 9 or r % math.ceil(9 / cell) == 0:
            label = shortened(str(name), _LEFT - 16, 10)
            scene.shapes.append(Label(_LEFT - 7, y + cell / 2 + 3.5, label, SOFT, 10, "end"))
        _cells(scene, values, edges, across, y, cell, choice)
    _below(scene, chart, across)
    _scale(scene, choice)
    return scene


def _cells(
    scene: Scene,
    values: Sequence[float | None],
    edges: Sequence[float],
    across: Axis,
    y: float,
    cell: float,
    choice: Mapping[str, Any],
) -> None:
    """Draw one row; neighbours of one colour are one box."""
    stops = BANDED if choice.get("band") else EVEN
    colours = [None if v is None else mix(stops, share_of(v, choice)) for v in values]
    start = 0
    for c in range(1, len(colours) + 1):
        if c < len(colours) and colours[c] == colours[start]:
            continue
        colour = colours[start]
        if colour is not None:
            left, right = across.place(edges[start]), across.place(edges[c])
            assert left is not None
            assert right is not None
            gap = 1 if cell > 6 else 0
            scene.shapes.append(Box(left, y, right - left, cell - gap, colour))
        start = c


def share_of(value: float, choice: Mapping[str, Any]) -> float:
    """Return where a value lies between the ends of the scale, ½ within the healthy band.

    >>> choice = {"scale": "log", "low": 1e-4, "high": 1.0, "band": [1e-3, 1e-1]}
    >>> [round(share_of(value, choice), 2) for value in (1e-4, 1e-2, 1.0)]
    [0.0, 0.5, 1.0]
    """
    logarithmic = choice.get("scale") == "log"

    def bend(number: float) -> float:
        return math.log10(max(number, choice["low"])) if logarithmic else number

    def share(number: float, a: float, b: float) -> float:
        return min(max((number - a) / (b - a), 0.0), 1.0) if b > a else 0.5

    low, high = bend(choice["low"]), bend(choice["high"])
    at = min(max(bend(value), low), high)
    if not choice.get("band"):
        return share(at, low, high)
    first, last = choice["band"]
    first = low if first is None else bend(first)
    last = high if last is None else bend(last)
    if at < first:
        return 0.38 * share(at, low, first)
    return 0.62 + 0.38 * share(at, last, high) if at > last else 0.5


def _below(scene: Scene, chart: Mapping[str, Any], across: Axis) -> None:
    bottom = scene.height - _BOTTOM
    for value in across.ticks():
        x = across.place(value)
        if x is not None:
            scene.shapes.append(Label(x, bottom + 14, written(value), SOFT, anchor="middle"))
    middle = (across.begin + across.end) / 2
    text = str(chart["x"].get("label", ""))
    scene.shapes.append(Label(middle, scene.height - 8, text, SOFT, anchor="middle"))


def _scale(scene: Scene, choice: Mapping[str, Any]) -> None:
    """Draw what the colours mean, above the cells."""
    x, y, each, count = _LEFT, 38.0, 4.0, 36
    stops = BANDED if choice.get("band") else EVEN
    scene.shapes.append(Label(x - 7, y + 10, written(choice["low"]), SOFT, anchor="end"))
    for i in range(count):
        share = i / (count - 1)
        if choice.get("band") and 0.38 <= share <= 0.62:
            share = 0.5
        scene.shapes.append(Box(x + i * each, y, each, 11, mix(stops, share)))
    end = x + count * each + 7
    scene.shapes.append(Label(end, y + 10, written(choice["high"]), SOFT))
    if choice.get("band"):
        first, last = choice["band"]
        if first is None:
            text = f"healthy below {written(last)}"
        elif last is None:
            text = f"healthy above {written(first)}"
        else:
            text = f"healthy from {written(first)} to {written(last)}"
        scene.shapes.append(Label(end + 54, y + 10, text, INK))


def matrix(chart: Mapping[str, Any], width: float, height: float) -> Scene:
    """Return a matrix, such as that of confusions, as a picture."""
    rows, columns = chart["y"]["categories"], chart["x"]["categories"]
    cell = min((width - _LEFT - 60) / max(len(columns), 1), 40.0)
    scene = begin(chart, width, _TOP + cell * len(rows) + 40)
    most = max((v for row in chart["cells"] for v in row if v is not None), default=0) or 1
    texts = chart.get("shown")
    for r, row in enumerate(chart["cells"]):
        y = _TOP + r * cell
        if cell >= 9 or r % math.ceil(9 / cell) == 0:
            name = shortened(str(rows[r]), _LEFT - 34, 10)
            scene.shapes.append(Label(_LEFT - 7, y + cell / 2 + 3.5, name, SOFT, 10, "end"))
        for c, value in enumerate(row):
            if value is None:
                continue
            strength = 0.0 if value == 0 else 0.15 + 0.85 * math.sqrt(value / most)
            end = of_role("good" if r == c else "bad")
            x = _LEFT + c * cell
            scene.shapes.append(Box(x, y, cell - 1, cell - 1, mix(("#f2f2ef", end), strength)))
            if cell >= 20 and value:
                text = str(texts[r][c]) if texts else written(value)
                ink = "#ffffff" if strength > 0.55 else INK
                place = x + cell / 2 - 0.5, y + cell / 2 + 3.5
                scene.shapes.append(Label(*place, shortened(text, cell, 10), ink, 10, "middle"))
    every = math.ceil(36 / cell)
    for c in range(0, len(columns), every):
        place = _LEFT + (c + 0.5) * cell, scene.height - 26
        text = shortened(str(columns[c]), cell * every, 10)
        scene.shapes.append(Label(*place, text, SOFT, 10, "middle"))
    middle = _TOP + cell * len(rows) / 2
    scene.shapes.append(
        Label(14, middle, str(chart["y"].get("label", "")), SOFT, anchor="middle", turned=True)
    )
    across = _LEFT + cell * len(columns) / 2
    text = str(chart["x"].get("label", ""))
    scene.shapes.append(Label(across, scene.height - 8, text, SOFT, anchor="middle"))
    return scene
