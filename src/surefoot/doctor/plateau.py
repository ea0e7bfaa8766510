"""What a plateau is: not a critical point, a saddle, a minimum, or a flat region."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["not-critical", "saddle-point", "local-minimum", "flat-region", "unknown"]
Cause = Literal["ravine", "descending", "higher-order", "fitted", "blocked"]

# Of a constant prediction's loss: what is left below it is too little to fall noticeably.
_FITTED = 1e-3
# The gain that counts, as a share of the loss: less is not seen in a curve of losses.
_GAIN = 0.01
# Of a sample ‖g‖² is that of all rows and the noise's square: above 1.2 of its standard errors the
# first part is a third or more. Where all rows are measured there is no noise.
_NOISE = 1.2
# A step as long as this share of a usual initialization is a small change of the net.
_NEAR = 0.1
# A hidden layer whose units are all but 1 % silent passes nothing on; and where 90 % of the
# outputs are flat, by definition below 6 % of the steepest slope, a layer passes under a tenth.
_DEAD, _SATURATED = 0.99, 0.9
# A step of κη = 1.5 leaves half of the gradient, turned around; from 2 on each one is longer.
_SWING, _REVERSED = 0.75, -0.5
# An eigenvalue nearer to 0 than this, against the largest absolute one, is flat or rounding.
_FLAT = 1e-3


@dataclass(frozen=True)
class Plateau:
    """The verdict on a point.

    Attributes:
        kind: "not-critical", "saddle-point", "local-minimum", "flat-region", or "unknown" where
            the loss or its gradient is not finite.
        cause: what kind of it: "ravine" or "descending" (not critical), "higher-order" (saddle),
            "fitted" (minimum), "blocked" (flat); None where there is nothing to add.
        sentence: the verdict in plain words, with the point's numbers.
        evidence: the numbers that decided, by their names in the landscape table, and "gain".
    """

    kind: Kind
    cause: Cause | None
    sentence: str
    evidence: Mapping[str, float]


def judge(point: Mapping[str, float]) -> Plateau:
    """Return what kind of place a measured point is.

    The tests are made in this order; all are relative to the point's own scales, so that neither
    the unit of the loss nor the number of weights matters.

    | verdict | test |
    | --- | --- |
    | minimum, fitted | loss ≤ 0.001 of the best constant prediction's: nothing is left to gain |
    | flat, blocked | a hidden layer ≥ 99 % dead or ≥ 90 % saturated, or ≥ 90 % of the output \
saturated and the loss above a constant's; and 0.1 √units · ‖g‖ < 1 % of the loss: a step of a \
tenth of a usual initialization gains nothing |
    | not critical | a Newton step with absolute curvatures lowers the loss by 1 % or more, and \
‖g‖ is above 1.2 standard errors of its sample |
    | … in a ravine | there κη ≥ 1.5, with 2 the limit, and cos(g, g′) ≤ −0.5, with g′ after a \
step and κ the curvature here or on the way of the step: it swings to the other wall |
    | saddle | λmin < −0.001 |λ|max and below its residual, and the step along its eigenvector \
lowers the loss by 1 %, or descent after it ends 1 % lower than descent without it |
    | saddle, of higher order | no such eigenvalue, but descent from a random step along flat \
directions ends 1 % lower than descent without it |
    | flat | |λ|max · units < 1 % of the loss: a step of a whole initialization's length changes \
nothing even along the steepest curvature |
    | minimum | otherwise |

    A small gradient norm alone is not asked for: what is small depends on the units of the weights,
    and ‖g‖ can be small in a valley whose floor still falls a long way. What a Newton step gains is
    the same in all units. A gradient that lies in H's kernel (‖Hg‖ ≪ ‖g‖: Frye and others 2021,
    *Critical point-finding methods reveal gradient-flat regions of deep network losses*) lowers
    the loss by such a step too, and is no critical point.

    Args:
        point: a row of the landscape table, `surefoot.vitals.landscape.LANDSCAPE_COLUMNS`.

    >>> bowl = {"loss": 1.0, "baseline_loss": 2.0, "gradient_norm": 1e-9, "newton_loss": 1.0,
    ...     "largest_eigenvalue": 3.0, "smallest_eigenvalue": 0.5, "unit_scale": 1.0}
    >>> judge(bowl).kind
    'local-minimum'
    """
    numbers = _Numbers(point)
    if not (math.isfinite(numbers["loss"]) and math.isfinite(numbers["gradient_norm"])):
        return numbers.verdict(
            "unknown", None, "The loss or its gradient is not finite here: nothing can be measured."
        )
    for test in (_fitted, _blocked, _not_critical, _saddle, _higher_order, _flat):
        verdict = test(numbers)
        if verdict is not None:
            return verdict
    return _minimum(numbers)


class _Numbers:
    """A point's numbers; what is absent is NaN, with which no test passes."""

    def __init__(self, point: Mapping[str, float]) -> None:
        self._point = point
        self.used: dict[str, float] = {}

    def __getitem__(self, name: str) -> float:
        value = float(self._point.get(name, math.nan))
        if not math.isnan(value):
            self.used[name] = value
        return value

    def gain(self, name: str) -> float:
        """Return by which share of the point's loss another loss is lower."""
        loss = self["loss"]
        return (loss - self[name]) / loss if loss > 0 else 0.0

    @property
    def steepest(self) -> float:
        """The largest absolute eigenvalue."""
        return max(abs(self["largest_eigenvalue"]), abs(self["smallest_eigenvalue"]))

    def verdict(self, kind: Kind, cause: Cause | None, sentence: str) -> Plateau:
        return Plateau(kind, cause, sentence, MappingProxyType(dict(self.used)))


