"""Scores of a doctor, ours or a published one, on judged programs."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.faults.corpus import Stored
from benchmarks.faults.outcomes import Judged
from surefoot.doctor.evidence import Evidence

TARGETS = {"found": 0.99, "alarms": 0.02, "named": 0.85, "share": 0.20}
"""At least, at most, at least, at most."""


@dataclass(frozen=True)
class Opinion:
    """What a doctor said of one program.

    Attributes:
        unhealthy: after the whole run, at warning or above.
        causes: the root cause it named, or several where its mapping cannot tell them apart.
        step: after how many steps it first said unhealthy; None if it never did.
        said: its own word for it.
    """

    unhealthy: bool
    causes: tuple[str, ...]
    step: int | None
    said: str


@dataclass(frozen=True)
class Entry:
    """A judged program, and what was said of it."""

    judged: Judged
    opinion: Opinion
    total_steps: int

    @property
    def named(self) -> bool:
        """Whether a right root cause was named first."""
        return bool(set(self.opinion.causes) & self.judged.right)

    @property
    def share(self) -> float:
        """The share of training that was done when it was first said; 1 where it never was."""
        step = self.opinion.step
        return 1.0 if step is None else min(1.0, step / max(1, self.total_steps))


@dataclass(frozen=True)
class Score:
    """The four figures of a doctor, and the entries that they are made of."""

    entries: tuple[Entry, ...]

    def _of(self, label: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.judged.label == label]

    @property
    def failing(self) -> list[Entry]:
        """Entries of programs that fail."""
        return self._of("fails")

    @property
    def training(self) -> list[Entry]:
        """Entries of programs that train."""
        return self._of("trains")

    @property
    def between(self) -> list[Entry]:
        """Entries of programs in between."""
        return self._of("between")

    @property
    def rooted(self) -> list[Entry]:
        """Failing programs with a fault whose removal alone restores them."""
        return [entry for entry in self.failing if entry.judged.causes]

    @property
    def found(self) -> float:
        """The share of failing programs that were called unhealthy."""
        return _share(self.failing, lambda entry: entry.opinion.unhealthy)

    @property
    def alarms(self) -> float:
        """The share of programs that train that were called unhealthy."""
        return _share(self.training, lambda entry: entry.opinion.unhealthy)

    @property
    def named(self) -> float:
        """The share of failing programs with a root cause whose root cause was named first."""
        return _share(self.rooted, lambda entry: entry.named)

    @property
    def share(self) -> float:
        """The median share of training that was done when a failing program was first told."""
        shares = [entry.share for entry in self.failing]
        return statistics.median(shares) if shares else math.nan

    def confusion(self) -> Counter[tuple[str, str]]:
        """Count which cause was named for which fault, where it was not a right one."""
        return Counter(
            ("/".join(entry.judged.causes and _families(entry)), _said(entry.opinion))
            for entry in self.rooted
            if not entry.named
        )


def _share(entries: Sequence[Entry], condition: Callable[[Entry], bool]) -> float:
    return sum(map(condition, entries)) / len(entries) if entries else math.nan


def _families(entry: Entry) -> list[str]:
    return [text.split("=")[0] for text in entry.judged.causes]


def _said(opinion: Opinion) -> str:
    return "/".join(opinion.causes) or ("(no cause)" if opinion.unhealthy else "(healthy)")


def evidence_of(stored: Stored) -> Evidence:
    """Return what the doctor reads of a program."""
    return Evidence(stored.recipe, stored.metrics, stored.vitals, stored.facts, total_steps(stored))


def total_steps(stored: Stored) -> int:
    """Return how many steps the run was to have, also where it diverged before."""
    recipe, rows = stored.recipe, int(stored.facts["prepared"]["rows"])
    batch = rows if recipe.train.batch_size == "full" else recipe.train.batch_size
    return -(-rows // batch) * recipe.train.epochs


def checkpoints(total: int) -> list[int]:
    """Return the steps after which a run is looked at while it goes on.

    >>> checkpoints(400)[:6], checkpoints(400)[-1]
    ([1, 4, 10, 16, 20, 30], 400)
    """
    parts = {math.ceil(total * part / 40) for part in range(1, 41)}
    return sorted({step for step in {1, 4, 16} | parts if step <= total})


def table(scores: dict[str, Score]) -> str:
    """Return the figures of several doctors, one under the other."""
    lines = [
        f"{'':20}{'failing, found':>20}{'training, alarmed':>20}{'root named first':>20}"
        f"{'told after (median)':>21}"
    ]
    for name, score in scores.items():
        cells = [
            _cell(score.found, score.failing, lambda e: e.opinion.unhealthy),
            _cell(score.alarms, score.training, lambda e: e.opinion.unhealthy),
            _cell(score.named, score.rooted, lambda e: e.named),
        ]
        lines.append(f"{name:20}" + "".join(f"{c:>20}" for c in cells) + f"{score.share:>20.1%}")
    wanted = (
        f"≥ {TARGETS['found']:.0%}",
        f"≤ {TARGETS['alarms']:.0%}",
        f"≥ {TARGETS['named']:.0%}",
    )
    lines.append(f"{'wanted':20}" + "".join(f"{w:>20}" for w in wanted) + f"{'≤ 20%':>20}")
    return "\n".join(lines)


def _cell(share: float, entries: Sequence[Entry], condition: Callable[[Entry], bool]) -> str:
    return f"{share:.1%} ({sum(map(condition, entries))}/{len(entries)})"
