"""A picture as SVG: text alone, no script, no link."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from surefoot.figures.scene import Box, Dot, Label, Path, Point, Scene, Shape

_FONT = "system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif"


def to_svg(scene: Scene) -> str:
    """Return a picture as an SVG document.

    >>> scene = Scene(40, 20, "<b>", shapes=[Path([(0, 0), (10.25, 5)], "#ff0000")])
    >>> print(to_svg(scene).splitlines()[1])
    <title>&lt;b&gt;</title>
    """
    size = f'width="{_number(scene.width)}" height="{_number(scene.height)}"'
    box = f'viewBox="0 0 {_number(scene.width)} {_number(scene.height)}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} role="img" font-family="{_FONT}">',
        f"<title>{_text(scene.title)}</title>",
    ]
    if scene.ground is not None:
        lines.append(f'<rect width="100%" height="100%" fill="{_text(scene.ground)}"/>')
    lines += [_shape(shape) for shape in scene.shapes]
    return "\n".join([*lines, "</svg>", ""])


def _shape(shape: Shape) -> str:
    colour = _text(shape.colour)
    if isinstance(shape, Label):
        return _label(shape, colour)
    faint = "" if shape.opacity >= 1 else f' opacity="{_number(shape.opacity)}"'
    match shape:
        case Box(x, y, width, height):
            place = f'x="{_number(x)}" y="{_number(y)}"'
            size = f'width="{_number(width)}" height="{_number(height)}"'
            return f'<rect {place} {size} fill="{colour}"{faint}/>'
        case Dot(x, y, radius):
            place = f'cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}"'
            return f'<circle {place} fill="{colour}"{faint}/>'
        case Path(points, _, width, _, filled, dashed):
            if filled:
                return f'<path d="{_way(points)}Z" fill="{colour}"{faint}/>'
            broken = ' stroke-dasharray="4 4"' if dashed else ""
            line = f'stroke="{colour}" stroke-width="{_number(width)}" stroke-linejoin="round"'
            return f'<path d="{_way(points)}" fill="none" {line}{broken}{faint}/>'


def _label(label: Label, colour: str) -> str:
    x, y = _number(label.x), _number(label.y)
    more = ' font-weight="600"' if label.bold else ""
    if label.turned:
        more += f' transform="rotate(-90 {x} {y})"'
    place = f'x="{x}" y="{y}" font-size="{_number(label.size)}" text-anchor="{label.anchor}"'
    return f'<text {place} fill="{colour}"{more}>{_text(label.text)}</text>'


def _way(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _text(text: str) -> str:
    """Return a text that XML can hold: escaped, without what it cannot."""
    kept = "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff")
    return escape(kept.replace("\ufffe", "").replace("\uffff", ""))
