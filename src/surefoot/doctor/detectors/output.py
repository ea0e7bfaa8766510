"""Output layer and loss that do not fit the target."""

from __future__ import annotations

import math

from surefoot.doctor.detector import Detector, number, ramp
from surefoot.doctor.edits import fitted_output, layers, output_activation
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion

# What an activation can give.
_RANGES = {
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "softplus": (0.0, float("inf")),
    "exponential": (0.0, float("inf")),
    "step": (0.0, 1.0),
    "elu": (-1.0, float("inf")),
    "selu": (-1.76, float("inf")),
    "gelu": (-0.17, float("inf")),
    "silu": (-0.28, float("inf")),
}


def wrong_output(evidence: Evidence) -> Suspicion | None:
    """Say whether the last layer can give what the loss compares with the target.

    Rules, strongest first: a softmax over one unit is always 1; an activation stands in front of
    the softmax or sigmoid and cuts its inputs; for numbers, the target leaves the range of the
    last activation; for classes, outputs are no probabilities (no softmax, no sigmoid, and the
    loss takes no logits); softmax for several labels that exclude nothing.

    Source: AutoTrainer's table of pairs (sigmoid with binary, softmax with categorical, linear
    with squared error); Keras users' most frequent mistake (keras-hub, pull request 1008).

    Example: {dense = 1}, {activation = "softmax"}: every row is class 1 with certainty.
    """
    kind = evidence.fact("prepared", "targets", "kind")
    if kind not in ("classes", "labels", "numbers"):
        return None
    strength, reason = _judge(evidence, str(kind), _size(evidence))
    if strength == 0:
        return None
    edits = fitted_output(evidence.recipe, str(kind))
    last = output_activation(evidence.recipe)
    return Suspicion(
        "wrong-output",
        strength,
        f"{reason} The loss, {evidence.recipe.train.loss}, can then not come near what it could "
        "be, whatever the weights are: this follows from the recipe and the target alone, before "
        "any step. What the net learns in the layers below is spent on an output that cannot "
        "show it. "
        + {
            "classes": "End the net with one unit a class and a softmax, with cross_entropy.",
            "labels": "End the net with one unit a label and a sigmoid, with binary_cross_entropy.",
            "numbers": "End the net with a dense layer and no activation, with mean_squared_error.",
        }[str(kind)],
        {"output": last or "none", "loss": evidence.recipe.train.loss, "target": str(kind)},
        layers=(evidence.layers[-1].name,) if evidence.layers else (),
        remedies=(Remedy("an output layer that fits the target", edits),),
    )


def _judge(evidence: Evidence, kind: str, size: int) -> tuple[float, str]:
    """Return how strongly the output is doubted, and why."""
    recipe = evidence.recipe
    tables = layers(recipe)
    last = output_activation(recipe)
    units = next((layer["dense"] for layer in reversed(tables) if "dense" in layer), None)
    before = _in_front(tables)
    if last == "softmax" and (units == 1 or (units in ("outputs", "classes") and size == 1)):
        return 1.0, "The net ends in a softmax over one unit, and a softmax over one is always 1."
    single = units == 1 or (units == "outputs" and size == 1)
    if recipe.train.loss == "cross_entropy" and kind == "classes" and single:
        return 1.0, (
            "The net has one output, and cross_entropy divides outputs by their sum: of one output "
            "that is always 1, so the loss cannot change."
        )
    if kind == "numbers":
        return _for_numbers(evidence, last)
    if last in ("softmax", "sigmoid") and before in ("softmax", "sigmoid", "tanh", "relu"):
        return (0.9 if before in ("softmax", "sigmoid") else 0.75), (
            f"A {before} stands in front of the {last}: the {last} gets numbers that are cut to "
            f"the range of {before}, and its probabilities cannot come near 0 and 1."
        )
    probable = last in ("softmax", "sigmoid") or recipe.train.from_logits
    entropy = recipe.train.loss in ("cross_entropy", "binary_cross_entropy")
    if entropy and not probable:
        return 0.9, (
            f"The net ends in {last or 'raw numbers'}, which are no probabilities, and the loss "
            "takes the logarithm of what it is given."
        )
    if recipe.train.from_logits and last in ("softmax", "sigmoid", "relu", "tanh"):
        return 0.6, (
            f"train.from_logits says that raw outputs are logits, and the net ends in {last}."
        )
    if kind == "labels" and last == "softmax" and size > 1:
        return 0.7, "A softmax makes labels exclude each other, and a row may have several."
    if not entropy and last not in (None, "softmax", "sigmoid", "identity"):
        low, high = _RANGES.get(last, (0.0, 1.0))
        return (0.6 if low < 0 or high > 1 else 0.3), (
            f"The net ends in {last}, whose outputs are compared with 0 and 1."
        )
    return 0.0, ""


