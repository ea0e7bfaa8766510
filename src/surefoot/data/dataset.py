"""Data that are ready for training, and new rows made ready for a trained net."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data import preprocessing as fitting
from surefoot.data.arrays import IMPUTE, LEAVE_OUT, as_features, as_numbers, check_finite, take
from surefoot.data.channels import fit_channels
from surefoot.data.columns import Column, Columns
from surefoot.data.duplicates import row_hashes, shared
from surefoot.data.encoding import Encoding
from surefoot.data.encoding import fit as fit_encoding
from surefoot.data.features import dates, numbers
from surefoot.data.frames import is_frame, read_frame
from surefoot.data.preprocessing import Preprocessing
from surefoot.data.roles import separate
from surefoot.data.source import Raw, Task
from surefoot.data.split import split, split_groups, split_time
from surefoot.data.stream import Stream
from surefoot.data.streams import read_or_stream, read_validation
from surefoot.data.tables import read_table
from surefoot.data.target import Target
from surefoot.errors import DataError
from surefoot.recipe.data import Data, Pictures

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Arrays for training and validation; the validation ones are `None` where there are none.

    Attributes:
        x_train: inputs, ``[n, features]`` or ``[n, height, width, channels]``, contiguous.
        y_train: class indices, int32 ``[n]``, or a matrix ``[n, outputs]``, as `target` says.
        x_val: inputs for validation, as `x_train`.
        y_val: targets for validation, as `y_train`.
        w_train: weights of the training rows ``[n]``, where weights were given.
        w_val: weights of the validation rows, where weights were given and we split.
        target: what the targets mean.
        feature_shape: the shape of one row.
        preprocessing: what was done to the inputs.
        source: a built-in set's name, a file's path, or ``"arrays"``.
        scaled_in_step: whether inputs are pictures as bytes, ``[n, height, width, channels]``, that
            the compiled step scales with `preprocessing`'s mean and scale of each channel.
        train_rows: where the training rows stood in the data, where we split.
        validation_rows: where the validation rows stood, where we split.
        names_train: the file of each training row, where each has one of its own.
        names_val: the file of each validation row.
        notes: what the source left out, and why, a line each.
        pictures: the settings that made files into pictures, complete.
        encoding: how a table's columns became `x_train`; `None` where there was no table.
        stream: the training rows, where they do not fit in memory; `x_train`, `y_train` and
            `w_train` are a sample of them then.
    """

    x_train: Array
    y_train: Array
    x_val: Array | None
    y_val: Array | None
    w_train: Array | None
    w_val: Array | None
    target: Target
    feature_shape: tuple[int, ...]
    preprocessing: Preprocessing
    source: str
    scaled_in_step: bool = False
    train_rows: NDArray[np.int64] | None = None
    validation_rows: NDArray[np.int64] | None = None
    names_train: Sequence[str] | None = None
    names_val: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    pictures: Pictures | None = None
    encoding: Encoding | None = None
    stream: Stream | None = None

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        return len(self.x_train) if self.stream is None else self.stream.rows


def gather(data: Data, arrays: Sequence[Any] | None = None) -> Raw:
    """Return the rows as their source holds them.

    Args:
        data: the recipe's section.
        arrays: ``(x, y)`` or ``(x, y, x_val, y_val)``, in place of ``data.source``. Data frames
            for x become `Columns`; y may then be `None`, as data.target names a column.

    Raises:
        DataError: the source cannot be read.
    """
    raw = read_or_stream(data) if arrays is None else _from_python(data, arrays)
    if not isinstance(data.validation, str):
        return raw
    if raw.x_val is not None:
        raise DataError(
            f"data.validation = {data.validation!r}: {raw.name} brings validation rows of its own; "
            "leave data.validation out"
        )
    if raw.pictures is not None:  # of one size and kind with those for training
        data = data.model_copy(update={"pictures": raw.pictures})
    other = read_validation(data, str(data.validation), raw.stream is not None)
    notes = (*raw.notes, *other.notes)
    return replace(raw, x_val=other.x, y_val=other.y, names_val=other.names, notes=notes)


