"""`surefoot data`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

# As many columns of a table, and classes of a target, as a page holds.
_MOST_LINES = 40


def data(
    source: Annotated[
        str,
        typer.Argument(
            help="a table, a folder of pictures, a .npz file or a built-in set", show_default=False
        ),
    ],
    target: Annotated[
        str | None, typer.Option(help="tables: the column to predict", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at data before training: kinds, missing values, balance, repeats, suspicious targets."""
    from rich.console import Console

    from surefoot.cli.output import print_json
    from surefoot.data import gather
    from surefoot.data.facts import look
    from surefoot.recipe import Recipe

    chosen = {"source": source} if target is None else {"source": source, "target": target}
    section = Recipe.parse({"data": chosen, "net": {"layers": [{"dense": "outputs"}]}}, source).data
    facts = look(gather(section), section)
    if as_json:
        print_json(facts)
    else:
        show(Console(highlight=False), facts)


def show(people: Console, facts: dict[str, Any]) -> None:
    """Print facts for people."""
    from rich.markup import escape

    shape = "×".join(map(str, facts["shape"])) if "shape" in facts else ""
    inputs = f"{len(facts['columns'])} columns" if facts["form"] == "table" else f"inputs {shape}"
    people.print(
        f"[bold]{escape(facts['source'])}[/]: {facts['rows']:,} rows, {inputs}", soft_wrap=True
    )
    if facts["form"] == "table":
        people.print(_columns(facts["columns"]))
    elif facts["inputs"] is not None:
        people.print(f"values: {_span(facts['inputs'])}")
    for line in (*remarks(facts), *facts["notes"]):
        people.print(escape(line), soft_wrap=True)


def _columns(columns: list[dict[str, Any]]) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("column", "kind", "missing", "distinct", "values"):
        table.add_column(heading, justify="right" if heading in ("missing", "distinct") else "left")
    for about in columns[:_MOST_LINES]:
        table.add_row(
            escape(about["name"]),
            about["kind"],
            f"{about['missing']:,}" if about["missing"] else "",
            f"{about['distinct']:,}",
            _span(about) if "mean" in about else escape(about["reason"]),
        )
    if len(columns) > _MOST_LINES:
        table.add_row(f"… and {len(columns) - _MOST_LINES} more", "", "", "", "")
    return table


def _span(about: dict[str, Any]) -> str:
    return (
        f"{about['minimum']:g} to {about['maximum']:g}, mean {about['mean']:.4g}, "
        f"spread {about['std']:.4g}"
    )


def remarks(facts: dict[str, Any]) -> list[str]:
    """Return the target's balance, and what is missing, constant or repeated, a line each."""
    lines = []
    target = facts["target"]
    if target is not None and "classes" in target:
        counts = list(target["classes"].items())
        shown = ", ".join(f"{name} {count:,}" for name, count in counts[:_MOST_LINES])
        more = f" and {len(counts) - _MOST_LINES} more" if len(counts) > _MOST_LINES else ""
        lines.append(f"target: {target['size']} classes: {shown}{more}")
    elif target is not None and "mean" in target:
        lines.append(f"target: {target['size']} number{'s'[: target['size'] > 1]}: {_span(target)}")
    elif target is not None:
        lines.append(f"target: {target['size']} labels")
    if facts["missing"]:
        lines.append(f"missing values: {facts['missing']:,}")
    constant = facts["constant_columns"]
    if constant:
        names = ", ".join(map(str, constant[:_MOST_LINES]))
        what = (
            "1 column never changes"
            if len(constant) == 1
            else f"{len(constant)} columns never change"
        )
        lines.append(f"{what}: {names}")
    for pair in facts.get("duplicate_columns", [])[:_MOST_LINES]:
        lines.append(f"columns {pair[0]!r} and {pair[1]!r} hold the same values")
    if facts["identical_rows"]:
        lines.append(f"rows that repeat an earlier one: {facts['identical_rows']:,}")
    if facts["near_identical_rows"]:
        lines.append(f"rows nearly like an earlier one: {facts['near_identical_rows']:,}")
    return lines
