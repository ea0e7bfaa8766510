"""Findings in the terminal: a line while training, the root cause at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.doctor.finding import Finding
    from surefoot.run import Run

COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}


def say(people: Console, finding: Finding) -> None:
    """Print a finding as it arises, in one line."""
    people.print(
        f"[{COLOURS[finding.severity]}]step {finding.since_step:,}: {finding.id}[/]: "
        + _escaped(first_sentence(finding.explanation)),
        soft_wrap=True,
    )


def conclude(people: Console, run: Run) -> None:
    """Print what was found wrong with a run, the root cause first; nothing where it is healthy."""
    found = [finding for finding in run.findings if finding["severity"] != "note"]
    if not found:
        return
    root, *others = found
    colour = COLOURS[root["severity"]]
    people.print(f"[bold {colour}]{root['id']}[/]: {_escaped(root['explanation'])}")
    for remedy in root["remedies"][:1]:
        people.print(f"to try: {remedy['text']}", markup=False, soft_wrap=True)
        for line in remedy["toml"].rstrip().splitlines():
            people.print(f"  {line}", markup=False, soft_wrap=True)
    if others:
        names = ", ".join(finding["id"] for finding in others)
        people.print(f"beside it: {names}", soft_wrap=True)
    people.print(f"more: `surefoot diagnose {run.path}`\n", markup=False, soft_wrap=True)


def first_sentence(text: str) -> str:
    """Return the first sentence of an explanation."""
    return text.split(". ")[0].rstrip(".") + "."


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
