"""`surefoot explain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from surefoot.cli.options import AsJson


def explain(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC",
            help="a finding such as dead-units, or a page of the handbook such as momentum; none: "
            "all, with a line each",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a finding is and what to change, or open a page of the handbook."""
    from rich.console import Console
    from rich.markdown import Markdown

    from surefoot.cli.output import print_json
    from surefoot.doctor.story import story, summaries
    from surefoot.errors import InputError, nearest
    from surefoot.handbook.pages import page, topics

    findings, pages = summaries(), topics()
    if topic is None:
        _list(findings, pages, as_json)
        return
    if topic not in findings and topic not in pages:
        every = [*findings, *pages]
        raise InputError(
            f"there is no topic {topic!r}{nearest(topic, every)} (topics: {', '.join(every)})"
        )
    text = story(topic) if topic in findings else page(topic)
    if as_json:
        print_json({"id": topic, "text": text})
        return
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        typer.echo(text, nl=False)


def _list(findings: Mapping[str, str], pages: Mapping[str, str], as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from surefoot.cli.output import print_json

    if as_json:
        told = {"findings": findings, "pages": pages}
        print_json(
            {
                part: [{"id": id, "text": text} for id, text in lines.items()]
                for part, lines in told.items()
            }
        )
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for id, text in {**findings, **pages}.items():
        table.add_row(Text(id, no_wrap=True), Text(text))
    Console().print(table)
