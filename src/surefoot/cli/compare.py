"""`surefoot compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from surefoot.cli.options import AsJson, Assign, Net, Picture


def compare(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="batch_norm|loss",
            help="with and without batch normalization, or cross-entropy and squared error",
            show_default=False,
        ),
    ],
    source: Annotated[
        str,
        typer.Argument(metavar="RECIPE|SOURCE", help="what to train both ways", show_default=False),
    ],
    net: Net = None,
    assign: Assign = None,
    seeds: Annotated[int, typer.Option(help="of each of the two")] = 5,
    rows: Annotated[int, typer.Option(help="training rows to measure on, at most")] = 512,
    out: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Train in two ways, and measure how rough the error surface is that each goes over."""
    from rich.table import Table

    from surefoot.cli.output import console, print_json
    from surefoot.figures.save import ENDINGS, save
    from surefoot.files import check_target
    from surefoot.landscape.comparisons import compare_surfaces
    from surefoot.recipe.overrides import parse_assignments

    if out is not None:
        check_target(out, ENDINGS, "--out")
    keys = dict(parse_assignments(assign or []))
    found = compare_surfaces(kind, source, net=net, keys=keys, seeds=seeds, rows=rows)
    if out is not None:
        from surefoot.report.comparison import draw_comparison

        save(draw_comparison(found), out)
    if as_json:
        print_json({**found.to_dict(), "picture": out and str(out)})
        return
    import numpy as np

    people = console()
    table = Table(box=None, pad_edge=False)
    for name in ("", "loss at the end", "turn of the gradient", "change of the loss"):
        table.add_column(name, justify="right" if name else "left")
    for own in found.variants:
        cells = (own.losses[:, -1], own.turning, own.steepness)
        table.add_row(own.name, *(f"{np.nanmedian(values):.3g}" for values in cells))
    people.print(table)
    people.print(f"\n{found.sentence}", markup=False, soft_wrap=True)
    if out is not None:
        people.print(f"picture: {out}", markup=False, soft_wrap=True)
