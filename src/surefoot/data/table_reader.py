"""Blocks of a table on disk, read and encoded."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data.columns import Column, Columns
from surefoot.data.connection import another
from surefoot.data.csv_scan import literal
from surefoot.data.encoding import Encoding
from surefoot.data.features import Lookup, numbers
from surefoot.data.stream import Part
from surefoot.data.table_files import TableFile
from surefoot.data.tables import select
from surefoot.data.target import Target
from surefoot.errors import DataError
from surefoot.recipe.data import Data

# As many labels are looked up by DuckDB; more come as texts.
_MOST_KNOWN = 1000
# What no label is.
_UNSEEN = "\0"


class TableReader:
    """Reads blocks of a table and encodes them."""

    def __init__(
        self, file: TableFile, data: Data, encoding: Encoding, target: Target, dtype: DTypeLike
    ) -> None:
        """Prepare the query; nothing is read yet.

        Args:
            file: that is read.
            data: the recipe's section, which names the targets and the weight.
            encoding: of the inputs.
            target: what the targets mean.
            dtype: of inputs, weights, and targets that are numbers.
        """
        self._file, self._encoding, self._target, self._dtype = file, encoding, target, dtype
        self._targets, self._weight = data.target or (), data.weight
        others = [*self._targets, *([] if data.weight is None else [data.weight])]
        self._names = list(dict.fromkeys([*encoding.features, *others]))
        self._indices = [file.names.index(name) for name in self._names]
        self._known: dict[str, tuple[str, ...]] = {}
        self._connection = file.connect(threads=1)
        self._local = threading.local()
        self._query = f"SELECT {', '.join(map(self._select, self._names))} FROM {file.source}"

    def _select(self, name: str) -> str:
        """Return a column's SQL; labels that are known come as numbers.

        Python's strings would take most of the time.
        """
        i = self._file.names.index(name)
        place, kind = f"c{i}", self._file.described[i][1]
        feature = self._encoding.features.get(name)
        if kind != "VARCHAR" or not isinstance(feature, Lookup):
            return select(place, kind)
        if feature.kind == "presence":
            self._known[name] = (_UNSEEN,)
            return f"CASE WHEN {place} IS NULL THEN -1 ELSE 0 END AS {place}"
        if feature.kind == "boolean" or not 0 < len(feature.labels) <= _MOST_KNOWN:
            return place
        labels = ", ".join(map(literal, feature.labels))
        self._connection.execute(f"CREATE TYPE labels_{i} AS ENUM ({labels})")
        self._known[name] = (*feature.labels, _UNSEEN)
        code = f"enum_code(TRY_CAST({place} AS labels_{i}))::INTEGER"
        other = f"CASE WHEN {place} IS NULL THEN -1 ELSE {len(feature.labels)} END"
        return f"coalesce({code}, {other}) AS {place}"

    def read(self, rows: NDArray[np.int64]) -> Part:
        """Return rows of one block, given in rising order; `surefoot.data.stream` tells more."""
        first, end = int(rows[0]), int(rows[-1]) + 1
        columns = self._fetch(first, end)
        chosen = None if len(rows) == end - first else rows - first
        try:
            x = self._encoding.apply(columns, self._dtype, chosen, "the table")
            y = self._read_targets(columns)
            weights = self._read_weights(columns)
        except DataError as error:
            raise DataError(
                f"{self._file.path!r}, rows {first:,} to {end - 1:,}: {error}"
            ) from None
        if chosen is not None:
            y = y[chosen]
            weights = None if weights is None else weights[chosen]
        return Part(x, y, weights)

    def _fetch(self, first: int, end: int) -> Columns:
        import duckdb

        if not hasattr(self._local, "cursor"):
            self._local.cursor = another(self._connection)
        query = f"{self._query} WHERE place BETWEEN {first} AND {end - 1}"
        try:
            arrays = self._local.cursor.execute(query).fetchnumpy()
        except (duckdb.Error, MemoryError) as error:
            raise self._file.explained(error) from None
        self._file.check()
        columns = {}
        for name, i in zip(self._names, self._indices, strict=True):
            values = arrays.pop(f"c{i}")
            known = self._known.get(name)
            codes = None if known is None else np.ma.getdata(values).astype(np.int32)
            columns[name] = Column.of(values) if codes is None else Column(codes, known)
        return Columns(columns)

    def _read_targets(self, columns: Columns) -> NDArray[Any]:
        values = []
        for name in self._targets:
            column = columns[name]
            if column.missing.any():
                raise DataError(f"column {name!r} lacks a value")
            if column.labels is not None and len(self._targets) == 1:
                labels = np.array(column.labels, dtype=str)
                return self._target.encode(labels, name, self._dtype)[column.values]
            values.append(column.plain())
        whole = values[0] if len(values) == 1 else np.column_stack(values)
        return self._target.encode(whole, self._targets[0], self._dtype)

    def _read_weights(self, columns: Columns) -> NDArray[Any] | None:
        if self._weight is None:
            return None
        weights = numbers(columns[self._weight], self._weight)
        if not (weights >= 0).all() or not np.isfinite(weights).all():  # NaN compares as false
            raise DataError(
                f"column {self._weight!r} holds a weight that is missing, negative or infinite"
            )
        return weights.astype(self._dtype)
