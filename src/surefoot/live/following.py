"""Follows one run's tables: reads what is new, and keeps a bounded picture of the whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.checksums import check
from surefoot.doctor.evidence import PLACE, Evidence
from surefoot.errors import RunError, SurefootError
from surefoot.live.places import is_within, read_inside
from surefoot.live.thinning import thin_records, thin_rows
from surefoot.recipe import Recipe, load
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import Table, read_files

Columns = dict[str, NDArray[Any]]
# What is kept of a run: more than a chart has points, and little enough for many runs.
_MOST_ROWS, _MOST_NUMBERS = 60_000, 3_000_000


class _Tail:
    """Reads the rows of a table that were not read yet, from its parts or from the whole."""

    def __init__(self, root: Path, folder: Path, name: str, columns: Sequence[str]) -> None:
        self._root, self._columns = root, columns
        self._parts, self._whole = folder / name, folder / f"{name}.parquet"
        self._seen: set[str] = set()
        self._closed: tuple[int, int] | None = None

    def read(self) -> tuple[Columns, bool]:
        """Return new rows, none where there are none; and whether they are all that there are.

        All are read again when the table is whole, and when parts are gone that were read: a run
        that was resumed, or went back after it diverged, takes steps again.

        Raises:
            RunError: a file is broken.
        """
        if is_within(self._root, self._whole):
            status = self._whole.stat()
            mark = status.st_mtime_ns, status.st_size
            if mark == self._closed:
                return {}, False
            check(self._whole.parent, self._whole.name)
            rows = self._rows([self._whole])
            self._closed, self._seen = mark, set()
            return rows, True
        again = self._closed is not None
        self._closed = None
        if not is_within(self._root, self._parts):
            return {}, again
        files = [p for p in sorted(self._parts.glob("part-*.parquet")) if not p.is_symlink()]
        again = again or not self._seen <= {path.name for path in files}
        fresh = [path for path in files if again or path.name not in self._seen]
        rows = self._rows(fresh) if fresh else {}
        self._seen = {path.name for path in files}
        return rows, again

    def _rows(self, files: list[Path]) -> Columns:
        rows = read_files(files, self._columns)
        if "step" not in rows:
            raise RunError(f"{files[0].name}: the table has no steps")
        return rows


class Follower:
    """One run's tables, brought up to date when they are asked for.

    A run may have any number of steps: what is kept of it has an upper bound, and every extreme.

    Args:
        root: the folder that runs are looked for in.
        folder: the run's.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folder = root, folder
        self._metrics = _Tail(root, folder, "metrics", ("step", "epoch", *METRIC_COLUMNS))
        self._vitals = _Tail(root, folder, "vitals", (*PLACE, *VITAL_COLUMNS))
        self._lock = threading.Lock()
        self._identity = _identity(folder)
        self._rows: Columns = {}
        self._layers: list[tuple[str, str]] = []
        self._records: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._facts: Any = None
        self._recipe: Recipe | None = None
        self.problems: dict[str, str] = {}

    def is_of(self, folder: Path) -> bool:
        """Return whether the run is still the one that was followed, not another of its name."""
        return self._identity == _identity(folder)

    def evidence(self) -> Evidence:
        """Read what is new; return all that is known. What cannot be read is told in `problems`."""
        with self._lock:
            self._try("recipe", self._read_recipe)
            if not isinstance(self._facts, dict):
                self._facts = read_inside(self._root, self._folder / "data.json")
            self._try("metrics", self._read_metrics)
            self._try("vitals", self._read_vitals)
            facts = self._facts if isinstance(self._facts, dict) else {}
            # Charts need no recipe: a run whose recipe is broken is shown all the same.
            recipe: Any = self._recipe
            return Evidence(recipe, Table(self._rows), Table(self._table()), facts)

    def _try(self, name: str, read: Callable[[], None]) -> None:
        try:
            read()
        except (SurefootError, OSError, ValueError, KeyError, TypeError) as error:
            text = str(error).splitlines()[0].replace(f"{self._folder}/", "")
            self.problems[name] = text
        else:
            self.problems.pop(name, None)

    def _read_recipe(self) -> None:
        path = self._folder / "recipe.toml"
        if is_within(self._root, path):
            check(self._folder, path.name)
            self._recipe = self._recipe or load(path)

    def _read_metrics(self) -> None:
        rows, again = self._metrics.read()
        if again:
            self._rows = {}
        if not rows or not len(rows["step"]):
            return
        if self._rows:
            shared = self._rows.keys() & rows.keys()
            rows = {name: np.concatenate([self._rows[name], rows[name]]) for name in shared}
        self._rows = thin_rows(rows, _MOST_ROWS)

    def _read_vitals(self) -> None:
        """Lay rows out as [records, layers, signs]; a record that is not whole is left out."""
        rows, again = self._vitals.read()
        if again:
            self._records = None
        if not rows or not len(rows["step"]):
            return
        depths = np.unique(rows["depth"])
        recorded, counts = np.unique(rows["step"], return_counts=True)
        whole = recorded[counts == len(depths)]
        if not len(whole):
            return
        order = np.lexsort((rows["depth"], rows["step"]))
        order = order[np.isin(rows["step"][order], whole)]
        first = order[: len(depths)]
        layers = [(str(rows["layer"][i]), str(rows["kind"][i])) for i in first]
        absent = np.full(len(rows["step"]), np.nan, np.float32)
        signs = [np.asarray(rows.get(name, absent), np.float32)[order] for name in VITAL_COLUMNS]
        grid = np.stack(signs, axis=-1).reshape(len(whole), len(depths), len(VITAL_COLUMNS))
        if self._records is not None and layers == self._layers:
            whole = np.concatenate([self._records[0], whole])
            grid = np.concatenate([self._records[1], grid])
        self._layers = layers
        self._records = thin_records(whole, grid, max(_MOST_NUMBERS // grid[0].size, 100))

    def _table(self) -> Columns:
        """Return the records as rows of the vitals table."""
        if self._records is None:
            return {}
        steps, grid = self._records
        count, layers = grid.shape[:2]
        names, kinds = (np.array(column, object) for column in zip(*self._layers, strict=True))
        place: Columns = {
            "step": np.repeat(steps, layers),
            "layer": np.tile(names, count),
            "kind": np.tile(kinds, count),
            "depth": np.tile(np.arange(layers), count),
        }
        signs = {name: grid[:, :, i].reshape(-1) for i, name in enumerate(VITAL_COLUMNS)}
        return {**place, **signs}


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = (folder / "recipe.toml").stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
