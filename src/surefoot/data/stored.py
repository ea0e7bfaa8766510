"""A column's way to numbers, rebuilt from plain data that somebody else may have written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from surefoot.data.features import CIRCLES, Date, Feature, Lookup, LookupKind, Numeric
from surefoot.errors import DataError

KINDS: dict[str, type[Any]] = {"numeric": Numeric, "lookup": Lookup, "date": Date}
# What training keeps at most; a one-hot table has the square of it.
MOST_ONE_HOT, MOST_CODES = 1000, 100_000


def feature_from(kind: Any, plain: Mapping[str, Any]) -> Feature:
    """Rebuild a feature from its fields.

    Raises:
        DataError: a field is unknown, missing, of another type, or does not fit the others.

    >>> feature_from("date", {"mean": 0.0, "scale": 1.0, "circles": ["year"], "indicator": False})
    Date(mean=0.0, scale=1.0, circles=('year',), indicator=False)
    """
    if kind not in KINDS:
        raise DataError("not the description of a table's column: its kind is unknown")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
    names = {field.name for field in fields(KINDS[kind])}
    if not values.keys() <= names:
        raise DataError(f"not the description of a {kind} column: it has other fields")
    try:
        feature = KINDS[kind](**values)
    except TypeError:
        raise DataError(f"not the description of a {kind} column: a field is missing") from None
    if not _CHECKS[kind](feature):
        raise DataError(f"not the description of a {kind} column: its fields do not fit together")
    return feature


def _numeric(feature: Numeric) -> bool:
    flags = (feature.indicator, feature.bounded, feature.lenient)
    numbers = (feature.mean, feature.scale, feature.fill)
    return _numbers(*numbers) and feature.scale > 0 and all(isinstance(f, bool) for f in flags)


def _date(feature: Date) -> bool:
    circles = feature.circles
    return (
        _numbers(feature.mean, feature.scale)
        and feature.scale > 0
        and isinstance(circles, tuple)
        and all(isinstance(circle, str) and circle in CIRCLES for circle in circles)
        and isinstance(feature.indicator, bool)
    )


def _lookup(feature: Lookup) -> bool:
    labels, shares = feature.labels, feature.shares
    most = MOST_CODES if feature.kind == "code" else MOST_ONE_HOT
    return (
        feature.kind in get_args(LookupKind)
        and isinstance(labels, tuple)
        and isinstance(shares, tuple)
        and len(labels) == len(shares) <= most
        and (feature.kind != "boolean" or len(labels) == 2)
        and all(isinstance(label, str) for label in labels)
        and _numbers(*shares)
        and isinstance(feature.other, bool)
        and isinstance(feature.missing, bool)
    )


def _numbers(*values: Any) -> bool:
    return all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        for value in values
    )


_CHECKS: dict[str, Any] = {"numeric": _numeric, "lookup": _lookup, "date": _date}
