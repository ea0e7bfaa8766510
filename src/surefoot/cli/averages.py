"""`surefoot averages`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import AsJson, Picture


def averages(
    betas: Annotated[str, typer.Argument(metavar="β,β,…", help="each from 0 to below 1")] = (
        "0.5,0.9,0.98"
    ),
    run: Annotated[
        Path | None,
        typer.Argument(
            help="average the losses of this run; without it a slow wave with noise",
            show_default=False,
        ),
    ] = None,
    out: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Show exponentially weighted averages with several β, and what bias correction mends."""
    from rich.table import Table

    from surefoot.cli.output import console, print_json
    from surefoot.errors import InputError
    from surefoot.figures.draw import draw
    from surefoot.figures.save import ENDINGS, save
    from surefoot.files import check_target
    from surefoot.landscape.averages import averages as average

    if out is not None:
        check_target(out, ENDINGS, "--out")
    try:
        numbers = [float(beta) for beta in betas.split(",")]
    except ValueError:
        raise InputError(f"{betas}: give numbers with commas, such as 0.5,0.9,0.98") from None
    values, name = None, ""
    if run is not None:
        from surefoot.run import Run

        values, name = Run(run).history["loss"], f"loss of {run}"
    found = average(numbers, values, name=name)
    rows = found.rows()
    if out is not None:
        from surefoot.report.averages import averages_chart

        save(draw(averages_chart(found)), out)
    if as_json:
        curves = [
            {**row, "plain": own.plain.tolist(), "corrected": own.corrected.tolist()}
            for row, own in zip(rows, found.averages, strict=True)
        ]
        told = {"curve": found.name, "values": found.values.tolist(), "averages": curves}
        print_json({**told, "picture": out and str(out)})
        return
    people = console()
    people.print(f"{found.name}, {len(found.values):,} values", markup=False, soft_wrap=True)
    people.print("v ← βv + (1−β)x, corrected v/(1−βᵗ), over about 1/(1−β) values\n")
    columns = {
        "β": "beta",
        "1/(1−β)": "window",
        "first v": "first",
        "corrected": "first_corrected",
        "bias below 1 % from": "settled",
        "roughness left": "roughness",
    }
    if found.truth is not None:
        columns |= {"error": "error", "error, corrected": "error_corrected"}
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(f"{row[key]:.3g}" for key in columns.values()))
    people.print(table)
    if out is not None:
        people.print(f"picture: {out}", markup=False, soft_wrap=True)
