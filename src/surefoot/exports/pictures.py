"""Any chart of a page as a picture, without a browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from surefoot.errors import InputError, SurefootError, nearest
from surefoot.figures.draw import draw
from surefoot.figures.save import ENDINGS, save
from surefoot.files import check_target
from surefoot.report.charts import Chart
from surefoot.report.curves import curves
from surefoot.report.folder import open_run
from surefoot.report.layers import heat_map
from surefoot.report.write import page_of


def export_chart(folder: Path, name: str, to: Path) -> None:
    """Write a chart of a run, a repair or a study as PNG or SVG, as the file's ending says.

    Args:
        folder: of a run, finished or not, of a repair, or of a study.
        name: of the chart, as `chart_names` lists them; a vital sign's name is its heat map.
        to: the file.

    Raises:
        InputError: there is no such chart, the file's ending is another, or the file exists.
        RunError: the folder is none of the three, or the file cannot be written.
    """
    check_target(to, ENDINGS)
    save(draw(_find(folder, name)), to)


def chart_names(folder: Path) -> list[str]:
    """Return the names of all charts of a folder's page, heat maps of vital signs among them.

    Raises:
        RunError: the folder is none of a run's, a repair's or a study's.
    """
    return list(dict(_named(_all(folder))))


def _find(folder: Path, name: str) -> Chart:
    """Return a chart; a net is tried on rows again for those alone that need it."""
    quick = dict(_named(_quick(folder)))
    if name in quick:
        return quick[name]
    named = dict(_named(_all(folder)))
    if name not in named:
        names = ", ".join(named) or "none"
        raise InputError(f"--chart {name}: no such chart{nearest(name, named)}; there are: {names}")
    return named[name]


def _quick(folder: Path) -> list[Chart]:
    """Return the charts that a run's tables alone make; none where it is no run."""
    if not (folder / "recipe.toml").is_file() or (folder / "proof.json").exists():
        return []
    try:
        pages = open_run(folder)
    except SurefootError:
        return []
    if pages.evidence is None:
        return []
    heat = heat_map(pages.evidence)
    return [*curves(pages.evidence, pages.findings), *([heat] if heat is not None else [])]


def _all(folder: Path) -> list[Chart]:
    return [chart for section in page_of(folder)["charts"].values() for chart in section]


def _named(charts: list[Chart]) -> Iterator[tuple[str, Chart]]:
    for chart in charts:
        yield str(chart["name"]), chart
        choices: list[Mapping[str, Any]] = chart.get("choices") or []
        if chart["kind"] == "heatmap":
            for place, choice in enumerate(choices):
                yield str(choice["name"]), {**chart, "choice": place}
