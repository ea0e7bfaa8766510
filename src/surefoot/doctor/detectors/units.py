"""Units that do no work: dead, saturated, or all alike."""

from __future__ import annotations

import numpy as np

from surefoot.doctor.detector import Detector, few, ramp
from surefoot.doctor.edits import SQUASHING, activated, initialized, rate_of
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion
from surefoot.doctor.signals import Array, first_step, hidden, weighted

# Activations that are exactly zero for a range of inputs.
_SILENT = ("relu", "step")


def dead_units(evidence: Evidence) -> Suspicion | None:
    """Say whether units are silent on every example.

    Formula: dₗ = the smallest share of layer l's units that were zero on a whole batch, over
    windows of 8 records: a unit that is dead is among the silent ones in each, so dₗ is an upper
    bound of the dead share that falls to it as batches are seen. Suspicious from 45 % of a layer,
    certain to hurt at 93 %. Half of a ReLU's *outputs* are zero in health; that is not counted.

    Source: CS231n, notes 1: up to 40 % after too high a rate. SageMaker counts a unit dead by its
    outputs below 1 %; AutoTrainer by zero gradients of 70 %.

    Example: biases of −10 leave every ReLU silent from the first step: d = 1.
    """
    silent = evidence.vital("inactive_share")
    layers = [layer for layer in hidden(evidence) if layer.kind in _SILENT]
    if not layers or not len(silent):
        return None
    columns = silent[:, [layer.index for layer in layers]]
    window = min(8, len(columns))
    dead = np.nanmin(np.nan_to_num(columns[-window:], nan=0.0), axis=0)
    worst = float(dead.max())
    strength = ramp(worst, 0.45, 0.93)
    if strength == 0:
        return None
    sick = dead >= max(0.4, 0.5 * worst)
    since = first_step(evidence, (columns[:, sick] >= 0.4).any(axis=1))
    names = tuple(layer.name for layer, is_sick in zip(layers, sick, strict=True) if is_sick)
    at_start = bool((columns[0, sick] >= 0.4).any())
    begun = float(np.nan_to_num(columns[0]).max())
    recipe = evidence.recipe
    rate = rate_of(recipe)
    remedies = [
        Remedy("a slope for negative inputs", activated(recipe, ("relu",), "leaky_relu")),
    ]
    if at_start:
        remedies.insert(0, Remedy("start weights by He's rule, biases at 0", initialized(recipe)))
    elif rate is not None:
        remedies.insert(0, Remedy("a tenth of the rate", {"optimizer.learning_rate": rate / 10}))
    return Suspicion(
        "dead-units",
        strength,
        f"{_up_to(worst, names)} of the units of {few(names)} gave exactly zero for every example "
        f"of the last {window} recorded batches. A unit that is silent on every example has no "
        "gradient: its incoming weights never change again, and the net is as much smaller. "
        + (
            f"At the first step {begun:.0%} were silent already: the initial weights, the biases "
            "or the scale of the inputs did that."
            if at_start
            else f"It began about step {since}, so too large a step pushed them there."
        )
        + " Half of a ReLU's outputs being zero is healthy and is not counted here. "
        + (
            "Start the weights by He's rule with biases at 0, or give negative inputs a slope."
            if at_start
            else "Take shorter steps, or give negative inputs a slope."
        ),
        {"dead_share": worst, "dead_at_start": begun},
        since,
        names,
        tuple(remedies),
    )