def load(
    data: Data,
    *,
    arrays: Sequence[Any] | None = None,
    raw: Raw | None = None,
    task: Task | None = None,
    images: bool = False,
    sample_weight: Any = None,
    embed: bool = True,
    dtype: DTypeLike = np.float32,
) -> Dataset:
    """Read, check, split, scale and encode the data of a recipe.

    Args:
        data: the recipe's section. Its split is not used where the data bring rows for validation.
        arrays: ``(x, y)`` or ``(x, y, x_val, y_val)``, in place of ``data.source``.
        raw: what `gather` read, where that was done before.
        task: what the loss needs, where it needs one; `Target.fit` says what follows.
        images: keep pictures as ``[n, height, width, channels]``; otherwise rows are flattened.
        sample_weight: a weight for each row of x, ``[n]``, at least 0.
        embed: whether a table's categories may become numbers for an embedding layer.
        dtype: of inputs, weights, and targets that are numbers.

    Raises:
        DataError: the data cannot be used; the message says what, where, and what to do.

    >>> from surefoot.recipe import Data
    >>> moons = load(Data(source="moons", rows=100))
    >>> moons.x_train.shape, moons.x_val.shape, moons.target.size
    ((80, 2), (20, 2), 2)
    """
    raw = raw or gather(data, arrays)
    roles = keys = None
    if isinstance(raw.x, Columns):
        roles = separate(raw, data)
        raw, keys = roles.raw, roles.keys
        if sample_weight is None:
            sample_weight = roles.weights
        elif raw.stream is not None:
            raise DataError(
                "sample_weight: rows are read in a stream; name a column of theirs by data.weight"
            )
        else:
            sample_weight = as_numbers(sample_weight, "sample_weight")[roles.kept]
    as_bytes = raw.pictures is not None  # pictures that are scaled, and flattened, in the step
    x = _shaped(raw.x, "x", images or as_bytes)
    fit_target = Target.fit if raw.stream is None else raw.stream.fit_target
    target = fit_target(raw.y, task or raw.task)
    y = target.encode(raw.y, "y", dtype)
    _same_length("y", y, "x", x)
    if data.clip is not None and (roles is not None or as_bytes):
        kind = "tables" if roles is not None else "pictures"
        raise DataError(f"data.clip is for arrays of numbers, not for {kind}: leave it out")
    impute = "refuse" if data.impute == "auto" else data.impute
    fix = IMPUTE if impute == "refuse" else ""
    if roles is None:
        check_finite(x, "x", dtype, fix=fix)
    weights = None if sample_weight is None else _weights(sample_weight, x, dtype)

    for given, lacking in (("x_val", "y_val"), ("y_val", "x_val")):
        if getattr(raw, given) is not None and getattr(raw, lacking) is None:
            raise DataError(f"{given} without {lacking}: give both, or neither")
    train = held_out = x_val = y_val = w_val = None
    if raw.x_val is not None:
        x_val = _shaped(raw.x_val, "x_val", images or as_bytes)
        if roles is None and x_val.shape[1:] != x.shape[1:]:
            raise DataError(
                f"x_val has rows of shape {x_val.shape[1:]}, and those of x have {x.shape[1:]}"
            )
        y_val = target.encode(raw.y_val, "y_val", dtype)
        _same_length("y_val", y_val, "x_val", x_val)
        if roles is None:
            check_finite(x_val, "x_val", dtype, fix=fix)
    elif raw.stream is None and not isinstance(data.validation, str) and data.validation > 0:
        labels = y if target.kind == "classes" else None
        train, held_out = _split(data, x.shape[0], labels, keys)
        y, y_val = y[train], y[held_out]
        if weights is not None:
            weights, w_val = _not_all_zero(weights[train]), _not_all_zero(weights[held_out])

    encoding = None
    # In one array, training rows first: the device takes it over as it is.
    both = train if held_out is None else np.concatenate([train, held_out])
    if roles is not None:
        prepared = Preprocessing()
        encoding = fit_encoding(x, train, data, embed=embed, apart=roles.apart)
        x_train = encoding.apply(x, dtype, both, raw.name)
        if held_out is not None:
            raw = replace(raw, notes=(*raw.notes, *_leaks(x, encoding, train, held_out)))
        elif x_val is not None:
            x_val = encoding.apply(x_val, dtype, name="the validation table")
    elif as_bytes:
        prepared = fit_channels(x, train, weights) if data.standardize else Preprocessing()
        x_train = x if both is None else take(x, both)
    else:
        prepared = fitting.fit(
            x, train, standardize=data.standardize, impute=impute, clip=data.clip, weights=weights
        )
        x_train = prepared.apply(x, dtype, both)
        if held_out is None and x_val is not None:
            x_val = prepared.apply(x_val, dtype, name="x_val")
    if held_out is not None:
        x_train, x_val = np.split(x_train, [len(train)])
    return Dataset(
        x_train=x_train,
        y_train=y,
        x_val=x_val,
        y_val=y_val,
        w_train=weights,
        w_val=w_val,
        target=target,
        feature_shape=(math.prod(x.shape[1:]),) if as_bytes and not images else x_train.shape[1:],
        preprocessing=prepared,
        source=raw.name,
        train_rows=train if roles is None or train is None else roles.kept[train],
        validation_rows=held_out if roles is None or held_out is None else roles.kept[held_out],
        scaled_in_step=as_bytes,
        names_train=_chosen(raw.names, train),
        names_val=raw.names_val if held_out is None else _chosen(raw.names, held_out),
        notes=raw.notes,
        pictures=raw.pictures,
        encoding=encoding,
        stream=None if raw.stream is None else raw.stream.stream(encoding, target, dtype),
    )


