"""Pictures beside each other, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from surefoot.figures.colours import INK
from surefoot.figures.scene import Label, Path, Scene, Shape

_TITLE = 40.0


def beside(title: str, rows: Sequence[Sequence[Scene]]) -> Scene:
    """Return pictures in rows as one picture under a title.

    Args:
        title: of all.
        rows: the pictures, from the top left.

    >>> both = beside("both", [[Scene(10, 20), Scene(30, 5)]])
    >>> both.width, both.height
    (40, 60.0)
    """
    width = max(sum(scene.width for scene in row) for row in rows)
    height = _TITLE + sum(max(scene.height for scene in row) for row in rows)
    whole = Scene(width, height, title)
    whole.shapes.append(Label(16, 26, title, INK, 16, bold=True))
    down = _TITLE
    for row in rows:
        across = 0.0
        for scene in row:
            whole.shapes += [_moved(shape, across, down) for shape in scene.shapes]
            across += scene.width
        down += max(scene.height for scene in row)
    return whole


def _moved(shape: Shape, across: float, down: float) -> Shape:
    if isinstance(shape, Path):
        return replace(shape, points=[(x + across, y + down) for x, y in shape.points])
    return replace(shape, x=shape.x + across, y=shape.y + down)
