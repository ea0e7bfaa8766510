"""Charts of lines, points, bars and intervals, and of parallel coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.figures.axes import Axis, axis_for, written
from surefoot.figures.colours import BAND, EVEN, INK, RULE, SOFT, mix, of_role
from surefoot.figures.frame import BOTTOM, LEFT, RIGHT, TOP, begin, legend, shortened, sides
from surefoot.figures.scene import Box, Dot, Label, Path, Point, Scene, Shape

Line = Mapping[str, Any]


def plot(chart: Mapping[str, Any], width: float, height: float) -> Scene:
    """Return a chart of lines, points, bars or intervals as a picture."""
    scene = begin(chart, width, height)
    lines: Sequence[Line] = chart.get("series", ())
    shown = {str(own["name"]): _tint(own) for own in lines if not own.get("unlisted")}
    if len(shown) > 1 or chart.get("named"):
        legend(scene, list(shown.items()))
    across, names = _across(chart, lines, width)
    heights = [v for own in lines for key in ("y", "low", "high") for v in own.get(key) or ()]
    heights += [0.0] if any(own.get("mark") == "bars" for own in lines) else []
    up = axis_for(chart["y"], heights, height - BOTTOM, TOP)
    sides(scene, chart, None if names else across, up)
    _categories(scene, names, across)
    for band in chart.get("bands") or ():
        scene.shapes.append(_band(band, up, width))
    for mark in chart.get("marks") or ():
        scene.shapes += _mark(mark, across, height)
    for place, own in enumerate(lines):
        scene.shapes += _series(own, across, up, names, place)
    if chart.get("diagonal"):
        ends = [(across.place(v), up.place(v)) for v in chart["diagonal"]]
        points = [(x, y) for x, y in ends if x is not None and y is not None]
        scene.shapes.append(Path(points, SOFT, 1, dashed=True))
    return scene


def _tint(own: Line) -> str:
    """Return a series' colour as it looks on white."""
    return mix(("#ffffff", of_role(own.get("role"))), 0.45 if own.get("faint") else 1.0)


def _across(
    chart: Mapping[str, Any], lines: Sequence[Line], width: float
) -> tuple[Axis, list[str]]:
    """Return the axis along x, and the names of its categories where it has some."""
    begin, end = LEFT, width - RIGHT
    told = chart["x"]
    if told.get("scale") == "category":
        names = [str(name) for name in told.get("categories") or ()]
        return Axis(-0.5, max(len(names), 1) - 0.5, begin, end), names
    xs = [v for own in lines for v in own.get("x") or () if isinstance(v, int | float)]
    marks = [mark["x"] for mark in chart.get("marks") or ()]
    fixed = {"low": min([*xs, *marks], default=0), "high": max([*xs, *marks], default=1)}
    loose = any(own.get("mark") == "points" for own in lines)
    return axis_for(told if loose else {**fixed, **told}, xs, begin, end), []