def _fitted(point: _Numbers) -> Plateau | None:
    loss, baseline = point["loss"], point["baseline_loss"]
    if not loss <= _FITTED * baseline:
        return None
    share = loss / baseline if baseline > 0 else 0.0
    return point.verdict(
        "local-minimum",
        "fitted",
        f"The net has learned its training rows: the loss is {loss:.3g}, {share:.2g} of what the "
        "best constant prediction has, and cannot fall noticeably any more.",
    )


def _blocked(point: _Numbers) -> Plateau | None:
    dead, saturated = point["dead_share"], point["saturated_share"]
    output, loss = point["output_saturated_share"], point["loss"]
    if dead >= _DEAD:
        what = f"{dead:.0%} of the units of a hidden layer are silent on every row"
    elif saturated >= _SATURATED:
        what = f"{saturated:.0%} of the outputs of a hidden layer are saturated"
    elif output >= _SATURATED and loss > point["baseline_loss"]:
        what = f"{output:.0%} of the outputs are saturated, and wrong"
    else:
        return None
    if not _NEAR * point["unit_scale"] * point["gradient_norm"] < _GAIN * loss:
        return None
    return point.verdict(
        "flat-region",
        "blocked",
        f"The surface is flat here: {what}, so hardly any gradient passes "
        f"(its norm is {point['gradient_norm']:.3g}, "
        f"{point['zero_gradient_share']:.0%} of it exactly 0). No step size helps; the weights or "
        "the inputs of that layer must change.",
    )


def _not_critical(point: _Numbers) -> Plateau | None:
    gain = point.gain("newton_loss")
    norm, noise = point["gradient_norm"], point["gradient_noise"]
    if not gain >= _GAIN or norm <= _NOISE * noise:
        return None
    start = (
        f"This is no critical point: one Newton step along the gradient's directions lowers the "
        f"loss from {point['loss']:.4g} to {point['newton_loss']:.4g}"
    )
    # At the end of a swing the curvature may be small; on the way across it cannot be.
    here, across = point["curvature_to_limit"], point["step_curvature_to_limit"]
    swing, cosine = across if across >= here else here, point["step_cosine"]
    if swing >= _SWING and cosine <= _REVERSED:
        return point.verdict(
            "not-critical",
            "ravine",
            f"{start}. Training bounces between the walls of a ravine: a step of the run's rate "
            f"turns the gradient around (cosine {cosine:.2f}), for the curvature along it is "
            f"{swing:.2g} times 2/η, the limit of stability. A lower rate goes down along the "
            "floor.",
        )
    return point.verdict(
        "not-critical",
        "descending",
        f"{start}. The gradient is not small: the net is still descending"
        + (f", at {swing:.2g} times the largest rate that is stable" if 0 < swing < 0.1 else "")
        + ".",
    )


def _saddle(point: _Numbers) -> Plateau | None:
    smallest = point["smallest_eigenvalue"]
    if not smallest < -_FLAT * point.steepest or abs(smallest) <= point["smallest_residual"]:
        return None
    # Descent may gain by itself, from rows that a sample happens to have: that is no way out.
    further = point.gain("escape_descent_loss") - max(point.gain("descent_loss"), 0)
    if not (point.gain("escape_loss") >= _GAIN or further >= _GAIN):
        return None
    top = point["largest_eigenvalue"] <= _FLAT * point.steepest
    name = "a point like a maximum" if top else "a saddle point"
    return point.verdict(
        "saddle-point",
        None,
        f"This is {name}: the gradient is as good as 0, and the surface curves down along "
        f"at least one direction (smallest eigenvalue {smallest:.3g}, largest "
        f"{point['largest_eigenvalue']:.3g}). A step along it lowers the loss from "
        f"{point['loss']:.4g} to {point['escape_loss']:.4g}, and {point['descent_steps']:.0f} "
        f"steps of descent from there to {point['escape_descent_loss']:.4g}; without it they reach "
        f"{point['descent_loss']:.4g}.",
    )


def _higher_order(point: _Numbers) -> Plateau | None:
    plain = min(point["loss"], point["descent_loss"])
    if not point["perturbed_loss"] < plain - _GAIN * point["loss"]:
        return None
    return point.verdict(
        "saddle-point",
        "higher-order",
        "This is a saddle point of higher order: gradient and curvature both are as good as 0 "
        f"along some directions (smallest eigenvalue {point['smallest_eigenvalue']:.3g}), so they "
        "cannot tell, but a small random step along these and descent from there lower the "
        f"loss from {point['loss']:.4g} to {point['perturbed_loss']:.4g}.",
    )


def _flat(point: _Numbers) -> Plateau | None:
    bend = point.steepest * point["unit_scale"] ** 2
    if not bend < _GAIN * point["loss"]:
        return None
    return point.verdict(
        "flat-region",
        None,
        f"The surface is flat here: the gradient's norm is {point['gradient_norm']:.3g}, and no "
        f"eigenvalue of the Hessian is beyond {point.steepest:.3g}, so that even a step as long as "
        f"a whole initialization's weights hardly changes the loss of {point['loss']:.4g}.",
    )


def _minimum(point: _Numbers) -> Plateau:
    smallest, largest = point["smallest_eigenvalue"], point["largest_eigenvalue"]
    degenerate = abs(smallest) <= _FLAT * point.steepest
    floor = " (some directions are level)" if degenerate else ""
    return point.verdict(
        "local-minimum",
        None,
        f"This is a local minimum: the gradient is as good as 0 and no direction leads "
        f"down{floor}; eigenvalues lie from {smallest:.3g} to {largest:.3g}. The loss stays at "
        f"{point['loss']:.4g} whatever the rate: more capacity, better inputs or another start "
        "are what is left.",
    )
