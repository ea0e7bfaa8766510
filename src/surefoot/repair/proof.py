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
from surefoot.repair.lanes import Lanes, Scores
from surefoot.repair.remedies.registry import REMEDIES
from surefoot.repair.step import Candidate, applied

# As many as the lanes of a group. Where so few do not tell, more may.
_SEEDS = 4
_ROUNDS = (_SEEDS, 2 * _SEEDS, 3 * _SEEDS)
# Far from the seeds that choose by.
_FRESH, _OTHERS = 1_000_003, 2_000_003
# Less is no gain, in accuracy or R².
_LEAST = 0.02
# Two standard errors: a difference of means that chance alone makes one time in twenty.
_ERRORS = 2.0
# What is left after the proof: to train the winner, and to write it down.
_USED = 0.8
# What it may take of one whole training, where that is more than so many seconds.
_OF_TRAINING, _AT_LEAST = 1.0, 4.0


@dataclass(frozen=True)
class Proof:
    """What the proof shows.

    Attributes:
        lanes: a row for each: `lane` ("original", "no-op", "random change", "repaired"), `change`,
            `scores` of each seed, their `mean`, `diverged`, `steps`, `loss` and the measure.
        measure: of the scores, "accuracy" or "R²".
        rows: how many rows were not used for choosing.
        gain: the repaired mean over the better of original and no-op.
        spread: what the seeds make of such a difference.
        proven: whether the gain is larger.
    """

    lanes: tuple[dict[str, Any], ...]
    measure: str
    rows: int
    gain: float
    spread: float
    proven: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**vars(self), "lanes": [dict(row) for row in self.lanes]}

    def metrics(self, lane: str) -> dict[str, float]:
        """Return mean loss and measure of one lane over its seeds."""
        row = next(row for row in self.lanes if row["lane"] == lane)
        return {key: row[key] for key in ("loss", "accuracy", "rmse") if key in row}


def prove(lanes: Lanes, case: Case, winner: Candidate) -> Proof | None:
    """Train all four anew, at full length if time allows; None where it does not.

    Proven where the gain exceeds 0.02 and two standard errors, 2·√(s₁²/n₁ + s₂²/n₂) over seeds,
    with the original's seeds and the no-op's together. Where four seeds leave that open, four more
    are trained, and four more, all as long as the first.
    """
    other = random_change(case, winner, lanes.compiled)
    share = _share(lanes, case, 3 if other is None else 4)
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
        proof = _judged(known, lanes, winner, other)
        if proof.proven or proof.gain < _LEAST:
            break
    return proof


def _share(lanes: Lanes, case: Case, kinds: int) -> float:
    """Return the share of each training that there is time for: the same for all seeds."""
    chunks = math.ceil(kinds * _SEEDS / lanes.width)
    room = min(_USED * lanes.left, max(_AT_LEAST, _OF_TRAINING * case.lane_seconds))
    return min(1.0, max(0.02, room / max(chunks * lanes.chunk_seconds, 1e-6)))


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
    scores: Mapping[str, Scores], lanes: Lanes, winner: Candidate, other: Candidate | None
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
    spread = _ERRORS * _error(repaired.scores, original.scores + same.scores)
    proven = gain > max(spread, _LEAST) and repaired.diverged == 0
    measure = "R²" if lanes.measure == "rmse" else "accuracy"
    return Proof(tuple(rows), measure, lanes.rows, gain, spread, proven)


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


def _error(first: Sequence[float], second: Sequence[float]) -> float:
    return math.sqrt(sum(variance(scores) / len(scores) for scores in (first, second)))


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
