"""The smallest edit that works: what can be undone without loss is undone."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.errors import SurefootError
from surefoot.repair.search import Table
from surefoot.repair.step import Candidate, Step, applied


def shrunk(table: Table, best: Candidate) -> Candidate:
    """Undo each change alone; then all at once that were not missed, else one after the other.

    A change is missed where the mean score falls by more than a change is worth. What is compared
    with is the highest score of all, so that small losses do not add up.
    """
    least = min(table.score(best), table.score(table.top()) - table.worth)
    while len(best.steps) > 1:
        shorter = {step: _without(table, best, [step]) for step in best.steps}
        fitting = [c for c in shorter.values() if c is not None]
        table.try_all(fitting)
        idle = [s for s, c in shorter.items() if c is not None and table.score(c) >= least]
        if not idle:
            break
        bare = _without(table, best, idle)
        if bare is not None and len(idle) > 1 and bare.steps:
            table.try_all([bare])
            if table.score(bare) >= least:
                best = bare
                continue
        best = max((c for s, c in shorter.items() if s in idle and c), key=table.score)
    return best


def _without(table: Table, best: Candidate, undone: Sequence[Step]) -> Candidate | None:
    kept = [step for step in best.steps if step not in undone]
    try:
        return applied(table.case.base, kept, table.case.about)
    except SurefootError:
        return None
