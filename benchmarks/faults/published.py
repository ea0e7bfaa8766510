"""The published rules of three tools, with their own thresholds, on the same tables.

Thresholds and mappings are those of the tools' sources: AutoTrainer's `utils/monitor.py`,
DeepDiagnosis' `callback/callbacks.py`, SageMaker Debugger's documented defaults. Where a tool
reads a whole tensor, the tables' statistics stand for it, and each place says so: the RMS of a
gradient for its norm and its mean absolute value, the share of silent units for the share of zero
gradients, a normal distribution for a layer's values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from surefoot.doctor.evidence import Evidence

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """What a tool says of a run.

    Attributes:
        symptom: the tool's own word; None where it finds nothing.
        step: at which it is first said.
        causes: the finding ids that the tool's own mapping comes to; any of them counts.
    """

    symptom: str | None = None
    step: int | None = None
    causes: tuple[str, ...] = ()

    @property
    def unhealthy(self) -> bool:
        """Whether anything was found."""
        return self.symptom is not None


HEALTHY = Verdict()


def _epochs(evidence: Evidence) -> list[tuple[int, int]]:
    """Return the first step of each epoch, and the one after its last."""
    epochs = np.asarray(evidence.metrics["epoch"])
    starts = np.flatnonzero(np.diff(epochs, prepend=-1))
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(epochs)], strict=True))


def _each_epoch(evidence: Evidence, name: str) -> Array:
    """Return a metric's mean over each epoch, or its value at the end for validation."""
    column = evidence.metric(name)
    last = name.startswith("validation")
    return np.array(
        [
            column[end - 1] if last else np.mean(column[first:end])
            for first, end in _epochs(evidence)
        ]
    )


def _record(evidence: Evidence, end: int) -> int:
    """Return the last record that was taken before a step."""
    return max(0, int(np.searchsorted(evidence.recorded, end)) - 1)


def _beyond(mean: Array, std: Array, low: float, high: float) -> Array:
    """Return the share of normal values outside [low, high]."""
    std = np.maximum(std, 1e-12)

    def below(value: float) -> Array:
        return np.array([0.5 * (1 + math.erf(z / math.sqrt(2))) for z in (value - mean) / std])

    return below(low) + 1 - below(high)


def _indices(evidence: Evidence, *kinds: str) -> list[int]:
    return [layer.index for layer in evidence.layers if layer.kind in kinds]


def _weighted(evidence: Evidence) -> list[int]:
    return [layer.index for layer in evidence.layers if layer.is_linear]


# AutoTrainer.

_VANISHING_RATIO, _VANISHING_NORM, _EXPLODING_RATIO = 1e-3, 1e-4, 70.0
_DEAD_SHARE, _SWING, _SWINGS, _GAIN, _GOOD = 0.7, 0.03, 0.2, 0.01, 0.7
_JUDGED_FROM = 0.3
_AUTOTRAINER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "relu": ("dead-units",),
        "explode": ("exploding-gradients",),
        "vanish": ("vanishing-gradients",),
        "unstable": ("learning-rate-too-high", "batch-too-small"),
        "not_converge": ("learning-rate-too-low",),
    }
)


