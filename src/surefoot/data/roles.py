"""Which columns of a table are inputs, and which are targets, weights, groups or times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.arrays import short
from surefoot.data.columns import Column, Columns, name_some
from surefoot.data.features import numbers
from surefoot.data.kinds import recognize
from surefoot.data.source import Raw, Task
from surefoot.errors import DataError
from surefoot.recipe.data import Data

# More distinct whole numbers than these are amounts rather than labels.
MOST_LABELS = 20


@dataclass(frozen=True, eq=False)
class Roles:
    """A table taken apart.

    Attributes:
        raw: inputs as `Columns`, targets as arrays, of the rows that have a target.
        kept: where these rows stood in the table ``[n]``.
        weights: of these rows, where data.weight names a column.
        keys: the column that data.split_column names.
        apart: the names of all columns that are no inputs.
    """

    raw: Raw
    kept: NDArray[np.int64]
    weights: NDArray[Any] | None = None
    keys: Column | None = None
    apart: tuple[str, ...] = ()


def separate(raw: Raw, data: Data) -> Roles:
    """Take a table apart as data.target, data.weight and data.split_column say.

    Rows without a target are left out, and counted in a note.

    Args:
        raw: with `Columns` for x, and for x_val where it is there; y is `None` where the target is
            a column.
        data: the recipe's section.

    Raises:
        DataError: no target is named, a column is not there, or no row has a target.
    """
    table: Columns = raw.x
    others = [name for name in (data.weight, data.split_column) if name is not None]
    if raw.y is not None:
        if data.target is not None:
            raise DataError("data.target names a column, and y is given as well: give one of them")
        targets: tuple[str, ...] = ()
    elif data.target is None:
        raise DataError(
            f"say which column of {raw.name!r} to predict (--target NAME, or data.target): "
            f"{name_some(table)}"
        )
    else:
        targets = data.target
    y, kept, task, notes = raw.y, np.arange(table.rows), raw.task, [*raw.notes, *table.notes]
    if targets:
        y, kept, task, found = _targets(table, targets, "data.target")
        notes += found
    weight = None if data.weight is None else table.find(data.weight, "data.weight")
    keys = None if data.split_column is None else table.find(data.split_column, "data.split_column")
    # Groups are names, which new rows do not share; a time is an input like any other.
    grouped = data.split_column if data.split != "time" else None
    apart = {*targets, *others} - ({data.split_column} if grouped is None else set())
    if set(table) <= apart:
        raise DataError(f"{raw.name!r} has no column left to learn from beside {name_some(apart)}")
    x_val, y_val = raw.x_val, raw.y_val
    if isinstance(x_val, Columns) and targets:
        y_val, kept_val, _, found = _targets(x_val, targets, "data.target")
        notes += [f"validation: {note}" for note in found if "left out" in note]
        if x_val.rows != len(kept_val):
            x_val = x_val.take(kept_val)
    whole = len(kept) == table.rows
    inputs = table.without(apart)
    return Roles(
        replace(
            raw,
            x=inputs if whole else inputs.take(kept),
            y=y,
            x_val=x_val,
            y_val=y_val,
            task=raw.task or task,
            notes=tuple(notes),
        ),
        kept,
        None if weight is None else numbers(weight, str(data.weight))[kept],
        None if keys is None else keys.take(kept),
        tuple(sorted(apart)),
    )


def _targets(
    table: Columns, targets: tuple[str, ...], key: str
) -> tuple[NDArray[Any], NDArray[np.int64], Task | None, list[str]]:
    """Return the targets, the rows that have them, the task that they suggest, and notes."""
    columns = [table.find(name, key) for name in targets]
    missing = np.any([column.missing for column in columns], axis=0)
    kept = np.flatnonzero(~missing)
    if len(kept) == 0:
        raise DataError(f"{key} = {short(targets[0])}: no row has a value in this column")
    notes = []
    if missing.any():
        count = int(missing.sum())
        rows = "1 row without a target is" if count == 1 else f"{count:,} rows without a target are"
        notes.append(f"{rows} left out")
    values = [_values(column, kept, name) for column, name in zip(columns, targets, strict=True)]
    if len(values) > 1:
        if any(v.dtype.kind == "U" for v in values):
            raise DataError(
                f"{key} names {len(values)} columns, and one of them holds text: several targets "
                "must be numbers, or 0 and 1"
            )
        return np.column_stack(values), kept, None, notes
    (y,) = values
    task: Task | None = None
    if y.dtype.kind in "iu" and (distinct := _distinct(y)) > MOST_LABELS:
        task = "regression"
        notes.append(
            f"{targets[0]!r} has {distinct:,} different whole numbers, and is predicted as a "
            "number; to make them classes: --set loss=cross_entropy"
        )
    return y, kept, task, [*notes, *_suspicions(table, targets[0], columns[0], kept)]


def _values(column: Column, kept: NDArray[np.int64], name: str) -> NDArray[Any]:
    if column.labels is None and column.values.dtype.kind == "M":
        raise DataError(f"data.target = {name!r}: the column holds dates, which are not predicted")
    values = column.take(kept).plain()
    # pandas makes floats of whole numbers where some are missing.
    if values.dtype.kind == "f" and len(kept) < len(column) and (values == np.rint(values)).all():
        return values.astype(np.int64)
    return values


def _suspicions(table: Columns, name: str, target: Column, kept: NDArray[np.int64]) -> list[str]:
    """Return notes on a target that cannot be learned, or that another column gives away."""
    taken = target.take(kept)
    kind = recognize(taken, name) if taken.labels is not None else None
    notes = []
    if _is_counter(taken) or (kind is not None and kind.name in ("identifier", "text")):
        notes.append(f"the target {name!r} looks like an identifier: each row has another value")
    for other, column in table.items():
        if other != name and _tells(column.take(kept), taken):
            notes.append(
                f"the column {other!r} tells the target {name!r} exactly; if it is not known when "
                f"predicting, leave it out: --set data.columns.{other}=drop"
            )
    return notes


def _distinct(values: NDArray[Any]) -> int:
    # Numbers that lie close together need no sorting to be told apart.
    span = int(values.max()) - int(values.min()) + 1
    return span if span <= MOST_LABELS else len(np.unique(values))


def _is_counter(column: Column) -> bool:
    values = column.values
    if column.labels is not None or values.dtype.kind not in "iu" or len(values) <= MOST_LABELS:
        return False
    return int(values.max()) - int(values.min()) + 1 == len(values) == len(np.unique(values))


def _tells(column: Column, target: Column) -> bool:
    """Say whether equal values of a column are equal targets, and the other way round."""
    if len(column) != len(target) or column.missing.any():
        return False
    # The first rows rule out nearly all columns.
    for part in (slice(0, 1000), slice(None)):
        a, b = column.values[part], target.values[part]
        if len(a) < 2 or a.dtype.kind == "M":
            return False
        first_a, codes_a = np.unique(a, return_inverse=True)
        first_b, codes_b = np.unique(b, return_inverse=True)
        pairs = len(np.unique(codes_a.astype(np.int64) * len(first_b) + codes_b))
        if not len(first_a) == len(first_b) == pairs > 1:
            return False
        if target.values.dtype.kind == "f" and not np.allclose(a, b):
            return False  # among numbers that never repeat, any column tells any other
    return len(first_a) < len(column) or bool((column.values == target.values).all())
