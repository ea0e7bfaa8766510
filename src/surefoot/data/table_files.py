"""Tables on disk that are read a part at a time: Parquet, or a copy as Parquet.

A Parquet file is read where it is. A CSV or JSON lines are copied once, and so is a file where rows
lack a target, without them: under ``$XDG_CACHE_HOME/surefoot/tables`` (or ``~/.cache/…``) there is
a folder for each, with the copy and `manifest.json`, which says from what it was made.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.data import stream_limits as limits
from surefoot.data.cache import cache_folder, clear
from surefoot.data.connection import connect
from surefoot.data.csv_scan import (
    NULLS,
    Scan,
    carefully,
    explained,
    literal,
    literal_path,
    scan_csv,
)
from surefoot.data.decoding import cores
from surefoot.data.tables import check_table, describe, select
from surefoot.errors import DataError

_VERSION = 1
# Parts of a row group can be read alone, at the cost of a look at what lies before them.
_GROUP_ROWS = 65_536
_COPY = "rows.parquet"
_Stamp = tuple[int, int]


@dataclass(frozen=True)
class TableFile:
    """A table in a Parquet file.

    Attributes:
        path: of the table, as it was named.
        parquet: of the file that is read: the table's own, or that of its copy.
        described: the columns' names and their types in SQL.
        groups: how many rows each of the file's row groups has.
        stamp: size and time of the file that is read, by which a change shows.
        notes: what there is to say about it.
    """

    path: str
    parquet: str
    described: tuple[tuple[str, str], ...]
    groups: tuple[int, ...]
    stamp: _Stamp
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.groups)

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns are called."""
        return tuple(name for name, _ in self.described)

    @property
    def source(self) -> str:
        """What to select from, in SQL: columns c0, c1, … and `place`, the row's number."""
        places = ", ".join(f"c{i}" for i in range(len(self.described)))
        file = literal(literal_path(self.parquet))
        return f"read_parquet({file}, file_row_number = true) AS t({places}, place)"

    def connect(self, threads: int | None = None) -> Any:
        """Return a connection to DuckDB that takes little memory."""
        return _connect(threads)

    def explained(self, error: Exception) -> DataError:
        """Return an error of DuckDB as one of ours: of a change, where that is what happened."""
        try:
            self.check()
        except DataError as changed:
            return changed
        return explained(self.path, "read_parquet", error, {})

    def check(self) -> None:
        """Refuse a file that is not what it was.

        Raises:
            DataError: it is gone, or was written to.
        """
        try:
            stamp = _stamp(self.parquet)
        except OSError as error:
            raise DataError(
                f"{self.parquet!r} cannot be read any more while training goes on: {error.strerror}"
            ) from None
        if stamp != self.stamp:
            raise DataError(
                f"{self.parquet!r} has changed while training goes on: train again, and leave the "
                "file as it is"
            )


def open_table(path: str, targets: Sequence[str] = ()) -> TableFile:
    """Open a table for reading in parts, all of whose rows have their targets.

    Args:
        path: of a table file.
        targets: columns in which no row may lack a value; rows that do are left out, and counted
            in a note.

    Raises:
        DataError: it cannot be read, its copy cannot be written, or no row is left.
    """
    reader, options = check_table(path)
    in_place = reader == "read_parquet"
    file = _open(path, path) if in_place else _copied(path, reader, options)
    if file.rows == 0:
        raise DataError(f"{path!r} has a header and no rows: give at least one row")
    present = [i for i, name in enumerate(file.names) if name in targets]
    return _complete(file, present) if present else file


def _connect(threads: int | None = None) -> Any:
    memory = f"{limits.PASS_BYTES // 10**6}MB"
    connection = connect(threads=threads or cores(), memory_limit=memory)
    connection.execute("SET parquet_metadata_cache = true")
    return connection


def _stamp(path: str) -> _Stamp:
    about = os.stat(path)
    return about.st_size, about.st_mtime_ns


def _open(
    path: str, parquet: str, names: Sequence[str] | None = None, notes: Sequence[str] = ()
) -> TableFile:
    """Read what a Parquet file says about itself."""
    import duckdb

    name = literal_path(parquet)
    query = (
        "SELECT any_value(row_group_num_rows) FROM parquet_metadata(?) "
        "GROUP BY row_group_id ORDER BY row_group_id"
    )
    try:
        stamp = _stamp(parquet)
        with _connect() as connection:
            described = describe(connection, "read_parquet", name)
            groups = [row[0] for row in connection.execute(query, [name]).fetchall()]
    except (duckdb.Error, MemoryError, OSError) as error:
        raise explained(path, "read_parquet", error, {}) from None
    kinds = [kind for _, kind in described]
    called = [name for name, _ in described] if names is None else names
    columns = tuple(zip(called, kinds, strict=True))
    return TableFile(path, parquet, columns, tuple(groups), stamp, tuple(notes))


