"""All remedies by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from surefoot.repair.remedies.activation import relu
from surefoot.repair.remedies.batch import batch
from surefoot.repair.remedies.classes import balanced, weighted
from surefoot.repair.remedies.depth import fewer, wider
from surefoot.repair.remedies.length import epochs, settled, stopping
from surefoot.repair.remedies.loss import robust
from surefoot.repair.remedies.net import plain
from surefoot.repair.remedies.normalization import normalization
from surefoot.repair.remedies.output import output
from surefoot.repair.remedies.rate import times
from surefoot.repair.remedies.regularization import decay, dropout
from surefoot.repair.remedies.residual import residual
from surefoot.repair.remedies.restraint import clipped, unrestrained
from surefoot.repair.remedies.rule import adam, momentum
from surefoot.repair.remedies.scaling import cut, inputs, targets
from surefoot.repair.remedies.schedule import constant, cosine
from surefoot.repair.remedies.start import weights
from surefoot.repair.step import Propose, Step

# In the order in which several are applied: weights are chosen for the activations as they are.
_PROPOSE: dict[str, Propose] = {
    "inputs": inputs,
    "cut": cut,
    "targets": targets,
    "output": output,
    "net": plain,
    "fewer-layers": fewer,
    "wider": wider,
    "activation": relu,
    "weights": weights,
    "normalization": normalization,
    "residual": residual,
    "robust": robust,
    "unrestrained": unrestrained,
    "classes": weighted,
    "balanced": balanced,
    "clipped": clipped,
    "momentum": momentum,
    "adam": adam(1e-3),
    "adam-fast": adam(5e-3),
    "constant": constant,
    "cosine": cosine,
    "rate-down": times(0.1, "a tenth of the rate"),
    "rate-up": times(10.0, "ten times the rate"),
    "rate-far-down": times(0.01, "a hundredth of the rate"),
    "rate-far-up": times(100.0, "a hundred times the rate"),
    "rate-1000th": times(1e-3, "a thousandth of the rate"),
    "rate-10000th": times(1e-4, "a ten-thousandth of the rate"),
    "rate-1000-fold": times(1e3, "a thousand times the rate"),
    "rate-10000-fold": times(1e4, "ten thousand times the rate"),
    "decay": decay(1e-3),
    "decay-strong": decay(1e-2),
    "decay-firm": decay(3e-2),
    "dropout": dropout,
    "batch": batch,
    "settled": settled,
    "epochs": epochs,
    "stopping": stopping,
}
REMEDIES: Mapping[str, Step] = MappingProxyType(
    {name: Step(name, propose) for name, propose in _PROPOSE.items()}
)
# Together they make most recipes what a careful person would have written; what of them is not
# needed is undone afterwards.
THOROUGH = (
    "inputs",
    "cut",
    "targets",
    "output",
    "activation",
    "weights",
    "unrestrained",
    "classes",
    "constant",
    "adam",
    "batch",
    "settled",
)
# Changes of numbers alone: they are lanes of the program that the recipe has already.
NUMBERS = (
    "rate-down",
    "rate-up",
    "weights",
    "inputs",
    "cut",
    "targets",
    "rate-far-down",
    "rate-far-up",
    "balanced",
    "decay",
    "epochs",
    "stopping",
)
# Further numbers, where it is the rate that is wrong: with those above they are a ladder of rates.
RATES = ("rate-1000th", "rate-10000th", "rate-1000-fold", "rate-10000-fold")
# Further numbers, where rows are few or labels wrong.
DECAYS = ("decay-strong", "decay-firm")
# Tried one at a time where the findings' own remedies are not enough, the likeliest first.
GENERAL = (
    "rate-down",
    "rate-up",
    "adam",
    "output",
    "inputs",
    "cut",
    "targets",
    "weights",
    "normalization",
    "activation",
    "fewer-layers",
    "wider",
    "epochs",
    "stopping",
    "unrestrained",
    "batch",
    "balanced",
    "decay",
    "constant",
    "cosine",
    "residual",
    "momentum",
    "dropout",
    "robust",
    "rate-far-down",
    "rate-far-up",
    "clipped",
    "classes",
)
