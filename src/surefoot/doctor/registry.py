"""All detectors."""

from __future__ import annotations

from surefoot.doctor.detector import Detector
from surefoot.doctor.detectors import (
    budget,
    data,
    depth,
    generalization,
    gradients,
    learning_rate,
    output,
    plateaus,
    scaling,
    units,
)

DETECTORS: tuple[Detector, ...] = (
    *gradients.DETECTORS,
    *units.DETECTORS,
    *scaling.DETECTORS,
    *learning_rate.DETECTORS,
    *output.DETECTORS,
    *plateaus.DETECTORS,
    *budget.DETECTORS,
    *generalization.DETECTORS,
    *depth.DETECTORS,
    *data.DETECTORS,
)
