"""Tables that do not fit in memory: a sample to fit on, rows to validate on, and a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data import stream_limits as limits
from surefoot.data.arrays import LARGEST
from surefoot.data.columns import Column, Columns
from surefoot.data.encoding import Encoding
from surefoot.data.roles import MOST_LABELS
from surefoot.data.source import Raw, Task
from surefoot.data.stream import Stream
from surefoot.data.stream_order import Blocks
from surefoot.data.table_files import TableFile, open_table
from surefoot.data.table_reader import TableReader
from surefoot.data.tables import select
from surefoot.data.target import Target
from surefoot.errors import DataError
from surefoot.recipe.data import Data

# More different labels than these are no classes.
_MOST_CLASSES = 100_000
_WHOLE = tuple(
    f"{u}{size}" for u in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
)


def stream_table(data: Data) -> Raw:
    """Open a table for training in a stream.

    Rows for validation and the sample are drawn at random by data.split_seed, without regard to
    classes. `stream_limits` says how many there are at most.

    Returns:
        the sample of the training rows as x, and the rows for validation as x_val, where
        data.validation is a share.

    Raises:
        DataError: the file cannot be read, or the recipe asks for what a stream does not have.
    """
    path = str(data.source)
    _check(data)
    file = open_table(path, data.target or ())
    share = 0.0 if isinstance(data.validation, str) else data.validation
    row_bytes = 8 * len(file.described)
    apart, sample = _draw(file.rows, share, data.split_seed, row_bytes)
    table = StreamedTable(file, data, apart)
    x = _rows(file, sample)
    x_val = _rows(file, apart) if len(apart) else None
    notes = [*file.notes, *_notes(file.rows, share, len(sample), len(apart))]
    return Raw(path, x, None, x_val=x_val, notes=tuple(notes), stream=table)


def sample_table(data: Data, path: str) -> Raw:
    """Return rows of a table of its own to validate on: as many as may stay in memory."""
    file = open_table(path, data.target or ())
    most = limits.resident_rows(limits.VALIDATION_ROWS, 8 * len(file.described))
    notes = list(file.notes)
    rows = np.arange(file.rows)
    if file.rows > most:
        drawn = np.random.default_rng(data.split_seed).choice(file.rows, most, replace=False)
        rows = np.sort(drawn)
        notes.append(f"{most:,} of {file.rows:,} rows of {path!r}, drawn at random, validate")
    return Raw(path, _rows(file, rows), None, notes=tuple(notes))


def _check(data: Data) -> None:
    if data.split not in ("auto", "random") or data.split_column is not None:
        raise DataError(
            f"data.split = {data.split!r}: rows for validation are drawn at random in a stream; "
            "name a file with rows of their own by data.validation, or set data.stream = false"
        )
    for key in ("rows", "noise"):
        if getattr(data, key) is not None:
            raise DataError(f"data.{key} is for generated sets, and {data.source!r} is a file")


def _draw(
    rows: int, share: float, seed: int, row_bytes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the rows for validation, and a sample of the others, both sorted."""
    if rows < 2 and share:
        raise DataError(
            "a single row cannot be split: set data.validation to 0 to train without validation"
        )
    apart = min(max(round(share * rows), 1), rows - 1) if share else 0
    apart = min(apart, limits.resident_rows(limits.VALIDATION_ROWS, row_bytes))
    sample = min(rows - apart, limits.resident_rows(limits.SAMPLE_ROWS, row_bytes))
    drawn = np.random.default_rng(seed).choice(rows, apart + sample, replace=False)
    return np.sort(drawn[:apart]), np.sort(drawn[apart:])


def _notes(rows: int, share: float, sample: int, apart: int) -> list[str]:
    trained = rows - apart
    notes = [f"read in a stream: {trained:,} training rows are shuffled as they are read"]
    if sample < trained:
        notes.append(
            f"columns are recognized and fitted, and the trained net is measured, on {sample:,} "
            "training rows drawn at random"
        )
    if apart and apart < round(share * rows):
        notes.append(
            f"{apart:,} rows ({apart / rows:.2%}) are kept apart for validation, as many as stay "
            f"in memory, in place of data.validation = {share:g}"
        )
    return notes


