"""`surefoot explain`."""

from __future__ import annotations

from typing import Annotated

import typer


def explain(
    finding: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="such as dead-units; none: all, with a line each"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Tell what a finding is, how it is recognized, and what to change."""
    from rich.console import Console
    from rich.markdown import Markdown

    from surefoot.cli.output import print_json
    from surefoot.doctor.story import story, summaries

    if finding is None:
        _list(summaries(), as_json)
        return
    text = story(finding)
    if as_json:
        print_json({"id": finding, "text": text})
        return
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        typer.echo(text, nl=False)


def _list(lines: dict[str, str], as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from surefoot.cli.output import print_json

    if as_json:
        print_json({"findings": [{"id": id, "text": text} for id, text in lines.items()]})
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for id, text in lines.items():
        table.add_row(Text(id, no_wrap=True), Text(text))
    Console().print(table)
