"""What a detector is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import FindingId, Suspicion

# What these find is a fault of descent along gradients: other methods have none of it.
OF_GRADIENTS = frozenset(
    {
        "exploding-gradients",
        "vanishing-gradients",
        "dead-units",
        "saturated-units",
        "symmetric-units",
        "initialization-scale",
        "learning-rate-too-high",
        "learning-rate-too-low",
        "saddle-point",
        "local-minimum",
        "flat-region",
        "ravine",
        "batch-too-small",
        "depth-degradation",
    }
)


@dataclass(frozen=True)
class Detector:
    """One rule.

    Attributes:
        id: of what it finds.
        look: from the evidence to a suspicion, or None where there is nothing to say.
        reads: the columns of metrics and vitals that it cannot do without.
    """

    id: FindingId
    look: Callable[[Evidence], Suspicion | None]
    reads: tuple[str, ...] = ()


def ramp(value: float, low: float, high: float) -> float:
    """Return how far a positive value lies from ``low`` (0) to ``high`` (1), by its logarithm.

    ``high`` may lie below ``low``. NaN counts as 0.

    >>> ramp(10.0, 1.0, 100.0), ramp(0.01, 0.1, 0.001), ramp(1e9, 1.0, 100.0)
    (0.5, 0.5, 1.0)
    """
    if math.isnan(value):
        return 0.0
    value = min(max(value, 1e-300), 1e300)
    share = math.log(value / low) / math.log(high / low)
    return round(min(max(share, 0.0), 1.0), 6)


def number(value: float) -> str:
    """Write a number as people say it.

    >>> number(0.00012345), number(1234567.0), number(12.0)
    ('0.000123', '1.23e+06', '12')
    """
    return f"{value:.3g}"


def few(layers: tuple[str, ...]) -> str:
    """Name layers, the first few of them.

    >>> few(("1",)), few(("1", "3")), few(tuple("12345678"))
    ('layer 1', 'layers 1 and 3', 'layers 1, 2, 3, 4 and 4 more')
    """
    if len(layers) == 1:
        return f"layer {layers[0]}"
    if len(layers) > 5:
        return f"layers {', '.join(layers[:4])} and {len(layers) - 4} more"
    return f"layers {', '.join(layers[:-1])} and {layers[-1]}"
