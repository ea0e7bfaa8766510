"""Tables from anywhere, made fit to be read: numbers only, in the order of the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.vitals.table import Table

# Beyond this a float no longer counts by ones, so it is no step.
_LARGEST_STEP = 2.0**53


def readable(table: Mapping[str, Any], texts: Sequence[str], keys: Sequence[str]) -> Table:
    """Return what can be used of a table.

    Columns that hold no numbers are left out, except for those that are texts; so are rows whose
    keys are not whole numbers from 0 on. Rows are put in the order of their keys, and of rows with
    the same keys, as a run leaves them that was resumed, the last one counts.

    Args:
        table: columns by name.
        texts: the columns that hold texts.
        keys: the columns that number the rows, those that count most first.

    >>> steps, loss = np.array([1.0, 0.0, np.nan, 1.0]), np.array([3.0, 4.0, 9.0, 2.0])
    >>> table = readable({"step": steps, "loss": loss, "note": np.full(4, "?")}, (), ("step",))
    >>> list(table), table["step"].tolist(), table["loss"].tolist()
    (['step', 'loss'], [0, 1], [4.0, 2.0])
    """
    columns = {name: _numbers(column, name in texts) for name, column in table.items()}
    usable = {name: column for name, column in columns.items() if column is not None}
    rows = min((len(column) for column in usable.values()), default=0)
    usable = {name: column[:rows] for name, column in usable.items()}
    numbered = [usable[key] for key in keys if key in usable]
    if rows == 0 or not numbered:
        return Table(usable)
    whole = np.logical_and.reduce([_whole(column) for column in numbered])
    kept = np.flatnonzero(whole)
    kept = kept[np.lexsort([column[kept] for column in reversed(numbered)])]
    again = np.logical_and.reduce([column[kept][1:] == column[kept][:-1] for column in numbered])
    kept = kept[np.append(~again, True)] if len(kept) else kept
    as_is = len(kept) == rows and bool((kept[1:] > kept[:-1]).all())
    return Table(
        {
            name: (column if as_is else column[kept]).astype(np.int64, copy=False)
            if name in keys
            else (column if as_is else column[kept])
            for name, column in usable.items()
        }
    )


def _numbers(column: Any, text: bool) -> NDArray[Any] | None:
    array = np.asarray(column)
    if array.ndim != 1:
        return None
    if text or array.dtype.kind in "iuf":
        return array
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return None


def _whole(column: NDArray[Any]) -> NDArray[np.bool_]:
    if column.dtype.kind in "iu":
        return column >= 0
    return (column >= 0) & (column < _LARGEST_STEP) & (column == np.floor(column))
