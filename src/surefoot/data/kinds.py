"""What a column is: numeric, categorical, boolean, date, text, identifier or constant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from surefoot.data.arrays import LARGEST, short
from surefoot.data.columns import Column
from surefoot.errors import DataError

Floats = NDArray[np.float64]

# Words that say yes and no; a column of one pair is boolean, whatever its type.
TRUTH = {
    **dict.fromkeys(("1", "true", "t", "yes", "y"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n"), False),
}
# Fewer values say little about what repeats.
_FEW = 20
# A category's labels come back: among n texts, at most this share, or `_FEW`, are distinct.
_DISTINCT = 0.3
# Texts of as many words, or as many letters, are sentences and not labels.
_WORDS, _LETTERS = 3.5, 40
# From this share of numbers on, the texts among them are taken for mistakes.
_NUMBERS = 0.9
_GROUPED = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*")
_ID = re.compile(r"(^|[\s_.-])(id|uuid|guid|key|index|idx|rownum)$$", re.IGNORECASE)
_ID_TAIL = re.compile(r"[a-z](Id|ID)$")
# A day that starts with a digit, in the orders that people write; each must fit all texts.
_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%y",
    "%m/%d/%y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M",
)  # fmt: skip
_MOST_DATES = 50_000  # distinct texts that are tried as dates, a few microseconds each


@dataclass(frozen=True)
class Kind:
    """What a column is, and why: what the table of treatments prints."""

    name: str
    reason: str


def recognize(column: Column, name: str) -> Kind:
    """Recognize a column from its values and its name.

    With n rows, m values that are there, and d distinct ones, the first that fits:

    | kind | when |
    | --- | --- |
    | constant | d = 0, or d = 1 and m = n |
    | boolean | truth values; 0 and 1; true/false, yes/no, t/f, y/n |
    | date | a type of date or time; texts that are all dates of one format |
    | identifier | whole numbers, m = n = d ≥ 20, that are a run without gaps, or a name such as \
      `id`, `user_id`, `PassengerId` |
    | numeric | any other numbers |
    | text | d > 20, on average 3.5 words or 40 letters and more |
    | identifier | texts with d > max(20, 0.3 m); of fewer than 20, those with m = d ≥ 3 |
    | categorical | any other texts |

    Raises:
        DataError: 90 % of the texts, and not all, are numbers: the column's types are mixed.

    >>> recognize(Column.of(np.array(["red", "blue", "red"], dtype=object)), "colour").name
    'categorical'
    >>> recognize(Column(np.arange(100)), "row").name
    'identifier'
    """
    missing = column.missing
    count = len(column) - int(np.count_nonzero(missing))
    if column.labels is not None:
        return _of_text(column, name, count)
    values = column.values if count == len(column) else column.values[~missing]
    if values.dtype.kind == "M":
        return Kind("constant", "one date only") if _one(values, column) else Kind("date", "")
    if count == 0:
        return Kind("constant", "all missing")
    if _one(values, column):
        return Kind("constant", f"always {short(values[0].item())}")
    low, high = values.min(), values.max()
    if values.dtype.kind == "b" or (low == 0 and high == 1 and np.isin(values, (0, 1)).all()):
        return Kind("boolean", "")
    if values.dtype.kind in "iu" and count == len(column) >= _FEW:
        span = int(high) - int(low) + 1
        named = bool(_ID.search(name)) or bool(_ID_TAIL.search(name))
        if (span == count or named) and len(np.unique(values)) == count:
            return Kind("identifier", "another whole number in each row")
    return Kind("numeric", "")


def _one(values: NDArray[np.generic], column: Column) -> bool:
    """Say whether all rows hold one value; a value in some rows only tells these from the rest."""
    return len(values) == 0 or (len(values) == len(column) and bool(values.min() == values.max()))


def _of_text(column: Column, name: str, count: int) -> Kind:
    counts = label_counts(column)
    labels = [label for label, n in zip(column.labels or (), counts, strict=True) if n]
    if not labels:
        return Kind("constant", "all missing")
    if len(labels) == 1 and count == len(column):
        return Kind("constant", f"always {short(labels[0])}")
    words = {label.strip().lower() for label in labels}
    if words <= TRUTH.keys() and len({TRUTH[word] for word in words}) == 2 == len(words):
        return Kind("boolean", "")
    if _are_numbers(column, counts, name):
        return Kind("numeric", "written as text")
    if parse_dates(tuple(labels)) is not None:
        return Kind("date", "")
    distinct = len(labels)
    if distinct > _FEW:
        sample = labels[:10_000]
        letters = sum(map(len, sample)) / len(sample)
        if letters >= _LETTERS or sum(len(text.split()) for text in sample) >= _WORDS * len(sample):
            return Kind("text", "free text")
    if distinct > max(_FEW, _DISTINCT * count) or (3 <= distinct == count < _FEW):
        return Kind("identifier", f"{distinct:,} different texts in {count:,} rows")
    return Kind("categorical", "")


def label_counts(column: Column) -> NDArray[np.int64]:
    """Return how often each label of a column of text occurs."""
    return np.bincount(column.values + 1, minlength=len(column.labels or ()) + 1)[1:]


def _are_numbers(column: Column, counts: NDArray[np.int64], name: str) -> bool:
    """Say whether all texts are numbers, and refuse a column where nearly all of them are."""
    labels = column.labels or ()
    # Most columns of text show in their first labels that they hold few numbers.
    if np.isnan(parse_numbers(labels[:200])).mean() > 0.5:
        return False
    occurs = counts > 0
    numbers = occurs & ~np.isnan(parse_numbers(labels))
    share = counts[numbers].sum() / counts.sum()
    if (numbers == occurs).all():
        # A code such as 0042 loses its zeros as a number.
        return not any(re.match(r"0\d", label) for label in labels)
    if share < _NUMBERS:
        return False
    other = int(np.flatnonzero(occurs & ~numbers)[0])
    raise DataError(
        f"column {name!r} mixes types: {share:.4g} of its values are numbers, and one is "
        f"{short(labels[other])}: repair it, or say what the column is by data.columns: 'numeric' "
        "(other texts count as missing), 'categorical' or 'drop'"
    )


def parse_numbers(labels: tuple[str, ...]) -> Floats:
    """Return texts as numbers, NaN for what is none.

    Commas are left out where all of them stand before three digits each, as in "12,345", and are
    decimal ones elsewhere.

    >>> parse_numbers(("1", "2.5", "x", "3,5"))
    array([1. , 2.5, nan, 3.5])
    """
    with_comma = [text for text in labels if "," in text]
    grouped = bool(with_comma) and all(map(_GROUPED.fullmatch, with_comma))
    point = "" if grouped else "."
    return np.array([_number(text.replace(",", point)) for text in labels], np.float64)


def _number(text: str) -> float:
    try:
        value = float(text) if "_" not in text else np.nan
    except ValueError:
        return np.nan
    return value if abs(value) <= LARGEST else np.nan


def parse_dates(labels: tuple[str, ...]) -> NDArray[np.datetime64] | None:
    """Return texts as dates, where all of them fit one format; `None` where they do not.

    >>> parse_dates(("25/03/2021", "01/04/2021")).astype("datetime64[D]").tolist()
    [datetime.date(2021, 3, 25), datetime.date(2021, 4, 1)]
    """
    if not labels or len(labels) > _MOST_DATES or not all(text[:1].isdigit() for text in labels):
        return None
    for pattern in _DATES:
        try:
            parsed = [datetime.strptime(text, pattern) for text in labels]
        except ValueError:
            continue
        return np.array(parsed, "datetime64[us]")
    return None
