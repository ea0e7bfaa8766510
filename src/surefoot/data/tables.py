"""Tables in files: CSV, Parquet and JSON lines, through DuckDB."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.columns import Column, Columns
from surefoot.data.connection import connect
from surefoot.data.csv_check import look_into
from surefoot.data.csv_scan import (
    NULLS,
    carefully,
    explained,
    literal,
    literal_path,
    scan_csv,
)
from surefoot.data.npz import memory_bytes
from surefoot.data.source import Raw
from surefoot.errors import DataError
from surefoot.recipe.data import Data

_READERS = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".psv"), "read_csv"),
    **dict.fromkeys((".parquet", ".pq"), "read_parquet"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "read_json"),
}
# An array is that much larger than its file at most, but for odd cases, where memory ends first.
_GROWTH = {"read_csv": 3, "read_parquet": 4, "read_json": 1}
_COMPRESSED = 5
_AS_THEY_ARE = re.compile(
    "BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|VARCHAR|DATE|TIMESTAMP(_.*| WITH.*)?"
)
_AS_NUMBERS = re.compile(r"DECIMAL\(.*\)|U?HUGEINT|BIGNUM")
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?(?<=[\d.])([eE][+-]?\d+)?(?<!^\.)")
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
# In a file of as many bytes it pays to look for labels that come again.
_LARGE, _SAMPLE, _FEW_LABELS = 4_000_000, 20_480, 1000


class TableSource:
    """Reads table files; the columns that are to be predicted are among the others."""

    supported = "a table (.csv, .tsv, .parquet, .jsonl, .json, or one of them .gz)"

    def accepts(self, source: str) -> bool:
        """Say whether the name ends as that of a table does."""
        return reader_of(source) is not None

    def read(self, data: Data) -> Raw:
        """Read the file.

        Raises:
            DataError: there is no such file, it is damaged, or it is something else.
        """
        for key in ("rows", "noise"):
            if getattr(data, key) is not None:
                raise DataError(f"data.{key} is for generated sets, and {data.source!r} is a file")
        return Raw(str(data.source), read_table(str(data.source)), None)


def read_table(path: str) -> Columns:
    """Read a file into columns.

    Args:
        path: of a file whose name ends as `TableSource.supported` says.

    Raises:
        DataError: it cannot be read; the message names the line where there is one.
    """
    reader, options = check_table(path)
    size = grown_bytes(path)
    if size > memory_bytes():
        raise DataError(
            f"{path!r} is about {size / 1e9:.0f} GB once it is read, more than this machine's "
            f"memory of {memory_bytes() / 1e9:.0f} GB: set data.stream = true to train, or give "
            "a part of its rows"
        )
    if reader != "read_csv":
        return _read(path, reader, {})
    return _read_csv(path, options)


_SUPPORTED = TableSource.supported


def check_table(path: str) -> tuple[str, dict[str, Any]]:
    """Return the name of DuckDB's reader for a file, and options for it.

    Raises:
        DataError: there is no such file, or it is not what its name says.
    """
    reader = reader_of(path)
    if reader is None:
        raise DataError(f"{path!r} is not a kind of file that is read: give {_SUPPORTED}")
    if not os.path.isfile(path):
        what = "is a folder" if os.path.isdir(path) else "does not exist"
        raise DataError(f"{path!r} {what}; give {_SUPPORTED}")
    encoding = look_into(path, reader)
    return reader, {} if encoding is None else {"encoding": encoding}


def grown_bytes(path: str) -> int:
    """Return about how many bytes a file takes once it is read."""
    growth = _GROWTH[str(reader_of(path))] * (_COMPRESSED if path.lower().endswith(".gz") else 1)
    return os.path.getsize(path) * growth


def reader_of(path: str) -> str | None:
    """Return the name of DuckDB's reader for a file, by its name; `None` for no table."""
    name = path.lower().removesuffix(".gz")
    if path.lower().endswith(".gz") and name.endswith((".parquet", ".pq")):
        return None
    return _READERS.get(os.path.splitext(name)[1])


def _read_csv(path: str, options: dict[str, Any]) -> Columns:
    columns, notes = carefully(path, options, lambda tried: _read(path, "read_csv", tried))
    mended = {name: _mended(column) for name, column in columns.items()}
    return Columns(mended, (*notes, *columns.notes))


def _mended(column: Column) -> Column:
    """Return a column of text without the words for a missing value; as numbers, if all are."""
    if column.labels is None or not (words := [w for w in column.labels if w in NULLS]):
        return column
    kept = tuple(label for label in column.labels if label not in words)
    places = {label: place for place, label in enumerate(kept)}
    codes = np.array([*(places.get(label, -1) for label in column.labels), -1])[column.values]
    if not kept or not all(map(_NUMBER.fullmatch, kept)):
        return Column(codes.astype(np.int32), kept)
    if all(map(_WHOLE.fullmatch, kept)):
        return Column(np.array([*map(int, kept), 0])[codes], absent=codes < 0)
    return Column(np.array([*map(float, kept), np.nan])[codes])


