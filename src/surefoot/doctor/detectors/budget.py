"""Too few steps, or too few rows behind each of them."""

from __future__ import annotations

import numpy as np

from surefoot.doctor.detector import Detector, ramp
from surefoot.doctor.edits import rate_of
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion
from surefoot.doctor.outcome import outcome
from surefoot.doctor.signals import smoothed, update_ratio

# Below this many updates a small net seldom settles at usual rates.
_FEW_STEPS = 400


def too_few_epochs(evidence: Evidence) -> Suspicion | None:
    """Say whether the run ended, or will end, while it was still getting better.

    Formula: f = the fall of the mean training loss from the last but one tenth of the run to the
    last, as a share of the loss there; T = the number of updates. Suspicious where T is below 400,
    the more the fewer, to 30, or f above 3 %, to 30 %; hardly where the loss lies still.

    Source: Tuning Playbook (Godbole et al., 2023): a best checkpoint at the very end asks for
    more steps. AutoTrainer has no such rule; SageMaker's LossNotDecreasing says the opposite.

    Example: one epoch of 45 steps on digits: the loss still falls by a third in its last tenth.
    """
    loss = evidence.metric("loss")
    total = evidence.total_steps or evidence.steps
    if len(loss) < 4 or not np.isfinite(loss).all():
        return None
    curve = smoothed(loss, max(1, len(loss) // 10))
    fall = float(1 - curve[-1] / max(curve[-2], 1e-30)) if len(curve) > 1 else 0.0
    ratio = update_ratio(evidence)
    typical = float(np.nanmedian(ratio)) if np.isfinite(ratio).any() else 1e-3
    if typical > 0.1 or typical < 1e-6:
        return None
    strength = 0.9 * ramp(total, _FEW_STEPS, 30)
    if evidence.progress >= 0.99:
        strength = max(strength if fall > 0.005 else 0.3 * strength, 0.6 * ramp(fall, 0.03, 0.3))
        about = outcome(evidence)
        if about.measure == "accuracy" and about.train > about.now + 0.05:
            strength *= 0.3  # more of the same would be learned by heart
    if strength < 0.05:
        return None
    epochs = evidence.recipe.train.epochs
    factor = max(4, int(np.ceil(1200 / max(total, 1))))
    return Suspicion(
        "too-few-epochs",
        strength,
        f"The run has {total:,} updates, {epochs} epoch{'s' if epochs > 1 else ''} of "
        f"{evidence.epoch_steps:,}, and the loss {_change(fall)} over its last tenth. A net "
        "that is still getting better when it is stopped has not shown what it can do. Whether "
        f"more of the same is enough shows only by trying; a small net seldom settles in fewer "
        f"than {_FEW_STEPS} updates. Train for longer: {epochs * factor} epochs, for instance.",
        {"updates": total, "fall_of_last_tenth": fall},
        0,
        remedies=(Remedy("more epochs", {"train.epochs": epochs * factor}),),
    )


def _change(fall: float) -> str:
    return f"fell by {fall:.0%}" if fall > 0.005 else f"changed by {abs(fall):.1%}"


def batch_too_small(evidence: Evidence) -> Suspicion | None:
    """Say whether each step follows so few examples that noise outweighs direction.

    Formula: b rows a batch, and n = the spread of single batches' losses over the last quarter,
    as a share of their mean. Suspicious where b is at most 6 and the steps are not short: q, the
    median ‖update‖/‖weights‖, from 0.0008 to 0.015. Noise of the gradient falls as 1/√b.

    Source: McCandlish et al. (2018), An empirical model of large-batch training: the gradient
    noise scale. Batch normalization needs more: Wu and He (2018), figure 1.

    Example: batches of one with a rate that was chosen for 32.
    """
    batch = evidence.recipe.train.batch_size
    loss = evidence.metric("loss")
    if not isinstance(batch, int) or batch > 6 or len(loss) < 16:
        return None
    ratio = update_ratio(evidence)
    typical = float(np.nanmedian(ratio)) if np.isfinite(ratio).any() else 0.0
    last = loss[-max(8, len(loss) // 4) :]
    noise = float(np.std(last) / max(np.mean(last), 1e-30)) if np.isfinite(last).all() else 0.0
    normalized = any(layer.kind == "batch_norm" for layer in evidence.layers)
    strength = ramp(typical, 8e-4, 1.5e-2) * ramp(8 / batch, 1.0, 5.0)
    strength = max(strength, 0.8 * ramp(8 / batch, 1.0, 5.0) if normalized else 0.0)
    if strength < 0.05:
        return None
    rate = rate_of(evidence.recipe)
    remedies = [Remedy("batches of 32", {"train.batch_size": 32})]
    if rate is not None:
        slower = float(f"{rate * (batch / 32) ** 0.5:.3g}")
        remedies.append(Remedy("a rate for this batch", {"optimizer.learning_rate": slower}))
    return Suspicion(
        "batch-too-small",
        strength,
        f"Each step follows {batch} example{'s' if batch > 1 else ''}, and changes the weights by "
        f"{typical:.2%} of their size. The loss of single batches varies by {noise:.0%} of its "
        "mean over the last quarter: much of each step is the noise of its few rows, and the next "
        "step takes it back. "
        + (
            "Batch normalization takes its mean and variance from those few rows too. "
            if normalized
            else ""
        )
        + "Larger batches, or a lower rate, let the steps add up; the noise falls with the root "
        "of the batch size.",
        {"batch_size": batch, "loss_noise": noise, "median_update_ratio": typical},
        0,
        remedies=tuple(remedies),
    )


DETECTORS = (
    Detector("too-few-epochs", too_few_epochs, ("loss",)),
    Detector("batch-too-small", batch_too_small, ("loss", "update_ratio")),
)
