"""The folder of a study that several processes do: the first one writes, all know what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.engine.agreement import once
from surefoot.lock import writing
from surefoot.processes import is_first, several
from surefoot.study.folder import StudyFolder
from surefoot.study.running import Columns
from surefoot.vitals.table import Table


class SharedFolder:
    """What `StudyFolder` is, in every process; all have to call the same but `join` and `clear`.

    Attributes:
        path: the folder, on the first process's machine.
        finished: whether the study was finished before.
    """

    def __init__(self, out: str | Path | None, source: str, asked: str) -> None:
        """Choose a folder; arguments and errors are those of `StudyFolder`."""
        self._own: StudyFolder | None = None

        def choose() -> tuple[str, bool]:
            self._own = StudyFolder(out, source, asked)
            return str(self._own.path), self._own.finished

        path, self.finished = once(choose)
        self.path = Path(path)

    @property
    def lost(self) -> list[str]:
        """A line for each part that was removed, in the first process."""
        return [] if self._own is None else self._own.lost

    def make(self) -> None:
        """Make the folder."""
        once(lambda: self._first.make())

    def runs(self) -> Table:
        """Return the rows of all runs that are finished."""
        columns = once(lambda: _listed(self._first.runs()))
        return Table({name: np.array(values, kind) for name, (kind, values) in columns.items()})

    def done(self) -> set[tuple[int, int]]:
        """Return the settings and seeds of the runs that are finished."""
        return {tuple(run) for run in once(lambda: sorted(self._first.done()))}

    def passed(self) -> int:
        """Return the epoch of the last choice."""
        return once(lambda: self._first.passed())

    def keep(self, rows: Columns) -> None:
        """Write the rows of a part."""
        once(lambda: self._first.keep(rows))

    def join(self, runs: Mapping[str, Any]) -> None:
        """Write all runs as one table; asked for in the first process alone."""
        self._first.join(runs)

    def clear(self) -> None:
        """Remove the parts; asked for in the first process alone."""
        self._first.clear()

    @property
    def _first(self) -> StudyFolder:
        assert self._own is not None, "asked for in the first process alone"
        return self._own


def folder_of(out: str | Path | None, source: str, asked: str) -> StudyFolder | SharedFolder:
    """Return the folder of a study."""
    return SharedFolder(out, source, asked) if several() else StudyFolder(out, source, asked)


@contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Be the only job that writes into a folder: its first process holds the lock."""
    if not is_first():
        yield
        return
    with writing(path):
        yield


def _listed(table: Table) -> dict[str, Any]:
    """Return a table's columns as JSON has them: their types, and their values."""
    return {name: [column.dtype.str, column.tolist()] for name, column in table.items()}
