"""Successive halving: after a share of the epochs the better settings go on, the others do not."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.engine.result import LaneResult
from surefoot.engine.training import Training
from surefoot.errors import RecipeError
from surefoot.recipe.section import is_real, is_whole
from surefoot.study.conclusions import ranked
from surefoot.study.plan import Group, Plan
from surefoot.study.progress import Progress
from surefoot.study.report import Scale
from surefoot.study.running import Columns, cohort_of, rows
from surefoot.study.space import Setting

# Those that are trained to the end have to be two, to be compared.
_FEWEST = 2


@dataclass(frozen=True)
class Halving:
    """When settings are dropped, and how many (Jamieson and Talwalkar, 2016).

    Attributes:
        eta: of so many settings one goes on; the epochs until the next choice are as many times
            more.
        share: of all epochs, the fewest before the first choice.
    """

    eta: int = 3
    share: float = 0.1

    @classmethod
    def read(cls, given: Any) -> Halving | None:
        """Return it from what a study's file says: ``true``, or a table with these keys.

        Raises:
            RecipeError: something else was given.

        >>> Halving.read({"eta": 2}), Halving.read(False)
        (Halving(eta=2, share=0.1), None)
        """
        if isinstance(given, Halving) or given is None or given is False:
            return given or None
        if given is not True and not isinstance(given, Mapping):
            raise RecipeError(
                f"halving = {given!r}: must be true, or a table such as {{eta = 3, share = 0.1}}"
            )
        table = {} if given is True else dict(given)
        unknown = set(table) - {"eta", "share"}
        if unknown:
            raise RecipeError(f"halving: unknown key {min(unknown)!r} (allowed: eta, share)")
        found = cls(**table)
        if not (is_whole(found.eta) and found.eta in (2, 3)):
            raise RecipeError(f"halving: eta = {found.eta!r}: must be 2 or 3")
        if not (is_real(found.share) and 0 < found.share < 1):
            raise RecipeError(f"halving: share = {found.share!r}: must be between 0 and 1")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands for it in a study's file."""
        return {"eta": self.eta, "share": self.share}

    def rungs(self, epochs: int, settings: int) -> list[tuple[int, int]]:
        """Return after which epochs settings are chosen, and how many go on; at least two do.

        >>> Halving(eta=3, share=0.1).rungs(epochs=27, settings=30)
        [(3, 10), (9, 4)]
        """
        found: list[int] = []
        before, epoch = epochs, ceil(epochs / self.eta)
        while self.share * epochs <= epoch < before:
            found.insert(0, epoch)
            before, epoch = epoch, ceil(epoch / self.eta)
        counts = [settings]
        for _ in found:
            counts.append(min(counts[-1], max(_FEWEST, ceil(counts[-1] / self.eta))))
        return list(zip(found, counts[1:], strict=True))

    def work(self, epochs: int, settings: int) -> float:
        """Return the share of all steps that is taken.

        >>> round(Halving(eta=3, share=0.1).work(epochs=27, settings=30), 3)
        0.274
        """
        rungs = [(0, settings), *self.rungs(epochs, settings), (epochs, 0)]
        steps = sum(count * (after - at) for (at, count), (after, _) in pairwise(rungs))
        return steps / (epochs * settings)


@dataclass
class _Side:
    """A group's lanes while they train beside those of other groups."""

    group: Group
    training: Training
    going: NDArray[np.bool_]
    seconds: NDArray[np.float64]
    epochs: int = 0

    def advance(self, epoch: int, progress: Progress) -> None:
        """Train the lanes that are left until an epoch is complete."""
        count, steps = int(self.going.sum()), self.group.steps
        if not count:
            return
        of_all = self.group.lanes[0].recipe.train.epochs
        share = (epoch - self.epochs) / of_all
        progress.begin(
            self.group,
            share * self.group.seconds(count),
            steps * self.epochs // of_all,
            steps * epoch // of_all,
        )
        self.training.advance(epoch)
        self.seconds[self.going] += progress.end(0.0) / count
        self.epochs = epoch