def _categories(scene: Scene, names: Sequence[str], across: Axis) -> None:
    every = max(1, -(-len(names) // 16))
    room = (across.end - across.begin) / max(len(names), 1) * every
    for i in range(0, len(names), every):
        x = across.place(i)
        assert x is not None
        y = scene.height - BOTTOM + 16
        scene.shapes.append(Label(x, y, shortened(names[i], room, 11), SOFT, anchor="middle"))


def _band(band: Mapping[str, Any], up: Axis, width: float) -> Shape:
    """Return a range that is shaded across the chart."""
    ends = [up.low if band.get("low") is None else band["low"]]
    ends.append(up.high if band.get("high") is None else band["high"])
    top, bottom = sorted(min(max(up.place(v) or up.begin, TOP), up.begin) for v in ends)
    return Box(LEFT, top, width - RIGHT - LEFT, bottom - top, BAND, 0.12)


def _mark(mark: Mapping[str, Any], across: Axis, height: float) -> list[Shape]:
    x = across.place(mark.get("x"))
    if x is None:
        return []
    colour = of_role(mark.get("severity"))
    line = Path([(x, TOP), (x, height - BOTTOM)], colour, 1.2, dashed=True)
    return [line, Label(x + 4, TOP + 9, str(mark.get("label", "")), colour, 10, bold=True)]


def _series(own: Line, across: Axis, up: Axis, names: Sequence[str], place: int) -> list[Shape]:
    colour = of_role(own.get("role"))
    xs = [names.index(x) if x in names else x for x in own.get("x") or ()]
    places = [across.place(x) for x in xs]
    match own.get("mark", "line"):
        case "interval":
            return _interval(own, places, up, colour, bool(names))
        case "bars":
            return _bars(own, places, up, colour, across)
        case "points":
            ends = zip(places, map(up.place, own["y"]), strict=True)
            return [Dot(x, y, 3, colour, 0.8) for x, y in ends if x is not None and y is not None]
    width, opacity = (1.0, 0.35) if own.get("faint") else (2.0, 1.0)
    dashed = bool(own.get("dashed"))
    made: list[Shape] = []
    for piece in _pieces(list(zip(places, map(up.place, own["y"]), strict=True))):
        if len(piece) == 1:
            made.append(Dot(*piece[0], max(width, 2.0), colour, opacity))
        else:
            made.append(Path(piece, colour, width, opacity, dashed=dashed))
    return made


def _pieces(points: Sequence[tuple[float | None, float | None]]) -> list[list[Point]]:
    """Return a line's pieces: it is broken where a value is not there."""
    pieces: list[list[Point]] = [[]]
    for x, y in points:
        if x is None or y is None:
            pieces.append([])
        else:
            pieces[-1].append((x, y))
    return [piece for piece in pieces if piece]


def _interval(
    own: Line, places: Sequence[float | None], up: Axis, colour: str, apart: bool
) -> list[Shape]:
    """Return an area between two curves, or a bar with ends for each category."""
    ends = zip(places, map(up.place, own["low"]), map(up.place, own["high"]), strict=True)
    there = [(x, a, b) for x, a, b in ends if x is not None and a is not None and b is not None]
    if not apart:
        way = [(x, b) for x, _, b in there] + [(x, a) for x, a, _ in reversed(there)]
        return [Path(way, colour, opacity=0.16, filled=True)] if len(way) > 2 else []
    made: list[Shape] = []
    for x, a, b in there:
        made.append(Path([(x, a), (x, b)], colour, 2))
        made += [Path([(x - 4, y), (x + 4, y)], colour, 2) for y in (a, b)]
    return made


def _bars(
    own: Line, places: Sequence[float | None], up: Axis, colour: str, across: Axis
) -> list[Shape]:
    room = (across.end - across.begin) / max(len(places), 1)
    wide = min(max(0.7 * room, 1.0), 36.0)
    ground = up.place(up.low if up.logarithmic else max(up.low, 0.0)) or up.begin
    made: list[Shape] = []
    for x, value in zip(places, own["y"], strict=True):
        y = up.place(value)
        if x is not None and y is not None:
            made.append(Box(x - wide / 2, min(y, ground), wide, abs(ground - y), colour))
    return made


def parallel(chart: Mapping[str, Any], width: float, height: float) -> Scene:
    """Return parallel coordinates as a picture: an axis a key, a line a setting."""
    scene = begin(chart, width, height)
    told, lines = list(chart.get("axes", ())), list(chart.get("lines", ()))
    first, gap = 60.0, (width - 130) / max(len(told) - 1, 1)
    axes, names = [], []
    for k, own in enumerate(told):
        values = [line["values"][k] for line in lines]
        known = [str(name) for name in own.get("categories") or ()]
        begin_at, end_at = height - 24, TOP + 14
        if known:
            axes.append(Axis(-0.5, len(known) - 0.5, begin_at, end_at))
        else:
            numbers = [v for v in values if isinstance(v, int | float)]
            axes.append(axis_for(own, numbers, begin_at, end_at))
        names.append(known)
        x = first + k * gap
        scene.shapes.append(Path([(x, end_at), (x, begin_at)], RULE, 1))
        room = min(gap, 2 * x, 2 * (width - x))
        label = shortened(str(own.get("label", "")), room, 11)
        scene.shapes.append(Label(x, TOP, label, INK, anchor="middle"))
        for value in range(len(known)) if known else axes[k].ticks(4):
            y = axes[k].place(value)
            text = known[int(value)] if known else written(value)
            if y is not None:
                scene.shapes.append(Label(x - 6, y + 4, shortened(text, 54, 10), SOFT, 10, "end"))
    for line in sorted(lines, key=lambda one: one.get("rank", 0)):
        points = []
        for k, value in enumerate(line["values"]):
            place = names[k].index(str(value)) if str(value) in names[k] else value
            y = axes[k].place(place) if isinstance(place, int | float) else None
            if y is not None:
                points.append((first + k * gap, y))
        rank = float(line.get("rank") or 0)
        best = bool(line.get("best"))
        colour = of_role("validation") if best else mix(EVEN[1:], rank)
        scene.shapes.append(Path(points, colour, 3 if best else 1.5, 1 if best else 0.7))
    return scene
