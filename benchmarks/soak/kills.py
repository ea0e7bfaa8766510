"""Runs that are killed, told to end, or run out of disk, at random moments; each goes on."""

from __future__ import annotations

import multiprocessing as mp
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import surefoot as sf
from benchmarks.soak.same import differences
from benchmarks.soak.worker import work

# Imported once, in a process that every worker is forked from before JAX starts.
_CONTEXT = mp.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["benchmarks.soak.worker"])
# How often one run is stopped before it may end.
_TIMES = 5
_PATIENCE = 120.0


class Score(NamedTuple):
    """How it went.

    Attributes:
        stops: how many times a process was stopped while it worked.
        runs: how many runs were carried to their end.
        failures: a line for each that was lost, or ended otherwise.
    """

    stops: int
    runs: int
    failures: list[str]


class Trials:
    """Trains one run that is never stopped, then others that are.

    Args:
        folder: for all of them; it is empty.
        seed: of the moments.
    """

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self._folder = folder
        self._rng = np.random.default_rng(seed)
        self._number = 0
        self._errors = str(folder / "error.txt")
        for name in ("warm", "whole"):  # the first fills the cache of compiled programs
            started = time.monotonic()
            process = self._start(folder / name / "run")
            process.join(_PATIENCE)
            assert process.exitcode == 0, self._said()
            self.seconds = time.monotonic() - started
        self._whole = sf.Run(folder / "whole" / "run")

    def stopped_by(self, number: signal.Signals, times: int) -> Score:
        """Stop processes with a signal, so many times in all, and let each run end."""
        expected = -number if number == signal.SIGKILL else 128 + number

        def stop(process: Any) -> str | None:
            process.join(self._rng.uniform(0, 1.1 * self.seconds))
            if process.exitcode is not None:
                return None
            os.kill(process.pid, number)
            process.join(_PATIENCE)
            # It may have ended by itself in between; before training begins SIGTERM just ends it.
            fine = process.exitcode in (expected, 0, -number)
            return "" if fine else f"exit code {process.exitcode}: {self._said()}"

        return self._many(times, lambda path: (self._start(path), stop))

    def disk_full(self, times: int) -> Score:
        """Let no file grow beyond some bytes from a random moment on."""

        def begin(path: Path) -> tuple[Any, Callable[[Any], str | None]]:
            moment = self._rng.uniform(0, self.seconds)
            return self._start(path, moment, int(self._rng.choice([0, 100, 1000, 3000]))), stop

        def stop(process: Any) -> str | None:
            process.join(_PATIENCE)
            if process.exitcode == 0:
                return None
            said = self._said()
            fine = process.exitcode == 2 and said and "\n" not in said
            return "" if fine else f"exit code {process.exitcode}: {said!r}"

        return self._many(times, begin)

    def two_at_once(self) -> Score:
        """Start two processes on one run: one is refused, and the other one ends as it should."""
        path = self._folder / "twice" / "run"
        first = self._start(path)
        while not (path / "recipe.toml").exists():
            time.sleep(0.01)
        second = self._start(path)
        second.join(_PATIENCE)
        refused = second.exitcode == 2 and "is being written by process" in self._said()
        first.join(_PATIENCE)
        wrong = differences(sf.Run(path), self._whole) if first.exitcode == 0 else ["no end"]
        failures = [*wrong, *([] if refused else [f"not refused: {self._said()!r}"])]
        return Score(1, 1, failures)

    def _many(
        self, times: int, begin: Callable[[Path], tuple[Any, Callable[[Any], str | None]]]
    ) -> Score:
        stops, runs, failures = 0, 0, []
        while stops < times:
            self._number += 1
            path = self._folder / f"stopped-{self._number}" / "run"
            for _ in range(_TIMES):
                process, stop = begin(path)
                why = stop(process)
                if why is None:
                    break
                stops += 1
                if why:
                    failures.append(why)
                if stops >= times:
                    break
            runs += 1
            failures += self._ends(path)
            shutil.rmtree(path.parent, ignore_errors=True)
        return Score(stops, runs, failures)

    def _ends(self, path: Path) -> list[str]:
        """Let a run end; return what differs from the one that was never stopped."""
        process = self._start(path)
        process.join(_PATIENCE)
        if process.exitcode != 0:
            return [f"lost: exit code {process.exitcode}: {self._said()}"]
        wrong = differences(sf.Run(path), self._whole)
        return [f"another end: {', '.join(wrong)}"] if wrong else []

    def _start(self, path: Path, *full: Any) -> Any:
        Path(self._errors).unlink(missing_ok=True)
        process = _CONTEXT.Process(target=work, args=(str(path), self._errors, *full))
        process.start()
        return process

    def _said(self) -> str:
        path = Path(self._errors)
        return path.read_text() if path.exists() else ""
