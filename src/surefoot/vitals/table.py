"""Tables on disk: appended to while training goes on, safe against a crash in mid-write.

A table is a folder of Parquet parts, each written under a temporary name, flushed and renamed:
a part is there whole or not at all. When the run is over the parts become one file beside the
folder. DuckDB, Polars and pandas read either.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import RunError

Column = NDArray[Any]


class Table(Mapping[str, Column]):
    """Named columns of equal length.

    >>> table = Table({"step": np.array([0, 1]), "loss": np.array([2.0, 1.5])})
    >>> len(table), table.rows, float(table["loss"][-1])
    (2, 2, 1.5)
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = dict(columns)

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Table({self.rows} rows: {', '.join(self._columns)})"

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self._columns.values()), ()))

    def where(self, mask: NDArray[np.bool_]) -> Table:
        """Return the rows that the mask names."""
        return Table({name: column[mask] for name, column in self._columns.items()})

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame; pandas must be installed."""
        import pandas as pd

        return pd.DataFrame(self._columns)


class TableWriter:
    """Collects rows, and writes them as parts.

    Args:
        folder: the run's folder.
        name: of the table; parts go to ``folder/name/``, the whole to ``folder/name.parquet``.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._parts = folder / name
        self._whole = folder / f"{name}.parquet"
        self._pending: list[Mapping[str, Column]] = []
        self._count = 0
        self._parts.mkdir()

    def append(self, columns: Mapping[str, Column]) -> None:
        """Add rows; they are on disk after the next `flush`."""
        self._pending.append(columns)

    def flush(self) -> None:
        """Write what was added since the last time as one part."""
        if not self._pending:
            return
        columns = {
            name: np.concatenate([rows[name] for rows in self._pending])
            for name in self._pending[0]
        }
        self._pending.clear()
        _write(columns, self._parts / f"part-{self._count:06d}.parquet")
        self._count += 1

    def close(self) -> None:
        """Write what is left, and make one file of all parts."""
        self.flush()
        if self._count:
            _write(read_parts(self._parts), self._whole)
        shutil.rmtree(self._parts)


def write(folder: Path, name: str, columns: Mapping[str, Column]) -> None:
    """Write a whole table in place of the one that may be there.

    Raises:
        RunError: the disk is full, or the place cannot be written.
    """
    import duckdb

    path = folder / f"{name}.parquet"
    try:
        _write(columns, path)
    except (OSError, duckdb.Error) as error:
        path.with_suffix(".tmp").unlink(missing_ok=True)
        raise RunError(f"{path}: cannot be written: {str(error).splitlines()[0]}") from None


def read(folder: Path, name: str) -> Table:
    """Read a table of a run, also while the run is being trained.

    Raises:
        RunError: it is missing or broken; the message names the file.
    """
    whole, parts = folder / f"{name}.parquet", folder / name
    if whole.is_file():
        return Table(_read([whole]))
    if parts.is_dir():
        return Table(read_parts(parts))
    raise RunError(f"{whole}: no such table; the run recorded none or the file was removed")


def read_parts(parts: Path) -> dict[str, Column]:
    """Read all parts of a table in their order."""
    files = sorted(parts.glob("part-*.parquet"))
    return _read(files) if files else {}


def _write(columns: Mapping[str, Column], path: Path) -> None:
    """Write a Parquet file so that it is there whole or not at all."""
    import duckdb

    temporary = path.with_suffix(".tmp")
    with duckdb.connect() as connection:
        connection.register("columns", dict(columns))
        connection.sql("SELECT * FROM columns").write_parquet(str(temporary), compression="zstd")
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def _read(files: list[Path]) -> dict[str, Column]:
    import duckdb

    # DuckDB takes brackets and stars in a path for a pattern.
    names = [str(file).translate({ord(c): f"[{c}]" for c in "[*?"}) for file in files]
    try:
        with duckdb.connect() as connection:
            columns = connection.read_parquet(names).fetchnumpy()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{files[0]}: not a readable table: {reason}") from None
    return {
        name: np.asarray(np.ma.filled(column, np.nan)) if np.ma.isMaskedArray(column) else column
        for name, column in columns.items()
    }
