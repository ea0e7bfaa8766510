"""Learned by heart, or not learned at all."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from surefoot.doctor.chance import chance_loss
from surefoot.doctor.detector import Detector, number, ramp
from surefoot.doctor.edits import flat, layers, without
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion
from surefoot.doctor.outcome import outcome
from surefoot.doctor.signals import late


def overfitting(evidence: Evidence) -> Suspicion | None:
    """Say whether the net learns its training rows by heart.

    Formula: with a the accuracy (or R²) of the last epoch's batches and a' that of the validation
    rows, g = a − a'; r = the newest validation loss over the lowest. Suspicious where g is above
    0.06, to 0.35, or r above 1.3, to 4; with few rows, from 160 to 30, a gap of 0.05 is enough.

    Source: SageMaker's Overfit takes (validation − training)/training loss above 0.1, which most
    healthy runs pass; AutoTrainer a gap of 0.1 in accuracy.

    Example: 60 rows with noisy labels and 100,000 weights: 100 % in training, 55 % beside it.
    """
    steps, losses, measured = evidence.validation
    if len(steps) < 2:
        return None
    about = outcome(evidence)
    train = about.train
    if about.measure == "rmse":
        spread = about.chance if about.chance > 0 else math.nan
        gap = (measured[-1] ** 2 - train**2) / spread**2
    else:
        gap = train - float(measured[-1])
    lowest = int(np.argmin(losses))
    risen = float(losses[-1] / max(losses[lowest], 1e-12)) if np.isfinite(losses[-1]) else math.nan
    strength = max(0.9 * ramp(max(gap, 1e-6), 0.06, 0.35), 0.5 * ramp(risen, 1.3, 4.0))
    rows = evidence.number("prepared", "rows")
    if gap > 0.05:
        strength = max(strength, 0.8 * ramp(rows, 160, 30))
    learned = train > 0.8 if about.measure == "accuracy" else train < 0.6 * about.chance
    if not learned:
        strength *= 0.4
    if strength < 0.05 or gap < 0.02:
        return None
    since = int(steps[lowest])
    recipe = evidence.recipe
    early = {"train.early_stopping": {"monitor": "validation_loss", "patience": 5}}
    decay = {"optimizer": {"name": "adamw", "weight_decay": 0.1}, **_rate(evidence)}
    return Suspicion(
        "overfitting",
        strength,
        f"On the training batches the net reaches {_shown(about.measure, train)}, on the "
        f"validation rows {_shown(about.measure, float(measured[-1]))}. "
        + (
            f"Their loss was lowest at step {since} and is {number(risen)} times that now: since "
            "then the net learns what is "
            if risen > 1.05
            else "The net has learned what is "
        )
        + f"particular to its {f'{rows:,.0f} ' if math.isfinite(rows) else ''}training rows, noise "
        "included. A gap alone harms nobody; it does where validation got worse or stays below "
        "what simple methods reach. Stop earlier, hold the weights down, drop units, or gather "
        "more rows.",
        {"gap": float(gap), "loss_over_lowest": risen, "lowest_at": since},
        since,
        remedies=(
            Remedy("stop when validation gets worse", early),
            Remedy("decay the weights", decay),
            Remedy("fewer epochs", {"train.epochs": max(1, recipe.train.epochs // 4)}),
        ),
    )


def _rate(evidence: Evidence) -> dict[str, float]:
    rate = getattr(evidence.recipe.optimizer, "learning_rate", None)
    return {} if rate is None else {"optimizer.learning_rate": rate}


def _shown(measure: str, value: float) -> str:
    return f"{value:.1%} accuracy" if measure == "accuracy" else f"an rmse of {number(value)}"


def underfitting(evidence: Evidence) -> Suspicion | None:
    """Say whether net or regularization leaves no room to learn even the training rows.

    Rules: dropout that leaves less than 35 % of a layer's units, or all dropouts together less
    than 10 %; weights that decay to nothing: their root mean square fell below half of the start
    under weight decay; a hidden layer with fewer units than the target has numbers, or than 4.

    Source: Goodfellow et al. (2016), section 5.2, capacity; Srivastava et al. (2014), figure 9,
    for dropout above 0.7.

    Example: {dense = 1} between 64 inputs and ten classes.
    """
    reasons, remedies, strength = [], [], 0.0
    recipe = evidence.recipe
    tables = layers(recipe)
    rates = [float(layer["dropout"]) for layer in flat(tables) if "dropout" in layer]
    if rates and max(rates) >= 0.55:
        kept = math.prod(1 - rate for rate in rates)
        strength = max(
            strength, 0.95 * ramp(1 - max(rates), 0.35, 0.05), 0.9 * ramp(kept, 0.1, 1e-3)
        )
        reasons.append(f"dropout leaves {1 - max(rates):.0%} of a layer's units at a time")
        remedies.append(Remedy("no dropout", without(recipe, "dropout")))
    narrow = _narrowest(evidence)
    if narrow is not None:
        width, needed = narrow
        own = 0.95 * ramp(needed / width, 0.7, 4.0)
        if own > 0:
            strength = max(strength, own)
            reasons.append(f"all that the net knows passes through {width} unit(s)")
            remedies.append(Remedy("wider layers", {"net.layers": _widened(tables, 64)}))
    decay = float(getattr(recipe.optimizer, "weight_decay", 0.0) or 0.0)
    weights = evidence.vital("weight_rms")
    if decay > 0 and len(weights) > 1:
        linear = [layer.index for layer in evidence.layers if layer.is_linear]
        shrunk = late(evidence, "weight_rms")[linear] / np.maximum(weights[0, linear], 1e-30)
        left = float(np.nanmedian(shrunk)) if np.isfinite(shrunk).any() else 1.0
        own = max(0.95 * ramp(left, 0.5, 0.05), 0.8 * ramp(decay, 0.5, 10))
        if own > 0:
            strength = max(strength, own)
            reasons.append(f"weight decay of {decay:g} has shrunk the weights to {left:.0%}")
            edits = {"optimizer.weight_decay": min(0.01, decay / 10)}
            remedies.insert(0, Remedy("weaker weight decay", edits))
    if not reasons:
        return None
    loss, base = evidence.metric("loss"), chance_loss(evidence)
    now = float(np.mean(loss[-max(1, len(loss) // 10) :])) if len(loss) else math.nan
    return Suspicion(
        "underfitting",
        strength,
        f"There is little room to learn: {'; '.join(reasons)}. The training loss is "
        f"{number(now)}, where knowing nothing costs {number(base)}. A net that cannot fit its "
        "training rows cannot do well on others either, and neither more steps nor another rate "
        "changes that. This follows from the recipe and from the weights as they are; how much it "
        "hurts shows in the training result. Give the net more room, or regularize it less.",
        {"strongest_dropout": max(rates, default=0.0), "weight_decay": decay, "loss_now": now},
        0,
        remedies=tuple(remedies),
    )


def _narrowest(evidence: Evidence) -> tuple[int, float] | None:
    """Return the narrowest hidden layer's units, and how many it should have at least."""
    hidden = [w for w in _widths(layers(evidence.recipe)) if isinstance(w, int)]
    if not hidden:
        return None
    size = evidence.number("prepared", "targets", "size")
    shape = evidence.numbers("prepared", "shape")
    inputs = math.prod(shape.tolist()) if len(shape) else 4
    needed = max(4.0, min(size, 10.0)) if inputs > 1 else 2.0
    return min(hidden), needed


def _widths(tables: list[dict[str, object]]) -> Iterator[object]:
    """Yield the sizes of all layers with weights but the last."""
    found = [layer.get("dense", layer.get("conv")) for layer in flat(tables)]
    there = [width for width in found if width is not None]
    yield from there[:-1]


def _widened(tables: list[dict[str, object]], units: int) -> list[dict[str, object]]:
    last = max(i for i, layer in enumerate(tables) if "dense" in layer)
    return [
        {**layer, "dense": units}
        if i != last and isinstance(layer.get("dense"), int) and layer["dense"] < units
        else layer
        for i, layer in enumerate(tables)
    ]


DETECTORS = (
    Detector("overfitting", overfitting, ("loss", "validation_loss")),
    Detector("underfitting", underfitting),
)
