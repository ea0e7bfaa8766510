"""Rows that are the same in all of their columns, found by hashing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surefoot.data.columns import Column, Columns

Hashes = NDArray[np.uint64]
# Odd, with bits set all over, as multiplicative hashing asks (Knuth, section 6.4).
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


def row_hashes(columns: Columns) -> Hashes:
    """Return a number of 64 bits for each row ``[n]``; equal rows have equal ones.

    Two different rows share one with a chance of about 10⁻¹⁹. Within one process, the same row of
    another table has the same number.

    >>> table = Columns({"a": Column(np.array([1, 2, 1])), "b": Column(np.array([0.0, 0.0, 0.0]))})
    >>> hashes = row_hashes(table)
    >>> bool(hashes[0] == hashes[2]), bool(hashes[0] == hashes[1])
    (True, False)
    """
    hashes = np.zeros(columns.rows, np.uint64)
    for column in columns.values():
        mix(hashes, column)
    return hashes


def mix(hashes: Hashes, column: Column) -> None:
    """Add a column to what `row_hashes` makes of those before it, in place.

    >>> column, hashes = Column(np.array([1, 2])), np.zeros(2, np.uint64)
    >>> mix(hashes, column)
    >>> bool((hashes == row_hashes(Columns({"a": column}))).all())
    True
    """
    hashes ^= _bits(column)
    hashes *= _FACTOR
    hashes ^= hashes >> _SHIFT


def _bits(column: Column) -> Hashes:
    if column.labels is not None:
        known = [hash(label) & 0x7FFFFFFFFFFFFFFF for label in column.labels]
        return np.array([*known, 0], np.uint64)[column.values]
    if column.values.dtype.kind == "M":
        return column.values.view(np.uint64)
    values = column.values.astype(np.float64)
    values += 0.0  # −0 is 0
    missing = column.missing
    if missing.any():
        values[missing] = np.nan
    return values.view(np.uint64)


def shared(hashes: Hashes, others: Hashes) -> NDArray[np.int64]:
    """Return where `hashes` has rows that are among `others` too.

    >>> shared(np.array([5, 6], np.uint64), np.array([6, 7], np.uint64)).tolist()
    [1]
    """
    ordered = np.sort(others)
    places = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return np.flatnonzero(ordered[places] == hashes)
