"""What is wrong with a text file, told before or after DuckDB refuses it."""

from __future__ import annotations

import csv
import gzip
import os

from surefoot.errors import DataError

_HEAD = 4096
# Fields are counted in that many lines, to find the one that differs.
_LINES = 1_000_000
_DELIMITERS = ",;\t|"
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
# How other kinds of files begin, which people call a table.
_SIGNS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV",
    _PARQUET: "a Parquet file: let its name end in .parquet",
    _GZIP: "compressed by gzip: let its name end in .gz",
    b"SQLite format 3": "an SQLite database: write the table to a CSV file",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"<!doctype html": "an HTML page: download the file itself",
    b"<html": "an HTML page: download the file itself",
}


def look_into(path: str, reader: str) -> str | None:
    """Look at the first bytes of a file, and refuse one that is not what its name says.

    Args:
        path: of the file.
        reader: ``read_csv``, ``read_json`` or ``read_parquet``.

    Returns:
        the encoding, where a byte order mark tells it.

    Raises:
        DataError: it is empty, cannot be opened, or is something else.
    """
    if os.path.getsize(path) == 0:
        raise DataError(f"{path!r} is empty")
    try:
        with open(path, "rb") as file:
            start = file.read(_HEAD)
        packed = path.lower().endswith(".gz")
        if packed:
            if not start.startswith(_GZIP):
                raise DataError(f"{path!r} is not compressed by gzip, though its name says so")
            with gzip.open(path) as unpacked:
                start = unpacked.read(_HEAD)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path!r} cannot be read: {reason}") from None
    if reader == "read_parquet":
        if not start.startswith(_PARQUET):
            raise DataError(f"{path!r} is not a Parquet file, though its name says so")
        return None
    for sign, what in _SIGNS.items():
        if start.lower().startswith(sign.lower()):
            raise DataError(f"{path!r} is {what}")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if not start.strip(b" \t\r\n\xef\xbb\xbf"):
        raise DataError(f"{path!r} is empty")
    if b"\0" in start:
        raise DataError(f"{path!r} is not a text file, though its name says so")
    is_json = start.lstrip(b" \t\r\n\xef\xbb\xbf").startswith((b"{", b"["))
    if is_json and reader == "read_csv":
        raise DataError(f"{path!r} seems to hold JSON: let its name end in .jsonl or .json")
    if not is_json and reader == "read_json":
        raise DataError(f"{path!r} does not hold JSON objects, though its name says so")
    return None


def ragged(path: str, encoding: str = "utf-8") -> str | None:
    """Return the message about the first line that has more or fewer fields than the header.

    `None` where all have as many, or the header has one field only.
    """
    open_ = gzip.open if path.lower().endswith(".gz") else open
    with open_(path, "rt", encoding=encoding, errors="replace", newline="") as file:
        try:
            header = file.readline(1_000_000)
            delimiter = max(_DELIMITERS, key=header.count)
            expected = len(next(csv.reader([header], delimiter=delimiter), []))
            if expected < 2:
                return None
            rows = csv.reader(file, delimiter=delimiter)
            for fields in rows:
                if fields and len(fields) != expected:
                    return (
                        f"{path!r}, line {rows.line_num + 1}: {len(fields)} "
                        f"{'field' if len(fields) == 1 else 'fields'}, and the header has "
                        f"{expected}: repair the line, or quote text that holds {delimiter!r}"
                    )
                if rows.line_num > _LINES:
                    return None
        except (csv.Error, OSError, EOFError):
            return None
    return None
