"""`surefoot gradcheck`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import AsJson, Assign, Net

if TYPE_CHECKING:
    from surefoot.gradients.compare import Checked
    from surefoot.gradients.cost import Cost


def gradcheck(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|SOURCE|RUN", help="whose gradient to check", show_default=False
        ),
    ],
    net: Net = None,
    assign: Assign = None,
    rows: Annotated[int, typer.Option(help="training rows that the loss is a mean of")] = 16,
    entries: Annotated[int, typer.Option(help="weights to look at of each array")] = 10,
    seed: Annotated[int, typer.Option(help="of the choice of rows and entries")] = 0,
    as_json: AsJson = False,
) -> int:
    """Check the gradient by reverse mode, forward mode and finite differences, layer by layer.

    Says which mode is cheaper here, and why. Exits with 1 where the gradient is wrong.
    """
    from rich.table import Table

    from surefoot.cli.output import console, print_json
    from surefoot.gradients.check import gradcheck as check
    from surefoot.recipe.overrides import parse_assignments

    found = check(
        source,
        net=net,
        keys=dict(parse_assignments(assign or [])),
        rows=rows,
        entries=entries,
        seed=seed,
    )
    code = 0 if found.agrees else 1
    if as_json:
        print_json(found.to_dict())
        return code
    people = console()
    table = Table(box=None, pad_edge=False)
    for name in ("layer", "", "weights", "shape", "entries", "forward", "differences", ""):
        table.add_column(name, overflow="fold")
    for own in found.weights:
        table.add_row(*_row(own))
    people.print(table)
    people.print("\nentries: compared of those sampled; then the largest relative errors")
    for note in found.notes:
        people.print(note, markup=False, soft_wrap=True)
    people.print(f"\n{found.sentence}", style="bold", markup=False, soft_wrap=True)
    people.print()
    people.print(_costs(found.cost))
    people.print(f"\n{found.cost.sentence}", markup=False, soft_wrap=True)
    return code


def _row(own: Checked) -> list[str]:
    left = [f"{own.kinks} at kinks"] if own.kinks else []
    if own.zero:
        left.append("gradient is 0")
    elif own.small:
        left.append(f"{own.small} too small to tell")
    return [
        own.weight.layer,
        own.weight.kind,
        own.weight.name,
        "×".join(map(str, own.shape)) or "1",
        f"{own.compared} of {own.sampled}",
        "not defined" if own.forward_error is None else f"{own.forward_error:.1e}",
        "" if own.difference_error != own.difference_error else f"{own.difference_error:.1e}",
        ", ".join(left) if own.agrees else "wrong",
    ]


def _costs(cost: Cost) -> object:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("mode", "passes", "operations", "a pass", "all passes"):
        table.add_column(name, justify="left" if name == "mode" else "right")
    for mode in cost.modes:
        table.add_row(
            mode.name,
            f"{mode.passes:,}",
            f"{mode.operations:,}",
            _seconds(mode.seconds),
            _seconds(mode.total_seconds),
        )
    return table


def _seconds(seconds: float) -> str:
    """Return a time as people say it.

    >>> [_seconds(value) for value in (2.5e-5, 0.0123, 4.5)]
    ['25 µs', '12.3 ms', '4.5 s']
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:,.1f} s"