def _read(path: str, reader: str, options: dict[str, Any]) -> Columns:
    import duckdb

    name = literal_path(path)
    try:
        with connect() as connection:
            if reader == "read_csv":
                columns = _fetch_csv(connection, path, options)
            else:
                described = describe(connection, reader, name)
                columns = fetch(connection, f"{reader}(?)", described, [name])
    except (duckdb.Error, MemoryError) as error:
        raise explained(path, reader, error, options) from None
    if columns.rows == 0:
        raise DataError(f"{path!r} has a header and no rows: give at least one row")
    return columns


def describe(connection: Any, reader: str, name: str) -> list[tuple[str, str]]:
    """Return names and types of the columns of a file that is no CSV."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}(?)", [name]).fetchall()
    return [row[:2] for row in rows]


def _fetch_csv(connection: Any, path: str, options: dict[str, Any]) -> Columns:
    """Read a CSV in one pass over its rows, after a look at the first ones."""
    scan, name = scan_csv(connection, path, options), literal_path(path)
    source, kinds = scan.source, [kind for _, kind in scan.described]
    texts = [f"c{i}" for i, kind in enumerate(kinds) if kind == "VARCHAR"]
    known: dict[str, tuple[str, ...]] = {}
    if texts and os.path.getsize(path) > _LARGE:
        known = _first_labels(connection, source, name, texts)
    wanted = ", ".join(
        part for i in range(len(kinds)) for part in _coded(f"c{i}", f"c{i}" in known)
    )
    arrays = connection.execute(f"SELECT {wanted} FROM {source}", [name]).fetchnumpy()
    columns = {}
    for i, (column, _) in enumerate(scan.described):
        place = f"c{i}"
        values = arrays.pop(place)
        if place in known:
            columns[column] = _joined(np.ma.getdata(values), known[place], arrays.pop(f"o{place}"))
        else:
            columns[column] = Column.of(values)
    return Columns(columns, scan.notes)


def _first_labels(
    connection: Any, source: str, name: str, texts: list[str]
) -> dict[str, tuple[str, ...]]:
    """Make a type of each column's labels in the first rows, where they are few; return them.

    Values of such a type come as numbers: a million Python strings are not made.
    """
    query = f"SELECT {', '.join(texts)} FROM {source} LIMIT {_SAMPLE}"
    arrays = connection.execute(query, [name]).fetchnumpy()
    known = {}
    for text in texts:
        labels = Column.of(arrays[text]).labels or ()
        if 0 < len(labels) <= _FEW_LABELS:
            listed = ", ".join(map(literal, labels))
            connection.execute(f"CREATE TYPE type_{text} AS ENUM ({listed})")
            known[text] = labels
    return known


def _coded(place: str, known: bool) -> list[str]:
    """Return a column's SQL: as it is, or as its labels' numbers and all other texts."""
    if not known:
        return [place]
    code = f"enum_code(TRY_CAST({place} AS type_{place}))"
    other = f"CASE WHEN {code} IS NULL THEN {place} END"
    return [f"coalesce({code}::INTEGER, -1) AS {place}", f"{other} AS o{place}"]


def _joined(codes: NDArray[Any], labels: tuple[str, ...], others: NDArray[Any]) -> Column:
    """Return a column of known labels' numbers and of the texts that are not among them."""
    codes = codes.astype(np.int32, copy=False)
    if not isinstance(others, np.ma.MaskedArray) or not others.mask.all():
        more = Column.of(others)
        new = more.values >= 0
        codes[new] = more.values[new] + len(labels)
        labels = (*labels, *(more.labels or ()))
    return Column(codes, labels)


def fetch(
    connection: Any, table: str, described: list[tuple[str, str]], parameters: list[str]
) -> Columns:
    """Read a table of a connection.

    Args:
        connection: DuckDB's.
        table: what to select from, in SQL.
        described: names and types of its columns.
        parameters: of the SQL.
    """
    # By place: names may differ in case alone, which is no difference to SQL.
    places = [f"c{i}" for i in range(len(described))]
    wanted = ", ".join(
        select(place, kind) for place, (_, kind) in zip(places, described, strict=True)
    )
    query = f"SELECT {wanted} FROM {table} AS t({', '.join(places)})"
    arrays = connection.execute(query, parameters).fetchnumpy()
    return Columns(
        {
            name: Column.of(arrays.pop(place))
            for place, (name, _) in zip(places, described, strict=True)
        }
    )


def select(place: str, kind: str) -> str:
    """Return a column's SQL, in a type that NumPy has."""
    if _AS_THEY_ARE.fullmatch(kind):
        return place
    if _AS_NUMBERS.fullmatch(kind):
        return f"{place}::DOUBLE AS {place}"
    if kind in ("TIME", "TIME_NS", "INTERVAL"):
        return f"epoch({place}) AS {place}"
    return f"{place}::VARCHAR AS {place}"
