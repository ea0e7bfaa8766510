"""From a table's columns to one matrix of numbers, fitted on the training rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data.arrays import IMPUTE, aligned
from surefoot.data.columns import Column, Columns, Rows, name_some
from surefoot.data.features import Date, Feature, Lookup, Numeric, dates, numbers
from surefoot.data.kinds import TRUTH, Kind, label_counts, recognize
from surefoot.data.stored import KINDS, MOST_CODES, MOST_ONE_HOT, feature_from
from surefoot.errors import DataError, nearest
from surefoot.recipe.data import Data

# As many categories are columns of their own; more are numbers for an embedding, which is narrower.
ONE_HOT = 16
# Values of the matrix in a block, 4 MB of float32. Smaller ones cost calls, and threads that write
# them wait for the interpreter: 0.42 s for 1,000,000 × 30 in blocks of 1 MB on one thread, 0.35 on
# several, 0.21 in blocks of 4 MB.
_BLOCK = 1 << 20
# A category in fewer of the training rows is rare; rare ones are learned together, as "other".
_RARE_SHARE, _MOST_RARE = 0.002, 10
# A column that is left out still tells by what is missing, from this share of rows on.
_TELLING = 0.05


@dataclass(frozen=True)
class Treatment:
    """What was done with one column: a row of the table that `train` prints."""

    column: str
    kind: str
    what: str


@dataclass(frozen=True)
class CodeColumn:
    """A column of the matrix that holds categories' numbers.

    Attributes:
        index: of the column.
        categories: how many there are, with those for unseen and missing ones.
        size: how many numbers shall stand for a category.
    """

    index: int
    categories: int
    size: int


@dataclass(frozen=True, eq=False)
class Encoding:
    """Each column's way to numbers, in the order of the matrix: codes come last.

    Attributes:
        features: by the column's name.
        treatments: of all columns, in the table's order.
        apart: columns that are no inputs: targets, weights, groups; they may be there or not.
    """

    features: Mapping[str, Feature]
    treatments: tuple[Treatment, ...] = ()
    apart: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the matrix's columns are called: ``Age``, ``Age missing``, ``Sex=female``."""
        return tuple(
            name if not part else f"{name}{part}" if part[0] == "=" else f"{name} {part}"
            for name, feature in self.features.items()
            for part in feature.parts
        )

    @cached_property
    def code_columns(self) -> tuple[CodeColumn, ...]:
        """The columns at the end that an embedding takes."""
        codes = [f for f in self.features.values() if isinstance(f, Lookup) and f.kind == "code"]
        first = len(self.names) - len(codes)
        return tuple(
            CodeColumn(first + i, feature.codes, min(32, ceil(1.6 * feature.codes**0.56)))
            for i, feature in enumerate(codes)
        )

    def apply(
        self,
        columns: Columns,
        dtype: DTypeLike = np.float32,
        rows: Rows | None = None,
        name: str = "the table",
    ) -> NDArray[Any]:
        """Return rows of a table as a matrix without missing values ``[n, len(names)]``.

        Args:
            columns: of the table, in any order; others than were fitted are not looked at.
            dtype: of the matrix.
            rows: indices of the rows; all by default.
            name: of the table, for messages.

        Raises:
            DataError: a column is missing, or does not hold what it held in training.
        """
        missing = [column for column in self.features if column not in columns]
        if missing:
            raise DataError(
                f"{name} lacks {'the column' if len(missing) == 1 else 'the columns'} "
                f"{name_some(missing)} that the net was trained on{nearest(missing[0], columns)}"
            )
        read = [feature.read(columns[n], n) for n, feature in self.features.items()]
        count = columns.rows if rows is None else len(rows)
        out = aligned((count, len(self.names)), dtype)
        ends = np.cumsum([len(feature.parts) for feature in self.features.values()]).tolist()
        places = [slice(first, last) for first, last in zip([0, *ends], ends, strict=False)]

        # In blocks of rows: a block of the matrix stays in cache while its columns are written.
        step = max(1, _BLOCK // max(1, len(self.names)))

        def write(start: int) -> None:
            part = slice(start, start + step)
            chosen = part if rows is None else rows[part]
            for (column, feature), values, place in zip(
                self.features.items(), read, places, strict=True
            ):
                try:
                    with np.errstate(over="ignore", invalid="ignore"):
                        feature.write(values[chosen], out[part, place])
                except OverflowError:
                    raise DataError(
                        f"column {column!r} holds a number too large for {np.dtype(dtype).name}: "
                        "rescale it, or set data.standardize"
                    ) from None

        with ThreadPoolExecutor() as pool:
            for _ in pool.map(write, range(0, count, step)):
                pass
        return out

    def extra(self, columns: Columns) -> tuple[str, ...]:
        """Return the columns that were not there in training; they are not looked at."""
        known = {*self.apart, *(treatment.column for treatment in self.treatments)}
        return tuple(name for name in columns if name not in known)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON keeps without loss."""
        kinds = {kind: name for name, kind in KINDS.items()}
        return {
            "features": [
                {"column": name, "feature": kinds[type(feature)], **asdict(feature)}  # type: ignore
                for name, feature in self.features.items()
            ],
            "treatments": [asdict(treatment) for treatment in self.treatments],
            "apart": list(self.apart),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Encoding:
        """Rebuild what `to_dict` returned.

        Raises:
            DataError: `plain` is not what `to_dict` returns.
        """
        try:
            features = {}
            for entry in plain["features"]:
                fields = dict(entry)
                column, kind = str(fields.pop("column")), fields.pop("feature")
                features[column] = feature_from(kind, fields)
            treatments = tuple(Treatment(**entry) for entry in plain["treatments"])
            return cls(features, treatments, tuple(plain["apart"]))
        except DataError:  # a ValueError too
            raise
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DataError("not the description of a table's columns") from None


def fit(
    columns: Columns,
    rows: Rows | None = None,
    data: Data | None = None,
    *,
    embed: bool = True,
    apart: tuple[str, ...] = (),
) -> Encoding:
    """Recognize and fit each column on some rows.

    Args:
        columns: the inputs of a table.
        rows: the training rows' indices; all by default.
        data: the recipe's section, for ``columns``, ``categories``, ``standardize``, ``impute``.
        embed: whether categories may become numbers for an embedding where data.categories is
            ``"auto"``.
        apart: other columns of the table, for `Encoding.apart`.

    Raises:
        DataError: data.columns names a column that is not there or a treatment that does not fit,
            a column mixes types, or nothing is left to learn from.

    >>> table = Columns({"age": Column(np.array([1.0, np.nan, 3.0]))})
    >>> encoding = fit(table)
    >>> encoding.names, encoding.apply(table)[1].tolist()
    (('age', 'age missing'), [0.0, 1.0])
    """
    data = data or Data()
    chosen = dict(data.columns)
    for name in chosen:
        if name not in apart:
            columns.find(name, "data.columns")
    features: dict[str, Feature] = {}
    codes: dict[str, Feature] = {}
    treatments = []

    def treat(name: str) -> tuple[Feature | None, Treatment]:
        taken = columns[name].take(rows)
        kind = Kind(chosen[name], "as told") if name in chosen else recognize(taken, name)
        feature, what = _fit_column(taken, name, kind, data, embed)
        return feature, Treatment(name, kind.name, what)

    with ThreadPoolExecutor() as pool:
        treated = list(pool.map(treat, columns))
    for name, (feature, treatment) in zip(columns, treated, strict=True):
        treatments.append(treatment)
        if feature is not None:
            is_code = isinstance(feature, Lookup) and feature.kind == "code"
            (codes if is_code else features)[name] = feature
    if not features and not codes:
        raise DataError(
            f"no column is left to learn from: {name_some(columns)} are identifiers, texts or "
            "constants; say with data.columns what they are"
        )
    return Encoding({**features, **codes}, tuple(treatments), apart)


def _fit_column(
    column: Column, name: str, kind: Kind, data: Data, embed: bool
) -> tuple[Feature | None, str]:
    """Return the fitted feature, none for a column that is left out, and what was done."""
    missing = float(column.missing.mean())
    if missing and data.impute == "refuse":
        raise DataError(f"column {name!r} has {missing:.1%} of its values missing: {IMPUTE}")
    share = f"; {missing:.1%} missing" if missing else ""
    if kind.name == "numeric":
        return _numeric(column, name, data, share)
    if kind.name == "date":
        date = Date.fit(dates(column, name))
        parts = ", ".join(("time", *(f"place in the {circle}" for circle in date.circles)))
        return date, f"{parts}{share}" + (": indicator" if missing else "")
    if kind.name == "boolean":
        return _boolean(column, name), f"0 or 1{share}" + (": indicator" if missing else "")
    if kind.name == "categorical":
        return _categories(column, data, embed, share)
    why = f" ({kind.reason})" if kind.reason else ""
    if kind.name in ("identifier", "text") and _TELLING <= missing <= 1 - _TELLING:
        return Lookup("presence"), f"left out{why}{share}: indicator alone"
    return None, f"left out{why}"


def _numeric(column: Column, name: str, data: Data, share: str) -> tuple[Feature, str]:
    lenient = dict(data.columns).get(name) == "numeric"
    impute = "median" if data.impute in ("auto", "refuse") else data.impute
    values = numbers(column, name, lenient=lenient)
    feature = Numeric.fit(values, standardize=data.standardize, impute=impute, lenient=lenient)
    what = "standardized" if data.standardize else "as it is"
    if share:
        share += f": {impute} {feature.fill:.4g} and indicator"
    return feature, what + share


def _boolean(column: Column, name: str) -> Lookup:
    texts = column.texts()
    counts = label_counts(texts)
    words = [label.strip().lower() for label in texts.labels or ()]
    other = [word for word, n in zip(words, counts, strict=True) if n and word not in TRUTH]
    if other:
        raise DataError(
            f"data.columns.{name} = 'boolean': the column holds {other[0]!r}, which is neither "
            "true nor false; use 'categorical'"
        )
    true = sum(int(n) for word, n in zip(words, counts, strict=True) if TRUTH.get(word))
    share = true / max(1, int(counts.sum()))
    return Lookup(
        "boolean", ("false", "true"), (1 - share, share), missing=bool(counts.sum() < len(column))
    )


def _categories(column: Column, data: Data, embed: bool, share: str) -> tuple[Feature, str]:
    texts = column.texts()
    counts = label_counts(texts)
    rare = min(_MOST_RARE, ceil(_RARE_SHARE * len(column)))
    # The most frequent first, and in the order of the alphabet where they are as frequent.
    labels = texts.labels or ()
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda i: (-counts[i], labels[i]))
    kept = [i for i in order if counts[i] >= rare]
    missing = bool(column.missing.any())
    as_codes = data.categories == "embedding" or (
        data.categories == "auto" and embed and len(kept) > ONE_HOT
    )
    if as_codes:
        kept = kept[:MOST_CODES]
    else:
        kept = kept[: MOST_ONE_HOT if data.categories == "one_hot" else ONE_HOT]
    total = max(1, int(counts.sum()))
    feature = Lookup(
        "code" if as_codes else "one_hot",
        tuple(labels[i] for i in kept),
        tuple(float(counts[i] / total) for i in kept),
        other=len(kept) < len(order),
        missing=missing,
    )
    what = f"{len(kept)} categories, {'embedded' if as_codes else 'one-hot'}"
    if len(kept) < len(order):
        what += f", {len(order) - len(kept)} rare ones together"
    return feature, what + share + (": one of its own" if missing else "")
