"""What is asked of a run while it trains, and what was changed of it: small files in its folder.

`running.json` is there while a process trains the run, and tells which. `control.json` is what
somebody asks for: an end, or another learning rate; training reads it between two dispatches.
`changes.json` is what was done: who asked, when, at which step. It stays with the run, which its
recipe alone does not make again.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from surefoot.errors import InputError, RunError
from surefoot.files import read_json, write_json

RUNNING, CONTROL, CHANGES = "running.json", "control.json", "changes.json"
# What a person asks for is far within these; beyond them a slip is more likely.
LEAST_FACTOR, MOST_FACTOR = 1e-6, 1e6
# Clocks are set while processes run: starts are compared to within so many seconds.
_CLOCK_SECONDS = 5.0
# A process of another machine cannot be asked; its run counts as alive while it writes.
_SILENT_SECONDS = 60.0
_MOST_BYTES = 1_000_000


@contextmanager
def running(folder: Path, about: Mapping[str, Any]) -> Iterator[None]:
    """Tell by `running.json` that this process trains the run, for as long as it does.

    Args:
        folder: the run's.
        about: what else to tell: how many steps there will be, what is measured.
    """
    import psutil

    (folder / CONTROL).unlink(missing_ok=True)  # an old wish to end is not for this training
    process = psutil.Process()
    me = {"pid": process.pid, "since": process.create_time(), "boot": psutil.boot_time()}
    write_json(folder / RUNNING, {**about, **me})
    try:
        yield
    finally:
        (folder / RUNNING).unlink(missing_ok=True)
        (folder / CONTROL).unlink(missing_ok=True)


def is_alive(folder: Path, told: Mapping[str, Any]) -> bool:
    """Return whether the process that `running.json` tells of is still there.

    Args:
        folder: the run's.
        told: what `running.json` holds.
    """
    import psutil

    try:
        pid, since, boot = int(told["pid"]), float(told["since"]), float(told["boot"])
        if abs(psutil.boot_time() - boot) > _CLOCK_SECONDS:  # another machine, or a restart
            return time.time() - _last_sign(folder) < _SILENT_SECONDS
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - since) < _CLOCK_SECONDS
    except (KeyError, TypeError, ValueError, OverflowError, psutil.Error):
        return False


def _last_sign(folder: Path) -> float:
    """Return when the run wrote last, in seconds since the epoch."""
    times = [0.0]
    for name in (RUNNING, "metrics"):
        try:
            times.append((folder / name).stat().st_mtime)
        except OSError:
            continue
    return max(times)


def ask(folder: Path, by: str, *, stop: bool = False, rate_factor: float | None = None) -> None:
    """Ask a run that is being trained to end, or to multiply its learning rate.

    What was asked before and is not mentioned stays asked.

    Args:
        folder: the run's.
        by: who asks.
        stop: whether it shall end at the next boundary.
        rate_factor: what the recipe's learning rate shall be multiplied by, whatever it was
            multiplied by before.

    Raises:
        InputError: the factor is not between 0.000001 and 1,000,000.
        RunError: the run is not being trained, or its folder cannot be written.
    """
    if rate_factor is not None and not LEAST_FACTOR <= rate_factor <= MOST_FACTOR:
        raise InputError(
            f"rate_factor = {rate_factor}: must be from {LEAST_FACTOR:g} to {MOST_FACTOR:,.0f}"
        )
    if not (folder / RUNNING).is_file():
        raise RunError(f"{folder}: is not being trained; there is nothing to stop or change")
    wish = _read(folder / CONTROL)
    if stop:
        wish["stop"] = True
    if rate_factor is not None:
        wish["rate_factor"] = float(rate_factor)
    write_json(folder / CONTROL, {**wish, "by": by, "at": _now()})


def changes(folder: Path) -> list[dict[str, Any]]:
    """Return what was changed of a run while it trained, in order; nothing for most runs."""
    try:
        told = read_json(folder / CHANGES, _MOST_BYTES)
    except RunError:
        return []
    return [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []


class Control:
    """Reads what is asked of a run, and keeps the record of what was done.

    Args:
        folder: the run's.
        step: from which step it is trained: changes before it still hold.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self._done = [entry for entry in changes(folder) if entry.get("step", 0) <= step]
        factors = [entry["to"] for entry in self._done if entry.get("what") == "rate"]
        self.rate_factor: float = factors[-1] if factors else 1.0
        self.stopped = False

    @property
    def done(self) -> list[dict[str, Any]]:
        """What was changed so far: `what`, `step`, `from`, `to`, `by`, `at`."""
        return list(self._done)

    def look(self, step: int) -> None:
        """See what is asked; do it, and write down what changes from this step on.

        Args:
            step: the next one.
        """
        path = self._folder / CONTROL
        try:
            status = os.stat(path)
        except OSError:
            return
        if (status.st_mtime_ns, status.st_ino) == self._seen:
            return
        self._seen = status.st_mtime_ns, status.st_ino
        wish = _read(path)
        factor = wish.get("rate_factor", self.rate_factor)
        if _is_factor(factor) and factor != self.rate_factor:
            self._note(wish, step, {"what": "rate", "from": self.rate_factor, "to": factor})
            self.rate_factor = factor
        if wish.get("stop") is True and not self.stopped:
            self._note(wish, step, {"what": "stop"})
            self.stopped = True

    def _note(self, wish: Mapping[str, Any], step: int, change: dict[str, Any]) -> None:
        told = {"by": str(wish.get("by", "")), "asked": str(wish.get("at", "")), "at": _now()}
        self._done.append({"step": step, **change, **told})
        write_json(self._folder / CHANGES, self._done)


def _is_factor(value: Any) -> bool:
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    return usable and math.isfinite(value) and LEAST_FACTOR <= value <= MOST_FACTOR


def _read(path: Path) -> dict[str, Any]:
    """Return what a file asks for; nothing where it is not there or makes no sense."""
    try:
        wish = read_json(path, _MOST_BYTES)
    except RunError:
        return {}
    return wish if isinstance(wish, dict) else {}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
