"""How well training goes, against chance and against what simple methods reach."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from surefoot.doctor.evidence import Evidence

State = Literal["failed", "behind", "fine", "unknown"]
# In accuracy, or in R² for numbers: farther than `_BEHIND` below the yardstick is not chance, on
# validation rows that number hundreds.
_BEHIND, _FAILED = 0.055, 0.25
# Nearer to chance than this is chance.
_NOTHING = 0.12


@dataclass(frozen=True)
class Outcome:
    """Where a run stands.

    Attributes:
        measure: "accuracy" or "rmse".
        now: the newest validation value, or that of the last epoch's batches.
        train: of the last epoch's batches, or of the last steps where none is over.
        chance: what always guessing the commonest class, or the mean, gives.
        reference: what the best of the simple methods reached.
        score: `now` as accuracy, or as R².
        gap: how far below the reference, in accuracy or in R².
        learned: the share of the way from chance to the reference.
        state: "failed", "behind", "fine", or "unknown" where there is nothing to compare with.
    """

    measure: str
    now: float
    train: float
    chance: float
    reference: float
    score: float
    gap: float
    learned: float
    state: State

    @property
    def poor(self) -> bool:
        """Whether it is worse than it should be."""
        return self.state in ("failed", "behind")


def outcome(evidence: Evidence) -> Outcome:
    """Judge how well training goes.

    R² = 1 − rmse²/σ², with σ what always predicting the mean gives; accuracy is taken as it is.
    """
    measure = evidence.measure
    train = _train(evidence)
    _, _, validation = evidence.validation
    now = float(validation[-1]) if len(validation) else train
    chance, reference = _yardsticks(evidence, measure)
    score, base, top = (score_of(value, chance, measure) for value in (now, chance, reference))
    gap = top - score
    learned = (score - base) / max(top - base, 1e-3)
    return Outcome(
        measure, now, train, chance, reference, score, gap, learned, _state(score, base, top)
    )


def _state(score: float, base: float, top: float) -> State:
    if math.isnan(top):
        return "unknown"
    if math.isnan(score):
        return "failed"
    gap = top - score
    if top - base < _NOTHING:  # simple methods learn nothing either
        return "failed" if score - base < _NOTHING else "fine"
    if gap > _FAILED or score - base < 0.2 * (top - base):
        return "failed" if gap > _BEHIND else "fine"
    return "fine" if gap <= _BEHIND else "behind"


def score_of(value: float, chance: float, measure: str) -> float:
    """Return a measured value on one scale for both measures: accuracy, or R² = 1 − rmse²/σ².

    >>> score_of(0.9, 0.1, "accuracy"), score_of(1.0, 2.0, "rmse")
    (0.9, 0.75)
    """
    if measure == "accuracy":
        return value
    if math.isnan(value):
        return math.nan
    return 1 - min((value / max(chance, 1e-30)) ** 2, 1e6)


def _train(evidence: Evidence) -> float:
    values = evidence.metric(evidence.measure)
    if len(values) == 0:
        return math.nan
    last = values[-min(len(values), evidence.epoch_steps) :]
    if evidence.measure == "rmse":
        return float(np.sqrt(np.mean(np.square(last))))
    return float(np.mean(last))


def _yardsticks(evidence: Evidence, measure: str) -> tuple[float, float]:
    """Return what guessing and what simple methods reach, NaN where not known."""
    if evidence.fact("reference", "measure") == measure:
        return evidence.number("reference", "chance"), evidence.number("reference", "best")
    counts = evidence.numbers("prepared", "targets", "counts")
    if measure == "accuracy" and counts.any():
        return float(max(counts) / sum(counts)), math.nan
    return evidence.number("prepared", "targets", "spread"), math.nan
