"""How far a study is, and how long the rest may take: as measured, from its first steps on."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from surefoot.engine.events import Block, Silent
from surefoot.study.plan import FOR_LESS, LONG_SECONDS, Group, Plan, duration

# The first dispatches are short, and show how long a step takes.
_FIRST_BLOCKS = 4
# What is shorter needs no line in between.
_QUIET_SECONDS = 10.0


class Progress(Silent):
    """Listens to training, part by part, and tells.

    What a plan estimates weighs the parts against each other; how fast they go is measured.

    Args:
        plan: what is to be trained.
        tell: called with a line for people.
        clock: seconds that go by.
        ready: called once a part, while its programs are compiled.
    """

    looks_at_validation = False

    def __init__(
        self,
        plan: Plan,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.perf_counter,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._plan, self._tell, self._clock = plan, tell, clock
        self.compiling = ready
        self._left = plan.training_seconds
        self._expected = self._trained = 0.0
        self._compiling: dict[Hashable, float] = {}
        self._runs = 0
        self._started = self._quiet_since = clock()
        self._measured = False

    def compiled(self, group: Group, seconds: float) -> None:
        """Take note of how long a group's programs took to compile."""
        self._compiling.setdefault(group.key, seconds)

    def begin(self, group: Group, weight: float, first: int, end: int) -> None:
        """Follow some steps of a group.

        Args:
            group: whose lanes are trained.
            weight: what that may take, as the plan estimates it.
            first: the first step.
            end: the one after the last.
        """
        self._group, self._weight, self._steps = group, weight, (first, end)
        self._begun = self._clock()
        self._first: tuple[float, int] | None = None
        self._blocks = 0

    def block(self, block: Block) -> None:
        """Take note of some steps; tell how long the rest may take, first and now and then."""
        now, step = self._clock(), block.first + len(block.loss)
        self._blocks += 1
        if self._first is None:  # what lies before its end is compilation for the most part
            self._first = now, step
        elif self._blocks >= _FIRST_BLOCKS:
            first, end = self._steps
            share = self._weight / max(1, end - first)
            pace = self._pace(now - self._first[0], (step - self._first[1]) * share)
            rest = (self._left - (step - first) * share) * pace + self._compilations()
            self._between(now, rest)

    def end(self, compiled: float) -> float:
        """Return the seconds of training since the beginning, without those of compilation."""
        seconds = self._clock() - self._begun - compiled
        self.compiled(self._group, compiled)
        self._expected += self._weight
        self._trained += seconds
        self._left -= self._weight
        return seconds

    def told(self, runs: int) -> None:
        """Tell how far it is, now that so many more runs are finished."""
        self._runs += runs
        now = self._quiet_since = self._clock()
        rest = max(0.0, self._left) * self._pace(0.0, 0.0) + self._compilations()
        ahead = f", about {duration(rest)} to go" if self._runs < self._plan.runs else ""
        spent = duration(now - self._started)
        self._tell(f"{self._runs:,} of {self._plan.runs:,} runs after {spent}{ahead}")

    def _pace(self, seconds: float, weight: float) -> float:
        """Return measured seconds for each one that was estimated, a part's own included."""
        return (self._trained + seconds) / max(self._expected + weight, 1e-12)

    def _compilations(self) -> float:
        known = self._compiling
        missing = self._plan.programs - len({*known, self._group.key})
        return missing * sum(known.values()) / max(1, len(known))

    def _between(self, now: float, rest: float) -> None:
        waited = now - self._quiet_since
        if rest < _QUIET_SECONDS or (self._measured and waited < _QUIET_SECONDS):
            return
        line = f"about {duration(rest)} to go, as measured so far"
        if rest > LONG_SECONDS and not self._measured:
            line += f"; {FOR_LESS}"
        self._tell(line)
        self._measured, self._quiet_since = True, now
