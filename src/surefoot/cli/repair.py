"""`surefoot repair`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.repair.result import Repair

# How many of what was tried is shown to people; JSON has all.
_SHOWN = 8


def repair(
    target: Annotated[
        Path, typer.Argument(help="a run's folder, or a recipe.toml", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option(help="the repair's folder; default: repairs/NAME-N")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            help="seconds that search and proof may take, about; default: a minute, or six "
            "trainings, whichever is longer",
            min=1.0,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the smallest edit that makes a failing run or recipe train well, and prove it.

    What is given is not changed. A repair is written into a folder of its own, with the trained
    network; where nothing was wrong or nothing helped, nothing is written, nor where it is stopped
    before there is a proof: what was tried is tried again then.
    """
    from rich.console import Console

    from surefoot.cli.output import console, print_json
    from surefoot.cli.report import add_report
    from surefoot.repairer import repair as mend

    people = console()

    def tell(line: str) -> None:
        people.print(line, style="dim", markup=False, soft_wrap=True)

    done = mend(target, budget_seconds=budget, out=out, tell=tell)
    if as_json:
        print_json(done.to_dict())
    else:
        show(Console(highlight=False), done)
    if done.folder is not None:
        add_report(people, done.folder)


def show(people: Console, done: Repair) -> None:
    """Print a repair for people: what came out, the changes, the proof."""
    colour = "green" if done.repaired or done.diagnosis.verdict == "healthy" else "red"
    people.print(f"[bold {colour}]{done.sentence}[/]", soft_wrap=True)
    for change in done.changes:
        people.print(f"  change: {change}", markup=False, soft_wrap=True)
    if done.diff:
        people.print(f"\n{done.diff}", markup=False, soft_wrap=True)
    if done.proof is not None:
        _proof(people, done)
    elif done.tried:
        _tried(people, done)
    if done.folder is not None:
        if _was_interrupted(done.folder):
            people.print(
                f"\nits training was interrupted: `surefoot resume {done.folder}` goes on with it",
                markup=False,
                soft_wrap=True,
            )
        people.print(
            f"\n{done.folder}: recipe.toml, changes.diff, proof.json, and the trained network in "
            "run/",
            markup=False,
            soft_wrap=True,
        )


def _was_interrupted(folder: Path) -> bool:
    from surefoot.run import Run

    return Run(folder / "run").summary.get("ended") == "interrupted"


def _proof(people: Console, done: Repair) -> None:
    proof = done.proof
    assert proof is not None
    people.print(
        f"{proof.measure} on {proof.rows} rows and seeds not used for choosing "
        f"(gain {proof.gain:.3f}, where chance makes {proof.spread:.3f}):",
        soft_wrap=True,
    )
    for row in proof.lanes:
        name = f"{row['lane']} ({row['change']})" if row["change"] else row["lane"]
        scores = ", ".join(f"{value:.3f}" for value in row["scores"])
        lost = f"; {row['diverged']} diverged" if row["diverged"] else ""
        people.print(f"  {row['mean']:.3f}  {name}: {scores}{lost}", markup=False, soft_wrap=True)


def _tried(people: Console, done: Repair) -> None:
    people.print("what was tried, the best first:")
    for row in done.tried[:_SHOWN]:
        changes = "; ".join(row["changes"]) or "as it is"
        people.print(f"  {row['mean']:.3f}  {changes}", markup=False, soft_wrap=True)
