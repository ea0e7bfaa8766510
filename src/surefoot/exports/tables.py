"""Tables of a run or a study as CSV or Parquet."""

from __future__ import annotations

from pathlib import Path

from surefoot.errors import RunError, nearest
from surefoot.files import check_target, write_whole

_FORMATS = {".csv": "FORMAT csv, HEADER", ".parquet": "FORMAT parquet, COMPRESSION zstd"}


def table_names(folder: Path) -> list[str]:
    """Return the names of a folder's tables: whole ones, and those that are still written.

    Raises:
        RunError: there is no such folder.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; give the folder of a run or a study")
    whole = {path.stem for path in folder.glob("*.parquet")}
    parts = {path.parent.name for path in folder.glob("*/part-*.parquet")}
    return sorted(whole | parts)


def export_table(folder: Path, name: str, to: Path) -> int:
    """Write a table as CSV or Parquet, as the file's ending says; return how many rows it has.

    In CSV a value that was not measured is an empty cell.

    Args:
        folder: of a run, finished or not, or of a study.
        name: of the table: "metrics", "vitals", "landscape"; "runs" or "settings" of a study.
        to: the file.

    Raises:
        InputError: the file's ending is another, or the file exists.
        RunError: there is no such table, it is broken, or the file cannot be written.
    """
    import duckdb

    check_target(to, tuple(_FORMATS))
    names = table_names(folder)
    if name not in names:
        there = f"; there are: {', '.join(names)}" if names else "; there is none"
        raise RunError(f"{folder}: has no table {name!r}{nearest(name, names)}{there}")
    whole = folder / f"{name}.parquet"
    files = [whole] if whole.is_file() else sorted((folder / name).glob("part-*.parquet"))
    # DuckDB takes brackets and stars in a path for a pattern.
    paths = [str(file).translate({ord(c): f"[{c}]" for c in "[*?"}) for file in files]

    def fill(temporary: Path) -> None:
        with duckdb.connect() as connection:
            rows = connection.read_parquet(paths)
            if to.suffix == ".csv":
                types = dict(zip(rows.columns, map(str, rows.types), strict=True))
                rows = rows.project(", ".join(_cell(*column) for column in types.items()))
            place = str(temporary).replace("'", "''")
            rows.query("rows", f"COPY rows TO '{place}' ({_FORMATS[to.suffix]})")

    try:
        write_whole(to, fill)
        with duckdb.connect() as connection:
            counted = connection.read_parquet(paths).count("*").fetchall()
    except duckdb.Error as error:
        to.with_name(to.name + ".tmp").unlink(missing_ok=True)
        raise RunError(f"{folder}: {name}: {str(error).splitlines()[0]}") from None
    return int(counted[0][0])


def _cell(name: str, kind: str) -> str:
    """Return the SQL of a column whose values that are no numbers are nothing."""
    quoted = '"' + name.replace('"', '""') + '"'
    if kind in ("FLOAT", "DOUBLE"):
        return f"nullif({quoted}, 'nan'::{kind}) AS {quoted}"
    return quoted
