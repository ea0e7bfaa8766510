"""The proof: the winner beside the recipe as it was, on seeds and rows not used for choosing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, variance
from typing import Any

from surefoot.errors import SurefootError
from surefoot.recipe import Recipe, dumps
from surefoot.repair.case import Case
from surefoot.repair.lanes import Lanes, Scores, share_in_time
from surefoot.repair.remedies.registry import REMEDIES
from surefoot.repair.step import Candidate, applied

# As many as the lanes of a group. Where so few do not tell, more may.
_SEEDS = 4
_ROUNDS = (_SEEDS, 2 * _SEEDS, 3 * _SEEDS)
# Far from the seeds that choose by.
_FRESH, _OTHERS = 1_000_003, 2_000_003
# Less is no gain, in accuracy or R².
_LEAST = 0.02
# How often chance alone may prove a recipe that is no better: with half of it the first that is
# proven, with half of what is left the next, and so on.
_CHANCE = 0.05
# What is left after the proof: to train the winner, and to write it down.
_USED = 0.8


@dataclass(frozen=True)
class Proof:
    """What the proof shows.

    Attributes:
        lanes: a row for each: `lane` ("original", "no-op", "random change", "repaired"), `change`,
            `scores` of each seed, their `mean`, `diverged`, `steps`, `loss` and the measure.
        measure: of the scores, "accuracy" or "R²".
        rows: how many rows were not used for choosing.
        share: of each training that there was time for.
        gain: the repaired mean over the better of original and no-op.
        spread: the gain that chance makes of such seeds.
        proven: whether the gain is larger, and the recipe more than a guess.
    """

    lanes: tuple[dict[str, Any], ...]
    measure: str
    rows: int
    share: float
    gain: float
    spread: float
    proven: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**vars(self), "lanes": [dict(row) for row in self.lanes]}

    def mean(self, lane: str) -> float:
        """Return the mean score of one lane over its seeds."""
        return float(self._row(lane)["mean"])

    def metrics(self, lane: str) -> dict[str, float]:
        """Return mean loss and measure of one lane over its seeds."""
        row = self._row(lane)
        return {key: row[key] for key in ("loss", "accuracy", "rmse") if key in row}

    def _row(self, lane: str) -> dict[str, Any]:
        return next(row for row in self.lanes if row["lane"] == lane)


def prove(lanes: Lanes, case: Case, winner: Candidate, earlier: int = 0) -> Proof | None:
    """Train all four anew, at full length if time allows; None where it does not.

    Proven where the gain exceeds 0.02 and what chance makes, by Welch's one-sided t-test over
    seeds, with the original's seeds and the no-op's together: t·√(s₁²/n₁ + s₂²/n₂). Where four
    seeds leave that open, four more are trained, and four more, all as long as the first. Of the
    one time in twenty that chance may pass in all proofs of a repair, this one has its share, and
    each of its three looks a third (Bonferroni). What scores no more than always guessing the same
    is no repair.

    Args:
        lanes: what trains.
        case: what is repaired.
        winner: the recipe to prove.
        earlier: how many were proven before, and failed.
    """
    level = _CHANCE / 2 ** (earlier + 1) / len(_ROUNDS)
    other = random_change(case, winner, lanes.compiled)
    kinds = 3 if other is None else 4
    share = share_in_time(lanes, math.ceil(kinds * _SEEDS / lanes.width), _USED * lanes.left)
    proof = None
    known: dict[str, Scores] = {}
    for first, end in pairwise((0, *_ROUNDS)):
        found = _trained(lanes, case, winner, other, range(first, end), share)
        if found is None:
            break
        known = {
            lane: known[lane].joined(own) if known else own
            for lane, own in found.items()
            if not known or lane in known
        }
        proof = _judged(known, lanes, case, winner, other, level, share)
        if not _LEAST < proof.gain <= proof.spread:  # it is clear, either way
            break
    return proof


def _trained(
    lanes: Lanes,
    case: Case,
    winner: Candidate,
    other: Candidate | None,
    seeds: range,
    share: float,
) -> dict[str, Scores] | None:
    """Train all with some more seeds; None where the time was over before."""
    new = len(seeds)
    fresh = [_FRESH + i for i in seeds]
    own = [_OTHERS + i for i in seeds]
    wanted = {case.base: [*fresh, *own], winner.recipe: fresh}
    if other is not None:
        wanted[other.recipe] = fresh
    found = lanes.train(wanted, proving=True, share=share)
    if not {case.base, winner.recipe} <= set(found):
        return None
    both = found[case.base]
    scores = {"original": both.part(0, new), "no-op": both.part(new, 2 * new)}
    if other is not None and other.recipe in found:
        scores["random change"] = found[other.recipe]
    return {**scores, "repaired": found[winner.recipe]}


def _judged(
    scores: Mapping[str, Scores],
    lanes: Lanes,
    case: Case,
    winner: Candidate,
    other: Candidate | None,
    level: float,
    share: float,
) -> Proof:
    changes = {
        "original": "",
        "no-op": "other seeds",
        "random change": "" if other is None else "; ".join(other.texts),
        "repaired": "; ".join(winner.texts),
    }
    rows = [_row(lane, changes[lane], own, lanes.measure) for lane, own in scores.items()]
    repaired, original, same = scores["repaired"], scores["original"], scores["no-op"]
    gain = repaired.mean - max(original.mean, same.mean)
    spread = chance_gain(repaired.scores, original.scores + same.scores, level)
    guessed = repaired.mean <= case.guess + _LEAST
    proven = gain > max(spread, _LEAST) and repaired.diverged == 0 and not guessed
    measure = "R²" if lanes.measure == "rmse" else "accuracy"
    return Proof(tuple(rows), measure, lanes.rows, share, gain, spread, proven)


def random_change(
    case: Case, winner: Candidate, compiled: Callable[[Recipe], bool]
) -> Candidate | None:
    """Return one change drawn at random from the registry, which is not the winner's.

    Args:
        case: what is repaired.
        winner: what it will be compared with.
        compiled: whether a recipe needs no program of its own: such changes come first, as the
            proof would mostly wait for the others.
    """
    rng = random.Random(dumps(case.base))  # another one for each recipe, the same each time
    order = rng.sample(list(REMEDIES.values()), len(REMEDIES))
    found = None
    for step in order:
        try:
            candidate = applied(case.base, [step], case.about)
        except SurefootError:
            continue
        if candidate.steps and candidate.recipe != winner.recipe and _as_long(case, candidate):
            if compiled(candidate.recipe):
                return candidate
            found = found or candidate
    return found


def _as_long(case: Case, candidate: Candidate) -> bool:
    """Whether it takes about as long: three times the epochs are no fair comparison."""
    return candidate.recipe.train.epochs == case.base.train.epochs


def chance_gain(first: Sequence[float], second: Sequence[float], level: float) -> float:
    """Return what two means differ by where chance alone makes so much in a share of cases.

    t·√(s₁²/n₁ + s₂²/n₂), with t of the degrees of freedom of Welch (1947), one-sided.

    Args:
        first: scores of one recipe, one for each seed; two or more.
        second: of the other.
        level: the share of cases.

    >>> round(chance_gain((0.8, 0.9, 1.0), (0.1, 0.2, 0.3), 0.05), 4)
    0.1741
    """
    from scipy.special import stdtrit  # which takes a tenth of a second to load

    errors = [variance(scores) / len(scores) for scores in (first, second)]
    if not sum(errors):
        return 0.0
    freedom = sum(errors) ** 2 / sum(
        error**2 / (len(scores) - 1) for error, scores in zip(errors, (first, second), strict=True)
    )
    return float(stdtrit(freedom, 1 - level)) * math.sqrt(sum(errors))


def _row(lane: str, change: str, scores: Scores, measure: str) -> dict[str, Any]:
    return {
        "lane": lane,
        "change": change,
        "scores": list(scores.scores),
        "mean": scores.mean,
        "diverged": scores.diverged,
        "steps": scores.steps,
        "loss": fmean(scores.losses),
        measure: fmean(scores.measures),
    }
