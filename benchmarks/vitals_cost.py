"""What vital signs cost: `python -m benchmarks.vitals_cost`.

Three trainings of one net run in one process and take turns, each for some epochs: without vital
signs, with those of every 16th step, with those of every step. A ratio is the time a step of a
training with vital signs over that of the one without in the same turn; the table has the median
of all turns, the smallest and the largest. Compilation and the first epoch are not counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks import machine
from benchmarks.surefoot_side import Surefoot
from benchmarks.work import WORKS, Work
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block, Silent
from surefoot.engine.training import train

NETS = ("small", "medium", "conv")
LANES = (1, 32)
# How often vital signs are taken, and how much slower a step may be on average.
LIMITS = {16: 1.03, 1: 1.25}


@dataclass(frozen=True)
class Cost:
    """A row of the table.

    Attributes:
        title: of the net.
        lanes: how many runs are trained at once.
        every: at which steps vital signs are taken.
        ratios: time with vital signs over time without, of each turn.
        limit: what the median is to stay below.
        seconds: a step without vital signs, of all lanes, median.
    """

    title: str
    lanes: int
    every: int
    ratios: list[float]
    limit: float
    seconds: float


class _Turn(Silent):
    """Lets a training run for one turn at a time, and counts the time of its steps."""

    def __init__(
        self, steps_per_epoch: int, turns: int, seconds: float, clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._epoch = steps_per_epoch
        self._least = seconds
        self._turns = turns
        self._may_go = threading.Semaphore(0)
        self._rests = threading.Semaphore(0)
        self._since = (0.0, 0)
        self.times: list[float] = []

    def train(self, cohort: Cohort) -> None:
        """Train; whoever waits is not left waiting if that fails."""
        try:
            train(cohort, self)
        finally:
            self._rests.release()

    def block(self, block: Block) -> None:
        """At the end of an epoch that ends a turn, wait for the next."""
        end = block.first + len(block.loss)
        began, first = self._since
        spent = self._clock() - began
        if end % self._epoch or (first and spent < self._least):
            return
        if first:
            self.times.append(spent / (end - first))
        self._rests.release()
        if not self.stop():
            self._may_go.acquire()
        self._since = (self._clock(), end)

    def stop(self) -> bool:
        """Stop after the last turn."""
        return len(self.times) == self._turns

    def wait(self) -> None:
        """Wait until the first epoch, or a turn, is over."""
        self._rests.acquire()

    def go(self) -> None:
        """Take a turn."""
        self._may_go.release()
        self.wait()


def measure(work: Work, turns: int, seconds: float, clock: Callable[[], float]) -> list[Cost]:
    """Train a net without and with vital signs, in turns."""
    trainings, threads = {}, []
    for every in (0, *LIMITS):
        cohort = Surefoot(work, every=every).cohort(epochs=100_000)
        turn = trainings[every] = _Turn(cohort.steps_per_epoch, turns, seconds, clock)
        threads.append(threading.Thread(target=turn.train, args=(cohort,), daemon=True))
        threads[-1].start()
        turn.wait()
    for _ in range(turns):
        for turn in trainings.values():
            turn.go()
    for thread in threads:
        thread.join()
    bare = trainings[0].times
    return [
        Cost(
            title=work.title,
            lanes=work.lanes,
            every=every,
            ratios=[a / b for a, b in zip(trainings[every].times, bare, strict=True)],
            limit=limit,
            seconds=statistics.median(bare),
        )
        for every, limit in LIMITS.items()
    ]


_HEAD = ("net", "lanes", "vital signs", "with / without", "range", "limit", "a step without")


def _row(cost: Cost) -> tuple[str, ...]:
    ratio = statistics.median(cost.ratios)
    return (
        cost.title,
        str(cost.lanes),
        "every step" if cost.every == 1 else f"every {cost.every}th step",
        f"{ratio:.3f} {'✓' if ratio <= cost.limit else '✗'}",
        f"{min(cost.ratios):.3f}–{max(cost.ratios):.3f}",
        f"{cost.limit:.2f}",
        f"{cost.seconds * 1e3:.3f} ms",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure what vital signs cost.")
    parser.add_argument("--only", choices=NETS, action="append", help="one net; may be repeated")
    parser.add_argument("--lanes", type=int, action="append", help="1 or 32; may be repeated")
    parser.add_argument("--turns", type=int, default=7, help="how often each is timed")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long a turn lasts at least")
    parser.add_argument(
        "--processor", action="store_true", help="time of the processor, on a busy machine"
    )
    chosen = parser.parse_args(arguments)
    clock = time.process_time if chosen.processor else time.perf_counter
    print("; ".join(f"{key} {value}" for key, value in machine.describe().items()), "\n")
    works = {work.name: work for work in WORKS}
    rows = [_HEAD]
    for name in chosen.only or NETS:
        for lanes in chosen.lanes or LANES:
            print(f"timing {works[name].title}, lanes: {lanes} …", file=sys.stderr, flush=True)
            work = replace(works[name], lanes=lanes)
            rows += map(_row, measure(work, chosen.turns, chosen.seconds, clock))
            print("  " + ", ".join(rows[-2][3:5] + rows[-1][3:5]), file=sys.stderr, flush=True)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
