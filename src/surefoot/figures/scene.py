"""What a picture is made of: shapes and texts at places, in pixels from the top left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Path:
    """A line through points, or the area within them.

    Attributes:
        points: in order.
        colour: as "#rrggbb".
        width: of the line, in pixels; of an area it is not read.
        opacity: from 0 to 1.
        filled: whether it is an area.
        dashed: whether the line is broken.
    """

    points: Sequence[Point]
    colour: str
    width: float = 1.5
    opacity: float = 1.0
    filled: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Dot:
    """A circle."""

    x: float
    y: float
    radius: float
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Label:
    """A text on one line; its place is where its baseline begins, has its middle, or ends."""

    x: float
    y: float
    text: str
    colour: str
    size: float = 11.0
    anchor: Anchor = "start"
    bold: bool = False
    turned: bool = False


Shape = Path | Box | Dot | Label


@dataclass
class Scene:
    """A picture.

    Attributes:
        width: in pixels.
        height: in pixels.
        title: what it shows, for who cannot see it.
        ground: colour of the background; None for none.
        shapes: from back to front.
    """

    width: float
    height: float
    title: str = ""
    ground: str | None = "#ffffff"
    shapes: list[Shape] = field(default_factory=list)
