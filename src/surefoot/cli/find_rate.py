"""`surefoot find-rate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from surefoot.cli.options import AsJson


def find_rate(
    source: Annotated[
        str, typer.Argument(help="a recipe.toml, or a source of data", show_default=False)
    ],
    seeds: Annotated[int, typer.Option(help="of each rate")] = 3,
    steps: Annotated[int, typer.Option(help="updates of each run")] = 300,
    as_json: AsJson = False,
) -> None:
    """Say which learning rates train a recipe, and why; nothing is written."""
    show_rates(source, seeds=seeds, steps=steps, keys={}, as_json=as_json)


def show_rates(
    source: str, *, seeds: int, steps: int, keys: Mapping[str, Any], as_json: bool
) -> None:
    """Find the rates that train a recipe, and print them.

    Args:
        source: a recipe.toml, or a source of data.
        seeds: of each rate.
        steps: of each run.
        keys: of the recipe, to be set.
        as_json: whether to print one JSON object.
    """
    from rich.console import Console
    from rich.table import Table

    from surefoot.cli.output import console, print_json
    from surefoot.job import prepare
    from surefoot.study.rate_finder import find_rate as find

    people = console()

    def tell(line: str) -> None:
        people.print(line, style="dim", markup=False, soft_wrap=True)

    given = prepare(source, keys=keys, facts=False) if keys else source
    found = find(given, seeds=seeds, steps=steps, tell=tell)
    if as_json:
        print_json(found.to_dict())
        return
    shown = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in ("learning rate", "loss", "diverged", ""):
        table.add_column(name, justify="right", no_wrap=True)
    columns = (found.table[name] for name in ("learning_rate", "loss", "diverged", "serves"))
    for rate, loss, diverged, serves in zip(*columns, strict=True):
        mark = ("best" if rate == found.rate else "serves") if serves else ""
        count = f"{diverged} of {seeds}" if diverged else ""
        table.add_row(f"{rate:.2g}", "" if loss != loss else f"{loss:.4g}", count, mark)
    shown.print(table)
    best = f"[bold]{found.rate:.2g}[/] ({found.low:.2g} to {found.high:.2g})"
    shown.print(f"\n{best}" if found.table["serves"].any() else "\n[bold]no rate stands out[/]")
    shown.print(found.reason, markup=False, soft_wrap=True)
