"""Connections to DuckDB that fetch nothing, write nothing and print nothing."""

from __future__ import annotations

from typing import Any

_SETTINGS: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
}


def connect(**settings: Any) -> Any:
    """Return a connection to a database in memory, with further settings of DuckDB's.

    >>> with connect(threads=1) as connection:
    ...     connection.execute("SELECT 1").fetchall()
    [(1,)]
    """
    import duckdb

    return _silent(duckdb.connect(config={**_SETTINGS, **settings}))


def another(connection: Any) -> Any:
    """Return a further connection to the same database, for a thread of its own."""
    return _silent(connection.cursor())


def _silent(connection: Any) -> Any:
    # What takes longer than two seconds would draw its progress on standard output.
    connection.execute("SET enable_progress_bar = false")
    return connection
