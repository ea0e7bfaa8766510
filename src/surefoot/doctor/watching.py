"""Watches a run while it trains: collects what the doctor reads, and says findings early."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from surefoot.doctor.diagnosis import Diagnosis, examine
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Finding
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block
from surefoot.engine.recorder import Columns, metric_rows, vital_rows
from surefoot.recipe import Recipe
from surefoot.vitals.table import Table

# A look at the whole run so far is taken at most this often, as a share of the run, and only
# while all looks together cost less than this share of the time.
_EVERY, _MOST_TIME = 0.025, 0.01


class Watcher:
    """A listener that keeps one lane's rows in memory and diagnoses them.

    Args:
        cohort: what is trained.
        recipe: the lane's.
        facts: of the data; asked for when they are needed first, as they may still be gathered.
        say: called with each finding of severity warning or above when it is found first.
        lane: whose rows.
        looked: called with the diagnosis after each look at the run so far.
    """

    def __init__(
        self,
        cohort: Cohort,
        recipe: Recipe,
        facts: Callable[[], Mapping[str, Any]],
        say: Callable[[Finding], None] | None = None,
        lane: int = 0,
        looked: Callable[[Diagnosis], None] | None = None,
    ) -> None:
        self._recipe = recipe
        self._facts = facts
        self._say = say
        self._tell = looked
        self._lane = lane
        self._measure = cohort.measure
        self._sites = [(site.name, site.kind) for site in cohort.blueprint.network.sites]
        self._total = cohort.total_steps
        self._metrics: list[Columns] = []
        self._vitals: list[Columns] = []
        self._said: set[str] = set()
        self._looked, self._spent = 0.0, 0.0
        self._began = time.perf_counter()

    def block(self, block: Block) -> None:
        """Keep the rows of a dispatch; look at the run so far when it is time to."""
        if not block.running[self._lane]:
            return
        self._metrics.append(metric_rows(block, self._lane, "", self._measure))
        self._vitals.append(vital_rows(block, self._lane, "", self._sites))
        if self._say is not None or self._tell is not None:
            self._look(block.last_step(self._lane) / max(self._total, 1))

    def recall(self, metrics: Table, vitals: Table) -> None:
        """Take in the rows of steps that an earlier process trained."""
        for table, own in ((metrics, self._metrics), (vitals, self._vitals)):
            if table.rows:
                own.append({**table, "run": np.full(table.rows, "", object)})

    def cut(self, step: int) -> None:
        """Take back the rows of a step and of later ones."""
        for own in (self._metrics, self._vitals):
            own[:] = [
                {name: column[rows["step"] < step] for name, column in rows.items()} for rows in own
            ]

    def stop(self) -> bool:
        """Never ask for an end."""
        return False

    def evidence(self, *, finished: bool) -> Evidence:
        """Return what is known by now.

        Args:
            finished: whether the run is over, however many steps it was meant to have.
        """
        return Evidence(
            self._recipe,
            _joined(self._metrics),
            _joined(self._vitals),
            self._facts(),
            None if finished else self._total,
        )

    def diagnosis(self, *, finished: bool = True) -> Diagnosis:
        """Diagnose what is known by now."""
        return examine(self.evidence(finished=finished))

    def _look(self, progress: float) -> None:
        now = time.perf_counter()
        if progress - self._looked < _EVERY or self._spent > _MOST_TIME * (now - self._began):
            return
        found = self.diagnosis(finished=False)
        for finding in found.findings:
            if finding.severity != "note" and finding.id not in self._said and self._say:
                self._said.add(finding.id)
                self._say(finding)
        if self._tell is not None:
            self._tell(found)
        self._looked = progress
        self._spent += time.perf_counter() - now


def _joined(parts: Sequence[Columns]) -> Table:
    if not parts:
        return Table({})
    return Table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