def _copied(path: str, reader: str, options: dict[str, Any]) -> TableFile:
    """Return a CSV's or JSON lines' copy as Parquet, made now where there is none."""
    import duckdb

    def scan(connection: Any, tried: dict[str, Any]) -> Scan:
        if reader == "read_csv":
            return scan_csv(connection, path, {**tried, "nullstr": list(NULLS)})
        described = describe(connection, reader, literal_path(path))
        places = ", ".join(f"c{i}" for i in range(len(described)))
        return Scan(f"{reader}(?) AS t({places})", described, [])

    def write(tried: dict[str, Any], target: Path) -> tuple[list[str], list[str]]:
        try:
            with _connect() as connection:
                found = scan(connection, tried)
                wanted = ", ".join(
                    select(f"c{i}", kind) for i, (_, kind) in enumerate(found.described)
                )
                query = f"SELECT {wanted} FROM {found.source}"
                _copy(connection, query, [literal_path(path)], target)
        except (duckdb.Error, MemoryError) as error:
            raise explained(path, reader, error, tried) from None
        return [name for name, _ in found.described], found.notes

    def make(target: Path) -> tuple[list[str], list[str]]:
        if reader != "read_csv":
            return write({}, target)
        (names, found), notes = carefully(path, options, lambda tried: write(tried, target))
        return names, [*notes, *found]

    return _kept(path, path, [], make)


def _complete(file: TableFile, targets: Sequence[int]) -> TableFile:
    """Return the file, or a copy of the rows that have all of their targets."""
    import duckdb

    there = " AND ".join(
        f"isfinite(c{i})" if file.described[i][1] in ("FLOAT", "DOUBLE") else f"c{i} IS NOT NULL"
        for i in targets
    )
    # pandas makes floats of whole numbers where some are missing.
    floats = [i for i in targets if file.described[i][1] in ("FLOAT", "DOUBLE")]
    whole = [f"bool_and(c{i} = round(c{i})) FILTER (isfinite(c{i}))" for i in floats]
    query = f"SELECT count(*) FILTER ({there}){''.join(f', {w}' for w in whole)} FROM {file.source}"
    try:
        with file.connect() as connection:
            count, *are_whole = connection.execute(query).fetchone()
    except duckdb.Error as error:
        raise file.explained(error) from None
    if count == file.rows:
        return file
    if count == 0:
        raise DataError(
            f"data.target = {file.names[targets[0]]!r}: no row has a value in this column"
        )
    casts = {i: f"c{i}::BIGINT AS c{i}" for i, w in zip(floats, are_whole, strict=True) if w}
    wanted = ", ".join(casts.get(i, f"c{i}") for i in range(len(file.described)))
    lost = file.rows - count
    lacking = "1 row without a target is" if lost == 1 else f"{lost:,} rows without a target are"

    def make(target: Path) -> tuple[list[str], list[str]]:
        try:
            with file.connect() as connection:
                _copy(connection, f"SELECT {wanted} FROM {file.source} WHERE {there}", [], target)
        except duckdb.Error as error:
            raise file.explained(error) from None
        return list(file.names), [*file.notes, f"{lacking} left out"]

    return _kept(file.path, file.parquet, [file.names[i] for i in targets], make)


def _copy(connection: Any, query: str, parameters: list[str], target: Path) -> None:
    options = f"FORMAT parquet, ROW_GROUP_SIZE {_GROUP_ROWS}"
    connection.execute(f"COPY ({query}) TO {literal(str(target))} ({options})", parameters)


def _kept(
    path: str, origin: str, key: list[str], make: Callable[[Path], tuple[list[str], list[str]]]
) -> TableFile:
    """Return the copy that is kept of a file, or make one.

    Args:
        path: of the table, as it was named.
        origin: the file that is copied.
        key: what tells this copy from others of the same file.
        make: writes the copy to a path; returns the columns' names, and notes.
    """
    origin = os.path.realpath(origin)
    folder = cache_folder("tables", [_VERSION, origin, key])
    about = {"version": _VERSION, "origin": origin, "stamp": list(_stamp(origin)), "key": key}
    copy = folder / _COPY
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        same = all(manifest[name] == value for name, value in about.items())
        if same and list(_stamp(str(copy))) == manifest["copy"]:
            return _open(path, str(copy), manifest["names"], manifest["notes"])
    # Whatever is wrong with what is kept, it is made anew.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DataError):
        pass
    part = folder / f"{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names, notes = make(part)
        part.replace(copy)
        manifest = {**about, "names": names, "notes": notes, "copy": list(_stamp(str(copy)))}
        written = folder / f"{secrets.token_hex(8)}.part"
        written.write_text(json.dumps(manifest), encoding="utf-8")
        written.replace(folder / "manifest.json")
        clear(folder, _COPY)
    except OSError as error:
        raise DataError(
            f"{path!r} is read in a stream from a copy, which cannot be kept in {str(folder)!r}: "
            f"{error.strerror or error}; make room, or set XDG_CACHE_HOME to another folder"
        ) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return _open(path, str(copy), names, notes)
