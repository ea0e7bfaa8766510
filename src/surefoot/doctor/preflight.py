"""What can be known of a recipe before it is trained: a list of checks, with their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.doctor.chance import chance_loss
from surefoot.doctor.detector import number
from surefoot.doctor.diagnosis import SAID, suspect
from surefoot.doctor.edits import output_activation
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Suspicion
from surefoot.doctor.overfit import Overfit, overfit
from surefoot.doctor.signals import gains, weighted
from surefoot.doctor.watching import Watcher
from surefoot.engine.training import train
from surefoot.job import Job

# From here on a detector's suspicion is a check that did not pass.
_DOUBTED = 0.3
# A first loss of more than this times that of knowing nothing: outputs that are wrong and sure.
# Of nets that train well nineteen in twenty begin below 3.5.
_SURE_AND_WRONG = 4.0
# What keeps a net from learning even twenty rows.
WIRING = frozenset(
    {
        "wrong-output",
        "wrong-loss",
        "symmetric-units",
        "dead-units",
        "saturated-units",
        "vanishing-gradients",
        "exploding-gradients",
        "initialization-scale",
        "learning-rate-too-high",
        "learning-rate-too-low",
        "unscaled-inputs",
        "unscaled-targets",
        "diverged",
    }
)
# How much a net that cannot learn twenty rows takes off the doubt in one of these.
_LESS_DOUBT = 0.75

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Preflight:
    """What was looked at before training.

    Attributes:
        checks: a row for each, plain data: `check`, its name; `passed`; `value`, what was found, a
            number or a text; `expected`, a text; `sentence`.
        suspicions: what detectors say of the first step, with the checks quoted.
        evidence: of the first step.
    """

    checks: tuple[Row, ...]
    suspicions: tuple[Suspicion, ...]
    evidence: Evidence


def check(job: Job, *, budget_seconds: float = 10.0) -> Preflight:
    """Check a recipe: output and loss against the target, scales, first loss, signals, symmetry.

    One step is taken, whose programs are used again when the recipe is trained. Meanwhile the net
    is trained on twenty rows, see `surefoot.doctor.overfit`. A check passes where the detector of
    the same thing is not in doubt; the first loss where it is at most four times that of knowing
    nothing, ln C for C equal classes.

    Args:
        job: what would be trained; it is not changed.
        budget_seconds: how long the twenty rows may take.
    """
    watcher = Watcher(job.cohort, job.recipe, lambda: job.facts)
    with ThreadPoolExecutor(1) as pool:
        learned = pool.submit(overfit, job, budget_seconds)
        train(job.cohort, watcher, until=1)
        evidence = watcher.evidence(finished=False)
        result = learned.result()
    suspicions = suspect(evidence)[0]
    rows = [*_checks(evidence, suspicions), *([] if result is None else [_by_heart(result)])]
    return Preflight(tuple(rows), tuple(quoted(suspicions, rows)), evidence)


def quoted(suspicions: Sequence[Suspicion], checks: Sequence[Row]) -> list[Suspicion]:
    """Let what could be a fault of wiring quote that the net cannot learn twenty rows.

    The doubt in it, 1 − strength, shrinks to three quarters. Others are left as they are.
    """
    failed = [row for row in checks if row["check"] == "overfit-20" and not row["passed"]]
    if not failed:
        return list(suspicions)
    (row,) = failed
    return [
        replace(
            s,
            strength=1 - _LESS_DOUBT * (1 - s.strength),
            explanation=f"{s.explanation} {row['sentence']}",
            evidence={**s.evidence, "overfit_20": row["value"]},
        )
        if s.id in WIRING and s.strength >= SAID
        else s
        for s in suspicions
    ]


def _row(name: str, passed: bool, value: float | str, expected: str, sentence: str) -> Row:
    if isinstance(value, float) and not math.isfinite(value):
        value = str(value)
    return {
        "check": name,
        "passed": passed,
        "value": value,
        "expected": expected,
        "sentence": sentence,
    }


def _checks(evidence: Evidence, suspicions: Sequence[Suspicion]) -> Iterator[Row]:
    strength = {s.id: s.strength for s in suspicions}

    def fine(*names: str) -> bool:
        return all(strength.get(name, 0.0) < _DOUBTED for name in names)

    yield from _output(evidence, fine("wrong-output"), fine("wrong-loss"))
    yield from _scales(evidence, fine("unscaled-inputs"), fine("unscaled-targets"))
    yield from _first_loss(evidence)
    yield from _signals(evidence, fine("initialization-scale"))
    yield from _gradients(evidence, fine("vanishing-gradients", "exploding-gradients"))
    yield from _symmetry(evidence, fine("symmetric-units"))


def _output(evidence: Evidence, output_fits: bool, loss_fits: bool) -> Iterator[Row]:
    kind = evidence.fact("prepared", "targets", "kind")
    if kind not in ("classes", "labels", "numbers"):
        return
    last = output_activation(evidence.recipe) or "no activation"
    logits = " (taken as logits)" if evidence.recipe.train.from_logits else ""
    expected, loss = {
        "classes": ("softmax, or logits", "cross_entropy"),
        "labels": ("sigmoid, or logits", "binary_cross_entropy"),
        "numbers": ("no activation", "mean_squared_error"),
    }[kind]
    size = evidence.fact("prepared", "targets", "size")
    what = {"classes": "classes", "labels": "labels", "numbers": "numbers a row"}[kind]
    verb = "fits" if output_fits else "does not fit"
    told = f"The output layer ({last}{logits}) {verb} a target of {size} {what}."
    yield _row("output", output_fits, last, expected, told)
    own = evidence.recipe.train.loss
    told = f"The loss, {own}, {'suits' if loss_fits else 'asks for something else than'} {what}."
    yield _row("loss", loss_fits, own, loss, told)


def _scales(evidence: Evidence, inputs_fine: bool, targets_fine: bool) -> Iterator[Row]:
    rms = evidence.number("prepared", "inputs", "rms")
    if not math.isnan(rms):
        told = f"Inputs reach the first layer with a root mean square of {number(rms)}."
        yield _row("input-scale", inputs_fine, rms, "near 1, each input alike", told)
    if evidence.fact("prepared", "targets", "kind") == "numbers":
        mean, std = (evidence.number("prepared", "targets", key) for key in ("mean", "std"))
        told = f"Targets have mean {number(mean)} and standard deviation {number(std)}."
        yield _row("target-scale", targets_fine, math.hypot(mean, std), "near 1", told)


def _first_loss(evidence: Evidence) -> Iterator[Row]:
    losses, chance = evidence.metric("loss"), chance_loss(evidence)
    if len(losses) == 0 or not chance > 0:
        return
    first = float(losses[0])
    told = f"The first loss is {number(first)}; knowing nothing costs {number(chance)}."
    passed = first <= _SURE_AND_WRONG * chance
    yield _row("initial-loss", passed, first, f"near {number(chance)}", told)


def _signals(evidence: Evidence, fine: bool) -> Iterator[Row]:
    found = [gain for gain in gains(evidence) if math.isfinite(gain.signal)]
    if not found:
        return
    farthest = max(found, key=lambda gain: abs(math.log(max(gain.signal, 1e-30))))
    told = (
        f"Layer {farthest.layer.name} gives {number(farthest.signal)} times the inputs' size at "
        "the first step, the farthest from 1 of all layers with weights."
    )
    yield _row("signal-variance", fine, farthest.signal, "0.1 to 5 in every layer", told)


def _gradients(evidence: Evidence, fine: bool) -> Iterator[Row]:
    linear = weighted(evidence)
    if len(linear) < 2 or len(evidence.recorded) == 0:
        return
    signal = evidence.vital("signal_rms")[0]
    first, last = float(signal[linear[0].index]), float(signal[linear[-1].index])
    if math.isnan(first) and evidence.recipe.train.method != "gradient":
        return  # there is none
    ratio = first / last if last > 0 else math.nan
    told = f"Of the error's signal at the last layer {number(ratio)} reaches the first one."
    yield _row("gradient-variance", fine, ratio, "0.02 to 20", told)


def _symmetry(evidence: Evidence, fine: bool) -> Iterator[Row]:
    inner = weighted(evidence)[:-1]
    if not inner or len(evidence.recorded) == 0:
        return
    spread = evidence.vital("unit_spread")[0, [layer.index for layer in inner]]
    if not np.isfinite(spread).any():
        return
    least = float(np.nanmin(spread))
    told = f"Units of one layer differ in {least:.1%} of their weights' squared size, or more."
    yield _row("symmetry", fine, least, "nearly all", told)


def _by_heart(result: Overfit) -> Row:
    shown = f"{result.best:.1%}" if result.measure == "accuracy" else f"{result.best:.3f}"
    wanted = "95 %" if result.measure == "accuracy" else "0.95"
    rows = f"{result.examples} of its training rows"
    if result.passed:
        told = (
            f"The net learns {rows} by heart: {result.measure} {shown} after {result.steps} steps."
        )
    else:
        stopped = "" if result.complete else ", when the time was over"
        told = (
            f"Trained on {rows} alone, with nothing that regularizes, the net reaches "
            f"{result.measure} {shown} in {result.steps} steps at its own rate{stopped}. One that "
            f"is wired right learns so few by heart ({wanted})."
        )
    passed = result.passed or not result.complete
    return _row("overfit-20", passed, round(result.best, 6), f"{result.measure} {wanted}", told)
