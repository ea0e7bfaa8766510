"""How fast a study is: `python -m benchmarks.study_speed`, or `make bench-study`.

128 learning rates of a 64-64-64-10 net, 20 epochs of digits each, as one `sf.study`, against the
same 128 runs one after another in PyTorch's eager loop, and against Optuna driving that loop in
two processes. Everyone takes turns. The study is timed as a fresh process from before its import
on, and once more in that process, which compiles nothing. Of PyTorch's runs and Optuna's trials a
sample is timed in each turn, without their imports, and multiplied to 128.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import machine, study_sides

_PROCESSES = 2
_MANY_LANES, _MANY_EPOCHS, _MOST_GIGABYTES = 1000, 2, 8.0


class Row(NamedTuple):
    """A ratio: a peer's time for all runs over the study's, of each turn."""

    peer: str
    study: str
    target: float | None
    peer_seconds: list[float]
    study_seconds: list[float]

    @property
    def ratios(self) -> list[float]:
        """Of each turn."""
        return [a / b for a, b in zip(self.peer_seconds, self.study_seconds, strict=True)]

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as people read it."""
        ratio = statistics.median(self.ratios)
        reached = "" if self.target is None else " ✓" if ratio >= self.target else " ✗"
        return (
            self.peer,
            self.study,
            f"{ratio:.1f}×{reached}",
            f"{min(self.ratios):.1f}–{max(self.ratios):.1f}",
            "" if self.target is None else f"{self.target:g}×",
            f"{statistics.median(self.peer_seconds):.1f} s",
            f"{statistics.median(self.study_seconds):.2f} s",
        )


_HEAD = ("ahead of", "study", "ratio", "range", "target", "peer", "Surefoot")


def measure(arguments: argparse.Namespace) -> list[Row]:
    """Time everyone, taking turns."""
    runs, epochs = arguments.runs, arguments.epochs
    rates = np.geomspace(study_sides.LOWEST, study_sides.HIGHEST, runs)
    plain, threads = study_sides.fastest_torch(epochs, {})
    fused, fused_threads = study_sides.fastest_torch(epochs, {"fused": True})
    optuna = study_sides.Optuna(epochs, _PROCESSES)
    names = {
        "torch": f"PyTorch, threads: {threads}",
        "fused": f"PyTorch, fused Adam, threads: {fused_threads}",
        "optuna": f"Optuna, {_PROCESSES} processes",
    }
    timers: dict[str, Callable[[np.ndarray], float]] = {
        "torch": plain.seconds,
        "fused": fused.seconds,
        "optuna": lambda sample: optuna.seconds(arguments.trials),
    }
    times: dict[str, list[float]] = {name: [] for name in ("whole", "warm", *timers)}
    generator = np.random.default_rng(0)
    try:
        for turn in range(arguments.turns):
            own = study_sides.study(runs, epochs)["seconds"]
            times["whole"].append(own[0])
            times["warm"].append(own[1])
            sample = generator.choice(rates, arguments.sample, replace=False)
            for name, timer in timers.items():
                times[name].append(timer(sample) * runs)
            told = ", ".join(f"{name} {values[-1]:.2f} s" for name, values in times.items())
            print(f"turn {turn + 1}: {told}", file=sys.stderr, flush=True)
    finally:
        optuna.close()
    whole, warm = "whole process", "without compilation"
    return [
        Row(names["torch"], whole, 12, times["torch"], times["whole"]),
        Row(names["torch"], warm, 20, times["torch"], times["warm"]),
        Row(names["fused"], whole, None, times["fused"], times["whole"]),
        Row(names["optuna"], whole, 6, times["optuna"], times["whole"]),
    ]


def _print(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time a study beside its peers.")
    parser.add_argument("--turns", type=int, default=5, help="how often each is timed")
    parser.add_argument("--runs", type=int, default=128, help="learning rates")
    parser.add_argument("--epochs", type=int, default=20, help="of each run")
    parser.add_argument("--sample", type=int, default=4, help="of PyTorch's runs, in each turn")
    parser.add_argument("--trials", type=int, default=3, help="of each of Optuna's processes")
    parser.add_argument("--only", choices=("speed", "memory"), help="one of the two parts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements there")
    return parser.parse_args()


def main() -> None:
    """Measure, print a table, and write the measurements where asked to."""
    arguments = _arguments()
    described: dict[str, Any] = {
        **machine.describe(),
        **{name: version(name) for name in ("torch", "optuna")},
    }
    print("; ".join(f"{key} {value}" for key, value in described.items()), "\n", flush=True)
    measured: dict[str, Any] = {"machine": described}
    if arguments.only != "memory":
        rows = measure(arguments)
        _print([_HEAD, *(row.cells for row in rows)])
        print(
            f"{arguments.runs} runs of {arguments.epochs} epochs; of PyTorch's runs "
            f"{arguments.sample} and of Optuna's trials {_PROCESSES * arguments.trials} were timed "
            f"in each turn, and multiplied to {arguments.runs}.\n"
        )
        measured["ratios"] = [row._asdict() for row in rows]
    if arguments.only != "speed":
        print(f"measuring {_MANY_LANES:,} lanes …", file=sys.stderr, flush=True)
        peak = study_sides.study(_MANY_LANES, _MANY_EPOCHS, again=False)["peak"]
        sign = "✓" if peak < _MOST_GIGABYTES else "✗"
        print(
            f"{_MANY_LANES:,} lanes: peak memory {peak:.2f} GB {sign} (under {_MOST_GIGABYTES:g})"
        )
        measured["peak_gigabytes"] = peak
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
