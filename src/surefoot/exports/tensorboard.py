"""A run as event files, which TensorBoard shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.errors import InputError, RunError
from surefoot.exports.curves import finished_run, metric_curves
from surefoot.run import Run
from surefoot.vitals.columns import VITAL_COLUMNS


def export_tensorboard(folder: Path, to: Path) -> Path:
    """Write a run as an event file: metrics, vital signs of each layer, and the recipe.

    Times are those of the steps as far as they are known: from the run's begin, evenly.

    Args:
        folder: of a finished run.
        to: the folder that TensorBoard is pointed at; the run gets one of its own within it.

    Returns:
        the event file.

    Raises:
        InputError: the package `tensorboard` is not installed.
        RunError: there is no such run, or the folder exists or cannot be written.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.text.summary_v2 import text_pb
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError:
        raise InputError(
            "--tensorboard needs TensorBoard: pip install 'surefoot[tensorboard]'"
        ) from None
    run = finished_run(folder)
    own = to / folder.resolve().name
    began = (folder / "recipe.toml").stat().st_mtime
    each = float(run.summary.get("seconds") or 0) / max(int(run.summary.get("steps") or 1), 1)
    path = own / f"events.out.tfevents.{int(began):010d}.surefoot"
    if own.exists():
        raise RunError(f"{own}: exists already; give another folder, or remove this one")
    temporary = own / "events.tmp"
    try:
        own.mkdir(parents=True)
        with temporary.open("wb") as file:
            writer = RecordWriter(file)

            def write(step: int, **more: Any) -> None:
                event = Event(wall_time=began + step * each, step=step, **more)
                writer.write(event.SerializeToString())

            write(0, file_version="brain.Event:2")
            recipe = (folder / "recipe.toml").read_text(encoding="utf-8")
            write(0, summary=text_pb("recipe", "    " + recipe.replace("\n", "\n    ")))
            for step, values in _by_step(run):
                told = [Summary.Value(tag=tag, simple_value=value) for tag, value in values]
                write(step, summary=Summary(value=told))
            writer.flush()
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError(f"{own}: cannot be written: {error.strerror or error}") from None
    return path


def _by_step(run: Run) -> Iterator[tuple[int, list[tuple[str, float]]]]:
    """Yield each step with all that was measured there."""
    told: dict[int, list[tuple[str, float]]] = {}
    for name, (steps, values) in metric_curves(run.history):
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            told.setdefault(step, []).append((name, value))
    vitals = run.vitals
    if vitals.rows:
        layers = [f"{a} {b}" for a, b in zip(vitals["layer"], vitals["kind"], strict=True)]
        for sign in VITAL_COLUMNS:
            column = np.asarray(vitals.get(sign, np.zeros(0)), np.float64)
            for row in np.flatnonzero(~np.isnan(column)).tolist():
                tag = f"{sign}/{layers[row]}"
                told.setdefault(int(vitals["step"][row]), []).append((tag, float(column[row])))
    yield from sorted(told.items())
