"""Gradients that vanish or explode on their way back through the layers, and divergence."""

from __future__ import annotations

import math

import numpy as np

from surefoot.doctor.chance import chance_loss
from surefoot.doctor.detector import Detector, few, number, ramp
from surefoot.doctor.edits import (
    SQUASHING,
    activated,
    depth,
    hidden_activations,
    normalized,
    rate_of,
)
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion
from surefoot.doctor.signals import early, first_step, weighted


def diverged(evidence: Evidence) -> Suspicion | None:
    """Say whether loss or gradient stopped being finite, or the loss left all measure.

    Formula: a loss that is not finite, or whose mean over the last steps is above 100 times the
    larger of its first value and the loss of knowing nothing.

    Source: AutoTrainer calls a loss of 1000 exploding whatever the loss's unit is; here the unit
    is that of knowing nothing.

    Example: gradient descent on inputs of 1000 doubles its error every step until it overflows.
    """
    loss = evidence.metric("loss")
    if len(loss) == 0:
        return None
    bad = ~np.isfinite(loss)
    norm, recorded = evidence.metric("gradient_norm"), evidence.metric("learning_rate")
    broken = bad
    if len(norm) == len(recorded) == len(bad):
        broken = bad | np.isinf(norm) | (np.isnan(norm) & np.isfinite(recorded))
    first = loss[0] if math.isfinite(loss[0]) else 0.0
    base = max(np.nan_to_num(chance_loss(evidence)), first, 1e-12)
    last = loss[-max(1, len(loss) // 20) :]
    grown = float(np.median(last)) / base if not broken.any() else math.inf
    if not grown > 100:
        return None
    places = np.flatnonzero(broken if broken.any() else loss > 100 * base)
    since = int(evidence.metric("step")[places[0]]) if len(places) else 0
    nonfinite = np.nan_to_num(evidence.vital("nonfinite"))
    names = tuple(layer.name for layer in evidence.layers if nonfinite[:, layer.index].any())
    before = loss[: places[0]] if len(places) else loss
    peak = float(np.max(before)) if len(before) else math.nan
    clip = Remedy("clip the gradient's norm", {"train.clip_norm": 1.0})
    rate = rate_of(evidence.recipe)
    slower = (
        (Remedy("a hundredth of the rate", {"optimizer.learning_rate": rate / 100}),)
        if rate is not None
        else ()
    )
    return Suspicion(
        "diverged",
        1.0,
        (
            f"At step {since} the loss or the gradient was no finite number any more"
            if broken.any()
            else f"From step {since} on the loss is more than 100 times what it began with"
        )
        + (f"; the loss before was at most {number(peak)}. " if math.isfinite(peak) else ". ")
        + "Each step made the next error larger "
        "than the one before, as happens when steps are longer than the error surface's curvature "
        "allows. "
        + (
            "From there on nothing is learned; the last finite weights are kept. "
            if broken.any()
            else "Steps like these throw away what was learned, even where some rows still come "
            "out right. "
        )
        + "This is no matter of opinion. Smaller steps stop it: a lower rate, inputs and weights "
        "of a healthy scale, or clipping.",
        {"step": since, "largest_finite_loss": peak, "finite": int(not broken.any())},
        since,
        names,
        (*slower, clip),
    )


def vanishing_gradients(evidence: Evidence) -> Suspicion | None:
    """Say whether the backward signal dies out on its way to the first layers.

    Formula: v = rms of ∂L/∂z at the first layer with weights over that at the last one, at the
    first step. Suspicious below 0.02 with at least 3 layers, certain to hurt
    below 10⁻⁵. The limit is a ratio within one net, since loss and batch set the scale.

    Source: Hochreiter (1991); Glorot and Bengio (2010), figure 7. AutoTrainer: ratio of first to
    last kernel's gradient below 10⁻³; SageMaker and DeepDiagnosis: mean |gradient| below 10⁻⁷.

    Example: ten sigmoid layers pass at most (1/4)¹⁰ = 10⁻⁶ of the signal.
    """
    linear = weighted(evidence)
    if len(linear) < 3:
        return None
    signal = early(evidence, "signal_rms", 1)
    last, first = signal[linear[-1].index], signal[linear[0].index]
    if not (math.isfinite(last) and math.isfinite(first)) or last <= 0:
        return None
    ratio = first / last
    strength = ramp(ratio, 0.02, 1e-5)
    if strength == 0:
        return None
    names = tuple(layer.name for layer in linear[:-1] if signal[layer.index] < 0.1 * last) or (
        linear[0].name,
    )
    recipe = evidence.recipe
    squashing = hidden_activations(recipe) & set(SQUASHING)
    remedies = [Remedy("batch normalization before each activation", normalized(recipe))]
    if squashing:
        edits = activated(recipe, tuple(squashing), "relu")
        remedies.insert(0, Remedy("ReLU between layers, weights by He's rule", edits))
    why = (
        f"Each {' or '.join(sorted(squashing))} multiplies it by a slope of at most "
        + ("1/4" if "sigmoid" in squashing else "1")
        + ", again in every layer."
        if squashing
        else "Each layer's weights shrink it a little more."
    )
    return Suspicion(
        "vanishing-gradients",
        strength,
        f"Of the error's signal at the last of {depth(recipe)} layers, a share of {number(ratio)} "
        f"is left at the first one, at the first step; less than a tenth arrives in {few(names)}. "
        f"{why} Layers without a signal keep their random weights, and the layers above learn "
        "from what random layers let through. The ratio is measured inside this net, so neither "
        "loss nor batch size explains it. Activations that do not squash, weights to suit, "
        "normalization or residual connections let the signal through.",
        {"signal_ratio": ratio, "first_signal": float(first), "last_signal": float(last)},
        first_step(evidence, np.ones(1, bool)),
        names,
        tuple(remedies),
    )


def exploding_gradients(evidence: Evidence) -> Suspicion | None:
    """Say whether the backward signal grows on its way to the first layers.

    Formula: e = the largest rms of ∂L/∂z over layers with weights, over that at the last one,
    at the first step. Suspicious above 20, certain to hurt above 10⁴.

    Source: Pascanu, Mikolov and Bengio (2013). AutoTrainer: first over last kernel's above 70.

    Example: 20 layers of ReLU with weights of twice He's spread: 2²⁰ = 10⁶.
    """
    linear = weighted(evidence)
    if len(linear) < 2:
        return None
    signal = early(evidence, "signal_rms", 1)
    last = signal[linear[-1].index]
    there = [signal[layer.index] for layer in linear if math.isfinite(signal[layer.index])]
    if not there or not last > 0:
        return None
    ratio = max(there) / last
    strength = 0.9 * ramp(ratio, 20, 1e4)
    if strength == 0:
        return None
    names = tuple(layer.name for layer in linear if signal[layer.index] > 10 * last)
    recipe = evidence.recipe
    return Suspicion(
        "exploding-gradients",
        strength,
        f"The error's signal grows {number(ratio)}-fold from the last layer to {few(names[:1])} at "
        "the first step. The first layers then take steps that are as much too long for their "
        "weights, and what they learn is thrown away at the next step. The ratio is measured "
        "inside this net, so the loss's unit does not matter. Weights that keep the variance, "
        "normalization, or clipping of the gradient's norm hold it.",
        {"signal_ratio": ratio, "last_signal": float(last)},
        0,
        names,
        (
            Remedy("clip the gradient's norm", {"train.clip_norm": 1.0}),
            Remedy("batch normalization before each activation", normalized(recipe)),
        ),
    )


DETECTORS = (
    Detector("diverged", diverged, ("loss", "step")),
    Detector("vanishing-gradients", vanishing_gradients, ("signal_rms",)),
    Detector("exploding-gradients", exploding_gradients, ("signal_rms",)),
)