def prepare(
    x: Any,
    preprocessing: Preprocessing,
    feature_shape: Sequence[int],
    dtype: DTypeLike = np.float32,
    encoding: Encoding | None = None,
) -> Array:
    """Return new raw rows as a trained net takes them, ``[n, *feature_shape]``.

    With an `encoding`, x is a table: a data frame, `Columns`, or a file's path.

    Rows of another shape with as many numbers are reshaped: a picture for a net that flattens, or
    a flat row for one that takes pictures.

    Raises:
        DataError: rows of another size, or values that cannot be used.

    >>> prepare([[4.0, 6.0]], Preprocessing(), (2,))
    array([[4., 6.]], dtype=float32)
    """
    if encoding is not None:
        return encoding.apply(as_columns(x), dtype)
    if isinstance(x, Columns):
        raise DataError(
            "x is a table, and the net was trained on arrays: give an array of its inputs"
        )
    rows = as_features(x, "x")
    shape = tuple(feature_shape)
    if math.prod(rows.shape[1:]) != math.prod(shape):
        raise DataError(
            f"x has rows of shape {rows.shape[1:]}, and the net was trained on rows of shape "
            f"{shape}: give the same features in the same order"
        )
    check_finite(rows, "x", dtype, fix=LEAVE_OUT if preprocessing.fill is None else "")
    # A picture that was flattened for a dense net is scaled as one: for each channel.
    channels = shape[-1] if preprocessing.mean is None else len(preprocessing.mean)
    pixels = rows.reshape(len(rows), -1, channels)
    return preprocessing.apply(pixels, dtype).reshape(-1, *shape)


def _from_python(data: Data, arrays: Sequence[Any]) -> Raw:
    if len(arrays) not in (2, 4):
        raise DataError(f"{len(arrays)} arrays were given: give x and y, or x, y, x_val and y_val")
    for key in ("rows", "noise"):
        if getattr(data, key) is not None:
            raise DataError(f"data.{key} is for generated sets, and arrays were given")
    x, y, x_val, y_val = arrays if len(arrays) == 4 else (*arrays, None, None)
    if is_frame(x):
        x_val = None if x_val is None else as_columns(x_val)
        return Raw("table", as_columns(x), y, x_val, y_val)
    return Raw("arrays", x, y, x_val, y_val)


