"""Tables out of Python: data frames of pandas and Polars, tables of Arrow."""

from __future__ import annotations

from typing import Any

import numpy as np

from surefoot.data.columns import Columns
from surefoot.data.connection import connect
from surefoot.data.tables import fetch
from surefoot.errors import DataError


def is_frame(values: Any) -> bool:
    """Say whether `values` is a data frame, without importing the library that it is from.

    >>> is_frame([[1, 2]])
    False
    """
    library = type(values).__module__.partition(".")[0]
    return library in ("pandas", "polars", "pyarrow") and type(values).__name__ in (
        "DataFrame",
        "LazyFrame",
        "Table",
        "RecordBatch",
    )


def read_frame(frame: Any, name: str = "the data frame") -> Columns:
    """Return the columns of a data frame; an index that is not a column is left alone.

    Raises:
        DataError: it is empty, two columns have one name, or a column cannot be read.
    """
    import duckdb

    if type(frame).__name__ == "LazyFrame":
        frame = frame.collect()
    names = [str(column) for column in getattr(frame, "column_names", None) or frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{name} has two columns called {twice[0]!r}: rename one")
    if not names or len(frame) == 0:
        raise DataError(f"{name} is empty: give at least one row and one column")
    with connect() as connection:
        try:
            connection.register("frame", _readable(frame))
            described = connection.execute("DESCRIBE SELECT * FROM frame").fetchall()
            kinds = [row[1] for row in described]
            return fetch(connection, "frame", list(zip(names, kinds, strict=True)), [])
        except (duckdb.Error, MemoryError, ValueError, TypeError) as error:
            reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
            raise DataError(f"{name} cannot be read: {reason}") from None


def _readable(frame: Any) -> Any:
    """Return a frame that DuckDB reads: Polars lends its columns through Arrow, if that is there.

    Without Arrow they are copied as Python objects.
    """
    if not type(frame).__module__.startswith("polars"):
        return frame
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        lists = frame.to_dict(as_series=False)
        return {f"c{i}": np.array(column, object) for i, column in enumerate(lists.values())}
    return frame
