"""Tables on disk: appended to while training goes on, safe against a crash in mid-write.

A table is a folder of Parquet parts, each written under a temporary name, flushed and renamed:
a part is there whole or not at all. Its name holds the first digits of its SHA-256, so that one
that was altered is never read. When the run is over the parts become one file beside the folder.
DuckDB, Polars and pandas read either.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.checksums import of_file
from surefoot.data.connection import connect
from surefoot.data.memory import free_bytes
from surefoot.errors import RunError

Column = NDArray[Any]
# Of a checksum in a part's name: what no accident repeats.
_DIGITS = 16
# Of a row in memory: about as many columns as a table has, of eight bytes each.
_ROW_BYTES = 8 * 24
_PART = re.compile(rf"part-[0-9]{{6}}-([0-9a-f]{{{_DIGITS}}})\.parquet")


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
        parts: how many parts of an earlier process to go on after; others are removed.

    Attributes:
        parts: how many there are on disk.
    """

    def __init__(self, folder: Path, name: str, parts: int = 0) -> None:
        self._parts = folder / name
        self._pending: list[Mapping[str, Column]] = []
        self.parts, self._joined = parts, 0
        self._parts.mkdir(exist_ok=True)
        known = part_files(self._parts, parts)
        for path in self._parts.iterdir():
            if path not in known:
                path.unlink()

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
        write_part(self._parts, self.parts, columns)
        self.parts += 1

    def cut(self, parts: int) -> None:
        """Take back what was added after so many parts."""
        self._pending.clear()
        for path in part_files(self._parts, self.parts)[parts:]:
            path.unlink()
        self.parts = parts

    def join(self) -> None:
        """Write what is left, and make one file of all parts, which stay until `close`.

        Raises:
            RunError: the disk is full, a part was altered, or the place cannot be written.
        """
        self.flush()
        if self._joined < self.parts:
            write(self._parts.parent, self._parts.name, read_parts(self._parts))
            self._joined = self.parts

    def close(self) -> None:
        """Make one file of all parts, in place of them."""
        self.join()
        shutil.rmtree(self._parts, ignore_errors=True)


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


def write_part(parts: Path, number: int, columns: Mapping[str, Column]) -> Path:
    """Write one part of a table; its name holds its number and its checksum.

    Raises:
        RunError: the disk is full, or the place cannot be written.
    """
    import duckdb

    temporary = parts / f"part-{number:06d}.tmp"
    try:
        _fill(temporary, columns)
        digest = of_file(temporary)["sha256"][:_DIGITS]
        return temporary.rename(parts / f"part-{number:06d}-{digest}.parquet")
    except (OSError, duckdb.Error) as error:
        temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunError(f"{parts}: cannot be written: {reason}") from None


def read(folder: Path, name: str) -> Table:
    """Read a table of a run, also while the run is being trained.

    Raises:
        RunError: it is missing or broken; the message names the file.
    """
    whole, parts = folder / f"{name}.parquet", folder / name
    if whole.is_file():
        return Table(read_files([whole]))
    if parts.is_dir():
        return Table(read_parts(parts))
    raise RunError(f"{whole}: no such table; the run recorded none or the file was removed")


def read_parts(parts: Path, count: int | None = None) -> dict[str, Column]:
    """Read all parts of a table, or the first of them, in their order.

    Raises:
        RunError: one is missing, or was altered.
    """
    files = sorted(parts.glob("part-*.parquet")) if count is None else part_files(parts, count)
    return read_files(files) if files else {}


def part_files(parts: Path, count: int) -> list[Path]:
    """Return the first parts of a table.

    Raises:
        RunError: one of them is missing.
    """
    numbered = {path.name[: len("part-000000")]: path for path in parts.glob("part-*.parquet")}
    names = [f"part-{number:06d}" for number in range(count)]
    for name in names:
        if name not in numbered:
            raise RunError(f"{parts}: {name} is missing")
    return [numbered[name] for name in names]


def _write(columns: Mapping[str, Column], path: Path) -> None:
    """Write a Parquet file so that it is there whole or not at all."""
    temporary = path.with_suffix(".tmp")
    _fill(temporary, columns)
    temporary.replace(path)


def _fill(path: Path, columns: Mapping[str, Column]) -> None:
    """Write a Parquet file, and flush it."""
    with _database().cursor() as connection:
        connection.register("columns", dict(columns))
        connection.sql("SELECT * FROM columns").write_parquet(str(path), compression="zstd")
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@cache
def _database() -> Any:
    """Return an empty database in memory: opening one takes four times as long as a part."""
    return connect()


def make_ready() -> None:
    """Load and open what tables are written with, which takes a tenth of a second at first."""
    _database()


def _check_part(file: Path) -> None:
    """Refuse a part that is not what its name says."""
    named = _PART.fullmatch(file.name)
    if named and not of_file(file)["sha256"].startswith(named[1]):
        raise RunError(f"{file}: was altered after it was written: its checksum is another")


def read_files(files: Sequence[Path], columns: Sequence[str] | None = None) -> dict[str, Column]:
    """Read Parquet files of one table, one after the other.

    Args:
        files: at least one.
        columns: which; those that are not there are left out. All where nothing is given.

    Raises:
        RunError: a file is missing or broken; the message names the first.
    """
    import duckdb

    for file in files:
        _check_part(file)
    # DuckDB takes brackets and stars in a path for a pattern.
    names = [str(file).translate({ord(c): f"[{c}]" for c in "[*?"}) for file in files]
    try:
        with _database().cursor() as connection:
            rows = connection.read_parquet(names)
            _check_size(connection, names, files[0])
            if columns is not None:
                rows = rows.select(*(f'"{name}"' for name in columns if name in rows.columns))
            found = rows.fetchnumpy()
    except RunError:
        raise
    # DuckDB raises a RuntimeError where a column's name is no text.
    except (duckdb.Error, RuntimeError, ValueError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{files[0]}: not a readable table: {reason}") from None
    return {name: _plain(column) for name, column in found.items()}


def _plain(column: Any) -> Column:
    """Return a column with NaN for what is missing."""
    if not np.ma.isMaskedArray(column):
        return column
    wide = column if column.dtype.kind in "fO" else column.astype(np.float64)
    return np.asarray(wide.filled(np.nan))


def _check_size(connection: Any, names: list[str], first: Path) -> None:
    """Refuse tables that would not fit into memory: few bytes can say many equal rows."""
    query = "SELECT sum(num_rows) FROM parquet_file_metadata($1)"
    # On a cursor of its own: the relation that is to be read stays open on the connection.
    ((rows,),) = connection.cursor().execute(query, [names]).fetchall()
    if int(rows or 0) * _ROW_BYTES > free_bytes():
        raise RunError(
            f"{first}: not a readable table: {rows:,} rows are more than memory can hold"
        )