def run_halved(
    plan: Plan,
    settings: Sequence[Setting],
    rungs: Sequence[tuple[int, int]],
    scale: Scale,
    progress: Progress,
    *,
    passed: int = 0,
    never: Collection[int] = (),
) -> Iterator[Columns]:
    """Train all groups side by side; yield rows of the runs that are dropped, then of the others.

    All seeds of a setting go on, or none. Settings are ranked as at a study's end: by their mean
    over seeds, those of which a run diverged last. A lane that goes on does not notice that others
    are gone, so that it ends with the bits that it has without halving.

    Args:
        plan: what to train.
        settings: those of the plan.
        rungs: after which epochs settings are chosen, and how many go on.
        scale: what they are chosen by.
        progress: told of the training.
        passed: the epoch of the last choice that was made before the study was interrupted.
        never: numbers of settings that are not dropped: a baseline.
    """
    sides = [_begin(group, progress) for group in plan.groups]
    if not sides:
        return
    for epoch, count in rungs:
        if epoch <= passed:
            continue
        for side in sides:
            side.advance(epoch, progress)
        results = [side.training.results() for side in sides]
        kept = _chosen(sides, results, count, scale, plan.measure) | set(never)
        gone = [_drop(side, kept) for side in sides]
        parts = [
            _rows(side, settings, own, mask, plan.measure, epoch)
            for side, own, mask in zip(sides, results, gone, strict=True)
            if mask.any()
        ]
        if parts:
            # As one table: a choice is on disk as a whole, or is made again.
            yield {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            progress.told(sum(int(mask.sum()) for mask in gone))
    for side in sides:
        side.advance(side.group.lanes[0].recipe.train.epochs, progress)
        left = side.going.copy()
        if left.any():
            yield _rows(side, settings, side.training.results(), left, plan.measure, -1)
            progress.told(int(left.sum()))


def _begin(group: Group, progress: Progress) -> _Side:
    started = time.perf_counter()
    cohort = cohort_of(group, [lane.recipe for lane in group.lanes])
    training = Training(cohort, progress, width=group.width)
    progress.compiled(group, cohort.compile_seconds)
    lanes = len(group.lanes)
    placed = time.perf_counter() - started - cohort.compile_seconds
    return _Side(group, training, np.ones(lanes, bool), np.full(lanes, placed / lanes))


def _chosen(
    sides: Sequence[_Side],
    results: Sequence[Sequence[LaneResult]],
    count: int,
    scale: Scale,
    measure: str,
) -> set[int]:
    """Return the settings that go on."""
    part = scale.column.partition("_")[0]
    found: dict[int, list[tuple[float, float, bool]]] = {}
    for side, own in zip(sides, results, strict=True):
        for lane, result, going in zip(side.group.lanes, own, side.going, strict=True):
            if going:
                loss, score = (
                    result.train if part == "train" else result.validation or (np.nan,) * 2
                )
                diverged = result.diverged is not None
                found.setdefault(lane.setting, []).append((score, loss, diverged))
    numbers = sorted(found)
    table = np.array([found[number] for number in numbers], np.float64)
    scores, losses, diverged = np.moveaxis(table, -1, 0)
    order = ranked(scores, diverged > 0, higher=scale.higher, ties=losses)
    return {numbers[place] for place in order[:count]}


def _drop(side: _Side, kept: Collection[int]) -> NDArray[np.bool_]:
    """Drop the lanes of other settings; return which they are."""
    own = np.array([lane.setting not in kept for lane in side.group.lanes])
    gone = own & side.going
    side.going &= ~gone
    if gone.any():
        side.training.drop(gone)
    return gone


def _rows(
    side: _Side,
    settings: Sequence[Setting],
    results: Sequence[LaneResult],
    mask: NDArray[np.bool_],
    measure: str,
    dropped: int,
) -> Columns:
    places = np.flatnonzero(mask)
    lanes = [side.group.lanes[place] for place in places]
    table = rows(
        settings,
        lanes,
        [results[place] for place in places],
        measure,
        side.seconds[places],
        dropped,
    )
    if dropped < 0:
        return table
    ended = np.where(table["ended"] == "finished", "dropped", table["ended"])
    return {**table, "ended": ended.astype(object)}
