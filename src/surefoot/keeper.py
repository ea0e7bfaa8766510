"""Writes a run's folder while training goes on."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.checksums import NAME as SEAL
from surefoot.checksums import seal
from surefoot.control import Control
from surefoot.data.fingerprint import fingerprint
from surefoot.engine.checkpoint import Point
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block
from surefoot.engine.nonfinite import Origin
from surefoot.engine.recorder import metric_rows, vital_rows
from surefoot.engine.snapshot import Snapshot
from surefoot.environment import describe
from surefoot.errors import RunError
from surefoot.files import write_json, write_text
from surefoot.interrupts import Interrupts
from surefoot.recipe import Recipe, dumps
from surefoot.run import SEALED
from surefoot.saving import FOLDER, Saver, Snapshots
from surefoot.vitals.table import TableWriter

# How long rows may wait in memory: what a crash can lose of the tables.
_FLUSH_SECONDS = 2.0
TABLES = ("metrics", "vitals")
# A half leads below any rate at which training diverges, in few steps; eight are a 256th.
_ROLLBACK_FACTOR, _MOST_ROLLBACKS = 0.5, 8


@contextmanager
def new_folder(out: str | Path | None, source: str, base: str = "runs") -> Iterator[Path]:
    """Make the folder of a new run; remove it if the work fails before any result is on disk.

    Args:
        out: where it shall be; it must not exist yet.
        source: of the data; without ``out`` the folder is ``BASE/SOURCE-N`` with the next free N.
        base: the folder of such folders.

    Raises:
        RunError: it exists, or cannot be made.
    """
    path = _make(out, source, Path(base))
    try:
        yield path
    except BaseException:
        if not any(path.rglob("part-*.parquet")) and not (path / "proof.json").exists():
            shutil.rmtree(path, ignore_errors=True)
        raise


def _make(out: str | Path | None, source: str, base: Path) -> Path:
    for name in (source, str(out or "")):
        try:
            name.encode()
        except UnicodeEncodeError:
            raise RunError(f"{name!a}: this name is not valid UTF-8; choose another") from None
    if out is not None and os.path.lexists(out):
        raise RunError(f"{out}: exists already; give another folder, or remove this one")
    try:
        if out is not None:
            path = Path(out)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
            return path
        base.mkdir(exist_ok=True)
        name = Path(source).stem or "run"
        for number in range(1, 1_000_000):
            path = base / f"{name}-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
        raise RunError(f"{base}: more than a million runs of {name}; give another --out")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"{out or base}: cannot be made: {reason}") from None


class Keeper:
    """Listens to the engine and writes one lane's tables and checkpoints into its folder.

    Args:
        path: the run's folder.
        cohort: what is trained.
        recipe: the lane's.
        facts: of the data; asked for when they are needed first.
        progress: called after each dispatch.
        tell: called with a line about what went wrong and does not end training.
        before: of the checkpoint that an earlier process left, where training goes on from one.
        interrupts: that ask for an end.
    """

    def __init__(
        self,
        path: Path,
        cohort: Cohort,
        recipe: Recipe,
        facts: Callable[[], dict[str, Any]],
        progress: Callable[[Block], None],
        tell: Callable[[str], None] = lambda line: None,
        before: Point | None = None,
        interrupts: Interrupts | None = None,
    ) -> None:
        self._path = path
        self._measure = cohort.measure
        self._sites = [(site.name, site.kind) for site in cohort.blueprint.network.sites]
        self._progress = progress
        self._interrupts = interrupts or Interrupts()
        self._step = 0 if before is None else before.step
        self._control = Control(path, self._step)
        self._score: float | None = None
        self._diverged = False
        self._flushed = self._began = time.monotonic()
        known: Mapping[str, Any] = {} if before is None else before.about
        self._seconds_before = float(known.get("seconds", 0.0))
        # It is not over any more, where it was interrupted and goes on.
        for name in (SEAL, "summary.json", *(f"{table}.parquet" for table in TABLES)):
            (path / name).unlink(missing_ok=True)
        write_text(path / "recipe.toml", dumps(recipe))
        write_json(path / "environment.json", describe())
        seal(path, ("recipe.toml", "environment.json"))
        self._facts: Callable[[], dict[str, Any]] | None = facts
        parts = known.get("parts", {})
        self._tables = {name: TableWriter(path, name, parts.get(name, 0)) for name in TABLES}
        self._data = fingerprint(cohort.dataset)
        # Where a run goes back to the beginning of an epoch, nothing in between need be kept.
        self._goes_back = recipe.train.on_divergence == "rollback"
        self._steps_per_epoch = cohort.steps_per_epoch
        self._turning: tuple[Snapshot, dict[str, int]] | None = None
        self.rollbacks: list[dict[str, Any]] = list(known.get("rollbacks", []))
        self._saver = Saver(path, recipe, tell)
        self._snapshots = Snapshots(path, recipe, cohort.steps_per_epoch, tell)
        # What an earlier process left behind of later steps is taken again.
        self._saver.checkpoints.discard_after(self._step if before else -1)

    def block(self, block: Block) -> None:
        """Write the rows of a dispatch."""
        self._write_facts()
        self._step = block.first + len(block.loss)
        self._diverged = bool(block.diverged[0] >= 0)
        run = self._path.name
        self._tables["metrics"].append(metric_rows(block, 0, run, self._measure))
        self._tables["vitals"].append(vital_rows(block, 0, run, self._sites))
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self._flush()
        measured = block.loss.mean() if block.validation is None else block.validation.loss[0]
        self._score = float(measured) if np.isfinite(measured) else None
        self._progress(block)

    def begin(self, snapshot: Callable[[], Snapshot]) -> None:
        """Remember the first point that training may go back to."""
        if self._goes_back:
            self.boundary(snapshot)

    def boundary(self, snapshot: Callable[[], Snapshot]) -> None:
        """Keep the state of training, where it is time to."""
        if not self._diverged:
            self._snapshots.keep(self._step, snapshot, self._score)
        if self._goes_back:
            if self._diverged or self._step % self._steps_per_epoch:
                return
            self._flush()
            self._turning = snapshot(), self._parts
        if self._saver.due:
            self.save(snapshot)

    def turn_back(self, origin: Origin | None) -> Snapshot | None:
        """Take back the epoch in which training diverged; return where it goes on, if it may.

        Args:
            origin: where the first value that was not finite arose.
        """
        if self._turning is None or len(self.rollbacks) >= _MOST_ROLLBACKS:
            return None
        snapshot, parts = self._turning
        for name, table in self._tables.items():
            table.cut(parts[name])
        told = {"from": self._step, "to": snapshot.step, "rate_factor": _ROLLBACK_FACTOR}
        self.rollbacks.append({**told, "origin": None if origin is None else origin.sentence})
        self._step, self._diverged = snapshot.step, False
        return snapshot

    def save(self, snapshot: Callable[[], Snapshot]) -> None:
        """Keep the state of training now, or at the beginning of the epoch."""
        if self._turning is None:
            self._flush()
            self._saver.save(snapshot, self._about(self._parts))
        else:
            before, parts = self._turning
            self._saver.save(lambda: before, self._about(parts))

    def _about(self, parts: dict[str, int]) -> dict[str, Any]:
        """Return what a later process needs to know beside the state of training."""
        return {
            "parts": parts,
            "rollbacks": self.rollbacks,
            "seconds": self.seconds,
            "data": self._data,
            "score": self._score,
        }

    @property
    def _parts(self) -> dict[str, int]:
        return {name: table.parts for name, table in self._tables.items()}

    def _flush(self) -> None:
        for table in self._tables.values():
            table.flush()
        self._flushed = time.monotonic()

    def stop(self) -> bool:
        """Return whether Ctrl-C was pressed, or somebody asked for an end."""
        self._control.look(self._step)
        return self._interrupts.signal is not None or self._control.stopped

    def rate_factor(self) -> float:
        """Return what somebody asked the rate to be multiplied by, or what rollbacks ask."""
        return self._control.rate_factor * _ROLLBACK_FACTOR ** len(self.rollbacks)

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What somebody changed while the run trained."""
        return self._control.done

    @property
    def seconds(self) -> float:
        """How long the run has taken by now, in all processes that trained it."""
        return self._seconds_before + time.monotonic() - self._began

    @property
    def interrupted_by(self) -> str | None:
        """The name of the signal that ended training, such as SIGTERM."""
        found = self._interrupts.signal
        return None if found is None else found.name

    def close(self, summary: dict[str, Any]) -> None:
        """Complete the tables and write the summary: the run can be opened now.

        What it takes to go on is kept where somebody interrupted it.
        """
        self._write_facts()
        for table in self._tables.values():
            table.join()
        self._saver.close()
        write_json(self._path / "summary.json", summary)
        seal(self._path, SEALED)
        # Last: whenever the process may be killed, the rows are there once at least.
        if summary["ended"] != "interrupted":
            sweep(self._path)

    def _write_facts(self) -> None:
        """Write what is known about the data, once; it was gathered while the net compiled."""
        if self._facts is not None:
            write_json(self._path / "data.json", self._facts())
            self._facts = None


def sweep(path: Path) -> None:
    """Remove what only a run that is not over needs: its checkpoints, and the tables' parts."""
    for name in (*TABLES, FOLDER):
        shutil.rmtree(path / name, ignore_errors=True)
