"""A picture as PNG, drawn with Pillow."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from math import hypot

from PIL import Image, ImageDraw, ImageFont

from surefoot.figures.scene import Box, Dot, Label, Path, Point, Scene

# Drawn this much larger and made smaller again: that is what makes lines smooth.
_FINER = 2
# Signs that Pillow's own font lacks.
_SPELLED = {
    ord(sign): spelled
    for sign, spelled in {
        **{"−": "-", "²": "^2", "³": "^3", "⁴": "^4", "ᵗ": "^t", "₀": "0", "≤": "<=", "≥": ">="},
        **{"β": "beta", "∂": "d", "√": "sqrt ", "η": "eta", "λ": "lambda", "←": "<-", "→": "->"},
    }.items()
}


def to_png(scene: Scene, scale: float = 2.0) -> bytes:
    """Return a picture as the bytes of a PNG file.

    Args:
        scene: the picture.
        scale: how many pixels of the file one of the picture has; 2 suits screens of today.

    >>> to_png(Scene(4, 4), scale=1)[:4]
    b'\\x89PNG'
    """
    fine = scale * _FINER
    size = round(scene.width * fine), round(scene.height * fine)
    image = Image.new("RGB", size, scene.ground or "#ffffff")
    for shape in scene.shapes:
        if not isinstance(shape, Label) and shape.opacity < 1:
            over = image.copy()
            _draw(ImageDraw.Draw(over), shape, fine)
            image = Image.blend(image, over, shape.opacity)
        elif isinstance(shape, Label) and shape.turned:
            _turned(image, shape, fine)
        else:
            _draw(ImageDraw.Draw(image), shape, fine)
    small = image.resize((round(scene.width * scale), round(scene.height * scale)), Image.BOX)
    file = BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()


def _draw(draw: ImageDraw.ImageDraw, shape: Path | Box | Dot | Label, fine: float) -> None:
    match shape:
        case Box(x, y, width, height, colour):
            ends = [x * fine, y * fine, (x + width) * fine - 1, (y + height) * fine - 1]
            if ends[2] >= ends[0] and ends[3] >= ends[1]:
                draw.rectangle(ends, fill=colour)
        case Dot(x, y, radius, colour):
            draw.circle((x * fine, y * fine), radius * fine, fill=colour)
        case Label(x, y, text, colour, size, anchor, bold):
            place = {"start": "ls", "middle": "ms", "end": "rs"}[anchor]
            stroke = fine * 0.25 if bold else 0
            draw.text(
                (x * fine, y * fine),
                _plain(text),
                fill=colour,
                font=ImageFont.load_default(size * fine),
                anchor=place,
                stroke_width=stroke,
            )
        case Path(points, colour, width, _, filled, dashed):
            scaled = [(x * fine, y * fine) for x, y in points]
            if filled and len(scaled) > 2:
                draw.polygon(scaled, fill=colour)
            elif not filled:
                line = _whole(scaled)
                for part in _dashes(line, 4 * fine) if dashed else [line]:
                    draw.line(part, fill=colour, width=max(round(width * fine), 1), joint="curve")


def _turned(image: Image.Image, label: Label, fine: float) -> None:
    """Draw a text that reads upwards."""
    font = ImageFont.load_default(label.size * fine)
    left, top, right, bottom = font.getbbox(_plain(label.text), anchor="ls")
    width, height = int(right - left) + 2, int(bottom - top) + 2
    mask = Image.new("L", (max(width, 1), max(height, 1)), 0)
    ImageDraw.Draw(mask).text((-left, -top), _plain(label.text), fill=255, font=font, anchor="ls")
    mask = mask.rotate(90, expand=True)
    share = {"start": 1.0, "middle": 0.5, "end": 0.0}[label.anchor]
    place = round(label.x * fine + top), round(label.y * fine - mask.height * share)
    image.paste(label.colour, (*place, place[0] + mask.width, place[1] + mask.height), mask)


def _whole(points: list[Point]) -> list[Point]:
    """Return a line's points in whole pixels, none twice in a row.

    Where a line all but turns back on itself, Pillow's joints draw a spike otherwise.

    >>> _whole([(0.0, 0.1), (0.2, 0.0), (5.0, 0.4)])
    [(0, 0), (5, 0)]
    """
    kept: list[Point] = []
    for x, y in points:
        point = round(x), round(y)
        if not kept or point != kept[-1]:
            kept.append(point)
    return kept


def _dashes(points: list[Point], length: float) -> list[list[Point]]:
    """Return a line cut into pieces of equal length, every second of them left out."""
    pieces, drawn, left = [], True, length
    for (x, y), (to_x, to_y) in pairwise(points):
        whole = hypot(to_x - x, to_y - y)
        at = 0.0
        while at < whole:
            step = min(left, whole - at)
            if drawn:
                ends = [
                    (x + (to_x - x) * t / whole, y + (to_y - y) * t / whole)
                    for t in (at, at + step)
                ]
                pieces.append(ends)
            at, left = at + step, left - step
            if left <= 0:
                drawn, left = not drawn, length
    return pieces


def _plain(text: str) -> str:
    """Return a text without line breaks, which would move it, in signs that the font has.

    >>> _plain("x² − β")
    'x^2 - beta'
    """
    return " ".join(text.translate(_SPELLED).split())
