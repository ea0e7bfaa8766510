"""Writes a run's folder while training goes on."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block
from surefoot.engine.recorder import metric_rows, vital_rows
from surefoot.environment import describe
from surefoot.errors import RunError
from surefoot.files import write_json, write_text
from surefoot.recipe import Recipe, dumps
from surefoot.vitals.table import TableWriter

# How long rows may wait in memory: what a crash can lose of the tables.
_FLUSH_SECONDS = 2.0


@contextmanager
def new_folder(out: str | Path | None, source: str, base: str = "runs") -> Iterator[Path]:
    """Make the folder of a new run; remove it if the work fails before any step is on disk.

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
        if not any(path.glob("*/part-*.parquet")):
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
    """Listens to the engine and writes one lane's tables into its folder."""

    def __init__(
        self,
        path: Path,
        cohort: Cohort,
        recipe: Recipe,
        facts: Callable[[], dict[str, Any]],
        progress: Callable[[Block], None],
    ) -> None:
        self._path = path
        self._measure = cohort.measure
        self._sites = [(site.name, site.kind) for site in cohort.blueprint.network.sites]
        self._progress = progress
        self._stopping = threading.Event()
        self._flushed = time.monotonic()
        write_text(path / "recipe.toml", dumps(recipe))
        write_json(path / "environment.json", describe())
        self._facts: Callable[[], dict[str, Any]] | None = facts
        self._metrics = TableWriter(path, "metrics")
        self._vitals = TableWriter(path, "vitals")

    def block(self, block: Block) -> None:
        """Write the rows of a dispatch."""
        self._write_facts()
        run = self._path.name
        self._metrics.append(metric_rows(block, 0, run, self._measure))
        self._vitals.append(vital_rows(block, 0, run, self._sites))
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self._metrics.flush()
            self._vitals.flush()
            self._flushed = time.monotonic()
        self._progress(block)

    def stop(self) -> bool:
        """Return whether Ctrl-C was pressed."""
        return self._stopping.is_set()

    def close(self, summary: dict[str, Any]) -> None:
        """Complete the tables and write the summary: the run can be opened now."""
        self._write_facts()
        self._metrics.close()
        self._vitals.close()
        write_json(self._path / "summary.json", summary)

    def _write_facts(self) -> None:
        """Write what is known about the data, once; it was gathered while the net compiled."""
        if self._facts is not None:
            write_json(self._path / "data.json", self._facts())
            self._facts = None

    @contextmanager
    def catching_interrupts(self) -> Iterator[None]:
        """Let the first Ctrl-C end training at the next boundary, and a second one at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def handle(number: int, frame: FrameType | None) -> None:
            if self._stopping.is_set():
                raise KeyboardInterrupt
            self._stopping.set()

        before = signal.signal(signal.SIGINT, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
