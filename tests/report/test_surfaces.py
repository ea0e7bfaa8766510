"""Slices, planes and paths in the page of a run."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.report.run_page import run_page
from surefoot.report.surfaces import sections
from surefoot.report.write import write_report
from surefoot.vitals.surface import SURFACE_COLUMNS
from surefoot.vitals.table import Table, write


def _rows(kind, plane, **columns):
    count = len(columns["loss"])
    texts = {"run": "made", "which": "last", "kind": kind, "plane": plane}
    return {
        **{name: np.full(count, text, object) for name, text in texts.items()},
        "at": np.full(count, 60),
        "step": columns.pop("step", np.full(count, 60)),
        **{name: np.full(count, np.nan) for name in SURFACE_COLUMNS},
        **columns,
    }


def _table(loss=lambda a, b: 0.01 + a**2 + 4 * b**2):
    """Return a slice through a bowl, the bowl, and a path down into it."""
    line = np.linspace(-1, 1, 11)
    a, b = (own.ravel() for own in np.meshgrid(line, line))
    way = np.linspace(-0.8, 0, 5)
    shares = {"explained_a": np.full(5, 0.9), "explained_b": np.full(5, 0.06)}
    on_way = {"a": way, "b": way / 2, "loss": loss(way, way / 2), "step": np.arange(5) * 15}
    parts = [
        _rows("slice", "random", a=line, loss=loss(line, 0), validation_loss=loss(line, 0) + 1),
        _rows("surface", "path", a=a, b=b, loss=loss(a, b)),
        _rows("path", "path", **on_way, **shares),
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def test_the_plane_has_rings_about_its_lowest_point_and_the_path():
    plane, line = sections(Table(_table()))
    assert "96.0\u00a0% of the path's variance" in plane["said"]
    series = {own["name"]: own for own in plane["chart"]["series"]}
    assert (series["start"]["x"], series["end"]["x"]) == ([-0.8], [0])
    assert series["snapshots"]["notes"][1].startswith("step 15, loss ")
    assert len(series["path"]["x"]) == 5
    rings = [own for own in plane["chart"]["series"] if own["role"] == "seq-1"]
    for ring in rings:
        x, y = (np.array([v for v in ring[name] if v is not None]) for name in "xy")
        level = float(ring["name"])
        np.testing.assert_allclose(0.01 + x**2 + 4 * y**2, level, atol=0.05)
    # Losses from 0.01 to 5.01 span decades: levels go by ratio.
    levels = [float(name) for name in series if name[0].isdigit()]
    assert np.ptp(np.diff(np.log(levels))) < 0.05
    assert [own["name"] for own in line["chart"]["series"]] == ["training", "validation"]


def test_what_is_not_finite_is_a_hole_and_said():
    def burst(a, b):
        return np.where(a > 0.5, np.inf, 1 + a**2 + b**2)

    plane, line = sections(Table(_table(burst)))
    assert "At 33 of 121 places the loss is not finite" in plane["said"]
    assert line["chart"]["series"][0]["y"][-1] is None
    assert max(x for own in plane["chart"]["series"] for x in own["x"] if x is not None) <= 0.5
    (nowhere, _) = sections(Table(_table(lambda a, b: np.full(np.shape(a + b), np.nan))))
    assert [own["name"] for own in nowhere["chart"]["series"]] == [
        "path",
        "snapshots",
        "start",
        "end",
    ]


def test_the_page_shows_it_and_stays_small(made, home):
    folder = made(home / "surface")
    write(folder, "surface", _table())
    page = write_report(folder)
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 2_000_000
    for words in ('href="#surface"', 'data-chart="surface-path"', 'data-chart="slice-random"'):
        assert words in text


@pytest.mark.parametrize("broken", ["bytes", "columns", "texts"])
def test_a_broken_table_is_named_and_the_rest_is_shown(made, home, broken):
    folder = made(home / f"surface-{broken}")
    table = _table()
    if broken == "bytes":
        (folder / "surface.parquet").write_bytes(b"not a table")
    else:
        table = {name: column for name, column in table.items() if name != "loss"}
        if broken == "texts":
            table["loss"] = np.full(len(table["a"]), "much", object)
        write(folder, "surface", table)
    page = run_page(folder)
    assert page["sections"] == []
    assert any("surface.parquet" in line for line in page["lost"])
    assert page["charts"]["curves"]
