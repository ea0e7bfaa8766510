"""Inputs and targets whose scale the net cannot work with."""

from __future__ import annotations

import math

from surefoot.doctor.chance import chance_loss
from surefoot.doctor.detector import Detector, number, ramp
from surefoot.doctor.edits import SQUASHING, flat, hidden_activations, initialized, layers
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion
from surefoot.doctor.signals import gains


def unscaled_inputs(evidence: Evidence) -> Suspicion | None:
    """Say whether inputs lie far from mean 0 and variance 1.

    Formula: r = root mean square of the inputs; o = the largest |mean| of a feature over the
    inputs' standard deviation; s = the largest feature's standard deviation over the smallest's.
    Suspicious from r above 3 (1.5 before sigmoid or tanh) or below 0.15, certain to hurt from 60
    (9) and 0.001; where the recipe does not standardize also o, from 3 to 30, and s, from 10 to
    1000. A first layer of batch normalization takes any scale out.

    Source: LeCun et al. (1998), Efficient BackProp, section 4.3: the conditioning of the error
    surface follows that of the inputs. UMLAUT (2022) warns outside [−1, 1], which standardized
    inputs leave one time in three; a limit on the root mean square does not.

    Example: wine as it is measured has a feature near 750 beside one near 0.1: r is 224.
    """
    rms = evidence.number("prepared", "inputs", "rms")
    std = evidence.number("prepared", "inputs", "std")
    offset = evidence.number("prepared", "inputs", "largest_offset")
    largest = evidence.number("prepared", "inputs", "largest_scale")
    smallest = evidence.number("prepared", "inputs", "smallest_scale")
    if math.isnan(rms) or (evidence.layers[:1] and evidence.layers[0].kind == "batch_norm"):
        return None
    away = offset / std if std > 0 else 0.0
    uneven = largest / smallest if smallest > 0 and not evidence.recipe.data.standardize else 1.0
    squashed = bool(hidden_activations(evidence.recipe) & set(SQUASHING))
    strength = max(
        ramp(rms, 1.5, 9) if squashed else ramp(rms, 3, 60),
        ramp(rms, 0.15, 1e-3),
        0.8 * ramp(away, 3, 30) if not evidence.recipe.data.standardize else 0.0,
        0.7 * ramp(uneven, 10, 1000),
    )
    if strength == 0:
        return None
    standardize = not evidence.recipe.data.standardize
    remedies = (
        (Remedy("standardize the inputs", {"data.standardize": True}),) if standardize else ()
    )
    scale = f"a root mean square of {number(rms)}, and means of features up to {number(offset)}"
    return Suspicion(
        "unscaled-inputs",
        strength,
        f"The inputs reach the first layer with {scale}. Initial weights and learning rates are "
        "made for inputs near mean 0 and variance 1: larger ones drive units into saturation or "
        "make the gradient of the first layer as much larger, smaller ones starve it, and uneven "
        "ones turn the error surface into a ravine. This is measured on the training rows before "
        "the first step. "
        + (
            "Set data.standardize = true: mean and scale are fitted on the training rows and "
            "travel with the model."
            if standardize
            else "They are standardized already, so look for columns that hardly ever vary."
        ),
        {
            "rms": rms,
            "largest_offset": offset,
            "largest_scale": largest,
            "smallest_scale": smallest,
        },
        remedies=remedies,
    )


