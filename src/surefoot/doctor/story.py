"""The general story of each finding: what it is, how it is recognized, what to change."""

from __future__ import annotations

from importlib.resources import files

from surefoot.doctor.finding import IDS
from surefoot.errors import InputError, nearest

_ARROW = (
    "\n`a → b`: where the suspicion begins and where it is full, evenly by the logarithm between. "
    "A suspicion becomes a warning or an error only where the run's result is poor.\n"
)


def story(id: str) -> str:
    """Return the story of a finding as Markdown.

    Raises:
        InputError: there is no such finding; the message names the nearest.

    >>> story("dead-units").splitlines()[0]
    '# dead-units: units that are silent on every example'
    """
    if id not in IDS:
        raise InputError(
            f"there is no finding {id!r}{nearest(id, IDS)} (`surefoot explain` lists them all)"
        )
    text = (files("surefoot.doctor") / "stories" / f"{id}.md").read_text(encoding="utf-8")
    return text + _ARROW if "→" in text else text


def summaries() -> dict[str, str]:
    """Return one line for each finding.

    >>> summaries()["dead-units"]
    'units that are silent on every example'
    """
    return {id: story(id).partition("\n")[0].partition(": ")[2] for id in IDS}
