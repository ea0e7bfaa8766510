"""Inputs and what matters in them as pictures beside each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.figures.axes import written
from surefoot.figures.colours import BANDED, INK, SOFT, mix
from surefoot.figures.draw import draw
from surefoot.figures.scene import Box, Label, Scene
from surefoot.gradients.saliency import Saliency
from surefoot.gradients.train_input import TrainedInput

Values = NDArray[np.float64]

_SIDE, _GAP, _TOP = 288.0, 24.0, 56.0
# A panel has this many cells along a side at most; larger pictures are averaged into fewer.
_CELLS = 96
# Rows of a ranked list that are drawn.
_MOST_BARS = 16
_SAID = {
    "gradient": "gradient of the score",
    "smooth": "smoothed gradient",
    "integrated": "integrated gradients",
}


def draw_saliency(found: Saliency) -> Scene:
    """Return a picture of an input and its saliency; of rows that are no pictures, bars."""
    title = f"What raises the score of {found.target}"
    shape = found.input.picture
    if shape is None:
        ranked = found.ranked()[:_MOST_BARS]
        names = [name for name, _ in ranked]
        bars = {"name": found.target, "mark": "bars", "role": 0, "x": names}
        return draw(
            {
                "kind": "plot",
                "title": f"{title}: {_SAID[found.method]}",
                "x": {"label": "input", "scale": "category", "categories": names},
                "y": {"label": _SAID[found.method]},
                "series": [{**bars, "y": [value for _, value in ranked]}],
            }
        )
    signed = _strongest(found.values.reshape(shape))
    panels = [(found.input.said, _shades(found.raw.reshape(shape)))]
    panels.append((f"{_SAID[found.method]}: blue lowers, orange raises", _signed(signed)))
    scene = _panels(title, panels)
    most = written(float(np.abs(signed).max()))
    end = scene.width - 16
    scene.shapes.append(Label(end, scene.height - 10, f"up to ±{most}", SOFT, 10, "end"))
    return scene


def draw_trained(found: TrainedInput) -> Scene:
    """Return a picture of a trained input beside its start; of rows, their numbers as bars."""
    title = f"An input trained for {found.target}"
    score = f"score {found.scores[0]:.3g} to {found.scores[-1]:.3g}"
    if found.picture is None:
        names = [str(i) for i in range(found.x.size)]
        bars = {"name": found.target, "mark": "bars", "role": 0, "x": names}
        return draw(
            {
                "kind": "plot",
                "title": f"{title}: {score}",
                "x": {"label": "input", "scale": "category", "categories": names},
                "y": {"label": "as the net takes it"},
                "series": [{**bars, "y": found.x.ravel().tolist()}],
            }
        )
    signed = _strongest(found.x.reshape(found.picture))
    panels = [
        ("start", _shades(found.raw_start.reshape(found.picture))),
        (score, _shades(found.raw.reshape(found.picture))),
        ("as the net takes it: blue below 0, orange above", _signed(signed)),
    ]
    return _panels(title, panels)


def _panels(title: str, panels: list[tuple[str, list[list[str]]]]) -> Scene:
    """Return pictures beside each other, each with what it is above."""
    width = _GAP + len(panels) * (_SIDE + _GAP)
    tallest = max(len(rows) / len(rows[0]) for _, rows in panels)
    scene = Scene(width, _TOP + _SIDE * tallest + 30, title)
    scene.shapes.append(Label(_GAP, 24, title, INK, 15, bold=True))
    for place, (said, rows) in enumerate(panels):
        x = _GAP + place * (_SIDE + _GAP)
        scene.shapes.append(Label(x, _TOP - 8, said, SOFT))
        cell = _SIDE / len(rows[0])
        for r, row in enumerate(rows):
            for c, colour in enumerate(row):
                # A little larger, so that no ground shows between cells.
                side = cell + 0.5
                scene.shapes.append(Box(x + c * cell, _TOP + r * cell, side, side, colour))
    return scene


def _shades(picture: Values) -> list[list[str]]:
    """Return a picture's colours, from its darkest to its brightest, [height, width]."""
    small = _smaller(picture)
    low, high = small.min(), small.max()
    share = (small - low) / (high - low if high > low else 1.0)
    bytes_ = np.round(255 * np.broadcast_to(share, (*share.shape[:2], 3))).astype(int)
    return [["#" + "".join(f"{v:02x}" for v in pixel) for pixel in row] for row in bytes_.tolist()]


def _signed(values: Values) -> list[list[str]]:
    """Return the colours of signed numbers, white at 0, [height, width]."""
    small = _smaller(values[..., None])[..., 0]
    most = np.abs(small).max() or 1.0
    return [[mix(BANDED, 0.5 + 0.5 * v / most) for v in row] for row in small.tolist()]


def _strongest(values: Values) -> Values:
    """Return of each pixel the channel's number that is largest in absolute value."""
    place = np.abs(values).argmax(axis=2)[..., None]
    return np.take_along_axis(values, place, axis=2)[..., 0]


def _smaller(picture: Any) -> Values:
    """Return a picture whose blocks of pixels are averaged where it has many."""
    every = -(-max(picture.shape[:2]) // _CELLS)
    height, width = (n // every * every for n in picture.shape[:2])
    cut = picture[:height, :width]
    blocks = cut.reshape(height // every, every, width // every, every, -1)
    return blocks.mean(axis=(1, 3))
