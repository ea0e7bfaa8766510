"""A family of faults: one bad idea at several strengths, and which findings name it rightly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from benchmarks.faults.draft import Draft

Strength = float | str


def _always(draft: Draft) -> bool:
    return True


@dataclass(frozen=True)
class Family:
    """One bad idea.

    A finding names it rightly where the edit that the finding asks for undoes this fault; mere
    symptoms (`diverged`) do not.

    Attributes:
        name: of the idea.
        strengths: from borderline to beyond doubt, or the forms that it takes.
        names: the findings that name it rightly, at every strength.
        because: why these.
        parts: of the recipe that are edited; two faults go together where they share none.
        edit: edits a draft.
        applies: whether it can be done to a draft, and is a fault there.
        also: further right findings at some of the strengths.
        shares: on how many data sets of each half each strength is tried.
    """

    name: str
    strengths: tuple[Strength, ...]
    names: frozenset[str]
    because: str
    parts: frozenset[str]
    edit: Callable[[Draft, Strength], None]
    applies: Callable[[Draft], bool] = _always
    also: Mapping[Strength, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    shares: int = 2

    def right(self, strength: Strength) -> frozenset[str]:
        """Return the findings that name the fault rightly at this strength."""
        return self.names | self.also.get(strength, frozenset())


def ids(*names: str) -> frozenset[str]:
    """Return finding ids as a set."""
    return frozenset(names)
