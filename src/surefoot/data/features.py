"""How one column of a table becomes columns of numbers: fitted on the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from surefoot.data.arrays import LARGEST, short
from surefoot.data.columns import Column
from surefoot.data.kinds import TRUTH, parse_dates, parse_numbers
from surefoot.errors import DataError

Array = NDArray[Any]
# In standard deviations: training rows lie below √n of them, and new ones beyond it are no more
# than "very far"; their squares would swamp a net.
FARTHEST = 1e3
_DAY = 86_400.0
_BLOCK = 1 << 14
_YEAR = 365.2425


class Feature(Protocol):
    """One column's way to numbers; its fields are plain data."""

    @property
    def parts(self) -> tuple[str, ...]:
        """What its columns of numbers are called, after the column's name; "" for the name."""
        ...

    def read(self, column: Column, name: str) -> Array:
        """Return one number, place or time for each row ``[n]``, for `write`.

        Raises:
            DataError: the column does not hold what it held in training.
        """
        ...

    def write(self, values: Array, out: Array) -> None:
        """Write some rows of what `read` returned to ``out [rows, len(parts)]``.

        Raises:
            OverflowError: a number is too large for the type of `out`.
        """
        ...


@dataclass(frozen=True)
class Numeric:
    """(x − mean) / scale, missing values filled first; an indicator of what was missing.

    Attributes:
        mean: of the training rows; 0 where nothing is standardized.
        scale: their standard deviation; 1 where that is 0, or nothing is standardized.
        fill: what stands for a missing number.
        indicator: whether numbers were missing in training.
        bounded: whether results are cut at `FARTHEST`, as standardized ones are.
        lenient: whether texts that are no numbers count as missing.
    """

    mean: float
    scale: float
    fill: float
    indicator: bool
    bounded: bool = True
    lenient: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The number, and whether it was missing."""
        return ("", "missing") if self.indicator else ("",)

    @classmethod
    def fit(
        cls, values: Array, *, standardize: bool = True, impute: str = "median", lenient: bool
    ) -> Numeric:
        """Fit to the training rows' values ``[n]``.

        Args:
            values: from `numbers`.
            standardize: whether to fit mean and scale.
            impute: what fills missing values: their ``median``, ``mean``, or ``zero``.
            lenient: whether texts among them are missing values.
        """
        # NaN compares as false.
        whole = len(values) > 0 and bool(values.min() >= -LARGEST and values.max() <= LARGEST)
        present = values if whole else values[_usable(values)]
        if len(present) == 0:
            return cls(0.0, 1.0, 0.0, True, standardize, lenient)
        # The mean is 0 once it is standardized; it is also what fills where nothing was missing.
        fill = mean = float(present.mean(dtype=np.float64))
        if impute == "zero":
            fill = 0.0
        elif not whole and impute == "median":
            fill = float(np.median(present))
        if not standardize:
            return cls(0.0, 1.0, fill, not whole, False, lenient)
        share = len(present) / len(values)
        center = share * mean + (1 - share) * fill
        variance = share * _squares(present, center) / len(present)
        variance += (1 - share) * (fill - center) ** 2
        scale = float(np.sqrt(variance))
        if scale <= 10 * np.finfo(np.float64).eps * abs(center):
            scale = 1.0
        return cls(center, scale, fill, not whole, True, lenient)

    def read(self, column: Column, name: str) -> Array:
        """Return the numbers, NaN for missing ones, and cut those that lie too far out."""
        values = numbers(column, name, lenient=self.lenient)
        reach = FARTHEST * self.scale if self.bounded else LARGEST
        low, high = self.mean - reach, self.mean + reach
        # NaN compares as false. Two quick looks at the whole save many at blocks of it.
        if len(values) == 0 or (values.min() >= low and values.max() <= high):
            return values
        values = np.where(_usable(values), values, np.nan)
        return np.clip(values, low, high) if self.bounded else values

    def write(self, values: Array, out: Array) -> None:
        """Write the scaled numbers and the indicator."""
        block = values - np.float64(self.mean)
        block /= self.scale
        if self.indicator or np.isnan(block.sum()):
            missing = np.isnan(block)
            block[missing] = (self.fill - self.mean) / self.scale
            if self.indicator:
                out[:, 1] = missing
        if not self.bounded and np.abs(block).max() > np.finfo(out.dtype).max:
            raise OverflowError
        out[:, 0] = block.astype(out.dtype)  # contiguous first: half the time of one step


def numbers(column: Column, name: str, *, lenient: bool = False) -> Array:
    """Return a column as numbers ``[n]``, missing ones as NaN.

    Raises:
        DataError: it holds dates, or a text that is no number, and `lenient` is not set.
    """
    if column.labels is not None:
        parsed = parse_numbers(column.labels)
        if not lenient and np.isnan(parsed).any():
            for place in np.flatnonzero(np.isnan(parsed)).tolist():
                rows = np.flatnonzero(column.values == place)
                if len(rows) and column.labels[place].strip():  # a blank is a missing value
                    raise DataError(
                        f"column {name!r} holds {short(column.labels[place])} at row {rows[0]} "
                        "(counted from 0), where a number is needed"
                    )
        return np.append(parsed, np.nan)[column.values]
    if column.values.dtype.kind == "M":
        raise DataError(f"column {name!r} holds dates, where numbers are needed")
    if column.absent is not None:
        return np.where(column.absent, np.nan, column.values)
    return column.values


def _squares(values: Array, center: float) -> float:
    """Return Σ (x − center)², in blocks that stay in cache."""
    total = 0.0
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK] - np.float64(center)
        total += float(np.square(block, out=block).sum())
    return total


def _usable(values: Array) -> NDArray[np.bool_]:
    """Say which values are finite, with squares that are finite."""
    return np.abs(values) <= LARGEST  # NaN compares as false


LookupKind = Literal["boolean", "one_hot", "code", "presence"]


@dataclass(frozen=True)
class Lookup:
    """A row of numbers for each label.

    | kind | a label | one that training never saw | a missing one |
    | --- | --- | --- | --- |
    | ``boolean`` | 0 or 1 | as a missing one | the training rows' share of 1, and an indicator |
    | ``one_hot`` | a 1 in its column | in ``other``; without it, the training rows' shares | a 1 \
      in ``missing``; without it, the shares |
    | ``code`` | its number | the number of ``other`` | a number of its own, or that of ``other`` |
    | ``presence`` | 0 | 0 | 1 |

    ``other`` also stands for labels that are rare in training, so that something is learned for
    it. The shares are the mean of the training rows: an unknown label is an average one.

    Attributes:
        kind: the table's line.
        labels: that have a place.
        shares: of the training rows that have each label.
        other: whether rare labels share a column.
        missing: whether values were missing in training.
    """

    kind: LookupKind
    labels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    other: bool = False
    missing: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The labels' columns, then ``other`` and ``missing``; one column for a code."""
        if self.kind == "code":
            return ("",)
        if self.kind == "presence":
            return ("missing",)
        ends = ("missing",) if self.missing else ()
        if self.kind == "boolean":
            return ("", *ends)
        names = tuple(f"={label}" for label in self.labels)
        return (*names, *(("other",) if self.other else ()), *ends)

    @property
    def codes(self) -> int:
        """How many numbers a ``code`` has."""
        return len(self.labels) + 1 + self.missing

    def read(self, column: Column, name: str) -> Array:
        """Return each row's place in the table that `write` looks up: labels, unseen, missing."""
        texts = column.texts()
        unseen, missing = len(self.labels), len(self.labels) + 1
        places = {label: place for place, label in enumerate(self.labels)}
        if self.kind == "boolean":
            keys = [_truth(label) for label in texts.labels or ()]
        else:
            keys = list(texts.labels or ())
        found = [places.get(key, unseen) for key in keys]
        return np.array([*found, missing], np.int32)[texts.values]

    def write(self, values: Array, out: Array) -> None:
        """Write the table's rows."""
        out[...] = self._table[values]

    @cached_property
    def _table(self) -> NDArray[np.float32]:
        count, width = len(self.labels), len(self.parts)
        table = np.zeros((count + 2, width), np.float32)
        if self.kind == "code":
            table[:, 0] = np.arange(count + 2)
            table[count + 1] = count + self.missing
            return table
        if self.kind == "presence":
            table[count + 1] = 1
            return table
        if self.kind == "boolean":
            table[1, 0] = 1
            table[2:, 0] = self.shares[1]
        else:
            table[:count, :count] = np.eye(count)
            if self.other:
                table[count, count] = 1
            else:
                table[count, :count] = self.shares
            if not self.missing:
                table[count + 1] = 0
                table[count + 1, :count] = self.shares
        if self.missing:
            table[count + 1, -1] = 1
        return table


