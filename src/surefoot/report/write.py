"""`report.html`: the page of a run, a repair or a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.errors import RunError, SurefootError
from surefoot.files import read_json, write_text
from surefoot.report.page import render
from surefoot.report.repair_page import repair_page
from surefoot.report.run_page import run_page
from surefoot.report.study_page import is_study, study_page
from surefoot.run import refuse_ensemble

if TYPE_CHECKING:
    from surefoot.data import Dataset

NAME = "report.html"
# Any of these makes a folder a run's.
_RUN = ("recipe.toml", "summary.json", "metrics.parquet", "metrics", "vitals.parquet", "vitals")


def write_report(
    path: str | Path,
    to: str | Path | None = None,
    *,
    dataset: Dataset | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write the page of a run, a repair or a study: one HTML file that needs nothing else.

    What is missing or broken is named in the page, and the rest is shown.

    Args:
        path: the folder of a run, finished or not, of a repair, or of a finished study.
        to: the file; `report.html` in the folder where nothing is given.
        dataset: the run's rows, where they are at hand; read again from its source where not.
        tell: called with a line about each file that is missing, broken or altered.

    Returns:
        the file.

    Raises:
        RunError: there is no such folder, it is none of the three, or the file cannot be written.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = sf.train("iris", net="mlp:4", epochs=2, out=f"{folder}/run")
    ...     write_report(run.path).name
    'report.html'
    """
    folder = Path(path)
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; give the folder of a run, a repair or a study")
    page = page_of(folder, dataset)
    target = folder / NAME if to is None else Path(to)
    write_text(target, render(page))
    for line in page["lost"]:
        tell(line)
    return target


def page_of(folder: Path, dataset: Dataset | None = None) -> dict[str, Any]:
    """Return what the page of a run, a repair or a study says, and its charts.

    Args:
        folder: of any of the three.
        dataset: the run's rows, where they are at hand.

    Raises:
        RunError: the folder is none of the three.
    """
    summary = None
    if (folder / "summary.json").is_file():
        try:
            summary = read_json(folder / "summary.json")
        except SurefootError:
            summary = None  # the page of a run says so
    refuse_ensemble(folder, summary, "pages are of single runs, repairs and studies")
    if is_study(folder, summary):
        return study_page(folder)
    if (folder / "proof.json").is_file():
        return repair_page(folder, dataset)
    if any((folder / name).exists() for name in _RUN):
        return run_page(folder, dataset)
    raise RunError(f"{folder}: neither a run's folder, nor a repair's, nor a study's")
