"""`surefoot datasets`."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]


def datasets(as_json: AsJson = False) -> None:
    """List the built-in data sets."""
    from rich.console import Console
    from rich.table import Table

    from surefoot.cli.output import print_json
    from surefoot.data import describe

    entries = describe()
    if as_json:
        print_json({"datasets": entries})
        return
    table = Table(box=None, pad_edge=False)
    for column, justify in (
        ("name", "left"),
        ("task", "left"),
        ("rows", "right"),
        ("inputs", "right"),
        ("classes", "right"),
        ("what it is", "left"),
    ):
        table.add_column(column, justify=justify)
    for entry in entries:
        table.add_row(
            entry["name"],
            entry["task"],
            f"{entry['rows']:,}",
            "×".join(map(str, entry["shape"])),
            str(len(entry["classes"])) if entry["classes"] else "",
            entry["description"],
        )
    Console().print(table)
