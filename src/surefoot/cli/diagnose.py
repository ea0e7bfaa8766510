"""`surefoot diagnose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.findings import COLOURS, first_sentence
from surefoot.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.doctor.diagnosis import Diagnosis
    from surefoot.doctor.finding import Finding


def diagnose(
    target: Annotated[
        Path, typer.Argument(help="a run's folder, or a recipe.toml", show_default=False)
    ],
    trials: Annotated[
        bool, typer.Option(help="let short trainings decide between causes that rules leave open")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with a run or a recipe, since when, how we know, and what to do.

    A recipe is checked, and trained for up to half a minute; nothing is kept.
    """
    from rich.console import Console

    from surefoot.cli.output import console, print_json
    from surefoot.doctor.command import diagnose as examine

    people = console()

    def tell(line: str) -> None:
        people.print(line, style="dim", markup=False, soft_wrap=True)

    found = examine(target, trials=trials, tell=tell)
    if as_json:
        print_json(found.to_dict())
        return
    show(Console(highlight=False), found)


def show(people: Console, found: Diagnosis) -> None:
    """Print a diagnosis for people: the root cause first, notes in a line each."""
    colour = "green" if found.verdict == "healthy" else "red"
    people.print(f"[bold {colour}]{found.verdict}[/]: {_result(found)}", soft_wrap=True)
    if len(found.chain) > 1:
        people.print("cause and effect: " + " → ".join(found.chain), soft_wrap=True)
    for finding in found.findings:
        if finding.severity != "note":
            _finding(people, finding)
    notes = [finding for finding in found.findings if finding.severity == "note"]
    if notes:
        people.print("\nworth knowing, though it does no visible harm:")
        for finding in notes:
            people.print(f"  {finding.id}: {first_sentence(finding.explanation)}", markup=False)
    if found.lacking:
        people.print(
            "\npartial: what needs these was not looked at: " + "; ".join(found.lacking),
            markup=False,
            soft_wrap=True,
        )


def _result(found: Diagnosis) -> str:
    about = found.outcome
    if about.now != about.now:
        return "no result was measured"
    accurate = about.measure == "accuracy"
    now, best, chance = (
        f"{value:.1%}" if accurate else f"{value:.4g}"
        for value in (about.now, about.reference, about.chance)
    )
    if about.reference != about.reference:
        return f"{about.measure} {now}"
    return f"{about.measure} {now}; on the same rows simple methods reach {best}, guessing {chance}"


def _finding(people: Console, finding: Finding) -> None:
    from surefoot.doctor.detector import few

    root = "" if finding.caused_by is None else f", follows from {finding.caused_by}"
    where = f", in {few(finding.layers)}" if finding.layers else ""
    people.print(
        f"\n[bold {COLOURS[finding.severity]}]{finding.id}[/] ({finding.severity}, "
        f"{finding.certainty}, since step {finding.since_step:,}{where}{root})",
        soft_wrap=True,
    )
    people.print(finding.explanation, markup=False)
    if finding.caused_by is not None:
        return  # what to change is said of the cause
    for remedy in finding.remedies:
        people.print(f"  to try: {remedy.text}", markup=False)
        for line in remedy.toml.rstrip().splitlines():
            people.print(f"    {line}", markup=False, soft_wrap=True)
