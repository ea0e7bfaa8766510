"""How a CSV is read by DuckDB: what it was found to be, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from surefoot.data.csv_check import ragged
from surefoot.errors import DataError

_Result = TypeVar("_Result")
# Empty cells, and what pandas, R, SQL and the UCI archive write for a missing value.
NULLS = (
    "", "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "-nan", "NULL", "null", "None", "?",
)  # fmt: skip
# Without BOOLEAN: "yes" shall come back as "yes". Without TIME: it would take 12:30 for one.
_CSV_TYPES = ("NULL", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "VARCHAR")
_SNIFFED = (
    "Delimiter", "Quote", "Escape", "Comment", "SkipRows", "HasHeader", "Columns", "DateFormat",
    "TimestampFormat",
)  # fmt: skip


class NotUtf8(DataError):
    """Bytes that are no UTF-8."""


class OtherType(DataError):
    """A value of another type than the first rows have."""


@dataclass(frozen=True)
class Scan:
    """How a CSV is read.

    Attributes:
        source: what to select from, in SQL, with the file's name as its parameter; its columns
            are called c0, c1, ….
        described: the columns' names and types.
        notes: what there is to say about it.
    """

    source: str
    described: list[tuple[str, str]]
    notes: list[str]


def scan_csv(connection: Any, path: str, options: dict[str, Any]) -> Scan:
    """Look at the first rows of a CSV, and find how to read it in one pass.

    Raises:
        DataError: its lines have different numbers of fields.
    """
    name = literal_path(path)
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
            return scan_csv(connection, path, {**options, "header": True})
        notes.append(f"{path!r} has no header: its columns are called {names[0]}, …")
    kinds = [entry["type"] for entry in found["Columns"]]
    source = f"read_csv(?{_dialect(found, kinds, options)})"
    return Scan(source, list(zip(names, kinds, strict=True)), notes)


def carefully(
    path: str, options: dict[str, Any], read: Callable[[dict[str, Any]], _Result]
) -> tuple[_Result, list[str]]:
    """Read a CSV, again with more care where the first attempt fails.

    Args:
        path: of the file.
        options: for DuckDB's reader.
        read: reads with some options; its errors are those of `explained`.

    Returns:
        what was read, and notes on how.
    """
    options = {"auto_type_candidates": list(_CSV_TYPES), **options}
    notes = []
    try:
        try:
            return read(options), notes
        except NotUtf8:
            notes.append(f"{path!r} is not UTF-8 and was read as Latin-1")
            options["encoding"] = "latin-1"
            return read(options), notes
    except OtherType:
        # The first 20,000 rows promised another type than a later one has: look at all of them.
        return read({**options, "sample_size": -1}), notes


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
    arguments |= {key: options[key] for key in ("encoding", "nullstr") if key in options}
    return f"{_arguments(arguments)}, columns = {{{columns}}}"


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
    return "".join(f", {key} = {literal(value)}" for key, value in options.items())


def literal(value: Any) -> str:
    """Return a value as SQL."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bool | int):
        return str(value)
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


def explained(path: str, reader: str, error: Exception, options: dict[str, Any]) -> DataError:
    """Return DuckDB's error as one line of ours."""
    text = str(error)
    if isinstance(error, MemoryError) or "Out of Memory" in text:
        return DataError(f"{path!r} does not fit in memory: train on a part of its rows")
    if reader == "read_csv":
        if "not utf-8 encoded" in text:
            return NotUtf8(f"{path!r} is not UTF-8")
        if "Error when converting column" in text and options.get("sample_size") != -1:
            return OtherType(f"{path!r} has a column of mixed types")
        found = ragged(path, options.get("encoding", "utf-8"))
        if found:
            return DataError(found)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    at = re.search(r"on Line: (\d+)", text)
    if at and len(lines) > 2:
        return DataError(f"{path!r}, line {at[1]}: {lines[2][:120]}")
    reason = re.sub(r"^[A-Za-z ]*(Error|Exception): ", "", lines[0] if lines else "no reason given")
    return DataError(f"{path!r} cannot be read: {reason[:160]}")


def literal_path(path: str) -> str:
    """Return a path for DuckDB, which takes brackets and stars in one for a pattern."""
    return path.translate({ord(c): f"[{c}]" for c in "[*?"})
