"""What `surefoot landscape --slice` and `--surface` say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.landscape.sections import Section

# Below this share of an axis a place on it is 0.
_ROUNDING = 1e-9


def measured(
    run: Path, at: str, kinds: list[str], plane: str | None, points: int | None, rows: int
) -> list[Section]:
    """Measure a slice, a surface, or both."""
    from surefoot.landscape.sections import measure_surface

    return [measure_surface(run, at, kind, plane=plane, points=points, rows=rows) for kind in kinds]


def as_dict(section: Section) -> dict[str, Any]:
    """Return a slice or surface as JSON has it."""
    points, path = section.points, section.path
    columns = ["a", "loss", "validation_loss"]
    told = {"plane": section.plane, "rows": int(points["rows"][0])}
    told["validation_rows"] = int(points["validation_rows"][0])
    if section.kind == "surface":
        columns.insert(1, "b")
    told |= {"points": {name: points[name].tolist() for name in columns}}
    if path.rows:
        told["explained"] = [float(path[f"explained_{name}"][0]) for name in "ab"]
        names = ["step", *columns, "off_plane"]
        told["path"] = {name: path[name].tolist() for name in names}
    return told


def show(people: Console, section: Section) -> None:
    """Say what was measured: where the loss is lowest, and what the plane holds of the path."""
    import numpy as np
    from rich.text import Text

    points, path = section.points, section.path
    along = {
        ("slice", "random"): "along a filter-normalized random direction",
        ("slice", "path"): "along the line from the first weights, at −1, to these, at 0",
        ("surface", "random"): "on two filter-normalized random directions",
        ("surface", "path"): "on the plane of the path",
    }[section.kind, section.plane]
    people.print(f"\n[bold]{section.kind}[/] {along}", soft_wrap=True)
    lines = [
        f"{points.rows:,} points, training loss on {points['rows'][0]:,.0f} rows",
        *_ends(points["loss"], points),
    ]
    if points["validation_rows"][0]:
        lines.append(f"validation loss on {points['validation_rows'][0]:,.0f} rows")
        lines += _ends(points["validation_loss"], points)
    lost = int((~np.isfinite(points["loss"])).sum())
    if lost:
        lines.append(f"not finite at {lost:,} points")
    if path.rows:
        shares = [float(path[f"explained_{name}"][0]) for name in "ab"]
        lines.append(
            f"path of {path.rows} snapshots, loss {path['loss'][0]:.4g} to "
            f"{path['loss'][-1]:.4g}; the plane holds {sum(shares):.1%} of its variance "
            f"({shares[0]:.1%} and {shares[1]:.1%})"
        )
    for line in lines:
        people.print(Text(f"  {line}"), soft_wrap=True)


def _ends(losses: Any, points: Any) -> list[str]:
    """Say where the loss is lowest, and how high it gets."""
    import numpy as np

    finite = np.isfinite(losses)
    if not finite.any():
        return []
    lowest = int(np.argmin(np.where(finite, losses, np.inf)))
    place = {
        name: 0.0 if abs(own[lowest]) < _ROUNDING * np.abs(own).max() else own[lowest]
        for name, own in ((name, points[name]) for name in "ab")
        if np.isfinite(own).all()
    }
    at = ", ".join(f"{value:.3g}" for value in place.values())
    name = ", ".join(place)
    highest = float(losses[finite].max())
    return [f"  lowest {losses[lowest]:.6g} at {name} = {at}; highest {highest:.4g}"]