@np.errstate(all="ignore")  # a run that diverged is full of NaN
def autotrainer(evidence: Evidence) -> Verdict:
    """AutoTrainer: judged after each epoch, what was once seen is not forgotten.

    NaN or infinity, or a validation loss of 1e5: exploding. Where accuracy stayed below 0.7, or
    no epoch gained 0.01: dying ReLU (70 % of gradient entries zero), else exploding (first over
    last kernel's gradient above 70), else vanishing (below 1e-3, and the first below 1e-4), else
    slow. Otherwise unstable: swings of 0.03 in a fifth of the epochs. It reads accuracies: of a
    regression it sees the first rule alone. Kernels' norms are read as RMS, zero gradients as
    silent units.
    """
    epochs = _epochs(evidence)
    gradients = evidence.vital("gradient_rms")[:, _weighted(evidence)]
    silent = evidence.vital("inactive_share")[:, _indices(evidence, "relu")]
    loss, checked = _each_epoch(evidence, "loss"), _each_epoch(evidence, "validation_loss")
    accuracy = _each_epoch(evidence, "accuracy")
    held_out = _each_epoch(evidence, "validation_accuracy")
    whole = max(1, round((evidence.total_steps or evidence.steps) / max(1, evidence.epoch_steps)))
    seen: set[str] = set()
    for i, (_, end) in enumerate(epochs):
        at = _record(evidence, end)
        bad = not np.isfinite(loss[i]) or not np.isfinite(gradients[at]).all()
        if bad or np.isinf(checked[i]) or checked[i] >= 1e5:
            return Verdict("explode", end, _AUTOTRAINER["explode"])
        first, last = gradients[at, 0], gradients[at, -1]
        ratio = first / last if last > 0 else math.inf if first > 0 else math.nan
        if ratio < _VANISHING_RATIO and first < _VANISHING_NORM:
            seen.add("vanish")
        if ratio > _EXPLODING_RATIO:
            seen.add("explode")
        if silent.shape[1] and np.mean(silent[at]) >= _DEAD_SHARE:
            seen.add("relu")
        if i + 1 < _JUDGED_FROM * whole or np.isnan(accuracy[i]):
            continue
        so_far, val = accuracy[: i + 1], held_out[: i + 1]
        if _swings(so_far):
            seen.add("unstable")
        if np.nanmax(val) < _GOOD or so_far.max() < _GOOD:
            seen.add("poor")
        if max(np.diff(val).max(initial=0), np.diff(so_far).max(initial=0)) < _GAIN:
            seen.add("not_converge")
        if seen & {"poor", "not_converge"}:
            for symptom in ("relu", "explode", "vanish", "not_converge"):
                if symptom in seen:
                    return Verdict(symptom, end, _AUTOTRAINER[symptom])
        elif "unstable" in seen:
            return Verdict("unstable", end, _AUTOTRAINER["unstable"])
    return HEALTHY


def _swings(accuracy: Array) -> bool:
    inner, before, after = accuracy[1:-1], accuracy[:-2], accuracy[2:]
    highs = inner[(inner >= before) & (inner >= after)]
    lows = inner[(inner <= before) & (inner <= after)]
    pairs = min(len(highs), len(lows))
    count = int(np.sum(highs[:pairs] - lows[:pairs] >= _SWING))
    return count > 0 and count >= _SWINGS * len(accuracy)


# DeepDiagnosis.

_EVERY, _ACCURACY_EVERY = 5, 20


@np.errstate(all="ignore")
def deep_diagnosis(evidence: Evidence) -> Verdict:
    """DeepDiagnosis: checks after each epoch; the first symptom ends training.

    Out of range (first epoch), numerical error (NaN, infinity, or a mean of exactly 0), saturated
    (inputs beyond ±5 for half, every 5 epochs), unchanged means over 5 epochs, invalid loss or
    accuracy, loss or accuracy unchanged over 5 or 20 epochs, vanishing (mean absolute gradient
    below 1e-7), dead nodes (70 % of outputs at most 0, last epoch). Its decision tree then blames
    weights (variance outside 1e-5 to 10), inputs beyond ±1, or the rate (rate · gradient / weight
    outside 1e-5 to 1e-1).
    """
    epochs = _epochs(evidence)
    loss, accuracy = _each_epoch(evidence, "loss"), _each_epoch(evidence, "accuracy")
    mean, std = evidence.vital("activation_mean"), evidence.vital("activation_std")
    gradient, nonfinite = evidence.vital("gradient_rms"), evidence.vital("nonfinite")
    weighted, relu = _weighted(evidence), _indices(evidence, "relu")
    for i, (_, end) in enumerate(epochs):
        at = _record(evidence, end)
        if i == 0 and _out_of_range(evidence):
            return Verdict("out of range", end, ("wrong-output",))
        broken = nonfinite[at] > 0
        if broken.any() or (mean[at] == 0).any():
            return Verdict("numerical error", end, _blame(evidence, at, inputs=True))
        if (i + 1) % _EVERY == 0:
            for index in _indices(evidence, "tanh", "sigmoid"):
                before = max(0, index - 1)
                if _beyond(mean[at, [before]], std[at, [before]], -5, 5)[0] > 0.5:
                    return Verdict("saturated", end, _blame(evidence, at, inputs=True))
            past = _record(evidence, epochs[i + 1 - _EVERY][1])
            if past < at and (mean[past, :-1] == mean[at, :-1]).any():
                return Verdict("unchanged", end, _blame(evidence, at))
            if np.ptp(loss[i + 1 - _EVERY : i + 1]) == 0:
                return Verdict("loss not falling", end, _blame(evidence, at, inputs=True))
        if not np.isfinite(loss[i]) or accuracy[i] == 0:
            raw = evidence.layers[-1].is_linear
            causes = ("wrong-output",) if raw else _blame(evidence, at, weights=False)
            return Verdict("invalid", end, causes)
        window = accuracy[max(0, i + 1 - _ACCURACY_EVERY) : i + 1]
        if (i + 1) % _ACCURACY_EVERY == 0 and np.ptp(window) == 0:
            return Verdict("accuracy not rising", end, _blame(evidence, at, inputs=True))
        if (gradient[at, weighted] < 1e-7).any():
            rate = _blame(evidence, at, weights=False)
            return Verdict("vanishing", end, rate or ("vanishing-gradients", "depth-degradation"))
        final = end >= (evidence.total_steps or evidence.steps)
        if final and (evidence.vital("zero_share")[at, relu] >= 0.7).any():
            return Verdict("dead node", end, _blame(evidence, at, inputs=True) or ("dead-units",))
    return HEALTHY