def unscaled_targets(evidence: Evidence) -> Suspicion | None:
    """Say whether targets that are numbers lie far from mean 0 and variance 1.

    Formula: t = √(mean² + variance) of the targets as the loss sees them. Suspicious above 3,
    certain to hurt from 60; by their standard deviation also below 0.2, to 0.002: outputs begin
    near 0 with a spread near 1, a rule like Adam moves a weight by about the rate a step, and
    squared error's gradient grows with t.

    Source: Bishop (1995), Neural Networks for Pattern Recognition, section 8.2.

    Example: house prices of 2·10⁵ and a rate of 10⁻³: the last bias alone needs 2·10⁸ steps.
    """
    if evidence.fact("prepared", "targets", "kind") != "numbers":
        return None
    mean = evidence.number("prepared", "targets", "mean")
    std = evidence.number("prepared", "targets", "std")
    size = math.hypot(mean, std)
    strength = max(ramp(size, 3, 60), 0.8 * ramp(std, 0.2, 2e-3))
    if strength == 0 or math.isnan(size):
        return None
    return Suspicion(
        "unscaled-targets",
        strength,
        f"The targets have mean {number(mean)} and standard deviation {number(std)}, and the "
        "net's outputs begin near 0 with a spread near 1. The first errors are therefore as large "
        "as the targets themselves: squared error makes gradients of that size, which throw the "
        "weights far off, or the outputs need many steps only to come near. This is measured on "
        "the training rows. Set data.standardize_targets = true: the net learns (y − mean)/scale, "
        "and predictions and rmse stay in your units.",
        {"mean": mean, "std": std},
        remedies=(Remedy("standardize the targets", {"data.standardize_targets": True}),),
    )


def initialization_scale(evidence: Evidence) -> Suspicion | None:
    """Say whether the first weights shrink or blow up the signal on its way through the net.

    Formula: aₗ = rms(zₗ)/rms(x), the signal in front of the activation of each layer with weights
    over that of the net's inputs, at the first step; layers that batch normalization follows are
    left out. In health aₗ stays between 0.1 and 5 at any depth. Suspicious where the smallest is
    below 0.08 or the largest above 4, certain to hurt at 10⁻⁴ and 60. The first loss beside that
    of knowing nothing, ln C for C classes, is shown. Dropout widens the limit by 1/√(1 − rate),
    the spread that it adds.

    Source: Glorot and Bengio (2010), He et al. (2015); the first loss: CS231n, notes 3. SageMaker
    Debugger compares variances of neighbouring layers with one limit of 10.

    Example: normal(0.01) on 64 inputs leaves 0.08; five such layers leave 3·10⁻⁶ of the signal.
    """
    found = [g for g in gains(evidence) if not g.normalized and math.isfinite(g.signal)]
    if not found:
        return None
    rates = [x["dropout"] for x in flat(layers(evidence.recipe)) if "dropout" in x]
    wider = math.prod(1 / math.sqrt(max(1 - float(rate), 0.01)) for rate in rates)
    smallest, largest = (min(g.signal for g in found), max(g.signal for g in found))
    losses = evidence.metric("loss")
    first = float(losses[0]) if len(losses) else math.nan
    chance = chance_loss(evidence)
    worst = [g for g in found if not 0.05 <= g.signal <= 6 * wider]
    strength = max(
        0.95 * ramp(max(smallest, 1e-30), 0.08, 1e-4),
        0.95 * ramp(largest / wider, 4, 60),
    )
    if strength == 0:
        return None
    between = " to ".join(dict.fromkeys((number(smallest), number(largest))))
    product = smallest if smallest < 0.08 else largest
    small = product < 1
    how = (
        f"shrink the signal to {number(product)} of its size"
        if small
        else f"blow the signal up {number(product)}-fold"
    )
    return Suspicion(
        "initialization-scale",
        strength,
        f"At the first step the weights {how} on its way through the net: in front of the "
        f"activations it is {between} times what the inputs are, and about 1 is healthy. "
        + (
            "So little signal, and on the way back so little gradient, leaves the first layers "
            "next to nothing to learn from."
            if small
            else f"The first loss is {number(first)}, where knowing nothing costs "
            f"{number(chance)}; units saturate, and the gradient is as much too large."
        )
        + " This is measured, not guessed, but a net with few layers and an adaptive rule may "
        "get over it. Start the weights by a rule that keeps the signal's variance.",
        {
            "smallest_signal": smallest,
            "largest_signal": largest,
            "first_loss": first,
            "chance_loss": chance,
        },
        layers=tuple(g.layer.name for g in worst or found),
        remedies=(Remedy("weights that keep the variance", initialized(evidence.recipe)),),
    )


DETECTORS = (
    Detector("unscaled-inputs", unscaled_inputs),
    Detector("unscaled-targets", unscaled_targets),
    Detector(
        "initialization-scale",
        initialization_scale,
        ("activation_mean", "activation_std", "loss"),
    ),
)
