"""Draws slices and planes of a run's error surface, and keeps them in its surface table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.checksums import check, resealed
from surefoot.errors import InputError, RunError, nearest
from surefoot.landscape.directions import principal_plane, random_directions
from surefoot.landscape.points import Place, find, locate
from surefoot.landscape.surface import Losses, Sampled, grid
from surefoot.landscape.trajectory import Trajectory, retrace
from surefoot.run import Run
from surefoot.vitals.surface import SURFACE_COLUMNS, SURFACE_COUNTS, SURFACE_TEXTS
from surefoot.vitals.table import Table, read, write

TABLE = "surface"
PLANES = ("path", "random")
# How many points an axis has: where nothing is said, and at most.
POINTS = {"slice": (51, 1001), "surface": (25, 101)}
_FEWEST_POINTS = 3
# A path's plane is drawn this share of the path's extent beyond it, so that walls are seen.
_MARGIN = 0.25
# A path that hardly leaves its line is drawn on a strip this share as wide as the line is long.
_STRIP = 0.05

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Section:
    """A slice or plane of a run's error surface.

    Attributes:
        run: the run.
        which: "best", "last" or "step": the weights in the middle.
        step: how many updates had been made before them.
        kind: "slice" or "surface".
        plane: "random" or "path".
        points: the rows of the surface table that are the slice or plane.
        path: those that are the path on it; without rows where there is none.
    """

    run: Run
    which: str
    step: int
    kind: str
    plane: str
    points: Table
    path: Table


def measure_surface(
    run: Run | str | Path,
    at: str | int = "last",
    kind: str = "surface",
    *,
    plane: str | None = None,
    points: int | None = None,
    rows: int = 1024,
    seed: int = 0,
) -> Section:
    """Measure the loss on a slice or plane through a run's weights, and write it down.

    The run's ``surface.parquet`` keeps one slice and one surface of each sort of plane; the same
    measured again replaces the old one. `surefoot.report` draws them.

    | kind | plane | what is measured |
    | --- | --- | --- |
    | slice | random | along a filter-normalized random direction, from −1 to 1 |
    | slice | path | along the straight line from the first weights, at −1, through 0 and on to 1 |
    | surface | random | on two filter-normalized random directions, from −1 to 1 |
    | surface | path | on the plane of the path's principal components, with the path, a quarter of its extent beyond it |

    Args:
        run: a run, or its folder.
        at: "best", "last", or a step: the weights in the middle, where a path ends.
        kind: "slice" or "surface".
        plane: "random" or "path"; a surface's is the path's, a slice's is random.
        points: how many along each axis; 51 on a slice, 25 on a surface.
        rows: how many training rows, and validation rows, to measure on at most.
        seed: of the choice of rows and of random directions.

    Raises:
        RunError: there is no such point, or its weights, data or path cannot be had again.
        InputError: an argument is not what it can be.

    Source: Goodfellow and others 2015, *Qualitatively characterizing neural network optimization
    problems*, for the line; Li and others 2018, *Visualizing the loss landscape of neural nets*.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = sf.train("iris", net="mlp:4", epochs=2, out=f"{folder}/run")
    ...     there = sf.measure_surface(run, kind="slice", points=5)
    >>> there.points["a"].tolist(), bool(np.isfinite(there.points["loss"]).all())
    ([-1.0, -0.5, 0.0, 0.5, 1.0], True)
    """  # noqa: E501
    plane, points = _checked(kind, plane, points, rows)
    run = run if isinstance(run, Run) else Run(run)
    before = _rows_before(run)
    if plane == "path":
        place, path = _with_path(run, at, kind)
    else:
        place, path = find(run, at), None
    sampled = Sampled(place.cohort, place.params, place.state, rows=rows, seed=seed)
    if kind == "slice":
        found = _slice(place, path, sampled, points, seed)
    else:
        found = _surface(place, path, sampled, points, seed)
    validation = 0 if sampled.validation is None else sampled.validation.rows
    about = {
        "run": run.path.name,
        "which": place.which,
        "plane": plane,
        "at": place.step,
        "rows": sampled.training.rows,
        "validation_rows": validation,
        "seed": seed,
    }
    own = _table(found, about)
    with resealed(run.path, f"{TABLE}.parquet"):
        write(run.path, TABLE, _joined(before, own, kind, plane))
    table = Table(own)
    on_path = table["kind"] == "path"
    return Section(
        run, place.which, place.step, kind, plane, table.where(~on_path), table.where(on_path)
    )


def _checked(kind: str, plane: str | None, points: int | None, rows: int) -> tuple[str, int]:
    """Return which plane and how many points are asked for."""
    if kind not in POINTS:
        raise InputError(f"kind = {kind!r}: must be slice or surface{nearest(kind, POINTS)}")
    if plane is None:
        plane = "path" if kind == "surface" else "random"
    if plane not in PLANES:
        raise InputError(f"plane = {plane!r}: must be path or random{nearest(plane, PLANES)}")
    usual, most = POINTS[kind]
    points = usual if points is None else points
    if not _FEWEST_POINTS <= points <= most:
        raise InputError(
            f"points = {points}: a {kind} has from {_FEWEST_POINTS} to {most} along an axis"
        )
    if rows < 1:
        raise InputError(f"rows = {rows}: must be at least 1")
    return plane, points


def _with_path(run: Run, at: str | int, kind: str) -> tuple[Place, Trajectory]:
    """Return a point of a run with the way to it: of the straight line only its ends."""
    spot = locate(run, at)
    if spot.step == 0:
        raise InputError("at = 0: no path leads to a run's first weights; draw a random plane")
    ends = np.array([0, spot.step]) if kind == "slice" else None
    path = retrace(run, spot, ends)
    if not np.any(path.weights != path.weights[-1]):
        raise RunError(f"{run.path}: its weights never moved, so there is no path to draw")
    return Place(spot.which, spot.step, spot.cohort, path.params, path.state), path


def _slice(
    place: Place, path: Trajectory | None, sampled: Sampled, points: int, seed: int
) -> list[Columns]:
    if path is None:
        directions = _random(place, 1, seed)
    else:
        start, end = np.asarray(path.weights, np.float64)
        directions = (end - start)[None]
    a = np.linspace(-1, 1, points)
    losses = sampled.plane(directions, grid([a]))
    return [_rows("slice", losses, place.step, a=a)]


def _surface(
    place: Place, path: Trajectory | None, sampled: Sampled, points: int, seed: int
) -> list[Columns]:
    if path is None:
        directions = _random(place, 2, seed)
        axes = [np.linspace(-1, 1, points)] * 2
        a, b = grid(axes).T
        return [_rows("surface", sampled.plane(directions, grid(axes)), place.step, a=a, b=b)]
    plane = principal_plane(path.weights, seed)
    differences = np.asarray(path.weights, np.float64) - path.weights[-1]
    way = differences @ plane.directions.T
    off = np.linalg.norm(differences - way @ plane.directions, axis=1)
    shares = dict(zip(("explained_a", "explained_b"), plane.explained, strict=True))
    places = grid(_around(way, points))
    losses = sampled.plane(plane.directions, places)
    a, b = places.T
    on_plane = _rows("surface", losses, place.step, a=a, b=b, **shares)
    losses = sampled.path(path.weights)
    a, b = way.T
    return [
        on_plane,
        _rows("path", losses, path.steps, a=a, b=b, off_plane=off, **shares),
    ]


def _random(place: Place, count: int, seed: int) -> NDArray[np.float64]:
    network = place.cohort.blueprint.network
    directions = random_directions(network, place.params, count, seed)
    if not directions.any(axis=1).all():
        raise RunError(
            "all of the net's weight matrices are 0, and a direction as long as they are leads "
            "nowhere; draw the path's plane"
        )
    return directions


def _around(way: NDArray[np.float64], points: int) -> list[NDArray[np.float64]]:
    """Return the axes of a grid around a path, [points, 2]."""
    low, high = way.min(axis=0), way.max(axis=0)
    extent = np.maximum(high - low, _STRIP * (high - low).max())
    middle = (low + high) / 2
    reach = (0.5 + _MARGIN) * extent
    return [np.linspace(m - r, m + r, points) for m, r in zip(middle, reach, strict=True)]


def _rows(kind: str, losses: Losses, step: Any, **columns: Any) -> Columns:
    """Return rows of the table; numbers that hold for all of them are repeated."""
    given = {"loss": losses.loss, "validation_loss": losses.validation_loss, **columns}
    count = len(losses.loss)
    rows = {name: np.full(count, given.get(name, np.nan), np.float64) for name in SURFACE_COLUMNS}
    return {
        "kind": np.full(count, kind, object),
        "step": np.full(count, step, np.int64),
        **rows,
    }


def _table(parts: list[Columns], about: Mapping[str, Any]) -> Columns:
    """Return the rows of one measurement as the table has them."""
    count = sum(len(part["kind"]) for part in parts)
    own = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    own |= {name: np.full(count, value, _type(name)) for name, value in about.items()}
    return {name: own[name] for name in (*SURFACE_TEXTS, *SURFACE_COUNTS, *SURFACE_COLUMNS)}


def _type(name: str) -> Any:
    return object if name in SURFACE_TEXTS else np.int64 if name in SURFACE_COUNTS else np.float64


def _rows_before(run: Run) -> Columns:
    """Return what was measured before."""
    path = run.path / f"{TABLE}.parquet"
    if not path.is_file():
        return {}
    check(run.path, path.name)
    table = dict(read(run.path, TABLE))
    if set(table) != {*SURFACE_TEXTS, *SURFACE_COUNTS, *SURFACE_COLUMNS}:
        raise RunError(f"{path}: not a surface table of this version; remove it")
    return table


def _joined(before: Columns, own: Columns, kind: str, plane: str) -> Columns:
    """Return the table with the new rows in place of what was measured of the same."""
    if not before:
        return own
    replaced = (kind,) if kind == "slice" else (kind, "path")
    other = ~(np.isin(before["kind"], replaced) & (before["plane"] == plane))
    return {
        name: np.concatenate([np.asarray(before[name], column.dtype)[other], column])
        for name, column in own.items()
    }
