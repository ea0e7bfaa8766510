"""`surefoot study`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.options import AsJson, Quiet
from surefoot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from surefoot.study.results import Study

_RATE = "rate"
_SEEDS, _RATE_SEEDS = 8, 3


def study(
    what: Annotated[
        str | None,
        typer.Argument(
            help=r"a study.toml: a recipe with \[vary]; or a ready study's name", show_default=False
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Argument(
            help="of a ready study: a recipe.toml, or a source of data", show_default=False
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(help="ready study: of each setting; default: 8", show_default=False),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="ready study: of each run", show_default=False)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="ready study: any key of the recipe"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="the study's folder; default: studies/SOURCE-N", show_default=False),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="list the ready studies, each with its question")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train a recipe with many settings and several seeds, and say what may be concluded.

    Either what a file asks for, or a ready study: surefoot study optimizers digits. A study that
    was interrupted goes on where it stopped.
    """
    from surefoot.cli.output import console, print_json
    from surefoot.cli.report import add_report
    from surefoot.processes import is_first, place_of, together
    from surefoot.recipe.overrides import parse_assignments

    people = console(quiet)

    def tell(line: str) -> None:
        people.print(line, style="dim", markup=False, soft_wrap=True)

    if listed:
        _list(as_json)
        return
    if what is None:
        raise InputError("name a study.toml or a ready study; `surefoot study --list` lists them")
    keys = dict(parse_assignments(settings or ()))
    if what == _RATE:
        _rate(source, seeds, keys, as_json, {"--epochs": epochs, "--out": out})
        return
    if what.endswith(".toml") or Path(what).is_file():
        options = {"a source": source, "--seeds": seeds, "--epochs": epochs, "--set": settings}
        with together():
            found = _file(what, options, out, tell if is_first() else lambda line: None)
        if found is None:
            return
    else:
        from surefoot.study.ready.command import ready_study

        if place_of(os.environ) is not None:
            raise InputError(
                "a ready study is done by one process, on all of its devices; start one, or write "
                "a study.toml with [vary]"
            )
        found = ready_study(
            what,
            source,
            seeds=_SEEDS if seeds is None else seeds,
            epochs=epochs,
            keys=keys,
            out=out,
            tell=tell,
        )
    if as_json:
        print_json(found.summary)
    else:
        from surefoot.cli.study_table import show

        show(found)
    add_report(people, found.path)


def _file(
    path: str, options: dict[str, Any], out: Path | None, tell: Callable[[str], None]
) -> Study | None:
    from surefoot.study.file import study_file

    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(
            f"{given[0]} goes with a ready study alone; {path} says by itself what to train"
        )
    return study_file(path, out=out, tell=tell)


def _rate(
    source: str | None,
    seeds: int | None,
    keys: dict[str, Any],
    as_json: bool,
    options: dict[str, Any],
) -> None:
    from surefoot.cli.find_rate import show_rates

    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(
            f"{given[0]}: the study 'rate' writes nothing and trains a few hundred steps; leave "
            "it out, or see `surefoot find-rate --help`"
        )
    own = _RATE_SEEDS if seeds is None else seeds
    show_rates(source or "digits", seeds=own, steps=300, keys=keys, as_json=as_json)


def _list(as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from surefoot.cli.output import print_json
    from surefoot.study.ready.registry import QUESTIONS

    asked = {_RATE: "Which learning rates train, and why?"}
    asked |= {name: question.asks for name, question in QUESTIONS.items()}
    if as_json:
        print_json({"studies": [{"name": name, "asks": asks} for name, asks in asked.items()]})
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, asks in asked.items():
        table.add_row(name, asks)
    Console(highlight=False).print(table)