def _truth(label: str) -> str:
    return {True: "true", False: "false"}.get(TRUTH.get(label.strip().lower()), "")


@dataclass(frozen=True)
class Date:
    """A time standardized, and its place in the year, the week and the day as points on circles.

    Places that never change in training are left out.

    Attributes:
        mean: of the training rows, in days since 1970.
        scale: their standard deviation in days.
        circles: of ``year``, ``week`` and ``day``, those that are used.
        indicator: whether dates were missing in training.
    """

    mean: float
    scale: float
    circles: tuple[str, ...]
    indicator: bool

    @property
    def parts(self) -> tuple[str, ...]:
        """The time, a sine and a cosine for each circle, and whether the date was missing."""
        pairs = (f"{circle} {f}" for circle in self.circles for f in ("sin", "cos"))
        return ("time", *pairs, *(("missing",) if self.indicator else ()))

    @classmethod
    def fit(cls, values: Array) -> Date:
        """Fit to the training rows' dates ``[n]``, datetime64 in microseconds."""
        missing = np.isnat(values)
        present = values[~missing]
        if len(present) == 0:
            return cls(0.0, 1.0, (), True)
        days = _days(present)
        circles = tuple(name for name, turn in CIRCLES.items() if np.ptp(turn(present)) > 1e-9)
        return cls(float(days.mean()), float(days.std()) or 1.0, circles, bool(missing.any()))

    def read(self, column: Column, name: str) -> Array:
        """Return the dates, NaT for missing ones."""
        return dates(column, name)

    def write(self, values: Array, out: Array) -> None:
        """Write the parts; all of them are 0 for a missing date, but for the indicator."""
        missing = np.isnat(values)
        present = values[~missing]
        time = np.clip((_days(present) - self.mean) / self.scale, -FARTHEST, FARTHEST)
        columns = [time]
        for circle in self.circles:
            angle = 2 * np.pi * CIRCLES[circle](present)
            columns += [np.sin(angle), np.cos(angle)]
        out[...] = 0
        for i, part in enumerate(columns):
            out[~missing, i] = part
        if self.indicator:
            out[:, -1] = missing


