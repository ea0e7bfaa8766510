"""A table in memory: columns with names, each in the type that it came in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.arrays import short
from surefoot.errors import DataError, nearest

Rows = NDArray[np.integer]
_NAMED = 12  # as many columns as a message names


class _Places(dict[Any, int]):
    """Numbers texts as they are first asked for; None is −1."""

    def __init__(self) -> None:
        super().__init__({None: -1})

    def __missing__(self, text: str) -> int:
        place = self[text] = len(self) - 1
        return place


@dataclass(frozen=True, eq=False)
class Column:
    """One column of n values.

    | values | `values` | missing ones |
    | --- | --- | --- |
    | numbers with fractions | floats ``[n]`` | NaN |
    | whole numbers, truth values | integers, booleans ``[n]`` | where `absent` is true |
    | dates and times | datetime64 in microseconds ``[n]`` | NaT |
    | text | int32 codes ``[n]``, places in `labels` | −1 |

    Attributes:
        values: as the table says.
        labels: the distinct texts in the order of their first appearance; `None` for the others.
        absent: a mask ``[n]`` of missing whole numbers and truth values; `None` where none are.
    """

    values: NDArray[Any]
    labels: tuple[str, ...] | None = None
    absent: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(cls, values: NDArray[Any]) -> Column:
        """Make a column of an array: numbers, booleans, dates, or objects that are text or None.

        A masked array's masked values are missing ones.

        >>> column = Column.of(np.array(["a", None, "b", "a"], dtype=object))
        >>> column.labels, column.values.tolist()
        (('a', 'b'), [0, -1, 1, 0])
        """
        absent = None
        if isinstance(values, np.ma.MaskedArray):
            mask = np.ma.getmaskarray(values)
            values, absent = values.data, mask if mask.any() else None
        if values.dtype.kind in "OUT":
            return cls._of_text(values.tolist(), absent)
        if values.dtype.kind == "f":
            return cls(values if absent is None else np.where(absent, np.nan, values))
        if values.dtype.kind == "M":
            dates = values.astype("datetime64[us]")
            return cls(dates if absent is None else np.where(absent, np.datetime64("NaT"), dates))
        return cls(values, absent=absent)

    @classmethod
    def _of_text(cls, texts: list[Any], absent: NDArray[np.bool_] | None) -> Column:
        if absent is not None:
            for row in np.flatnonzero(absent).tolist():
                texts[row] = None
        places = _Places()
        codes = np.fromiter(map(places.__getitem__, texts), np.int32, len(texts))
        del places[None]
        return cls(codes, tuple(places))

    def take(self, rows: Rows | NDArray[np.bool_] | None) -> Column:
        """Return some rows, by index or mask; all of them for `None`."""
        if rows is None:
            return self
        absent = None if self.absent is None else self.absent[rows]
        return Column(self.values[rows], self.labels, absent)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where values are missing ``[n]``; a number that is infinite counts as missing."""
        if self.labels is not None:
            return self.values < 0
        if self.values.dtype.kind == "f":
            with np.errstate(over="ignore", invalid="ignore"):
                whole = np.isfinite(self.values.sum())  # where a sum is, so is each number in it
            return np.zeros(len(self), bool) if whole else ~np.isfinite(self.values)
        if self.values.dtype.kind == "M":
            return np.isnat(self.values)
        return np.zeros(len(self), bool) if self.absent is None else self.absent

    def texts(self) -> Column:
        """Return the column as text: whole numbers without a point, as a CSV would have them.

        >>> Column(np.array([1.0, np.nan, 2.0])).texts().labels
        ('1', '2')
        """
        if self.labels is not None:
            return self
        missing = self.missing
        present, codes = np.unique(self.values[~missing], return_inverse=True)
        places = np.full(len(self), -1, np.int32)
        places[~missing] = codes
        return Column(places, tuple(_text(value) for value in present.tolist()))

    def plain(self) -> NDArray[Any]:
        """Return an array without missing values in it; text as objects.

        Only for a column that has none.
        """
        if self.labels is None:
            return self.values
        return np.array(self.labels, dtype=str)[self.values]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class Columns(Mapping[str, Column]):
    """Named columns of one length, in their order; nothing in it changes.

    >>> table = Columns({"a": Column(np.arange(3)), "b": Column(np.ones(3))})
    >>> table.rows, list(table), list(table.without(["a"]))
    (3, ['a', 'b'], ['b'])
    """

    def __init__(self, columns: Mapping[str, Column], notes: Iterable[str] = ()) -> None:
        """Keep columns, and notes on how they were read."""
        self._columns = dict(columns)
        self.notes = tuple(notes)
        lengths = {len(column) for column in self._columns.values()}
        if len(lengths) > 1:
            raise DataError(f"the columns have different lengths: {sorted(lengths)}")

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Columns({self.rows} rows: {name_some(self)})"

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self._columns.values()), ()))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, len(self)

    def take(self, rows: Rows | NDArray[np.bool_] | None) -> Columns:
        """Return some rows, by index or mask; all of them for `None`."""
        if rows is None:
            return self
        taken = {name: column.take(rows) for name, column in self.items()}
        return Columns(taken, self.notes)

    def without(self, names: Collection[str]) -> Columns:
        """Return the columns that are not named."""
        kept = {name: column for name, column in self.items() if name not in names}
        return Columns(kept, self.notes)

    def find(self, name: str, key: str) -> Column:
        """Return a column that a recipe's key names.

        Raises:
            DataError: there is none of this name; the nearest is named.
        """
        if name not in self:
            raise DataError(
                f"{key} = {name!r}: there is no such column among {name_some(self)}"
                f"{nearest(name, self)}"
            )
        return self[name]


def name_some(names: Iterable[str]) -> str:
    """Return names for a message, as many as fit a line.

    >>> name_some(["a", "b"])
    "'a', 'b'"
    """
    names = list(names)
    more = "" if len(names) <= _NAMED else f" and {len(names) - _NAMED} more"
    return ", ".join(short(name) for name in names[:_NAMED]) + more
