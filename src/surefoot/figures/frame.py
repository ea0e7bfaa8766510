"""What surrounds a chart: its title, its axes, its legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.figures.axes import Axis, written
from surefoot.figures.colours import GRID, INK, RULE, SOFT
from surefoot.figures.scene import Box, Label, Path, Scene

# Room around the chart itself, in pixels.
LEFT, RIGHT, TOP, BOTTOM = 64.0, 18.0, 58.0, 46.0
# A letter's mean width, by its size.
_WIDTH = 0.56


def begin(chart: Mapping[str, Any], width: float, height: float) -> Scene:
    """Return a picture that has the chart's title alone."""
    title = str(chart.get("title", ""))
    scene = Scene(width, height, title)
    scene.shapes.append(Label(16, 24, shortened(title, width - 32, 15), INK, 15, bold=True))
    return scene


def legend(scene: Scene, names: Sequence[tuple[str, str]]) -> None:
    """Write names in their colours in one line; those that have no room are left out."""
    x = 16.0
    for name, colour in names:
        text = shortened(name, 180, 11)
        wide = 16 + _WIDTH * 11 * len(text) + 14
        if x + wide > scene.width:
            scene.shapes.append(Label(x, 46, "…", SOFT))
            return
        scene.shapes += [Box(x, 38, 10, 10, colour), Label(x + 15, 47, text, INK)]
        x += wide


def sides(scene: Scene, chart: Mapping[str, Any], across: Axis | None, up: Axis | None) -> None:
    """Draw both axes: lines across at round numbers, numbers, and what they are of."""
    right, bottom = scene.width - RIGHT, scene.height - BOTTOM
    if up is not None:
        for value in up.ticks():
            y = up.place(value)
            if y is not None:
                scene.shapes.append(Path([(LEFT, y), (right, y)], GRID, 1))
                scene.shapes.append(Label(LEFT - 7, y + 4, written(value), SOFT, anchor="end"))
        middle = (TOP + bottom) / 2
        text = str(chart["y"].get("label", ""))
        scene.shapes.append(Label(16, middle, text, SOFT, anchor="middle", turned=True))
    scene.shapes.append(Path([(LEFT, bottom), (right, bottom)], RULE, 1))
    if across is not None:
        for value in across.ticks():
            x = across.place(value)
            if x is not None:
                scene.shapes.append(Label(x, bottom + 16, written(value), SOFT, anchor="middle"))
    text = str(chart["x"].get("label", ""))
    middle = (across.begin + across.end) / 2 if across is not None else (LEFT + right) / 2
    scene.shapes.append(Label(middle, scene.height - 10, text, SOFT, anchor="middle"))


def shortened(text: str, width: float, size: float) -> str:
    """Return a text that fits into a width, with its end left out where it does not.

    >>> shortened("validation accuracy", 60, 11)
    'validati…'
    """
    most = max(int(width / (_WIDTH * size)), 1)
    return text if len(text) <= most else text[: most - 1] + "…"
