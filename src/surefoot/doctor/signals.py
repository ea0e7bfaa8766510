"""Derived signs that several detectors read: gains through layers, how jumpy the loss is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.doctor.evidence import Evidence, Layer

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Gain:
    """How a layer with weights scales its signal, at the first recorded step.

    Attributes:
        layer: which.
        gain: the root mean square of its output over that of its input.
        signal: the root mean square of its output over that of the net's inputs.
        normalized: whether batch normalization follows, which takes any scale out again.
    """

    layer: Layer
    gain: float
    signal: float
    normalized: bool


def gains(evidence: Evidence) -> list[Gain]:
    """Return the gain of each layer with weights at the first recorded step.

    In health a layer keeps the scale of its signal: gain 1 to √2 by Glorot's and He's rules.
    """
    if len(evidence.recorded) == 0:
        return []
    mean, std = (evidence.vital(name)[0] for name in ("activation_mean", "activation_std"))
    rms = np.hypot(mean, std)
    entered = evidence.number("prepared", "inputs", "rms")
    found = []
    for layer in weighted(evidence):
        before = rms[layer.index - 1] if layer.index else entered
        follows = evidence.layers[layer.index + 1 : layer.index + 2]
        own = rms[layer.index]
        found.append(
            Gain(
                layer,
                float(own / before) if before > 0 else math.nan,
                float(own / entered) if entered > 0 else math.nan,
                any(other.kind == "batch_norm" for other in follows),
            )
        )
    return found


def early(evidence: Evidence, name: str, records: int = 16) -> Array:
    """Return each layer's median of a vital sign over the first records, [layers]."""
    values = evidence.vital(name)[:records]
    return _median(values)


def late(evidence: Evidence, name: str, records: int = 8) -> Array:
    """Return each layer's median of a vital sign over the last records, [layers]."""
    return _median(evidence.vital(name)[-records:])


def _median(values: Array) -> Array:
    there = np.isfinite(values)
    result = np.full(values.shape[1], np.nan)
    for column in np.flatnonzero(there.any(axis=0)).tolist():
        result[column] = np.median(values[there[:, column], column])
    return result


def smoothed(values: Array, window: int) -> Array:
    """Return means over consecutive windows; the last, shorter one is left out."""
    count = len(values) // max(window, 1)
    return values[: count * window].reshape(count, window).mean(axis=1) if count else values


def first_step(evidence: Evidence, flags: Array) -> int:
    """Return the first recorded step at which a flag is set, 0 where none is."""
    places = np.flatnonzero(flags)
    return int(evidence.recorded[places[0]]) if len(places) else 0


def weighted(evidence: Evidence) -> list[Layer]:
    """Return the layers with weights."""
    return [layer for layer in evidence.layers if layer.is_linear]


def hidden(evidence: Evidence) -> list[Layer]:
    """Return the activations between layers: all but those after the last layer with weights."""
    linear = weighted(evidence)
    end = linear[-1].index if linear else 0
    return [layer for layer in evidence.layers if layer.is_activation and layer.index < end]


def update_ratio(evidence: Evidence) -> Array:
    """Return ‖update‖/‖weights‖ at each record, the median over layers, [records].

    Layers whose weights are nearly zero, as biases-only or zero-started ones, say nothing; nor do
    those that the recipe freezes.
    """
    ratio, weight = evidence.vital("update_ratio"), evidence.vital("weight_rms")
    usable = np.where(weight > 1e-8, ratio, np.nan)
    if evidence.recipe.transfer is not None:
        usable = np.where(ratio > 0, usable, np.nan)
    there = np.isfinite(usable)
    result = np.full(len(usable), np.nan)
    for row in np.flatnonzero(there.any(axis=1)).tolist():
        result[row] = np.median(usable[row, there[row]])
    return result
