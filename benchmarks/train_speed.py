"""How fast training is beside its peers: `python -m benchmarks.train_speed`, or `make bench`.

Peers and Surefoot take turns in one process with the same net, data, batch and rule. A ratio is
a peer's time a step over Surefoot's of the same turn; the table has the median of all turns and
the smallest and largest. Compilation is counted apart.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, peers, whole
from benchmarks.surefoot_side import Surefoot
from benchmarks.work import WORKS, Work


@dataclass(frozen=True)
class Ratio:
    """A row of the table.

    Attributes:
        name: of the work.
        title: of the work.
        peer: and in which form it was fastest.
        target: the ratio to reach; None where there is none.
        ratios: the peer's time over Surefoot's, of each turn.
        without_vitals: the same with no vital signs recorded.
        peer_seconds: a step, median.
        surefoot_seconds: a step (a lane and step), median.
        compile_seconds: before Surefoot's first step.
    """

    name: str
    title: str
    peer: str
    target: float | None
    ratios: list[float]
    without_vitals: list[float]
    peer_seconds: float
    surefoot_seconds: float
    compile_seconds: float


def measure(work: Work, turns: int, seconds: float) -> list[Ratio]:
    """Time a work, everyone taking turns."""
    ours, bare = Surefoot(work), Surefoot(work, every=0)
    timers = {"ours": ours.timer(seconds), "bare": bare.timer(seconds)}
    forms = {}
    chosen = [*work.targets, "PyTorch, fused Adam"]
    for peer in chosen:
        forms[peer], timers[peer] = peers.PEERS[peer](work, seconds)
    times: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(turns):
        for name, timer in timers.items():
            times[name].append(timer())
    return [
        Ratio(
            name=work.name,
            title=work.title,
            peer=f"{peer} ({forms[peer]})",
            target=work.targets.get(peer),
            ratios=_over(times[peer], times["ours"]),
            without_vitals=_over(times[peer], times["bare"]),
            peer_seconds=statistics.median(times[peer]),
            surefoot_seconds=statistics.median(times["ours"]),
            compile_seconds=ours.compile_seconds,
        )
        for peer in chosen
    ]


def _over(theirs: list[float], ours: list[float]) -> list[float]:
    return [a / b for a, b in zip(theirs, ours, strict=True)]


_HEAD = ("work", "ahead of", "ratio", "range", "target", "bare", "peer", "Surefoot", "compile")


def _row(row: Ratio) -> tuple[str, ...]:
    ratio = statistics.median(row.ratios)
    reached = "" if row.target is None else " ✓" if ratio >= row.target else " ✗"
    return (
        row.title,
        row.peer,
        f"{ratio:.2f}×{reached}",
        f"{min(row.ratios):.2f}–{max(row.ratios):.2f}",
        "" if row.target is None else f"{row.target:g}×",
        f"{statistics.median(row.without_vitals):.2f}×",
        _time(row.peer_seconds),
        _time(row.surefoot_seconds),
        f"{row.compile_seconds:.1f} s",
    )


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def _limit_row(limit: whole.Limit) -> tuple[str, ...]:
    return (
        limit.title,
        f"{limit.median:.2f} {limit.unit} {'✓' if limit.median <= limit.limit else '✗'}",
        f"{min(limit.values):.2f}–{max(limit.values):.2f}",
        f"under {limit.limit:g} {limit.unit}",
    )


def _print(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(flush=True)


def _arguments() -> argparse.Namespace:
    names = [work.name for work in WORKS] + list(whole.LIMITS)
    parser = argparse.ArgumentParser(description="Time training beside its peers.")
    parser.add_argument("--only", choices=names, action="append", help="one row; may be repeated")
    parser.add_argument("--turns", type=int, default=7, help="how often each is timed")
    parser.add_argument("--seconds", type=float, default=0.7, help="how long each turn lasts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements there")
    chosen = parser.parse_args()
    chosen.only = chosen.only or names
    return chosen


def main() -> None:
    """Measure, print a table, and write the measurements where asked to."""
    arguments = _arguments()
    described: dict[str, Any] = {**machine.describe(), **peers.versions()}
    print("; ".join(f"{key} {value}" for key, value in described.items()), "\n", flush=True)
    ratios: list[Ratio] = []
    for work in WORKS:
        if work.name in arguments.only:
            print(f"timing {work.title} …", file=sys.stderr, flush=True)
            rows = measure(work, arguments.turns, arguments.seconds)
            for row in rows:
                print("  " + ", ".join(_row(row)[1:6]), file=sys.stderr, flush=True)
            ratios += rows
    if ratios:
        _print([_HEAD, *map(_row, ratios)])
        print("ratio: with vital signs as recorded by default; bare: with none.\n")
    limits = []
    for name, measure_limit in whole.LIMITS.items():
        if name in arguments.only:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            limits.append(measure_limit(3))
    if limits:
        _print([("whole processes", "median", "range", "target"), *map(_limit_row, limits)])
    if arguments.json:
        measured = {
            "machine": described,
            "ratios": [asdict(row) for row in ratios],
            "limits": [asdict(limit) for limit in limits],
        }
        arguments.json.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
