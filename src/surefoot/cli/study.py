"""`surefoot study`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.study.results import Study

# More settings are in the table on disk.
_MOST_ROWS = 20


def study(
    file: Annotated[
        Path, typer.Argument(help="a study.toml: a recipe with [vary]", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="the study's folder; default: studies/SOURCE-N", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="say only what is wrong")] = False,
) -> None:
    """Train a recipe with many settings and several seeds, and say what may be concluded.

    A study that was interrupted goes on where it stopped.
    """
    from rich.console import Console

    from surefoot.cli.output import console, print_json
    from surefoot.study.file import study_file

    people = console(quiet)

    def tell(line: str) -> None:
        people.print(line, style="dim", markup=False, soft_wrap=True)

    found = study_file(file, out=out, tell=tell)
    if as_json:
        print_json(found.summary)
    else:
        _show(Console(highlight=False), found)


def _show(people: Console, found: Study) -> None:
    """Print the best settings, and what may be concluded."""
    from rich.table import Table

    from surefoot.study.report import Scale

    summary, rows = found.summary, found.table()
    scale = Scale(summary["measure"], summary["measure"].endswith("accuracy"))
    keys = list(summary["best"]["keys"])
    table = Table(box=None, pad_edge=False)
    for name in keys:
        table.add_column(name, overflow="fold")
    for name in (scale.name, "95 % interval", ""):
        table.add_column(name, no_wrap=True)
    order = sorted(
        range(rows.rows), key=lambda i: -rows["mean"][i] if scale.higher else rows["mean"][i]
    )
    for i in order[:_MOST_ROWS]:
        own = [rows[key][i] for key in keys]
        values = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in own]
        ends = f"{scale.shown(rows['low'][i])} to {scale.shown(rows['high'][i])}"
        known = len(summary["seeds"]) > 1
        verdict = "best" if i == summary["best"]["setting"] else rows["verdict"][i]
        table.add_row(*values, scale.shown(rows["mean"][i]), ends if known else "", verdict)
    people.print(table)
    if len(order) > _MOST_ROWS:
        people.print(f"and {len(order) - _MOST_ROWS:,} more in settings.parquet")
    people.print()
    for sentence in found.conclusions:
        people.print(f"- {sentence}", markup=False, soft_wrap=True)
    people.print(
        f"\n{summary['runs']:,} runs in {summary['seconds']:.1f} s; study: {found.path}",
        markup=False,
        soft_wrap=True,
    )
