"""Whatever holds rows of numbers, as a NumPy array that can be trusted."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.errors import DataError

# Beyond it, squares overflow float64, and with them every variance and squared error.
LARGEST = 1e150
# Rows are checked and scaled in blocks of about this many values: half a megabyte in float64, which
# stays in cache (measured 2 to 4 times as fast as blocks of 2²⁰ values).
BLOCK = 1 << 16
# Where an array has to begin, in bytes, that JAX uses in place on the CPU.
_ALIGNMENT = 64
# What to do about missing values: inputs can be made up, targets and weights cannot.
IMPUTE = "set data.impute to 'mean', 'median' or 'zero', or repair the data"
LEAVE_OUT = "repair the data or leave those rows out"
_NO_NUMBER = (TypeError, ValueError, OverflowError, np.exceptions.ComplexWarning)


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Return `values`, array-like, as an array of at least one dimension and one row.

    Raises:
        DataError: it is sparse, ragged, a single value, or empty.

    >>> as_array([[1, 2], [3, 4]], "x").shape
    (2, 2)
    """
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise DataError(f"{name} is a sparse matrix: pass {name}.toarray()")
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.getmaskarray(values).any():
            raise DataError(f"{name} is a masked array: pass {name}.filled(numpy.nan)")
        values = values.data
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        reason = "rows of different lengths" if "inhomogeneous" in str(error) else _line(error)
        raise DataError(f"{name} cannot be read as an array: {reason}") from None
    if array.ndim == 0:
        raise DataError(
            f"{name} is a single value of type {type(values).__name__}: give an array with a row "
            "for each example"
        )
    if array.shape[0] == 0:
        raise DataError(f"{name} is empty: give at least one row")
    return array


def as_numbers(values: Any, name: str) -> NDArray[Any]:
    """Return `values` as an array of a real dtype: floats, integers or booleans.

    An array of Python objects is converted where each of them is a number; `None` counts as
    missing (NaN).

    Raises:
        DataError: text, dates, complex numbers or anything else that is not a real number.

    >>> as_numbers([[1, None], [2.5, True]], "x")
    array([[1. , nan],
           [2.5, 1. ]])
    """
    array = as_array(values, name)
    if array.dtype.kind == "O":
        return _from_objects(array, name)
    if array.dtype.kind == "c":
        raise DataError(f"{name} holds complex numbers: pass the real and imaginary parts apart")
    if array.dtype.kind not in "fiub":
        what = "text" if array.dtype.kind in "USa" else f"values of type {array.dtype}"
        raise DataError(f"{name} holds {what}, where numbers are needed")
    if array.dtype.itemsize > 8:
        with np.errstate(over="ignore"):  # what overflows is found as infinite
            return array.astype(np.float64)
    return array


def as_features(values: Any, name: str) -> NDArray[Any]:
    """Return inputs as an array of numbers with 2, 3 or 4 dimensions, none of them empty.

    Raises:
        DataError: as `as_numbers`, or the shape is not that of a table or of pictures.
    """
    array = as_numbers(values, name)
    if array.ndim == 1:
        raise DataError(
            f"{name} has one dimension, and a table has two: use {name}.reshape(-1, 1) for a "
            f"single feature, {name}.reshape(1, -1) for a single row"
        )
    if array.ndim > 4:
        raise DataError(
            f"{name} has {array.ndim} dimensions: give a table [rows, features] or pictures "
            "[rows, height, width, channels]"
        )
    if 0 in array.shape:
        raise DataError(f"{name} has shape {array.shape}: no features")
    return array


def check_finite(array: NDArray[Any], name: str, dtype: DTypeLike, *, fix: str = LEAVE_OUT) -> None:
    """Refuse values that training cannot use: NaN, infinity, and what `dtype` cannot hold.

    Args:
        array: numbers, ``[n, …]``.
        name: of the array, for the message.
        dtype: that training uses.
        fix: what to do about missing values, for the message; an empty one lets NaN and infinity
            pass, as they will be imputed.

    Raises:
        DataError: with the count and the place of the first.
    """
    if array.dtype.kind != "f":
        return
    # As float64: a bare float would be cast to the array's type, and overflow in a narrow one.
    largest = np.float64(min(float(np.finfo(dtype).max), LARGEST))
    missing, first = 0, None
    for start, block in blocks(array):
        finite = np.isfinite(block)
        with np.errstate(invalid="ignore"):
            large = finite & (np.abs(block) > largest)
        if large.any():
            where = np.argwhere(large)[0]
            raise DataError(
                f"{name} holds {block[tuple(where)]:.3g} at {_place(where, start)}, too large for "
                f"{np.dtype(dtype).name}: rescale it"
            )
        count = finite.size - int(np.count_nonzero(finite))
        if count and first is None:
            where = np.argwhere(~finite)[0]
            first = f"{block[tuple(where)]} at {_place(where, start)}"
        missing += count
    if missing and fix:
        values = "1 value that is" if missing == 1 else f"{missing} values that are"
        raise DataError(f"{name} holds {values} missing or infinite, first {first}: {fix}")


def blocks(array: NDArray[Any]) -> list[tuple[int, NDArray[Any]]]:
    """Cut an array into views of about `BLOCK` values, each with the index of its first row."""
    rows = max(1, BLOCK // max(1, array[0].size))
    return [(start, array[start : start + rows]) for start in range(0, len(array), rows)]


def aligned(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array, not filled, that JAX takes over uncopied on the CPU.

    >>> aligned((3, 5), np.float32).ctypes.data % 64
    0
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def take(array: NDArray[Any], rows: NDArray[np.integer]) -> NDArray[Any]:
    """Return some rows, `aligned`.

    >>> take(np.arange(4), np.array([3, 1])).tolist()
    [3, 1]
    """
    out = aligned((len(rows), *array.shape[1:]), array.dtype)
    # Without `clip` NumPy would gather them elsewhere first.
    return np.take(array, rows, axis=0, out=out, mode="clip")


def _from_objects(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    try:
        return _to_float(array)
    except _NO_NUMBER:
        pass
    for index, value in np.ndenumerate(array):
        alone = np.empty(1, object)
        alone[0] = value  # asarray would unroll it, were it a sequence
        try:
            _to_float(alone)
        except _NO_NUMBER:
            raise DataError(
                f"{name} holds {short(value)} at {_place(index, 0)}, which is not a real number"
            ) from None
    raise DataError(f"{name} holds Python objects that are not numbers")


def _to_float(array: NDArray[Any]) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        # NumPy would drop the imaginary part, with no more than a warning.
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        return array.astype(np.float64)


def _place(index: Any, start: int) -> str:
    row, *rest = (int(i) for i in index)
    if not rest:
        return f"row {row + start} (counted from 0)"
    column = f"column {rest[0]}" if len(rest) == 1 else f"position {tuple(rest)}"
    return f"row {row + start}, {column} (counted from 0)"


def short(value: Any) -> str:
    """Return `value` as at most 40 characters on one line, for a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:37]}…"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
