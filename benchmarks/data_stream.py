"""A stream beside resident data: `python -m benchmarks.data_stream [--gigabytes 4]`.

A Parquet set is made in a temporary folder: 20 columns of fractions, 5 of whole numbers, 4 of
labels, and a target of 0 and 1. `mlp:128,64` trains on it for one epoch in a stream, and on its
first part, read into memory, for as many steps, each in a process of its own; both take turns.
Printed are the peak memory of the streamed process as a whole (reading, fitting, compiling,
training), and the ratio of steps a second, from the end of the first dispatch to the end of the
last: dispatches, shuffles, reading, vital signs as they are by default, no validation rows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import machine

MOST_MEMORY, LEAST_RATIO = 1.5e9, 0.8
# What a row takes in the file.
_ROW_BYTES = 167
_NET = "mlp:128,64"


def write(path: Path, rows: int) -> None:
    """Write the set."""
    import duckdb

    columns = [f"random() * 1000 - 500 AS n{i}" for i in range(20)]
    columns += [f"floor(random() * 100)::INT AS i{i}" for i in range(5)]
    columns += [
        f"'v' || floor(random() * {count})::INT AS c{i}" for i, count in enumerate((3, 8, 20, 50))
    ]
    columns.append("(random() > 0.5)::INT AS y")
    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        query = f"SELECT {', '.join(columns)} FROM range({rows})"
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


class Clock:
    """A listener that notes when dispatches end, and ends training after some steps."""

    def __init__(self, steps: int) -> None:
        self._most = steps
        self.steps: list[int] = []
        self.times: list[float] = []

    def block(self, block) -> None:
        self.steps.append(len(block.loss))
        self.times.append(time.perf_counter())

    def stop(self) -> bool:
        return sum(self.steps) >= self._most

    @property
    def rate(self) -> float:
        """Steps a second, without the first dispatch."""
        return sum(self.steps[1:]) / (self.times[-1] - self.times[0])


def child(path: str, stream: bool, batch: int, steps: int) -> None:
    """Train; print what was measured as JSON."""
    from benchmarks.memory import peak_bytes
    from surefoot.engine.training import train
    from surefoot.job import prepare

    started = time.perf_counter()
    epochs = 1 if stream else 1000
    keys = {
        "target": "y",
        "batch_size": batch,
        "epochs": epochs,
        "data.validation": 0.0,
        "data.stream": stream,
    }
    job = prepare(path, net=_NET, keys=keys)
    read = time.perf_counter() - started
    clock = Clock(steps)
    (result,) = train(job.cohort, clock)
    measured = {
        "rows": job.dataset.rows,
        "steps": result.steps,
        "read": read,
        "rate": clock.rate,
        "cpu": sum(os.times()[:2]) / result.steps,
        "peak": peak_bytes(),
        "facts": job.facts["rows"],
    }
    print(json.dumps(measured))


def run(path: Path, stream: bool, batch: int, steps: int) -> dict:
    """Train in a process of its own."""
    arguments = ["--child", str(path), "--batch", str(batch), "--steps", str(steps)]
    command = [sys.executable, "-m", "benchmarks.data_stream", *arguments]
    ended = subprocess.run(
        command + (["--stream"] if stream else []), capture_output=True, text=True
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    return json.loads(ended.stdout.splitlines()[-1])


def measure(size: float, resident: float, batch: int, steps: int, turns: int) -> bool:
    """Print what was measured; return whether it is within the limits."""
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder, "whole.parquet"), Path(folder, "part.parquet")
        write(whole, int(size * 1e9 / _ROW_BYTES))
        write(part, int(min(size, resident) * 1e9 / _ROW_BYTES))
        streamed, held = [], []
        for turn in range(turns):
            streamed.append(run(whole, True, batch, steps))
            held.append(run(part, False, batch, min(steps, streamed[-1]["steps"])))
            print(f"turn {turn}: {_line(streamed[-1])} | {_line(held[-1])}", file=sys.stderr)
        bytes_ = whole.stat().st_size
    ratios = [s["rate"] / h["rate"] for s, h in zip(streamed, held, strict=True)]
    ratio = statistics.median(s["rate"] for s in streamed) / statistics.median(
        h["rate"] for h in held
    )
    peak = max(s["peak"] for s in streamed)
    print(
        f"stream over {bytes_ / 1e9:.2f} GB of Parquet ({streamed[0]['rows']:,} rows), {_NET}, "
        f"batches of {batch}, {streamed[0]['steps']:,} steps: peak memory {peak / 1e9:.2f} GB "
        f"{'✓' if peak < MOST_MEMORY else '✗'} (below {MOST_MEMORY / 1e9:g} GB)"
    )
    print(
        f"steps a second {statistics.median(s['rate'] for s in streamed):,.0f}, resident "
        f"({held[0]['rows']:,} rows) {statistics.median(h['rate'] for h in held):,.0f}: "
        f"{ratio:.2f}× {'✓' if ratio >= LEAST_RATIO else '✗'} (at least {LEAST_RATIO}×; turns "
        f"{min(ratios):.2f} to {max(ratios):.2f})"
    )
    return peak < MOST_MEMORY and ratio >= LEAST_RATIO


def _line(measured: dict) -> str:
    return (
        f"{measured['rate']:,.0f} steps/s, {measured['cpu'] * 1e6:.0f} µs of processor a step, "
        f"peak {measured['peak'] / 1e9:.2f} GB, read in {measured['read']:.1f} s"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="A stream beside resident data.")
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of the Parquet set")
    parser.add_argument("--resident", type=float, default=1.0, help="gigabytes to hold in memory")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10**9, help="at most; default: one epoch")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--stream", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.stream, chosen.batch, chosen.steps)
        return
    print("; ".join(f"{key} {value}" for key, value in machine.describe().items()), "\n")
    measure(chosen.gigabytes, chosen.resident, chosen.batch, chosen.steps, chosen.turns)


if __name__ == "__main__":
    main()
