"""`surefoot race`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import AsJson, Picture

if TYPE_CHECKING:
    from surefoot.landscape.races import Lane


def race(
    function: Annotated[
        str,
        typer.Argument(help="ravine, beale, saddle, rosenbrock or himmelblau", show_default=False),
    ],
    rules: Annotated[
        str | None,
        typer.Option(
            metavar="RULE,RULE", help="update rules; all of them without it", show_default=False
        ),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(help="learning rate of all; each its best without it", show_default=False),
    ] = None,
    steps: Annotated[int, typer.Option(help="updates of each rule")] = 500,
    out: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Follow every update rule down a test function of two variables, from the same start."""
    from rich.table import Table

    from surefoot.cli.output import console, print_json
    from surefoot.figures.draw import draw
    from surefoot.figures.save import ENDINGS, save
    from surefoot.files import check_target
    from surefoot.landscape.races import NEAR
    from surefoot.landscape.races import race as follow

    if out is not None:
        check_target(out, ENDINGS, "--out")
    names = None if rules is None else [name.strip() for name in rules.split(",") if name.strip()]
    found = follow(function, names, learning_rate=lr, steps=steps)
    if out is not None:
        from surefoot.report.races import race_chart

        save(draw(race_chart(found), 760, 560), out)
    if as_json:
        print_json({**found.to_dict(), "picture": out and str(out)})
        return
    people = console()
    people.print(f"[bold]{found.name}[/], f = {found.function.formula}", soft_wrap=True)
    people.print(found.function.about, markup=False, soft_wrap=True)
    people.print()
    table = Table(box=None, pad_edge=False)
    for name in ("rule", "rate", "steps", "f at the end", "rates that arrive"):
        table.add_column(name, justify="left" if name == "rule" else "right")
    for lane in sorted(found.lanes, key=lambda own: (own.arrived is None, own.arrived or 0)):
        table.add_row(lane.rule, f"{lane.rate:.3g}", _arrived(lane), _value(lane), _serving(lane))
    people.print(table)
    people.print(
        f"\nsteps: until it is within {NEAR:g} of a minimum for good, of {found.steps:,}",
        soft_wrap=True,
    )
    if out is not None:
        people.print(f"picture: {out}", markup=False, soft_wrap=True)


def _arrived(lane: Lane) -> str:
    if lane.arrived is not None:
        return f"{lane.arrived:,}"
    return "diverged" if lane.diverged else "not reached"


def _value(lane: Lane) -> str:
    return "" if lane.diverged else f"{lane.values[-1]:.3g}"


def _serving(lane: Lane) -> str:
    """Say with which rates it arrives."""
    if lane.tried == 1 or not lane.serving:
        return "" if lane.tried == 1 else f"0 of {lane.tried}"
    ends = f"{lane.serving[0]:.2g} to {lane.serving[-1]:.2g}"
    return f"{len(lane.serving)} of {lane.tried}, {ends}"
