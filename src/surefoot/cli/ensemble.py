"""`surefoot ensemble`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.options import AsJson, Assign, Net, Quiet

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.run import Run

# What `--json` prints of an ensemble's summary.
JSON_NAMES = ("run", "metrics", "ensemble", "seconds")


def ensemble(
    what: Annotated[
        list[str],
        typer.Argument(
            help="a source of data or a recipe.toml, to train many seeds of; or the folders of "
            "runs, to put together",
            show_default=False,
        ),
    ],
    members: Annotated[
        int | None,
        typer.Option(
            help="seeds that are trained, 8 if not said; with --compare 5", show_default=False
        ),
    ] = None,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="of one run: put its snapshots together")
    ] = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="train each kind of ensemble over seeds, and say what it is worth"
        ),
    ] = False,
    seeds: Annotated[
        int | None, typer.Option(help="with --compare: how often; default: 8", show_default=False)
    ] = None,
    net: Net = None,
    out: Annotated[
        Path | None,
        typer.Option(help="the folder; default: runs/SOURCE-N", show_default=False),
    ] = None,
    assign: Assign = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make several nets one: their mean is the prediction, and how far they lie apart is told.

    The nets are many seeds of a recipe, or those of runs, or the snapshots that one run kept.
    """
    from contextlib import ExitStack

    from surefoot.cli.output import console, print_json
    from surefoot.cli.progress import TrainingProgress
    from surefoot.ensemble.command import ensemble as make
    from surefoot.errors import InputError
    from surefoot.recipe.overrides import parse_assignments

    people = console(quiet)

    def tell(line: str) -> None:
        people.print(line, style="dim", markup=False, soft_wrap=True)

    keys = dict(parse_assignments(assign or []))
    if compare:
        if checkpoints or out is not None or len(what) > 1:
            raise InputError("--compare: takes one source or recipe, and writes no folder")
        _compare(what[0], members, seeds, net, keys, as_json, tell)
        return
    if seeds is not None:
        raise InputError("--seeds: goes with --compare; --members says how many nets there are")
    with ExitStack() as stack:

        def progress(job: Any) -> Any:
            steps, epochs = job.cohort.total_steps, job.recipe.train.epochs
            bar = TrainingProgress(people, steps, epochs, job.cohort.measure)
            return stack.enter_context(bar).block

        found = make(
            *what,
            members=members,
            checkpoints=checkpoints,
            net=net,
            out=out,
            progress=progress,
            tell=tell,
            **keys,
        )
    _conclude(people, found)
    if as_json:
        print_json({name: found.summary[name] for name in JSON_NAMES})


def _conclude(people: Console, run: Run) -> None:
    """Say what the mean reaches beside a single member, and where it is."""
    from surefoot.vitals.table import read

    table, about = read(run.path, "members"), run.summary["ensemble"]
    people.print(
        f"an ensemble of {about['members']} nets ({about['kind']})", markup=False, soft_wrap=True
    )
    for part, values in run.summary["metrics"].items():
        told = ", ".join(f"{name} {_figure(name, value)}" for name, value in values.items())
        single = ", ".join(
            f"{name} {_figure(name, float(table[f'{part}_{name}'].mean()))}" for name in values
        )
        people.print(f"{part}: {told}; a single member {single}", markup=False, soft_wrap=True)
    if not run.summary["metrics"]:
        people.print("its members were trained and validated on different rows: no metrics")
    people.print(
        f"run: {run.path}    predict: surefoot predict {run.path} DATA",
        markup=False,
        soft_wrap=True,
    )


def _figure(name: str, value: float) -> str:
    return f"{value:.2%}" if name == "accuracy" else f"{value:.4g}"


def _compare(
    source: str,
    members: int | None,
    seeds: int | None,
    net: str | None,
    keys: dict[str, Any],
    as_json: bool,
    tell: Any,
) -> None:
    from rich.console import Console
    from rich.table import Table

    from surefoot.cli.output import print_json
    from surefoot.ensemble.compare import compare_ensembles

    found = compare_ensembles(source, members=members, seeds=seeds, net=net, tell=tell, **keys)
    if as_json:
        print_json(found.to_dict())
        return
    table = Table(box=None, pad_edge=False)
    for column in ("kind", found.measure, "difference", "", "log loss", "difference", ""):
        table.add_column(column, justify="left" if column in ("kind", "") else "right")
    for row in found.rows:
        table.add_row(*row)
    people = Console(highlight=False)
    people.print(table)
    for line in found.conclusions:
        people.print(line, markup=False, soft_wrap=True)