def dates(column: Column, name: str) -> Array:
    """Return a column as dates ``[n]``, missing ones as NaT.

    Raises:
        DataError: it holds numbers, or texts that are not all dates of one format.
    """
    if column.labels is not None:
        used = np.unique(column.values[column.values >= 0])
        parsed = parse_dates(tuple(column.labels[place] for place in used.tolist()))
        places = np.full(len(column.labels) + 1, np.datetime64("NaT"), "datetime64[us]")
        if parsed is None and len(used):
            raise DataError(
                f"column {name!r} holds {short(column.labels[used[0]])} and other texts that are "
                "not all dates of one format: write them as 2024-12-31"
            )
        if parsed is not None:
            places[used] = parsed
        return places[column.values]
    if column.values.dtype.kind != "M":
        if column.missing.all():
            return np.full(len(column), np.datetime64("NaT"), "datetime64[us]")
        raise DataError(f"column {name!r} holds numbers, where dates are needed")
    return column.values


def _days(values: Array) -> NDArray[np.float64]:
    return values.astype(np.int64) / (_DAY * 1e6)


def _of_year(values: Array) -> NDArray[np.float64]:
    since = values - values.astype("datetime64[Y]").astype("datetime64[us]")
    return since.astype(np.int64) / (_YEAR * _DAY * 1e6)


def _of_week(values: Array) -> NDArray[np.float64]:
    return np.floor(_days(values) + 3) % 7 / 7  # 1970 began on a Thursday, weeks do on Mondays


CIRCLES = {"year": _of_year, "week": _of_week, "day": lambda values: _days(values) % 1}