def _out_of_range(evidence: Evidence) -> bool:
    """Whether the output layer cannot reach the targets, or is none for cross-entropy."""
    kind = evidence.layers[-1].kind
    if kind == "softmax":
        return False
    raw = kind == "relu" or evidence.layers[-1].is_linear
    if raw and evidence.recipe.train.loss == "cross_entropy":
        return True
    if evidence.fact("target", "kind") == "classes":
        counts = evidence.fact("target", "classes") or {}
        low, high = 0.0, float(len(counts) - 1)
    else:
        low, high = (evidence.number("target", key) for key in ("minimum", "maximum"))
        if evidence.recipe.data.standardize_targets:
            center, scale = (evidence.number("target", key) for key in ("mean", "std"))
            low, high = (low - center) / scale, (high - center) / scale
    reach = {"sigmoid": (0, 1), "tanh": (-1, 1), "relu": (0, math.inf), "elu": (-1, math.inf)}
    least, most = reach.get(kind, (-math.inf, math.inf))
    return low < least or high > most


def _blame(
    evidence: Evidence, at: int, *, inputs: bool = False, weights: bool = True
) -> tuple[str, ...]:
    """Walk the tool's decision tree; an empty tuple is its "change the optimizer"."""
    linear = _weighted(evidence)
    rms = evidence.vital("weight_rms")[at, linear]
    if weights and ((rms**2 < 1e-5) | (rms**2 > 10)).any():
        return ("initialization-scale", "symmetric-units")
    if inputs and evidence.number("prepared", "inputs", "largest") > 1:
        return ("unscaled-inputs",)
    rate = evidence.recipe.optimizer.learning_rate
    size = rate * evidence.vital("gradient_rms")[at, linear] / np.maximum(rms, 1e-30)
    if (size > 0.1).any():
        return ("learning-rate-too-high",)
    return ("learning-rate-too-low",) if (size < 1e-5).any() else ()


# SageMaker Debugger.

_PATIENCE = 5
_SAGEMAKER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ExplodingTensor": ("exploding-gradients",),
        "VanishingGradient": ("vanishing-gradients",),
        "DeadRelu": ("dead-units",),
        "SaturatedActivation": ("saturated-units",),
        "WeightUpdateRatioHigh": ("learning-rate-too-high",),
        "WeightUpdateRatioLow": ("learning-rate-too-low",),
        "PoorWeightInitialization": ("initialization-scale", "symmetric-units"),
        "UnchangedTensor": ("learning-rate-too-low", "vanishing-gradients"),
        "AllZero": ("dead-units", "initialization-scale"),
        "ClassImbalance": ("class-imbalance",),
        "Overfit": ("overfitting",),
        "LossNotDecreasing": (),
    }
)
# These two speak of nearly every run: noise keeps a batch's loss from falling in each window, and
# a validation loss a tenth above the training one is what a net that was trained well looks like.
_LOUD = frozenset({"LossNotDecreasing", "Overfit"})


def sagemaker(evidence: Evidence) -> Verdict:
    """SageMaker Debugger, all of its rules on training: the first to fire."""
    return _first(_sagemaker_rules(evidence))


def sagemaker_quiet(evidence: Evidence) -> Verdict:
    """SageMaker Debugger without the two rules that speak of nearly every run."""
    rules = _sagemaker_rules(evidence)
    return _first({name: step for name, step in rules.items() if name not in _LOUD})


def _first(rules: Mapping[str, int]) -> Verdict:
    if not rules:
        return HEALTHY
    name = min(rules, key=lambda name: rules[name])
    return Verdict(name, rules[name], _SAGEMAKER[name])


