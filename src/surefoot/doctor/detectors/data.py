"""What is wrong with the data themselves."""

from __future__ import annotations

import math

from surefoot.doctor.detector import Detector, number, ramp
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion


def class_imbalance(evidence: Evidence) -> Suspicion | None:
    """Say whether a few classes hold nearly all training rows.

    Formula: i = the largest class's count over the smallest's. Suspicious from 4, certain to show
    from 20, unless the recipe weighs classes. Where validation rows are as uneven as the training
    rows, accuracy does not suffer, and half as much is made of it.

    Source: Japkowicz and Stephen (2002); SageMaker's limit is 10.

    Example: 1 % of fraud: always saying "no" is right in 99 % of cases and never useful.
    """
    counts = evidence.numbers("prepared", "targets", "counts")
    if len(counts) < 2 or not counts.any():
        return None
    if evidence.recipe.train.class_weight is not None:
        return None
    most, least = int(counts.max()), int(counts.min())
    ratio = most / max(least, 0.5)
    strength = 0.95 * ramp(ratio, 4, 20)
    if strength == 0:
        return None
    held_out = evidence.numbers("prepared", "targets", "validation_counts")
    alike = 1.0
    if held_out.any():
        there = max(held_out) / max(min(held_out), 0.5)
        alike = ratio / max(there, 1.0)
    if alike < 3:
        strength *= 0.5
    return Suspicion(
        "class-imbalance",
        strength,
        f"The largest class has {most:,} training rows and the smallest {least:,}, {number(ratio)} "
        "to one. The mean loss is then nearly all that of the large class, and "
        "always giving that class is the first thing that a net learns. "
        + (
            "The validation rows are balanced otherwise, so it shows in accuracy. "
            if alike >= 3
            else "The validation rows are as uneven, so accuracy hides it. "
        )
        + 'This is counted. Set train.class_weight = "balanced", which weighs each row by the '
        "inverse of its class's share, or gather more rows of the small class.",
        {"ratio": ratio, "largest": most, "smallest": least},
        remedies=(Remedy("weigh classes", {"train.class_weight": "balanced"}),),
    )


def data_problem(evidence: Evidence) -> Suspicion | None:
    """Say whether the data can be learned at all, by what simple methods make of them.

    Formula: with h the accuracy (or R²) of the best simple method and c that of guessing, on the
    validation rows: h near c means that the inputs say nothing about the target. With h' the same
    on rows held out of the *training* rows: h' far below h means that the training labels do not
    agree with each other as the validation labels do, where the difference is more than 2 of its
    standard errors. Also: no input that varies; rows so far out that the middle 90 % of a typical
    feature spans less than half of its standard deviation (3.3 of it where values are normal).

    Source: nearest neighbours bound the best possible error from above and, halved, from below
    (Cover and Hart, 1967); for label noise, Northcutt et al. (2021), confident learning.

    Example: shuffled labels: nearest neighbours, trees and a linear model all guess.
    """
    varying = evidence.number("prepared", "inputs", "varying")
    if varying == 0:
        return _problem(
            1.0,
            "No input varies: every row has the same numbers, so nothing tells the rows apart.",
            {"varying": 0.0},
        )
    measure = evidence.fact("reference", "measure")
    best, chance, held = (
        evidence.number("reference", key) for key in ("best", "chance", "held_out_train")
    )
    guess = evidence.number("reference", "held_out_chance")
    largest = evidence.number("prepared", "inputs", "largest")
    std = evidence.number("prepared", "inputs", "std")
    outlier = largest / std if std > 0 else math.nan
    if measure == "rmse":
        above = 1 - (best / chance) ** 2 if chance > 0 else math.nan
        inside = 1 - (held / guess) ** 2 if guess > 0 else math.nan
    else:
        above = (best - chance) / max(1 - chance, 1e-9)
        inside = (held - guess) / max(1 - guess, 1e-9)
    numbers = {"learnable": above, "held_out_learnable": inside, "outlier": outlier}
    nothing = ramp(max(above, 1e-3), 0.3, 0.12) if math.isfinite(above) else 0.0
    disagree = 0.0
    if math.isfinite(above) and math.isfinite(inside) and above > 0.2:
        disagree = ramp(max(inside / above, 1e-3), 0.9, 0.5)
        disagree *= ramp((above - inside) / _noise(evidence, above, inside), 2, 4)
    middle = evidence.number("prepared", "inputs", "middle")
    far = max(0.5 * ramp(outlier, 100, 1000), 0.9 * ramp(max(middle, 1e-6), 0.5, 0.05))
    if max(nothing, disagree, far) < 0.05:
        return None
    if nothing >= max(disagree, far):
        return _problem(
            nothing,
            "Nearest neighbours, a linear model, trees and a kernel all do little better than "
            f"guessing on these rows: {number(best)} against {number(chance)} ({measure}). Either "
            "the inputs say next to nothing about the target, or labels and rows do not belong "
            "together.",
            numbers,
        )
    if disagree >= far:
        return _problem(
            disagree,
            f"Simple methods reach {number(best)} on the validation rows and only {number(held)} "
            "on rows held out of the training rows themselves: the training labels do not agree "
            "with each other as the validation labels do. A share of them is likely wrong.",
            numbers,
        )
    return _problem(
        far,
        f"The largest input lies {number(outlier)} standard deviations out. Standardizing makes "
        "the rest of such a column nearly constant, and one row's gradient outweighs all others.",
        numbers,
    )


def _noise(evidence: Evidence, above: float, inside: float) -> float:
    """Return about the standard error of the difference between two shares of what is learnable.

    Of a share s over n rows: √(s(1 − s)/n) for accuracy, 2(1 − s)√(s/n) for R² (Cohen et al.,
    2003); the larger of the two is taken.
    """
    total = 0.0
    for share, rows in ((above, "measured_rows"), (inside, "held_out_rows")):
        share = min(max(share, 0.05), 0.95)
        count = evidence.number("reference", rows)
        count = count if count >= 1 else 100.0
        total += max(4 * share * (1 - share) ** 2, share * (1 - share)) / count
    return math.sqrt(total)


def _problem(strength: float, reason: str, numbers: dict[str, float]) -> Suspicion:
    return Suspicion(
        "data-problem",
        strength,
        f"{reason} No recipe repairs that: a net that is trained on it learns the noise by heart, "
        "or nothing. This is measured on your rows, without the net. Look at single rows with "
        "their labels, how the file was joined and sorted, and which columns are missing.",
        numbers,
        remedies=(Remedy("look at the rows and their labels: this is no matter of the recipe"),),
    )


DETECTORS = (
    Detector("class-imbalance", class_imbalance),
    Detector("data-problem", data_problem),
)
