"""Steps that are too long, or too short."""

from __future__ import annotations

import math

import numpy as np

from surefoot.doctor.chance import chance_loss
from surefoot.doctor.detector import Detector, number, ramp
from surefoot.doctor.edits import rate_of
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion
from surefoot.doctor.signals import Array, hidden, smoothed, update_ratio

# ‖update‖/‖weights‖ per step that trains well: about 10⁻³.
_USUAL = 1e-3


def learning_rate_too_high(evidence: Evidence) -> Suspicion | None:
    """Say whether steps are too long.

    Formula: q = the median over layers of ‖update‖/‖weights‖ at a step; p = the highest loss over
    the larger of the first one and that of knowing nothing; b = the mean loss of the last tenth
    over that of knowing nothing; d = the share of a hidden layer that fell silent or flat since
    the first step. The strongest of: an early q from 0.2 to 3, a median q from 0.03 to 0.5, d
    from 0.25 to 0.7, and where an early q is above 0.02 also p from 3 to 100, b from 1.3 to 10,
    and a loss that is not finite.

    Source: CS231n, notes 3: q near 10⁻³. SageMaker's limits of 10 and 10⁻⁸ hardly ever fire;
    DeepDiagnosis alarms outside 10⁻⁵ to 10⁻¹. The largest Hessian eigenvalue above 2/rate is
    evidence and no verdict (Cohen et al., 2021): see `ravine`.

    Example: Adam at a rate of 1 moves weights of 0.1 by ten times their size in each step.
    """
    ratio = update_ratio(evidence)
    there = ratio[np.isfinite(ratio)]
    loss = evidence.metric("loss")
    if not len(there) or not len(loss):
        return None
    start = float(there[:4].max())
    typical = float(np.median(there))
    finite = loss[np.isfinite(loss)]
    broken = len(finite) < len(loss)
    base = max(chance_loss(evidence), 1e-12)
    end = float(np.mean(finite[-max(1, len(finite) // 10) :])) if len(finite) else math.inf
    grown = end / base if math.isfinite(base) else math.nan
    first = float(finite[0]) if len(finite) else math.nan
    peak = float(finite.max()) if len(finite) else math.inf
    spike = peak / max(first, base if math.isfinite(base) else 0.0, 1e-12)
    died = _died(evidence)
    widest = float(there.max())
    strength = max(
        0.85 * ramp(max(died, 1e-3), 0.25, 0.7),
        0.9 * ramp(start, 0.2, 3),
        0.95 * ramp(typical, 0.03, 0.5),
        0.9 * ramp(spike, 3, 100) if start > 0.02 else 0.0,
        0.8 * ramp(grown, 1.3, 10) if start > 0.02 else 0.0,
        0.95 if broken and start > 0.02 else 0.0,
        0.7 * ramp(spike, 3, 30) * ramp(widest, 0.01, 0.1),
    )
    if strength == 0:
        return None
    places = np.flatnonzero(np.nan_to_num(ratio) > max(0.03, start / 10))
    since = int(evidence.recorded[places[0]]) if len(places) else 0
    rate = rate_of(evidence.recipe)
    over = max(start, typical) / _USUAL
    factor = 10.0 ** min(max(round(math.log10(max(over, 10.0)) - 0.5), 1), 5)
    remedies = []
    if rate is not None:
        for share in (factor, factor * 10 if factor < 1e4 else factor / 10):
            text = f"a rate {share:g} times lower"
            remedies.append(Remedy(text, {"optimizer.learning_rate": _round(rate / share)}))
    jump = (
        f"and the loss rose to {number(spike)} times its first value"
        if spike > 1.5
        else ("and the loss of single batches shows it little")
    )
    return Suspicion(
        "learning-rate-too-high",
        strength,
        f"The first updates change the weights by {_of_size(start)} in one step, the median update "
        f"by {_of_size(typical)}, {jump}. About 0.1 % a step trains well; far more throws "
        "away at each step what the one before has learned, jumps across valleys of the error "
        "surface, and can kill or saturate units for good. "
        + (
            f"The loss now is {number(end)}, where knowing nothing costs {number(base)}. "
            if math.isfinite(base)
            else f"The loss now is {number(end)}. "
        )
        + (
            f"Lower the learning rate, {number(rate)} now, by a factor of about {factor:g}, or "
            "warm it up."
            if rate is not None
            else "Lower the learning rate."
        ),
        {
            "first_update_ratio": start,
            "died_or_saturated": died,
            "median_update_ratio": typical,
            "peak_loss": peak,
            "loss_now": end,
        },
        since,
        remedies=tuple(remedies),
    )


def _died(evidence: Evidence) -> float:
    """Return the share of a hidden layer that fell silent or flat since the first step."""
    worst = 0.0
    for name in ("inactive_share", "saturated_share"):
        columns = np.nan_to_num(evidence.vital(name)[:, [x.index for x in hidden(evidence)]])
        if len(columns) > 8 and columns.shape[1]:
            end = np.min(columns[-8:], axis=0)
            worst = max(worst, float(np.max(end - columns[0])))
    return worst


def learning_rate_too_low(evidence: Evidence) -> Suspicion | None:
    """Say whether steps are too short to arrive within the run.

    Formula: q·T, the farthest that the weights can move within the run of T steps relative to
    their size, if all steps point one way, with q the median ‖update‖/‖weights‖. Suspicious where
    q·T is below 0.5 (2 where the loss falls steadily) and q below 10⁻³, certain to hurt at 0.02
    (0.2) and 10⁻⁴. Clipping that cuts nearly every gradient to next to nothing is told apart:
    c = the median of the clipped over the whole norm.

    Source: as for too high a rate; DeepDiagnosis and SageMaker use limits on q alone, which say
    nothing about a run's length.

    Example: Adam at 10⁻⁷ for 1,000 steps moves no weight by more than 10⁻⁴.
    """
    ratio = update_ratio(evidence)
    there = ratio[np.isfinite(ratio)]
    loss = evidence.metric("loss")
    if not len(there) or len(loss) < 2 or not np.isfinite(loss).all():
        return None
    # Steps that begin at a usual length and shrink with the gradient are not the rate's doing.
    typical = float(np.median(there))
    if not _rate_fell(evidence):
        typical = max(typical, float(np.median(there[:4])))
    total = evidence.total_steps or evidence.steps
    reach = typical * total
    whole, clipped = (evidence.metric(n) for n in ("gradient_norm", "clipped_gradient_norm"))
    cut = _median_share(clipped, whole)
    window = max(1, len(loss) // 20)
    curve = smoothed(loss, window)
    fallen = 1 - float(curve[-1]) / max(float(curve[0]), 1e-30)
    rising = float(np.mean(np.diff(curve) < 0)) if len(curve) > 3 else 0.5
    strength = max(0.95 * ramp(reach, 0.5, 0.02), 0.7 * ramp(reach, 2.0, 0.2) * rising)
    # Few steps of a usual length are too few, not too short.
    strength *= ramp(typical, 1e-3, 1e-4)
    base = chance_loss(evidence)
    if evidence.progress > 0.3 and fallen > 0.8 and math.isfinite(base):
        strength *= 0.3
    if strength < 0.05:
        return None
    rate = rate_of(evidence.recipe)
    factor = 10.0 ** min(max(round(math.log10(max(1.0 / max(typical / _USUAL, 1e-9), 10.0))), 1), 6)
    remedies = []
    if cut < 0.1 and evidence.recipe.train.clip_norm is not None:
        remedies.append(Remedy("no clipping", {"train.clip_norm": None}))
    if cut < 0.1 and evidence.recipe.train.clip_value is not None:
        remedies.append(Remedy("no clipping", {"train.clip_value": None}))
    if rate is not None:
        edits = {"optimizer.learning_rate": _round(rate * factor)}
        remedies.append(Remedy(f"a rate {factor:g} times higher", edits))
    return Suspicion(
        "learning-rate-too-low",
        strength,
        f"The median update changes the weights by {typical:.2g} of their size, so all {total:,} "
        f"steps together can move them by at most {number(reach)} of it. The loss has fallen by "
        f"{fallen:.0%} so far. The gradient points somewhere, but steps this short do not get "
        "there within the run, and waiting longer is the slow way. "
        + (f"Clipping leaves {cut:.1%} of the gradient's norm, which is why. " if cut < 0.1 else "")
        + (
            f"Raise the learning rate, {number(rate)} now, by a factor of about {factor:g}."
            if rate is not None
            else "Raise the learning rate."
        ),
        {
            "median_update_ratio": typical,
            "reach": reach,
            "loss_fallen": fallen,
            "clipped_share": cut,
        },
        0,
        remedies=tuple(remedies),
    )


def _median_share(part: Array, whole: Array) -> float:
    """Return the median of part over whole; 1 where it is not known."""
    if len(part) != len(whole):
        return 1.0
    used = np.isfinite(whole) & np.isfinite(part) & (whole > 0)
    return float(np.median(part[used] / whole[used])) if used.any() else 1.0


def _of_size(ratio: float) -> str:
    return f"{ratio:.2%} of their size" if ratio < 1 else f"{number(ratio)} times their size"


def _rate_fell(evidence: Evidence) -> bool:
    """Say whether the schedule has taken the rate to less than a hundredth for most of the run."""
    rate = evidence.metric("learning_rate")
    there = rate[np.isfinite(rate)]
    return len(there) > 4 and bool(np.median(there) < 0.01 * there.max())


def _round(rate: float) -> float:
    return float(f"{rate:.3g}")


DETECTORS = (
    Detector("learning-rate-too-high", learning_rate_too_high, ("update_ratio", "loss")),
    Detector("learning-rate-too-low", learning_rate_too_low, ("update_ratio", "loss")),
)
