"""Several processes that do one job on this machine: the same as one; and what a lost one costs."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import surefoot as sf

# Batches of 12 rows divide among 4, 3, 2 and 1.
_RECIPE = """
[data]
source = "iris"
[net]
layers = [
    {dense = 16}, {batch_norm = {}}, {activation = "tanh"}, {dense = "classes"},
    {activation = "softmax"},
]
[optimizer]
name = "momentum"
learning_rate = 0.01
[train]
epochs = EPOCHS
batch_size = 12
[checkpoints]
every_seconds = 0.1
"""
_START = "from surefoot.cli.app import main; main()"
_PATIENCE = 240.0
# In epochs of 10 steps: a comparison of arithmetic, and a job that lasts long enough to be killed.
_SHORT, _LONG = 5, 20


class Outcome(NamedTuple):
    """How it went.

    Attributes:
        far: the largest difference of any metric or loss from those of one process.
        seconds: from the kill until the last process had ended.
        failures: a line for each thing that was otherwise.
    """

    far: float
    seconds: float
    failures: list[str]


def same_as_one(folder: Path, counts: tuple[int, ...] = (2, 4)) -> Outcome:
    """Train one recipe with several processes, and with one."""
    recipe = _recipe(folder, _SHORT)
    alone = sf.train(str(recipe), out=folder / "alone")
    far, failures = 0.0, []
    for count in counts:
        place = folder / f"of-{count}"
        started = [
            _start(place, i, count, port, "train", str(recipe), "--out", "run", "-q")
            for port in [_port()]
            for i in range(count)
        ]
        failures += _ended(started, [0] * count)
        others = [path for i in range(1, count) for path in (place / f"host-{i}").iterdir()]
        failures += [f"{path}: written by another process than the first" for path in others]
        far = max(far, _distance(sf.Run(place / "host-0" / "run"), alone))
    if far > 1e-5:
        failures.append(f"differs from one process by {far:.1e}")
    return Outcome(far, 0.0, failures)


def one_killed(folder: Path, count: int = 4) -> Outcome:
    """Kill one of several processes, and go on with fewer."""
    recipe, failures = _recipe(folder, _LONG), []
    alone = sf.train(str(recipe), out=folder / "whole")
    port, place = _port(), folder / "killed"
    words = ("train", str(recipe), "--out", "run", "-q")
    started = [_start(place, i, count, port, *words) for i in range(count)]
    run = place / "host-0" / "run"
    last = time.monotonic() + _PATIENCE
    while not list(run.glob("checkpoints/step-*/manifest.json")) and time.monotonic() < last:
        time.sleep(0.05)
    os.kill(started[-1].pid, signal.SIGKILL)
    killed = time.monotonic()
    failures += _ended(started, [1] * (count - 1) + [-signal.SIGKILL])
    seconds = time.monotonic() - killed
    if seconds > 30:
        failures.append(f"the job ended {seconds:.0f} s after one of its processes")
    far = 0.0
    for fewer in (count - 1, 1):
        copy = folder / f"resumed-by-{fewer}" / "run"
        shutil.copytree(run, copy)
        port = _port()
        words = ("resume", str(copy), "-q")
        failures += _ended(
            [_start(copy.parent, i, fewer, port, *words) for i in range(fewer)], [0] * fewer
        )
        far = max(far, _distance(sf.Run(copy), alone))
    if far > 1e-4:
        failures.append(f"a resumed run differs from a whole one by {far:.1e}")
    return Outcome(far, seconds, failures)


def _recipe(folder: Path, epochs: int) -> Path:
    path = folder / f"recipe-{epochs}.toml"
    path.write_text(_RECIPE.replace("EPOCHS", str(epochs)))
    return path


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _start(place: Path, number: int, count: int, port: int, *words: str) -> Any:
    folder = place / f"host-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "SUREFOOT_COORDINATOR": f"127.0.0.1:{port}",
        "SUREFOOT_PROCESSES": str(count),
        "SUREFOOT_PROCESS": str(number),
    }
    return subprocess.Popen(
        [sys.executable, "-c", _START, *words],
        cwd=folder,
        env={**os.environ, **told},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(started: list[Any], expected: list[int]) -> list[str]:
    """Wait for processes; return a line for each that did not end as expected."""
    failures = []
    last = time.monotonic() + _PATIENCE
    for number, (process, code) in enumerate(zip(started, expected, strict=True)):
        try:
            _, said = process.communicate(timeout=max(1.0, last - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
        if process.returncode != code or "Traceback" in said:
            lines = said.strip().splitlines()
            failures.append(
                f"process {number} ended with {process.returncode}, not {code}: "
                f"{lines[-1] if lines else ''}"
            )
    return failures


def _distance(run: sf.Run, other: sf.Run) -> float:
    """Return how far the losses of all steps and the metrics of two runs are from each other."""
    far = [np.max(np.abs(run.history["loss"] - other.history["loss"]))]
    for part, metrics in other.metrics.items():
        far += [abs(run.metrics[part][name] - value) for name, value in metrics.items()]
    return float(max(far))