def as_columns(x: Any) -> Columns:
    """Return a table as `Columns`: a data frame, a file's path, or what is one already.

    Raises:
        DataError: it is anything else, or cannot be read.
    """
    if isinstance(x, Columns):
        return x
    if isinstance(x, str | Path):
        return read_table(str(x))
    if not is_frame(x):
        raise DataError(
            f"x is {type(x).__name__}, and the net was trained on a table: give a data frame of "
            "pandas, Polars or Arrow with the same columns, or a file's path"
        )
    return read_frame(x)


def _split(
    data: Data, rows: int, labels: Array | None, keys: Column | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and those to validate on, as data.split says."""
    share = float(data.validation)
    how = data.split
    if how in ("group", "time") and keys is None:
        raise DataError(
            f"data.split = {how!r} needs data.split_column, the name of a table's column"
        )
    if keys is not None and how in ("auto", "group", "time"):
        name = str(data.split_column)
        if keys.missing.any():
            raise DataError(f"data.split_column: the column {name!r} has missing values: fill them")
        if how == "time":
            plain = keys.labels is None and keys.values.dtype.kind != "M"
            return split_time(numbers(keys, name) if plain else dates(keys, name), share)
        groups = np.unique(keys.values, return_inverse=True)[1]
        return split_groups(groups, share, data.split_seed, labels)
    if how == "stratified" and labels is None:
        raise DataError("data.split = 'stratified' is for classes, and the target has none")
    return split(rows, share, data.split_seed, None if how == "random" else labels)


def _leaks(x: Columns, encoding: Encoding, train: Array, held_out: Array) -> list[str]:
    """Return a note on validation rows that are training rows too."""
    unique = {t.column for t in encoding.treatments if t.kind == "identifier"}
    hashes = row_hashes(x.without(unique))
    again = held_out[shared(hashes[held_out], hashes[train])]
    if len(again) == 0:
        return []
    which = ", ".join(map(str, again[:5].tolist())) + ("…" if len(again) > 5 else "")
    return [
        f"{len(again):,} of {len(held_out):,} validation rows equal a training row in all columns "
        f"but identifiers (rows {which}, counted from 0): validation may look better than it is"
    ]


def _chosen(names: Sequence[str] | None, rows: NDArray[np.int64] | None) -> Sequence[str] | None:
    return names if names is None or rows is None else [names[row] for row in rows]


def _shaped(values: Any, name: str, images: bool) -> Any:
    if isinstance(values, Columns):
        if images:
            raise DataError(
                f"{name} is a table, and convolution needs pictures: use a net of dense layers"
            )
        return values
    x = as_features(values, name)
    if not images:
        return x.reshape(len(x), -1)
    if x.ndim == 2:
        raise DataError(
            f"{name} is a flat table of shape {x.shape}, and convolution needs pictures: give "
            "[rows, height, width, channels], or use a net of dense layers"
        )
    return x[..., None] if x.ndim == 3 else x


def _same_length(name: str, array: Array, other: str, rows: Array) -> None:
    if len(array) != rows.shape[0]:
        raise DataError(
            f"{other} has {rows.shape[0]} rows and {name} has {len(array)}: each row needs one"
        )


def _weights(sample_weight: Any, x: Array, dtype: DTypeLike) -> Array:
    weights = as_numbers(sample_weight, "sample_weight")
    if weights.ndim != 1:
        raise DataError(f"sample_weight has shape {weights.shape}: give one number for each row")
    _same_length("sample_weight", weights, "x", x)
    check_finite(weights, "sample_weight", dtype)
    if (weights < 0).any():
        raise DataError("sample_weight holds a negative weight: weights start at 0")
    return _not_all_zero(np.ascontiguousarray(weights, dtype))


def _not_all_zero(weights: Array) -> Array:
    if not weights.any():
        raise DataError(
            "sample_weight is 0 for all rows of training or of validation: raise a weight, or set "
            "data.validation to 0"
        )
    return weights
