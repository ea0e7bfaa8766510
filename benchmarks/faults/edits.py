"""What is done to data: scaled, shifted, shuffled, thinned out. Each from a seed of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from zlib import crc32

import numpy as np

from benchmarks.faults.datasets import Arrays

Edit = Callable[[Arrays, float, np.random.Generator], Arrays]


def _standard(data: Arrays) -> Arrays:
    """Inputs to mean 0 and variance 1 in each column, as the training rows have it."""
    x = data.x.astype(np.float64)
    mean, std = x.mean(axis=0), x.std(axis=0)
    std = np.where(std > 0, std, 1.0)
    return data._replace(x=(x - mean) / std, x_val=(data.x_val - mean) / std)


def _standard_targets(data: Arrays) -> Arrays:
    mean, std = data.y.mean(), data.y.std()
    return data._replace(y=(data.y - mean) / std, y_val=(data.y_val - mean) / std)


def inputs_times(data: Arrays, factor: float, rng: np.random.Generator) -> Arrays:
    """Standard inputs times a factor."""
    data = _standard(data)
    return data._replace(x=data.x * factor, x_val=data.x_val * factor)


def inputs_plus(data: Arrays, offset: float, rng: np.random.Generator) -> Arrays:
    """Standard inputs plus an offset."""
    data = _standard(data)
    return data._replace(x=data.x + offset, x_val=data.x_val + offset)


def columns_apart(data: Arrays, decades: float, rng: np.random.Generator) -> Arrays:
    """Standard inputs whose columns are spread over ± so many powers of ten, in random order."""
    data = _standard(data)
    shape = data.x.shape[1:]
    powers = np.linspace(-decades, decades, int(np.prod(shape)))
    scales = 10.0 ** rng.permutation(powers).reshape(shape)
    return data._replace(x=data.x * scales, x_val=data.x_val * scales)


def inputs_noise(data: Arrays, share: float, rng: np.random.Generator) -> Arrays:
    """Inputs of which a share of the columns says nothing: normal noise in their place."""
    data = _standard(data)
    lost = rng.random(data.x.shape[1:]) < share
    return data._replace(
        x=np.where(lost, rng.normal(size=data.x.shape), data.x),
        x_val=np.where(lost, rng.normal(size=data.x_val.shape), data.x_val),
    )


def inputs_constant(data: Arrays, value: float, rng: np.random.Generator) -> Arrays:
    """Inputs that are all the same."""
    return data._replace(x=np.full(data.x.shape, value), x_val=np.full(data.x_val.shape, value))


def outlier_rows(data: Arrays, size: float, rng: np.random.Generator) -> Arrays:
    """One training row in a hundred with inputs that are `size` times too large."""
    data = _standard(data)
    x = data.x.copy()
    rows = rng.choice(len(x), max(2, len(x) // 100), replace=False)
    x[rows] = size * rng.normal(size=x[rows].shape)
    return data._replace(x=x)


def outlier_column(data: Arrays, size: float, rng: np.random.Generator) -> Arrays:
    """Standard inputs, but one column is noise of a huge scale."""
    data = _standard(data)
    place = tuple(rng.integers(0, length) for length in data.x.shape[1:])
    x, x_val = data.x.copy(), data.x_val.copy()
    x[(slice(None), *place)] = size * rng.normal(size=len(x))
    x_val[(slice(None), *place)] = size * rng.normal(size=len(x_val))
    return data._replace(x=x, x_val=x_val)


def targets_times(data: Arrays, factor: float, rng: np.random.Generator) -> Arrays:
    """Standard targets times a factor."""
    data = _standard_targets(data)
    return data._replace(y=data.y * factor, y_val=data.y_val * factor)


def targets_plus(data: Arrays, offset: float, rng: np.random.Generator) -> Arrays:
    """Standard targets plus an offset."""
    data = _standard_targets(data)
    return data._replace(y=data.y + offset, y_val=data.y_val + offset)


def labels_shuffled(data: Arrays, share: float, rng: np.random.Generator) -> Arrays:
    """A share of the training rows with each other's targets; those held out stay right."""
    y = data.y.copy()
    rows = rng.choice(len(y), round(share * len(y)), replace=False)
    y[rows] = y[rng.permutation(rows)]
    return data._replace(y=y)


def few_rows(data: Arrays, rows: float, rng: np.random.Generator) -> Arrays:
    """The first training rows alone, of every class as many."""
    count = int(rows)
    if data.y.dtype.kind == "f":
        return data._replace(x=data.x[:count], y=data.y[:count])
    classes = np.unique(data.y)
    kept = [np.flatnonzero(data.y == name)[: -(-count // len(classes))] for name in classes]
    index = rng.permutation(np.concatenate(kept))
    return data._replace(x=data.x[index], y=data.y[index])


def imbalance(data: Arrays, ratio: float, rng: np.random.Generator) -> Arrays:
    """Training rows of one class whole, of every other one `ratio` times fewer than of it."""
    classes, counts = np.unique(data.y, return_counts=True)
    common = classes[np.argmax(counts)]
    fewer = max(2, round(counts.max() / ratio))
    kept = [
        rows if name == common else rows[:fewer]
        for name in classes
        for rows in [np.flatnonzero(data.y == name)]
    ]
    index = rng.permutation(np.concatenate(kept))
    return data._replace(x=data.x[index], y=data.y[index])


EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        edit.__name__.replace("_", "-"): edit
        for edit in (
            inputs_times,
            inputs_plus,
            columns_apart,
            inputs_noise,
            inputs_constant,
            outlier_rows,
            outlier_column,
            targets_times,
            targets_plus,
            labels_shuffled,
            few_rows,
            imbalance,
        )
    }
)


def apply(data: Arrays, edits: tuple[str, ...]) -> Arrays:
    """Return the data after edits such as "inputs-times=100"; inputs as float32.

    The first edit of a double fault is drawn as it is drawn alone: an edit's random numbers
    depend on its own text.
    """
    for text in edits:
        name, strength = text.split("=")
        rng = np.random.default_rng(crc32(text.encode()))
        data = EDITS[name](data, float(strength), rng)
    if data.x.dtype == np.uint8:
        return data
    return data._replace(x=data.x.astype(np.float32), x_val=data.x_val.astype(np.float32))
