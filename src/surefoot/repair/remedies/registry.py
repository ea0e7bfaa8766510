"""All remedies by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from surefoot.repair.remedies.activation import relu
from surefoot.repair.remedies.batch import batch
from surefoot.repair.remedies.classes import weighted
from surefoot.repair.remedies.length import epochs, stopping
from surefoot.repair.remedies.net import plain
from surefoot.repair.remedies.normalization import normalization
from surefoot.repair.remedies.output import output
from surefoot.repair.remedies.rate import times
from surefoot.repair.remedies.restraint import clipped, unrestrained
from surefoot.repair.remedies.rule import adam
from surefoot.repair.remedies.scaling import inputs, targets
from surefoot.repair.remedies.start import weights
from surefoot.repair.step import Propose, Step

# In the order in which several are applied: weights are chosen for the activations as they are.
_PROPOSE: dict[str, Propose] = {
    "inputs": inputs,
    "targets": targets,
    "output": output,
    "net": plain,
    "activation": relu,
    "weights": weights,
    "normalization": normalization,
    "unrestrained": unrestrained,
    "classes": weighted,
    "clipped": clipped,
    "adam": adam,
    "rate-down": times(0.1, "a tenth of the rate"),
    "rate-up": times(10.0, "ten times the rate"),
    "rate-far-down": times(0.01, "a hundredth of the rate"),
    "rate-far-up": times(100.0, "a hundred times the rate"),
    "batch": batch,
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
    "targets",
    "output",
    "activation",
    "weights",
    "unrestrained",
    "classes",
    "adam",
    "batch",
)
# Tried one at a time where the findings' own remedies are not enough, the likeliest first.
GENERAL = (
    "rate-down",
    "rate-up",
    "adam",
    "output",
    "inputs",
    "targets",
    "weights",
    "normalization",
    "activation",
    "epochs",
    "stopping",
    "unrestrained",
    "batch",
    "rate-far-down",
    "rate-far-up",
    "clipped",
    "classes",
)
