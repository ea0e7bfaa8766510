"""Tables in files: CSV, Parquet and JSON lines, through DuckDB."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.columns import Column, Columns
from surefoot.data.csv_check import look_into, ragged
from surefoot.data.npz import memory_bytes
from surefoot.data.source import Raw
from surefoot.errors import DataError
from surefoot.recipe.data import Data

_READERS = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".psv"), "read_csv"),
    **dict.fromkeys((".parquet", ".pq"), "read_parquet"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "read_json"),
}
# Empty cells, and what pandas, R, SQL and the UCI archive write for a missing value.
_NULLS = (
    "", "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "-nan", "NULL", "null", "None", "?",
)  # fmt: skip
# Without BOOLEAN: "yes" shall come back as "yes". Without TIME: it would take 12:30 for one.
_CSV_TYPES = ("NULL", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "VARCHAR")
# An array is that much larger than its file at most, but for odd cases, where memory ends first.
_GROWTH = {"read_csv": 3, "read_parquet": 4, "read_json": 1}
_COMPRESSED = 5
_AS_THEY_ARE = re.compile(
    "BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|VARCHAR|DATE|TIMESTAMP(_.*| WITH.*)?"
)
_AS_NUMBERS = re.compile(r"DECIMAL\(.*\)|U?HUGEINT|BIGNUM")
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?(?<=[\d.])([eE][+-]?\d+)?(?<!^\.)")
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
_SNIFFED = (
    "Delimiter", "Quote", "Escape", "Comment", "SkipRows", "HasHeader", "Columns", "DateFormat",
    "TimestampFormat",
)  # fmt: skip
# In a file of as many bytes it pays to look for labels that come again.
_LARGE, _SAMPLE, _FEW_LABELS = 4_000_000, 20_480, 1000


class TableSource:
    """Reads table files; the columns that are to be predicted are among the others."""

    supported = "a table (.csv, .tsv, .parquet, .jsonl, .json, or one of them .gz)"

    def accepts(self, source: str) -> bool:
        """Say whether the name ends as that of a table does."""
        return _reader(source) is not None

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
    reader = _reader(path)
    if reader is None:
        raise DataError(f"{path!r} is not a kind of file that is read: give {_SUPPORTED}")
    if not os.path.isfile(path):
        what = "is a folder" if os.path.isdir(path) else "does not exist"
        raise DataError(f"{path!r} {what}; give {_SUPPORTED}")
    encoding = look_into(path, reader)
    growth = _GROWTH[reader] * (_COMPRESSED if path.lower().endswith(".gz") else 1)
    if os.path.getsize(path) * growth > memory_bytes():
        raise DataError(
            f"{path!r} is about {os.path.getsize(path) * growth / 1e9:.0f} GB once it is read, "
            f"more than this machine's memory of {memory_bytes() / 1e9:.0f} GB: train on a part "
            "of its rows"
        )
    if reader != "read_csv":
        return _read(path, reader, {})
    return _read_csv(path, {} if encoding is None else {"encoding": encoding})


_SUPPORTED = TableSource.supported


def _reader(path: str) -> str | None:
    name = path.lower().removesuffix(".gz")
    if path.lower().endswith(".gz") and name.endswith((".parquet", ".pq")):
        return None
    return _READERS.get(os.path.splitext(name)[1])


def _read_csv(path: str, options: dict[str, Any]) -> Columns:
    """Read a CSV, again with more care where the first attempt fails."""
    options = {"auto_type_candidates": list(_CSV_TYPES), **options}
    notes = []
    try:
        try:
            columns = _read(path, "read_csv", options)
        except _NotUtf8:
            notes.append(f"{path!r} is not UTF-8 and was read as Latin-1")
            options["encoding"] = "latin-1"
            columns = _read(path, "read_csv", options)
    except _OtherType:
        # The first 20,000 rows promised another type than a later one has: look at all of them.
        columns = _read(path, "read_csv", {**options, "sample_size": -1})
    mended = {name: _mended(column) for name, column in columns.items()}
    return Columns(mended, (*notes, *columns.notes))


def _mended(column: Column) -> Column:
    """Return a column of text without the words for a missing value; as numbers, if all are."""
    if column.labels is None or not (words := [w for w in column.labels if w in _NULLS]):
        return column
    kept = tuple(label for label in column.labels if label not in words)
    places = {label: place for place, label in enumerate(kept)}
    codes = np.array([*(places.get(label, -1) for label in column.labels), -1])[column.values]
    if not kept or not all(map(_NUMBER.fullmatch, kept)):
        return Column(codes.astype(np.int32), kept)
    if all(map(_WHOLE.fullmatch, kept)):
        return Column(np.array([*map(int, kept), 0])[codes], absent=codes < 0)
    return Column(np.array([*map(float, kept), np.nan])[codes])


class _NotUtf8(DataError):
    pass


class _OtherType(DataError):
    pass


def _read(path: str, reader: str, options: dict[str, Any]) -> Columns:
    import duckdb

    # DuckDB takes brackets and stars in a path for a pattern.
    name = path.translate({ord(c): f"[{c}]" for c in "[*?"})
    # Nothing is fetched from the network, nothing is written to disk.
    settings = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": "",
    }
    try:
        with duckdb.connect(config=settings) as connection:
            if reader == "read_csv":
                columns = _fetch_csv(connection, path, name, options)
            else:
                kinds = connection.execute(f"DESCRIBE SELECT * FROM {reader}(?)", [name]).fetchall()
                columns = fetch(connection, f"{reader}(?)", [kind[:2] for kind in kinds], [name])
    except (duckdb.Error, MemoryError) as error:
        raise _explained(path, reader, error, options) from None
    if columns.rows == 0:
        raise DataError(f"{path!r} has a header and no rows: give at least one row")
    return columns


def _fetch_csv(connection: Any, path: str, name: str, options: dict[str, Any]) -> Columns:
    """Read a CSV in one pass over its rows, after a look at the first ones."""
    given = _arguments(options)
    query = f"SELECT {', '.join(_SNIFFED)} FROM sniff_csv(?{given})"
    found = dict(zip(_SNIFFED, connection.execute(query, [name]).fetchone(), strict=True))
    names = [entry["name"] for entry in found["Columns"]]
    notes = []
    skipped = found["SkipRows"]
    # Lines before the header are skipped, but so is a header that a line of other length follows.
    if (len(names) == 1 or skipped) and (problem := ragged(path, options.get("encoding", "utf-8"))):
        raise DataError(problem)
    if skipped:
        notes.append(f"{path!r}: {skipped} lines before the header are skipped")
    if not found["HasHeader"]:
        if _first_row_is_header(connection, name, options):
            return _fetch_csv(connection, path, name, {**options, "header": True})
        notes.append(f"{path!r} has no header: its columns are called {names[0]}, …")
    kinds = [entry["type"] for entry in found["Columns"]]
    source = f"read_csv(?{_dialect(found, kinds, options)})"
    texts = [f"c{i}" for i, kind in enumerate(kinds) if kind == "VARCHAR"]
    known: dict[str, tuple[str, ...]] = {}
    if texts and os.path.getsize(path) > _LARGE:
        known = _first_labels(connection, source, name, texts)
    wanted = ", ".join(
        part for i in range(len(kinds)) for part in _coded(f"c{i}", f"c{i}" in known)
    )
    arrays = connection.execute(f"SELECT {wanted} FROM {source}", [name]).fetchnumpy()
    columns = {}
    for i, column in enumerate(names):
        place = f"c{i}"
        values = arrays.pop(place)
        if place in known:
            columns[column] = _joined(np.ma.getdata(values), known[place], arrays.pop(f"o{place}"))
        else:
            columns[column] = Column.of(values)
    return Columns(columns, notes)


def _dialect(found: dict[str, Any], kinds: list[str], options: dict[str, Any]) -> str:
    """Return the arguments that read a CSV as it was found to be, with columns called c0, c1, …"""

    def said(key: str) -> str:
        return "" if found[key] in (None, "(empty)") else found[key]

    columns = ", ".join(f"'c{i}': '{kind}'" for i, kind in enumerate(kinds))
    # Quotes may first come after the rows that were looked at.
    arguments: dict[str, Any] = {
        "auto_detect": False,
        "delim": said("Delimiter"),
        "quote": said("Quote") or '"',
        "escape": said("Escape") or '"',
        "comment": said("Comment"),
        "skip": found["SkipRows"],
        "header": found["HasHeader"],
    }
    for key, argument in (("DateFormat", "dateformat"), ("TimestampFormat", "timestampformat")):
        if said(key):
            arguments[argument] = said(key)
    if "encoding" in options:
        arguments["encoding"] = options["encoding"]
    return f"{_arguments(arguments)}, columns = {{{columns}}}"


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
            listed = ", ".join(map(_literal, labels))
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
        _select(place, kind) for place, (_, kind) in zip(places, described, strict=True)
    )
    query = f"SELECT {wanted} FROM {table} AS t({', '.join(places)})"
    arrays = connection.execute(query, parameters).fetchnumpy()
    return Columns(
        {
            name: Column.of(arrays.pop(place))
            for place, (name, _) in zip(places, described, strict=True)
        }
    )


def _select(place: str, kind: str) -> str:
    if _AS_THEY_ARE.fullmatch(kind):
        return place
    if _AS_NUMBERS.fullmatch(kind):
        return f"{place}::DOUBLE AS {place}"
    if kind in ("TIME", "TIME_NS", "INTERVAL"):
        return f"epoch({place}) AS {place}"
    return f"{place}::VARCHAR AS {place}"


def _first_row_is_header(connection: Any, name: str, options: dict[str, Any]) -> bool:
    """Say whether a first row that DuckDB took for data has a text of its own in each cell.

    Where all columns are text, no type tells a header from data.
    """
    given = _arguments({**options, "all_varchar": True})
    rows = connection.execute(f"SELECT * FROM read_csv(?{given}) LIMIT 1", [name]).fetchall()
    cells = rows[0] if rows else ()
    distinct = len(set(cells)) == len(cells) and None not in cells
    return distinct and not any(re.fullmatch(r"[\s\d.,:+/eE-]*", cell) for cell in cells)


def _arguments(options: dict[str, Any]) -> str:
    return "".join(f", {key} = {_literal(value)}" for key, value in options.items())


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, bool | int):
        return str(value)
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


def _explained(path: str, reader: str, error: Exception, options: dict[str, Any]) -> DataError:
    """Return DuckDB's error as one line of ours."""
    text = str(error)
    if isinstance(error, MemoryError) or "Out of Memory" in text:
        return DataError(f"{path!r} does not fit in memory: train on a part of its rows")
    if reader == "read_csv":
        if "not utf-8 encoded" in text:
            return _NotUtf8(f"{path!r} is not UTF-8")
        if "Error when converting column" in text and options.get("sample_size") != -1:
            return _OtherType(f"{path!r} has a column of mixed types")
        found = ragged(path, options.get("encoding", "utf-8"))
        if found:
            return DataError(found)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    at = re.search(r"on Line: (\d+)", text)
    if at and len(lines) > 2:
        return DataError(f"{path!r}, line {at[1]}: {lines[2][:120]}")
    reason = re.sub(r"^[A-Za-z ]*(Error|Exception): ", "", lines[0] if lines else "no reason given")
    return DataError(f"{path!r} cannot be read: {reason[:160]}")