def _for_numbers(evidence: Evidence, last: str | None) -> tuple[float, str]:
    if last in (None, "identity") or last not in _RANGES:
        return 0.0, ""
    low, high = _RANGES[last]
    mean = evidence.number("prepared", "targets", "mean")
    std = evidence.number("prepared", "targets", "std")
    # How much of the target lies where the output cannot be, were it normally distributed.
    below, above = (mean - low) / max(std, 1e-30), (high - mean) / max(std, 1e-30)
    inside = min(below, above)
    strength = 1.0 if inside < 0.5 else 0.9 * ramp(max(3 - inside, 1e-3), 0.5, 2.5)
    reach = f"{number(low)} to {number(high)}"
    return strength, (
        f"The net ends in {last}, which gives {reach}, and the targets have mean {number(mean)} "
        f"and standard deviation {number(std)}: many of them lie outside."
    )


def _shown(kind: str, size: int) -> str:
    if kind == "classes":
        return f"one of {size} classes"
    return f"{size} {kind if size > 1 else kind.removesuffix('s')}"


def _size(evidence: Evidence) -> int:
    """Return how many classes, labels or numbers the target has; 1 where it is not known."""
    size = evidence.number("prepared", "targets", "size")
    return int(size) if math.isfinite(size) else 1


def _in_front(tables: list[dict[str, object]]) -> str | None:
    """Return the activation straight in front of the last one, with no weights between."""
    if len(tables) < 2 or "activation" not in tables[-1]:
        return None
    return str(tables[-2]["activation"]) if "activation" in tables[-2] else None


def wrong_loss(evidence: Evidence) -> Suspicion | None:
    """Say whether the loss asks for something else than the target.

    Rules: absolute error on classes, whose gradient does not shrink with the error and whose
    minimum for an unsure row is the median, class 0; squared error on classes behind a softmax or
    sigmoid, whose gradient vanishes where the output is surely wrong; binary cross-entropy on a
    softmax; a loss for classes on numbers.

    Source: Golik, Doetsch and Ney (2013), Cross-entropy vs. squared error training; Glorot and
    Bengio (2010), figure 5, for the plateaus of squared error.

    Example: mean_absolute_error on ten classes: giving 0 everywhere costs only 0.1.
    """
    kind = evidence.fact("prepared", "targets", "kind")
    loss, last = evidence.recipe.train.loss, output_activation(evidence.recipe)
    size = _size(evidence)
    strength, reason = 0.0, ""
    if kind in ("classes", "labels") and loss == "mean_absolute_error":
        strength = 0.9
        reason = (
            "Absolute error on classes is least where the commonest class is given every time, and "
            "its gradient is as large for a row that is nearly right as for one that is wrong."
        )
    elif kind in ("classes", "labels") and loss == "mean_squared_error":
        strength = 0.55 if size > 2 else 0.4
        reason = (
            f"Squared error behind a {last or 'linear output'} has next to no gradient where the "
            "output is surely wrong, and averages over all classes make it small elsewhere."
        )
    elif kind == "classes" and loss == "binary_cross_entropy" and last == "softmax" and size > 2:
        strength = 0.3
        reason = "Binary cross-entropy treats the classes of a softmax as independent labels."
    elif kind == "numbers" and loss in ("cross_entropy", "binary_cross_entropy"):
        strength = 1.0
        reason = "A loss for classes is taken on a target of numbers: it has no minimum at them."
    if strength == 0:
        return None
    return Suspicion(
        "wrong-loss",
        strength,
        f"{reason} The loss is {loss}, and each row's target is {_shown(str(kind), size)}. This "
        "follows from the recipe; how much it hurts depends on the data, and an easy set may be "
        "learned all the same. The loss that belongs to this target has a gradient in proportion "
        "to the error, everywhere.",
        {"loss": loss, "target": str(kind), "size": size},
        remedies=(
            Remedy(
                "the loss that belongs to the target", fitted_output(evidence.recipe, str(kind))
            ),
        ),
    )


DETECTORS = (Detector("wrong-output", wrong_output), Detector("wrong-loss", wrong_loss))
