"""Pictures without a browser: what is drawn, where, and what cannot be."""

from __future__ import annotations

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from surefoot.errors import InputError
from surefoot.figures.axes import Axis, axis_for
from surefoot.figures.draw import draw
from surefoot.figures.png import to_png
from surefoot.figures.scene import Box, Label, Path
from surefoot.figures.svg import to_svg

EVIL = '<script>&"\x00\ud800'
AXES = {"x": {"label": "step"}, "y": {"label": "loss"}}
LINE = {"name": "train", "role": "train", "mark": "line", "x": [0, 5, 10], "y": [1.0, None, 3.0]}
CHOICE = {
    "name": "sign",
    "label": "a sign",
    "rows": ["1 dense", "2 relu"],
    "edges": [0, 10, 20],
    "values": [[1e-4, 1e-2], [1.0, None]],
    "scale": "log",
    "low": 1e-4,
    "high": 1.0,
    "band": [1e-3, 1e-1],
}
CATEGORY = {"label": EVIL, "scale": "category", "categories": ["a", EVIL]}
CHARTS = {
    "line": {"kind": "plot", **AXES, "series": [LINE], "marks": [{"x": 5, "label": EVIL}]},
    "bands": {"kind": "plot", **AXES, "series": [LINE], "bands": [{"low": 1.5, "high": None}]},
    "bars": {
        "kind": "plot",
        "x": CATEGORY,
        "y": {"label": "rows"},
        "series": [{"name": "rows", "mark": "bars", "x": [0, 1], "y": [3, 4]}],
    },
    "interval": {
        "kind": "plot",
        **AXES,
        "series": [{**LINE, "mark": "interval", "low": [0, 1, 2], "high": [2, 3, None]}],
        "diagonal": [0, 1],
    },
    "points": {"kind": "plot", **AXES, "series": [{**LINE, "mark": "points"}, LINE]},
    "empty": {"kind": "plot", **AXES, "series": [{**LINE, "x": [], "y": []}]},
    "heat": {"kind": "heatmap", "x": {"label": "step"}, "choices": [CHOICE]},
    "matrix": {"kind": "matrix", "x": CATEGORY, "y": CATEGORY, "cells": [[3, 0], [1, 9]]},
    "parallel": {
        "kind": "parallel",
        "axes": [{"label": "rate", "scale": "log"}, CATEGORY],
        "lines": [
            {"values": [0.1, "a"], "rank": 0.2},
            {"values": [0.001, EVIL], "rank": 1, "best": True},
        ],
    },
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_kind_is_drawn_as_well_formed_svg_and_as_png_of_its_size(name):
    scene = draw({"title": EVIL, "name": name, **CHARTS[name]})
    svg = to_svg(scene)
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    image = Image.open(BytesIO(to_png(scene, scale=1)))
    assert image.size == (round(scene.width), round(scene.height))
    assert len(image.convert("RGB").getcolors(100_000)) > 5


def test_a_line_is_where_its_numbers_are_and_breaks_where_there_is_none():
    chart = {**CHARTS["line"], "x": {"label": "step", "low": 0, "high": 10}}
    chart["y"] = {"label": "loss", "low": 0, "high": 4}
    whole = {**LINE, "y": [0.0, 4.0, 2.0]}
    scene = draw({"title": "", **chart, "series": [whole], "marks": []}, 500, 300)
    (line,) = [s for s in scene.shapes if isinstance(s, Path) and s.colour == "#1a5fb4"]
    (x0, y0), (x1, y1), (x2, y2) = line.points
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y2 == pytest.approx((y0 + y1) / 2)
    assert y1 < y0
    broken = draw({"title": "", **chart, "series": [LINE], "marks": []})
    assert not [s for s in broken.shapes if isinstance(s, Path) and s.colour == "#1a5fb4"]


def test_cells_have_the_colour_of_their_band():
    scene = draw({"title": "", **CHARTS["heat"]})
    cells = [s for s in scene.shapes if isinstance(s, Box) and s.y >= 60]
    assert [cell.colour for cell in cells] == ["#1f4e9c", "#eceeea", "#b23c0a"]
    assert cells[0].x + cells[0].width == pytest.approx(cells[1].x)
    assert any(isinstance(s, Label) and "healthy from" in s.text for s in scene.shapes)


def test_ticks_are_round_and_lie_within():
    random = np.random.default_rng(0)
    for _ in range(200):
        low, width = random.normal() * 10 ** random.uniform(-3, 3), 10 ** random.uniform(-6, 6)
        axis = Axis(low, low + width, 0.0, 1.0)
        places = [axis.place(value) for value in axis.ticks()]
        assert 2 <= len(places) <= 8
        assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)


@pytest.mark.parametrize("values", [[], [None], [float("nan")], [0.0], [3.0, 3.0], [-1.0, 1e30]])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_an_axis_has_room_whatever_its_values(values, scale):
    axis = axis_for({"scale": scale}, values, 0.0, 1.0)
    assert axis.high > axis.low
    assert axis.ticks()


def test_a_kind_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="'globe'"):
        draw({"kind": "globe"})
