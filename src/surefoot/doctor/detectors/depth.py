"""Deeper, and worse for it."""

from __future__ import annotations

import numpy as np

from surefoot.doctor.detector import Detector, ramp
from surefoot.doctor.edits import depth, kinds, normalized, shallower
from surefoot.doctor.edits import layers as tables_of
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion


def depth_degradation(evidence: Evidence) -> Suspicion | None:
    """Say whether a plain stack of many layers is what keeps training from fitting.

    Formula: L layers with weights in a row, with neither residual connections nor normalization.
    Suspicious from 7, the more the deeper, to 18; half as much with batch normalization: a plain
    net of more layers has a *higher training* loss than one of fewer.

    Source: He et al. (2016), Deep residual learning, figure 1: 56 plain layers train worse than
    20. Saxe et al. (2014) for the time that deep chains need.

    Example: 30 layers of 32 ReLU units on 1,000 rows: the loss stays at ln 10.
    """
    tables = tables_of(evidence.recipe)
    deep = depth(evidence.recipe)
    there = {layer.kind for layer in evidence.layers} | kinds(tables)
    if deep < 7 or "residual" in there:
        return None
    loss = evidence.metric("loss")
    tenth = max(1, len(loss) // 10)
    first, last = (
        float(np.mean(part)) if len(loss) else np.nan for part in (loss[:tenth], loss[-tenth:])
    )
    fallen = 1 - last / max(first, 1e-30)
    way = "fallen" if fallen > 0 else "grown"
    strength = 0.9 * ramp(deep, 6, 18)
    if "batch_norm" in there:
        strength *= 0.5
    remedies = [
        Remedy("fewer layers", shallower(evidence.recipe, 3)),
        Remedy("batch normalization before each activation", normalized(evidence.recipe)),
    ]
    return Suspicion(
        "depth-degradation",
        strength,
        f"{deep} layers with weights follow each other with no connection around them, and the "
        f"training loss has {way} by {abs(fallen):.0%} since the first steps. In a long plain "
        "chain the gradients of the layers lose their bearing on each other, so the deeper net "
        "trains worse than a shallower one would, on its own training rows. That the depth is the "
        "cause, and not the rate, shows when a shallower net is tried. Use fewer layers, or "
        "residual connections around pairs of them, with normalization.",
        {"depth": deep, "loss_fallen": fallen},
        0,
        remedies=tuple(remedies),
    )


DETECTORS = (Detector("depth-degradation", depth_degradation, ("loss",)),)
