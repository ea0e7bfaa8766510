"""`surefoot report`, and the line about a page at the end of other commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.data import Dataset


def report(
    folder: Annotated[
        Path,
        typer.Argument(help="the folder of a run, a repair or a study", show_default=False),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="the file; default: report.html in the folder", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the page of a run, a repair or a study: one HTML file that needs nothing else.

    A run that still trains, diverged or lost a file gets a page that says so and shows the rest;
    a file that is missing or was altered is named on standard error too.
    """
    from surefoot.cli.output import console, print_json
    from surefoot.report.write import write_report

    people = console()

    def tell(line: str) -> None:
        people.print(f"not readable: {line}", markup=False, soft_wrap=True)

    path = write_report(folder, out, tell=tell)
    if as_json:
        print_json({"report": str(path), "bytes": path.stat().st_size})
    else:
        people.print(f"report: {path}", markup=False, soft_wrap=True)


def add_report(people: Console, folder: Path, dataset: Dataset | None = None) -> None:
    """Write a page at the end of a command, and say where; the work before it is done and safe.

    Args:
        people: who read it.
        folder: of a run, a repair or a study.
        dataset: the run's rows.
    """
    from surefoot.report.write import write_report

    try:
        line = f"report: {write_report(folder, dataset=dataset)}"
    # Whatever a page fails of, it must not turn a training that went well into a failure.
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        line = f"no report was written: {reason}"
    people.print(line, markup=False, soft_wrap=True)
