"""The vital signs as the heat maps show them: their names, scales and healthy ranges.

A range is the one beyond which the doctor's rule that reads the sign begins to suspect something;
where no rule reads a sign by itself there is none, and its colours say only small and large.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from surefoot.doctor.evidence import Evidence
from surefoot.doctor.signals import hidden, weighted
from surefoot.report.thinning import Array

Scale = Literal["log", "linear"]
Band = tuple[float | None, float | None]


@dataclass(frozen=True)
class Sign:
    """One thing that is measured in each layer.

    Attributes:
        name: of the column, or of what is derived from columns.
        label: what people call it.
        about: what it says, in a sentence.
        scale: how it is coloured.
        band: what is healthy; None where no rule says.
        ends: of the scale, where they are known beforehand.
        derive: how it follows from the columns; the column itself where not given.
    """

    name: str
    label: str
    about: str
    scale: Scale = "log"
    band: Band | None = None
    ends: tuple[float, float] | None = None
    derive: Callable[[Evidence], Array] | None = None

    def values(self, evidence: Evidence) -> Array:
        """Return the sign at each record and layer, [records, layers]."""
        with np.errstate(all="ignore"):
            return evidence.vital(self.name) if self.derive is None else self.derive(evidence)


def _signal_beside_output(evidence: Evidence) -> Array:
    """Return the backward signal of layers with weights over that of the last of them."""
    signal = evidence.vital("signal_rms")
    linear = [layer.index for layer in weighted(evidence)]
    out = np.full_like(signal, np.nan)
    if linear:
        last = signal[:, linear[-1] :][:, :1]
        out[:, linear] = signal[:, linear] / np.where(last > 0, last, np.nan)
    return out


def _signal_beside_input(evidence: Evidence) -> Array:
    """Return the forward signal of layers with weights over that of the net's inputs."""
    rms = np.hypot(evidence.vital("activation_mean"), evidence.vital("activation_std"))
    entered = evidence.number("prepared", "inputs", "rms")
    out = np.full_like(rms, np.nan)
    linear = [layer.index for layer in weighted(evidence)]
    if entered > 0:
        out[:, linear] = rms[:, linear] / entered
    return out


def _of_hidden(name: str) -> Callable[[Evidence], Array]:
    """Return a column of the activations between layers: those of the output may be as they are."""

    def derive(evidence: Evidence) -> Array:
        values = evidence.vital(name)
        out = np.full_like(values, np.nan)
        inner = [layer.index for layer in hidden(evidence)]
        out[:, inner] = values[:, inner]
        return out

    return derive


SIGNS: tuple[Sign, ...] = (
    Sign(
        "update_ratio",
        "update beside weights",
        "How far a step moves the weights, relative to their size; about 0.001 is usual while a "
        "net learns, and less when it has arrived.",
        band=(None, 0.03),
    ),
    Sign(
        "signal_ratio",
        "backward signal beside the output's",
        "The gradient that reaches a layer, over that of the last layer with weights: far below 1 "
        "it vanishes on its way, far above it explodes. The doctor judges the first step.",
        band=(0.02, 20.0),
        derive=_signal_beside_output,
    ),
    Sign(
        "signal_scale",
        "forward signal beside the inputs",
        "The size of a layer's sums over that of the net's inputs; the doctor judges the first "
        "step, when the initial weights alone make it.",
        band=(0.08, 4.0),
        derive=_signal_beside_input,
    ),
    Sign(
        "inactive_share",
        "units silent on the whole batch",
        "The share of units that were exactly zero for every example of the batch.",
        "linear",
        (None, 0.45),
        (0.0, 1.0),
        _of_hidden("inactive_share"),
    ),
    Sign(
        "saturated_share",
        "saturated outputs",
        "The share of outputs where the activation's slope is below a twentieth of its steepest.",
        "linear",
        (None, 0.4),
        (0.0, 1.0),
        _of_hidden("saturated_share"),
    ),
    Sign(
        "unit_spread",
        "difference between units",
        "The share of the weights in which a layer's units differ: 0 where all are copies.",
        "log",
        (1e-3, None),
        (1e-5, 1.0),
    ),
    Sign(
        "zero_share",
        "outputs that are zero",
        "Half of a ReLU's outputs being zero is healthy.",
        "linear",
        None,
        (0.0, 1.0),
    ),
    Sign("activation_std", "spread of outputs", "The standard deviation of a layer's outputs."),
    Sign("activation_mean", "mean of outputs", "The mean of a layer's outputs.", "linear"),
    Sign("activation_max", "largest output", "The largest absolute output of the batch."),
    Sign("signal_rms", "backward signal", "Root mean square of ∂L/∂output, for one example."),
    Sign("signal_max", "largest backward signal", "The largest absolute ∂L/∂output."),
    Sign("gradient_rms", "gradient of weights", "Root mean square of a layer's gradient."),
    Sign("gradient_max", "largest gradient", "The largest absolute gradient of a weight."),
    Sign("weight_rms", "size of weights", "Root mean square of a layer's weights."),
    Sign("update_rms", "size of updates", "Root mean square of a step's change of the weights."),
    Sign(
        "nonfinite",
        "values that are not finite",
        "How many numbers of the step were infinite or not a number.",
        "linear",
        (None, 0.0),
    ),
)
BY_NAME = {sign.name: sign for sign in SIGNS}