@np.errstate(all="ignore")
def _sagemaker_rules(evidence: Evidence) -> dict[str, int]:
    """Return the rules that fire, and the step at which each first does, counted from 1."""
    linear, relu = _weighted(evidence), _indices(evidence, "relu")
    gradient = evidence.vital("gradient_rms")[:, linear]
    ratio = evidence.vital("update_ratio")[:, linear]
    update, weight = (evidence.vital(n)[:, linear] for n in ("update_rms", "weight_rms"))
    mean, std = evidence.vital("activation_mean"), evidence.vital("activation_std")
    still = (update <= 1e-8 + 1e-5 * weight).any(axis=1)
    fired = {
        "ExplodingTensor": (evidence.vital("nonfinite") > 0).any(axis=1),
        "VanishingGradient": (gradient < 1e-7).any(axis=1),
        "DeadRelu": (evidence.vital("inactive_share")[:, relu] > 0.5).any(axis=1),
        "SaturatedActivation": _saturated(evidence, mean, std),
        "WeightUpdateRatioHigh": (ratio > 10).any(axis=1),
        "WeightUpdateRatioLow": (ratio < 1e-8).any(axis=1),
        "PoorWeightInitialization": _poor_start(evidence, std[:, linear], gradient),
        # Three records in a row.
        "UnchangedTensor": still & np.roll(still, 1) & np.roll(still, 2) & _from(still, 2),
        "AllZero": (evidence.vital("zero_share") == 1).any(axis=1),
    }
    steps = evidence.recorded
    rules = {
        name: int(steps[np.flatnonzero(mask)[0]]) + 1 for name, mask in fired.items() if mask.any()
    }
    loss = evidence.metric("loss")
    if not np.isfinite(loss).all():
        broken = int(np.flatnonzero(~np.isfinite(loss))[0]) + 1
        rules["ExplodingTensor"] = min(broken, rules.get("ExplodingTensor", broken))
    balance = evidence.number("target", "balance")
    if balance < 1 / 10:
        rules["ClassImbalance"] = 1
    falls = loss[10:] > loss[:-10] * (1 - 0.001)
    if falls.any():
        rules["LossNotDecreasing"] = int(np.flatnonzero(falls)[0]) + 11
    trained, held_out = _each_epoch(evidence, "loss"), _each_epoch(evidence, "validation_loss")
    over = (held_out - trained) / np.maximum(trained, 1e-30) > 0.1
    if over.any():
        rules["Overfit"] = _epochs(evidence)[int(np.flatnonzero(over)[0])][1]
    return rules


def _from(mask: NDArray[np.bool_], place: int) -> NDArray[np.bool_]:
    return np.arange(len(mask)) >= place


def _saturated(evidence: Evidence, mean: Array, std: Array) -> NDArray[np.bool_]:
    """Inputs of tanh beyond ±9.4999, of a sigmoid beyond −23 or 17, for half of a layer."""
    hit = np.zeros(len(mean), bool)
    for kind, low, high in (("tanh", -9.4999, 9.4999), ("sigmoid", -23.0, 16.99999)):
        for index in _indices(evidence, kind):
            before = max(0, index - 1)
            hit |= _beyond(mean[:, before], std[:, before], low, high) > 0.5
    return hit


def _poor_start(evidence: Evidence, std: Array, gradient: Array) -> NDArray[np.bool_]:
    """Layers' variances apart by 10, or gradients within 1e-3, while the loss does not fall.

    In the first ten steps; the spread from the 5th to the 95th percentile is 3.3 RMS where values
    are normal. The loss does not fall where five steps brought no new least value.
    """
    loss = evidence.metric("loss")
    least = np.minimum.accumulate(np.nan_to_num(loss, nan=np.inf))
    stuck = np.array(
        [step >= _PATIENCE and least[step] >= least[step - _PATIENCE] for step in evidence.recorded]
    )
    variance = np.maximum(std**2, 1e-30)
    apart = variance.max(axis=1) / variance.min(axis=1) > 10
    narrow = (3.3 * gradient < 1e-3).all(axis=1)
    return (evidence.recorded < 10) & stuck & (apart | narrow)


TOOLS: Mapping[str, Callable[[Evidence], Verdict]] = MappingProxyType(
    {
        "AutoTrainer": autotrainer,
        "DeepDiagnosis": deep_diagnosis,
        "SageMaker": sagemaker,
        "SageMaker, quiet": sagemaker_quiet,
    }
)
"""Every tool by its name in the tables."""
