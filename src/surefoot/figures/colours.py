"""The colours of charts on white paper: those of the pages in the light."""

from __future__ import annotations

from collections.abc import Sequence

INK, SOFT, GRID, RULE, BAND = "#1d1b19", "#5b5751", "#ecebe7", "#d9d5ce", "#0f766e"
# Told apart by people who see no red or green, and dark enough on white.
SERIES = (
    "#1a5fb4", "#c4500c", "#0f766e", "#8a3ffc", "#a56a00", "#c2255c", "#4b5563", "#2f9e44",
)  # fmt: skip
_ROLES = {
    "train": "#1a5fb4",
    "validation": "#c4500c",
    "good": "#0f766e",
    "bad": "#b3261e",
    "error": "#b3261e",
    "warning": "#a15c00",
    "note": "#5f6873",
}
BANDED = ("#1f4e9c", "#b3cbee", "#eceeea", "#f6c8a0", "#b23c0a")
EVEN = ("#eef2f7", "#bcd0ea", "#7fa6d6", "#3f76b8", "#123f7a")


def of_role(role: str | int | None) -> str:
    """Return the colour of a role, or of a number of the palette.

    >>> of_role("train"), of_role(9), of_role("seq-4"), of_role("no such role")
    ('#1a5fb4', '#c4500c', '#123f7a', '#5b5751')
    """
    if isinstance(role, int):
        return SERIES[role % len(SERIES)]
    if isinstance(role, str) and role.startswith("seq-") and role[4:].isdecimal():
        return EVEN[min(int(role[4:]), len(EVEN) - 1)]
    return _ROLES.get(str(role), SOFT)


def mix(stops: Sequence[str], share: float) -> str:
    """Return the colour at a place from 0 to 1 along some colours.

    >>> mix(("#000000", "#ff0000"), 0.5)
    '#800000'
    """
    at = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    first = min(int(at), len(stops) - 2)
    ends = [[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops[first : first + 2]]
    parts = [round(a + (b - a) * (at - first)) for a, b in zip(*ends, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in parts)
