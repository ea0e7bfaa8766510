"""A look at the data before anything is learned: what a person, and the doctor, should know."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.arrays import as_features, blocks
from surefoot.data.columns import Column, Columns
from surefoot.data.duplicates import mix, row_hashes
from surefoot.data.kinds import recognize
from surefoot.data.roles import separate
from surefoot.data.source import Raw
from surefoot.data.target import Target
from surefoot.recipe.data import Data

# Rows and columns that are looked at for likeness; beyond, a sample says enough.
_MOST_ROWS, _MOST_COLUMNS = 100_000, 400
# Rows whose numbers agree to a hundredth of their column's spread are nearly the same.
_NEAR = 0.01


def look(raw: Raw, data: Data) -> dict[str, Any]:
    """Return what is known about data before training, as plain values for JSON.

    Args:
        raw: what `surefoot.data.gather` read.
        data: the recipe's section, which says what the target is.

    Returns:
        `source`, `form` ("table", "pictures" or "arrays"), `rows`; for a table `columns` with
        each one's kind, missing and distinct values (among the first 100,000 rows) and range,
        `constant_columns` and `duplicate_columns`; else `shape` and the `inputs`' range;
        `missing` values in all; `identical_rows` and `near_identical_rows`, beyond the first of
        each group; `target` with its kind and balance or range; `notes`, lines about what was
        left out or looks suspicious.

    >>> from surefoot.data import gather
    >>> facts = look(gather(Data(source="iris")), Data(source="iris"))
    >>> facts["rows"], facts["target"]["classes"]["setosa"]
    (150, 50)
    """
    facts: dict[str, Any] = {"source": raw.name}
    table = isinstance(raw.x, Columns)
    facts |= _of_table(raw.x) if table else _of_array(raw)
    if table and (data.target is not None or raw.y is not None):
        raw = separate(raw, data).raw
    elif table:
        facts |= {"target": None, "notes": [*raw.notes, *raw.x.notes]}
        return facts if raw.stream is None else raw.stream.facts(facts)
    target = Target.fit(raw.y, raw.task)
    facts["target"] = _of_target(target, target.encode(raw.y, "y", np.float64))
    facts["notes"] = list(raw.notes)
    return facts if raw.stream is None else raw.stream.facts(facts)


def _of_table(table: Columns) -> dict[str, Any]:
    columns = [_describe(name, column) for name, column in table.items()]
    return {
        "form": "table",
        "rows": table.rows,
        "columns": columns,
        "missing": sum(column["missing"] for column in columns),
        "constant_columns": [c["name"] for c in columns if c["kind"] == "constant"],
        "duplicate_columns": [list(pair) for pair in _equal_pairs(table)],
        **_alike(table.without([c["name"] for c in columns if c["kind"] == "identifier"])),
    }


def _describe(name: str, column: Column) -> dict[str, Any]:
    kind = recognize(column, name)
    present = column.take(~column.missing)
    about: dict[str, Any] = {
        "name": name,
        "kind": kind.name,
        "reason": kind.reason,
        "missing": len(column) - len(present),
        "distinct": len(np.unique(present.values[:_MOST_ROWS])),
    }
    if column.labels is None and column.values.dtype.kind in "iuf" and len(present):
        about |= _range(present.values)[1]
    return about


def _range(values: NDArray[Any]) -> tuple[int, dict[str, float]]:
    """Return how many numbers are finite, and their extremes, mean and standard deviation.

    Block by block: a copy in float64 would take more memory than the data.
    """
    count, total, least, most = 0, 0.0, math.inf, -math.inf
    for own in _finite(values):
        count += own.size
        total += float(own.sum())
        least, most = min(least, float(own.min())), max(most, float(own.max()))
    if not count:
        return 0, {}
    mean = total / count
    square = sum(float(np.square(own - mean).sum()) for own in _finite(values))
    about = {"minimum": least, "maximum": most, "mean": mean, "std": math.sqrt(square / count)}
    return count, about


def _finite(values: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """Yield what is finite, block by block, as float64."""
    for _, block in blocks(values):
        own = block.astype(np.float64).ravel()
        own = own[np.isfinite(own)]
        if own.size:
            yield own


def _equal_pairs(table: Columns) -> Iterator[tuple[str, str]]:
    """Yield the names of columns that hold the same values."""
    sums: dict[int, list[str]] = {}
    for name, column in table.items():
        sums.setdefault(hash(row_hashes(Columns({"": column})).tobytes()), []).append(name)
    for names in sums.values():
        yield from combinations(names, 2)


def _alike(table: Columns) -> dict[str, int]:
    """Count rows that repeat an earlier one, exactly and nearly."""
    rows = np.arange(min(table.rows, _MOST_ROWS))
    identical, near = np.zeros((2, len(rows)), np.uint64)
    for name in list(table)[:_MOST_COLUMNS]:
        column = table[name].take(rows)
        mix(identical, column)
        mix(near, _rounded(column))
    repeated = _repeats(identical)
    return {"identical_rows": repeated, "near_identical_rows": _repeats(near) - repeated}


def _rounded(column: Column) -> Column:
    if column.labels is not None or column.values.dtype.kind not in "iuf":
        return column
    values = np.where(column.missing, np.nan, column.values.astype(np.float64))
    spread = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
    return Column(np.rint(values / (spread * _NEAR)) if spread else values)


def _repeats(hashes: NDArray[np.uint64]) -> int:
    return len(hashes) - len(np.unique(hashes))


def _of_array(raw: Raw) -> dict[str, Any]:
    x = as_features(raw.x, "x")
    finite, about = _range(x)
    pictures = raw.pictures is not None
    flat = _thumbnails(x) if pictures else x.reshape(len(x), -1)
    columns = {str(i): Column(flat[:, i]) for i in range(min(flat.shape[1], _MOST_COLUMNS))}
    constant = flat.max(axis=0) == flat.min(axis=0)
    return {
        "form": "pictures" if pictures else "arrays",
        "rows": len(x),
        "shape": list(x.shape[1:]),
        "inputs": about or None,
        "missing": x.size - finite,
        "constant_columns": [] if pictures else np.flatnonzero(constant).tolist(),
        **_alike(Columns(columns)),
    }


def _thumbnails(x: NDArray[Any]) -> NDArray[np.float64]:
    """Return each picture's mean brightness over 8×8 parts: alike pictures have alike ones."""
    grey = x.mean(axis=-1, dtype=np.float32)
    rows, columns = (np.array_split(np.arange(size), min(8, size)) for size in grey.shape[1:])
    parts = [
        grey[:, r[0] : r[-1] + 1, c[0] : c[-1] + 1].mean(axis=(1, 2)) for r in rows for c in columns
    ]
    return np.stack(parts, axis=1).astype(np.float64)


def _of_target(target: Target, y: NDArray[Any]) -> dict[str, Any]:
    about: dict[str, Any] = {"kind": target.kind, "size": target.size}
    if target.kind == "classes":
        counts = np.bincount(y.astype(np.int64), minlength=target.size)
        about["classes"] = {
            str(name): int(count) for name, count in zip(target.classes or (), counts, strict=True)
        }
        about["balance"] = float(counts.min() / counts.max())
    elif target.kind == "labels":
        about["shares"] = [float(share) for share in y.mean(axis=0)]
    else:
        about |= _range(y)[1]
    return about