def saturated_units(evidence: Evidence) -> Suspicion | None:
    """Say whether squashing units sit on the flat parts of their curves.

    Formula: sₗ = the share of layer l's outputs where the activation's slope is below 5 % of its
    largest, the median of the last 8 records; that of the first 16 says when it began. Suspicious
    from 40 %, certain to hurt at 90 %. A net that is sure of its training rows saturates its
    *last* layer: outputs are not counted.

    Source: Glorot and Bengio (2010), section 3. Karpathy's notes count |tanh| > 0.97; SageMaker
    asks for inputs beyond ±9.5, where the gradient has been gone for long.

    Example: tanh behind weights of normal(1) on 64 inputs: z has a spread of 8, s = 0.8.
    """
    share = evidence.vital("saturated_share")
    layers = [layer for layer in hidden(evidence) if layer.kind in (*SQUASHING, "elu", "selu")]
    if not layers or not len(share):
        return None
    columns = np.nan_to_num(share[:, [layer.index for layer in layers]])
    begin, end = np.median(columns[:16], axis=0), np.median(columns[-8:], axis=0)
    worst = float(end.max())
    strength = 0.95 * ramp(worst, 0.4, 0.9)
    if strength == 0:
        return None
    sick = end >= max(0.35, 0.5 * worst)
    since = first_step(evidence, (columns[:, sick] >= 0.35).any(axis=1))
    names = tuple(layer.name for layer, is_sick in zip(layers, sick, strict=True) if is_sick)
    at_start = bool(begin[sick].max() >= 0.35)
    recipe = evidence.recipe
    return Suspicion(
        "saturated-units",
        strength,
        f"{_up_to(worst, names)} of the outputs of {few(names)} lie where the activation is flat. "
        "There its "
        "slope is below a twentieth of the steepest, so next to no gradient passes: the layers "
        "below learn as much more slowly. "
        + (
            "It was so from the first steps: the sums that reach these units are too large, by "
            "their inputs' scale or by the initial weights."
            if at_start
            else f"It began about step {since}: steps too large drove the weights up."
        )
        + " A smaller scale there brings the units back to where they respond.",
        {"saturated_share": worst, "saturated_at_start": float(begin.max())},
        since,
        names,
        (
            Remedy("weights that keep the variance", initialized(recipe)),
            Remedy("ReLU between layers", activated(recipe, SQUASHING, "relu")),
        ),
    )


def symmetric_units(evidence: Evidence) -> Suspicion | None:
    """Say whether the units of a hidden layer are copies of each other.

    Formula: uₗ = 1 − Σᵢ(Σⱼ wᵢⱼ)²/(n Σ w²), the share of Σ w² in which the n units' incoming
    weights differ; about 1 − 1/n for random weights, 0 for copies. Units that begin as copies,
    with alike outgoing weights, get the same gradient and stay copies. Suspicious below 10⁻³ at the
    last record, or where all layers began so and one is still below 0.05.

    Source: Goodfellow et al. (2016), Deep Learning, section 8.4: initialization must break the
    symmetry.

    Example: all weights 0, or all 0.5: u = 0 from the first step.
    """
    spread = evidence.vital("unit_spread")
    linear = weighted(evidence)
    inner = linear[:-1]
    if not inner or not len(spread):
        return None
    columns = spread[:, [layer.index for layer in inner]]
    alike = np.nan_to_num(columns[-1], nan=1.0) < 1e-3
    # One layer that is drawn at random gives the others different gradients.
    start = np.nan_to_num(columns[0], nan=1.0) < 1e-3
    if not alike.any() and not (start.all() and _least(columns[-1]) < 0.05):
        return None
    sick = alike if alike.any() else start
    names = tuple(layer.name for layer, is_sick in zip(inner, sick, strict=True) if is_sick)
    weights = evidence.vital("weight_rms")[0, [layer.index for layer in linear]]
    zero = bool((np.nan_to_num(weights, nan=1.0) < 1e-12).all())
    share = _least(columns[-1])
    return Suspicion(
        "symmetric-units",
        1.0 if alike.all() else 0.9,
        f"The units of {few(names)} are copies of each other: their incoming weights differ in "
        f"{share:.2%} of their squared size, and random ones differ in nearly all of it. Units "
        "that start alike get the same gradient, take the same step and stay alike, so the layer "
        "works like a single unit. "
        + ("All weights began at zero. " if zero else "They began with the same weights. ")
        + "More steps or another rate cannot change that; random initial weights do.",
        {"unit_spread": share, "all_zero": float(zero)},
        0,
        names,
        (Remedy("random weights", initialized(evidence.recipe)),),
    )


def _up_to(worst: float, names: tuple[str, ...]) -> str:
    return f"{worst:.0%}" if len(names) == 1 else f"Up to {worst:.0%}"


def _least(values: Array) -> float:
    """Return the smallest number; what is not known counts as 1."""
    return float(np.nan_to_num(values, nan=1.0).min())


DETECTORS = (
    Detector("dead-units", dead_units, ("inactive_share",)),
    Detector("saturated-units", saturated_units, ("saturated_share",)),
    Detector("symmetric-units", symmetric_units, ("unit_spread", "weight_rms")),
)