@dataclass(frozen=True, eq=False)
class StreamedTable:
    """A table whose rows are read in a stream.

    Attributes:
        file: that holds them.
        data: the recipe's section.
        apart: the rows for validation, sorted.
    """

    file: TableFile
    data: Data
    apart: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        return self.file.rows - len(self.apart)

    def fit_target(self, sample: Any, task: Task | None) -> Target:
        """Recognize the target: classes from all rows, other kinds from the sample's values.

        Raises:
            DataError: as `Target.fit`, or there are too many classes.
        """
        columns = self._targets
        kinds = [self.file.described[i][1] for i in columns]
        fractions = kinds[0] in ("FLOAT", "DOUBLE") or kinds[0].startswith("DECIMAL")
        if len(columns) != 1 or (fractions and task != "classification") or task == "regression":
            return Target.fit(sample, task)
        name = self.file.names[columns[0]]
        place, text = f"c{columns[0]}", kinds[0] == "VARCHAR"
        ((about,),) = self._query(f"SELECT approx_count_distinct({place}) FROM {{source}}")
        many = about > 2 * _MOST_CLASSES
        if not many:
            query = f"SELECT DISTINCT {select(place, kinds[0])} FROM {{source}} ORDER BY 1"
            values = Column.of(self._arrays(query)[place]).plain()
            many = len(values) > _MOST_CLASSES
            few = text or task or values.dtype.kind == "b" or len(values) <= MOST_LABELS
            if few and not many:
                return Target.fit(values, task)
        if many and (text or task):
            raise DataError(
                f"data.target = {name!r} has more than {_MOST_CLASSES:,} different labels: name "
                "another column, or a loss for numbers"
            )
        return Target.fit(sample, "regression")

    def facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Return the facts of the sample with what is known of all rows in their place.

        Counts, ranges, means and spreads, and the balance of classes, are those of all rows;
        kinds, distinct values and rows that repeat are the sample's.
        """
        facts = {**facts, "rows": self.file.rows}
        columns = [dict(column) for column in facts["columns"]]
        parts = [f"count({self._number(i)})" for i in range(len(columns))]
        ranged = [i for i, column in enumerate(columns) if "mean" in column]
        for i in ranged:
            value = self._number(i)
            parts += [f"{f}({value})" for f in ("min", "max", "avg", "stddev_pop")]
        (row,) = self._query(f"SELECT {', '.join(parts)} FROM {{source}}")
        for column, count in zip(columns, row, strict=False):
            column["missing"] = self.file.rows - count
        keys = ("minimum", "maximum", "mean", "std")
        for place, i in enumerate(ranged):
            found = row[len(columns) + 4 * place : len(columns) + 4 * place + 4]
            columns[i] |= {key: float(value) for key, value in zip(keys, found, strict=True)}
        facts["columns"] = columns
        facts["missing"] = sum(column["missing"] for column in columns)
        if facts["target"] is not None and len(self._targets) == 1:
            facts["target"] = self._target_facts(facts["target"], columns[self._targets[0]])
        return facts

    def _target_facts(self, about: dict[str, Any], column: dict[str, Any]) -> dict[str, Any]:
        if about["kind"] == "numbers":
            keys = ("minimum", "maximum", "mean", "std")
            return {**about, **{key: column[key] for key in keys if key in column}}
        if about["kind"] != "classes":
            return about
        i = self._targets[0]
        place, kind = f"c{i}", self.file.described[i][1]
        query = f"SELECT {select(place, kind)}, count(*) AS n FROM {{source}} GROUP BY 1 ORDER BY 1"
        found = self._arrays(query)
        labels = Column.of(found[place]).plain().tolist()
        counts = dict(zip(map(str, labels), map(int, found["n"]), strict=True))
        balance = min(counts.values()) / max(counts.values())
        return {**about, "size": len(counts), "classes": counts, "balance": balance}

    def stream(self, encoding: Encoding | None, target: Target, dtype: DTypeLike) -> Stream:
        """Return the training rows, encoded as they are read."""
        assert encoding is not None
        reader = TableReader(self.file, self.data, encoding, target, dtype)
        bounds = _bounds(self.file.groups, 8 * len(self.file.described))
        row_bytes = np.dtype(dtype).itemsize * (len(encoding.names) + target.size)
        width = limits.window_blocks(int(np.diff(bounds).max()), row_bytes)
        return Stream(reader, Blocks(bounds, self.apart), width)

    @cached_property
    def _targets(self) -> list[int]:
        return [self.file.names.index(name) for name in self.data.target or ()]

    def _number(self, i: int) -> str:
        """Return a column's SQL; of numbers as DOUBLE, NULL where one is infinite or too large."""
        place, kind = f"c{i}", self.file.described[i][1]
        value = select(place, kind).removesuffix(f" AS {place}")
        if kind in ("FLOAT", "DOUBLE"):
            return f"CASE WHEN abs({value}) <= {LARGEST} THEN {value}::DOUBLE END"
        return f"{value}::DOUBLE" if kind in _WHOLE else value

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        return _run(self.file, query, lambda result: result.fetchall())

    def _arrays(self, query: str) -> dict[str, Any]:
        return _run(self.file, query, lambda result: result.fetchnumpy())


def _run(file: TableFile, query: str, fetch: Any) -> Any:
    import duckdb

    try:
        with file.connect() as connection:
            return fetch(connection.execute(query.replace("{source}", file.source)))
    except (duckdb.Error, MemoryError) as error:
        raise file.explained(error) from None


def _rows(file: TableFile, rows: NDArray[np.int64]) -> Columns:
    """Return some rows, given in rising order, in one pass over the file."""
    import duckdb

    places = [f"c{i}" for i in range(len(file.described))]
    wanted = ", ".join(
        select(place, kind) for place, (_, kind) in zip(places, file.described, strict=True)
    )
    query = f"SELECT place, {wanted} FROM {file.source} WHERE place IN (SELECT row FROM chosen)"
    try:
        with file.connect() as connection:
            connection.register("chosen", {"row": rows})
            arrays = connection.execute(query).fetchnumpy()
    except (duckdb.Error, MemoryError) as error:
        raise file.explained(error) from None
    order = np.argsort(arrays.pop("place"), kind="stable")
    columns = {
        name: Column.of(arrays.pop(place)[order])
        for place, (name, _) in zip(places, file.described, strict=True)
    }
    return Columns(columns)


def _bounds(groups: Sequence[int], row_bytes: int) -> NDArray[np.int64]:
    """Return the bounds of blocks: parts of large row groups, and small ones together."""
    usual = max(1, min(limits.BLOCK_ROWS, limits.BLOCK_BYTES // row_bytes))
    bounds, end = [0], 0
    for group in groups:
        # To read a part costs a look at what lies before it in the group: not too many parts.
        size = max(usual, min(ceil(group / 8), 8 * usual))
        parts = max(1, round(group / size))
        edges = end + np.linspace(0, group, parts + 1).astype(np.int64)
        end += group
        for edge in edges[1:].tolist():
            if len(bounds) > 1 and edge - bounds[-2] <= usual:
                bounds[-1] = edge
            else:
                bounds.append(edge)
    return np.array(bounds, np.int64)
