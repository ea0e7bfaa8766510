"""What a ready study found: its arms, each at its own best rate, compared over fresh seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.study.conclusions import grain, holm, interval, means, paired_p, ranked, verdict_of
from surefoot.study.ready.outcomes import Outcome, Stage
from surefoot.study.ready.question import Arm
from surefoot.study.space import Setting

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """One outcome of all arms, a number for each.

    Attributes:
        outcome: what was compared.
        against: the number of the arm that each is compared with; −1 for none.
        mean: over seeds; geometric where the outcome is compared by factors.
        low: the lower end of its 95 % bootstrap interval.
        high: the upper end.
        difference: the mean of arm minus other arm over equal seeds, or arm over other arm where
            the outcome is compared by factors; NaN for none.
        difference_low: the lower end of its interval.
        difference_high: the upper end.
        p: of a paired t-test, corrected for all comparisons of the study.
        verdict: "better", "worse", "no difference shown", "no result", or "" for none.
    """

    outcome: Outcome
    against: tuple[int, ...]
    mean: Array
    low: Array
    high: Array
    difference: Array
    difference_low: Array
    difference_high: Array
    p: Array
    verdict: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """All that a ready study found.

    Attributes:
        arms: what was compared.
        settings: each arm with each rate, arm by arm.
        rates: what was tried.
        chosen: the number of each arm's best rate.
        search: the runs by which rates were chosen.
        runs: those that were compared.
        compared: what came out, an entry for each outcome.
        trains: whether a rate trains an arm with every seed, [arms, rates].
        measure: "accuracy" or "rmse".
        held_back: how many rows were held back to compare on; 0 for none.
        columns: further columns of the table of arms.
    """

    arms: Sequence[Arm]
    settings: Sequence[Setting]
    rates: Sequence[float]
    chosen: Sequence[int]
    search: Stage
    runs: Stage
    compared: Sequence[Compared]
    trains: NDArray[np.bool_]
    measure: str
    held_back: int
    columns: dict[str, Array]

    @property
    def best(self) -> int:
        """The arm that did best by the first outcome of single runs."""
        return self.order[0]

    @property
    def order(self) -> tuple[int, ...]:
        """The arms, the best first."""
        outcome = first_of_runs([each.outcome for each in self.compared])
        scores = outcome.of(self.runs, self.search)
        ties = self.runs.columns["train_loss"]
        return ranked(scores, self.runs.diverged, higher=outcome.higher, ties=ties)

    def named(self, name: str) -> int:
        """Return the number of an arm."""
        return [arm.name for arm in self.arms].index(name)


def first_of_runs(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome by which rates are chosen: the first that is one of single runs."""
    return next(outcome for outcome in outcomes if not outcome.over_rates)


def best_rates(search: Stage, outcome: Outcome) -> tuple[list[int], int]:
    """Return the number of each arm's best rate, and the arm that did best of all with its own.

    Equal results are put in order by the training loss, and rates of which a run diverged come
    last.
    """
    scores = outcome.of(search, search)
    order = ranked(
        scores, search.diverged, higher=outcome.higher, ties=search.columns["train_loss"]
    )
    chosen = [-1] * (len(scores) // search.rates)
    for place in order:
        arm, rate = divmod(place, search.rates)
        if chosen[arm] < 0:
            chosen[arm] = rate
    return chosen, order[0] // search.rates


def compare(
    outcomes: Sequence[Outcome], against: Sequence[int], runs: Stage, search: Stage
) -> list[Compared]:
    """Compare each arm with another one, over equal seeds, by each outcome.

    Which arms are compared was settled before these runs were trained. Holm's correction holds the
    chance of even one false difference among all comparisons of the study, of every outcome, at
    5 %.

    Args:
        outcomes: what to compare by.
        against: the number of the arm that each is compared with; −1 for none.
        runs: those that are compared.
        search: those by which rates were chosen.
    """
    others = np.array(against)
    places = np.flatnonzero(others >= 0)
    scores = [_compared(outcome, runs, search) for outcome in outcomes]
    paired = [np.full(own.shape, np.nan) for own in scores]
    for own, difference in zip(scores, paired, strict=True):
        difference[places] = own[places] - own[others[places]]
    raw = np.stack([paired_p(d, grain(own)) for own, d in zip(scores, paired, strict=True)])
    corrected = holm(raw.ravel(), len(outcomes) * len(places)).reshape(raw.shape)
    found = []
    for outcome, own, difference, p in zip(outcomes, scores, paired, corrected, strict=True):
        mean = means(difference)
        verdicts = [
            verdict_of(mean[i], p[i], outcome.higher) if others[i] >= 0 else ""
            for i in range(len(own))
        ]
        figures = [means(own), *interval(own), mean, *interval(difference)]
        if outcome.factors:
            figures = [np.exp(figure) for figure in figures]
        found.append(Compared(outcome, tuple(against), *figures, p, tuple(verdicts)))
    return found


def _compared(outcome: Outcome, runs: Stage, search: Stage) -> Array:
    """Return what is compared of each run, or its logarithm; NaN for what is not finite."""
    scores = outcome.of(runs, search)
    scores = np.log(np.maximum(scores, 1)) if outcome.factors else scores
    return np.where(np.isfinite(scores), scores, np.nan)
