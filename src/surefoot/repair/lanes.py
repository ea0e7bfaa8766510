"""Recipes trained over seeds, as lanes of as few programs as can be."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import fmean

from surefoot.data import Dataset
from surefoot.doctor.lanes import Clock, score, without_vitals
from surefoot.engine.cohort import Cohort
from surefoot.engine.cost import estimated_seconds
from surefoot.engine.effort import Effort
from surefoot.engine.training import LaneResult, Training, train
from surefoot.engine.width import group_width
from surefoot.errors import SurefootError
from surefoot.job import dataset_of, reading
from surefoot.recipe import Recipe
from surefoot.repair.halves import halves

# Lanes that are trained at once, before it is asked again whether time is left: with so many
# seconds a lane at most, so many lanes; but no fewer than the lanes of a group, of which the
# smallest nets' take hardly longer than one of them alone.
_WIDTHS = ((0.6, 8), (5.0, 4))
_FEWEST = 2
# Lanes of a program at most: its number of lanes is a part of it, so all trainings of a structure
# take as many; and a program is paid for whole, where a recipe has three seeds.
_MOST = 4
# How often a program is used, about: for the first seed, for others, and to prove.
_AGAIN = 2
# Programs are compiled side by side.
_THREADS = 2
# Of trainings that take long a part is tried and proven: as much as takes half as long as one whole
# training, or so many seconds; who waits a minute for a training does not want to wait ten for its
# repair. But after fewer steps nothing is known of most recipes; nor of a smaller share.
_OF_TRAINING, _AT_LEAST = 0.5, 2.4
_LEAST_STEPS, _LEAST_SHARE = 300, 0.02


@dataclass(frozen=True)
class Scores:
    """What a recipe reached, for each seed.

    Attributes:
        scores: accuracy, or R² (no less than −1).
        losses: the recipe's own loss.
        measures: accuracy, or rmse in the target's units.
        failed: whether it diverged.
        steps: the most that a seed took.
        whole: whether all was trained that was asked for.
    """

    scores: tuple[float, ...]
    losses: tuple[float, ...]
    measures: tuple[float, ...]
    failed: tuple[bool, ...]
    steps: int
    whole: bool

    @property
    def mean(self) -> float:
        """The mean score over seeds."""
        return fmean(self.scores)

    @property
    def diverged(self) -> int:
        """How many seeds diverged."""
        return sum(self.failed)

    def joined(self, other: Scores) -> Scores:
        """Return what these seeds and others reached."""
        return Scores(
            self.scores + other.scores,
            self.losses + other.losses,
            self.measures + other.measures,
            self.failed + other.failed,
            max(self.steps, other.steps),
            self.whole and other.whole,
        )

    def part(self, first: int, end: int) -> Scores:
        """Return what some of the seeds reached, from ``first`` to before ``end``."""
        cut = slice(first, end)
        return replace(
            self,
            scores=self.scores[cut],
            losses=self.losses[cut],
            measures=self.measures[cut],
            failed=self.failed[cut],
        )


@dataclass(frozen=True)
class _Entry:
    """One recipe with one seed."""

    asked: Recipe
    recipe: Recipe


class Lanes:
    """Trains recipes on the rows of one, and scores them on one half of the validation rows.

    Args:
        base: the recipe whose rows these are; complete.
        dataset: its rows.

    Attributes:
        lane_seconds: what training one lane of it takes, as long as nothing better is known by a
            rule of its layers.
        steps: of the recipe's whole training.
        width: lanes that are trained at once, before it is asked again whether time is left.
        end: when to stop, on the clock of `time.monotonic`; never, as long as nothing is said.
    """

    def __init__(self, base: Recipe, dataset: Dataset) -> None:
        self.end = math.inf
        self._lock = threading.Lock()
        self._halves: dict[Hashable, tuple[Dataset, Dataset]] = {reading(base): halves(dataset)}
        cohort = self._cohort([without_vitals(base)], 0)
        self.lane_seconds = estimated_seconds(cohort)
        self.steps = cohort.total_steps
        # By the rule, not by the clock: it is a part of the programs that are compiled.
        self._in_time = next((w for most, w in _WIDTHS if self.lane_seconds < most), _FEWEST)
        self.width = max(self._in_time, min(_MOST, group_width(cohort)))
        self.measure = cohort.measure
        self.rows = len(self._halves[reading(base)][0].x_val)  # type: ignore[arg-type]
        self.trained = 0
        self._efforts: dict[Hashable, Effort] = {}
        self._planned = threading.Event()
        self._planned.set()
        self._ahead: dict[Hashable, threading.Event] = {}

    @property
    def chunk_seconds(self) -> float:
        """How many seconds as many lanes as are trained at once take."""
        return self.lane_seconds * self._in_time / 2

    @property
    def left(self) -> float:
        """How many seconds are left."""
        return self.end - time.monotonic()

    def compile_ahead(self, recipes: Iterable[Recipe], share: float, pool: Executor) -> None:
        """Begin to compile what will train these, of each structure once.

        What cannot be trained is left out. `train` waits for what it needs of it, and no longer.

        Args:
            recipes: what will be trained.
            share: of each recipe's epochs.
            pool: where to.
        """
        self._planned.clear()
        pool.submit(self._compile, list(recipes), share)

    def _compile(self, recipes: Iterable[Recipe], share: float) -> None:
        planned: dict[Hashable, _Entry] = {}
        try:
            for recipe in recipes:
                key = self._key(recipe)
                if key is not None and key[0] not in self._efforts:
                    planned[key[0]] = entry = _Entry(recipe, without_vitals(recipe))
                    self._efforts[key[0]] = self._effort([entry], share)
                    self._ahead[key[0]] = threading.Event()
            self._planned.set()
            for structure, entry in planned.items():
                if time.monotonic() > self.end:
                    break
                cohort, group = self._group([entry])
                Training(cohort, width=group)
                self._ahead[structure].set()
        finally:  # where something cannot be compiled, who trains it says so
            for done in (self._planned, *self._ahead.values()):
                done.set()

    def train(
        self,
        wanted: Mapping[Recipe, Sequence[int]],
        *,
        proving: bool = False,
        share: float = 1.0,
        reserve: float = 0.0,
    ) -> dict[Recipe, Scores]:
        """Train each recipe with its seeds; leave out those that cannot be trained.

        Weights are always chosen by the first half, where early stopping watches; what is scored
        is the first half, or the other one.

        Args:
            wanted: what to train, and the seeds of each, which are added to its own.
            proving: whether the half to prove on is scored.
            share: of each recipe's epochs.
            reserve: how many seconds are to be left afterwards.

        Returns:
            of each recipe what it reached, where time was left for it.
        """
        self._planned.wait()
        groups: dict[tuple[Hashable, ...], list[_Entry]] = {}
        for recipe, seeds in wanted.items():
            key = self._key(recipe)
            if key is not None:
                own = without_vitals(recipe)
                groups.setdefault(key, []).extend(
                    _Entry(recipe, _seeded(own, recipe.seed + seed)) for seed in seeds
                )
        self.trained += sum(map(len, groups.values()))
        parts: list[tuple[Hashable, Sequence[_Entry]]] = []
        for (structure, *_), entries in groups.items():
            if structure in self._efforts:  # compiled before: side by side as far as cores go
                cuts = range(0, len(entries), self.width)
                parts += [(structure, entries[i : i + self.width]) for i in cuts]
            else:
                self._efforts[structure] = self._effort(entries, share)
                parts.append((structure, entries))
        # Who waits for what is being compiled ahead comes last: others compile meanwhile.
        parts.sort(key=lambda part: not self._ahead.get(part[0], self._planned).is_set())
        found: dict[Recipe, list[tuple[float, LaneResult, bool]]] = {}
        with ThreadPoolExecutor(_THREADS) as pool:
            work = [
                pool.submit(self._train, *part, proving, share, self.end - reserve)
                for part in parts
            ]
            for done in work:
                for recipe, *result in done.result():
                    found.setdefault(recipe, []).append(tuple(result))
        return {
            recipe: _scores(results)
            for recipe, results in found.items()
            if len(results) == len(wanted[recipe])
        }

    def at_once(self, recipes: Iterable[Recipe], seeds: int) -> dict[Recipe, int]:
        """Return how many of so many seeds of each recipe fit into one group, beside others' alike.

        Groups are always full: so many take as long as one.
        """
        alike: dict[Hashable, list[Recipe]] = {}
        for recipe in recipes:
            key = self._key(recipe)
            if key is not None:
                alike.setdefault(key, []).append(recipe)
        fitting: dict[Recipe, int] = {}
        for same in alike.values():
            group = self._group_of(self._cohort([without_vitals(same[0])], 0))
            fitting |= dict.fromkeys(same, max(1, min(seeds, group // len(same))))
        return fitting

    def compiled(self, recipe: Recipe) -> bool:
        """Return whether recipes of this structure were trained before."""
        key = self._key(recipe)
        return key is not None and key[0] in self._efforts

    def _key(self, recipe: Recipe) -> tuple[Hashable, ...] | None:
        """Return what lanes of one cohort have in common; None for what cannot be trained."""
        try:
            cohort = self._cohort([without_vitals(recipe)], 0)
        except SurefootError:
            return None
        if cohort.measure != self.measure:
            return None
        train_ = recipe.train
        return (cohort.blueprint.key, train_.epochs, train_.class_weight, id(cohort.dataset))

    def _cohort(self, recipes: Sequence[Recipe], half: int) -> Cohort:
        key = reading(recipes[0])
        with self._lock:
            if key not in self._halves:
                self._halves[key] = halves(dataset_of(recipes[0]))
        # Where all have one seed, sharing their batches would be another program.
        return Cohort(recipes, self._halves[key][half], share_batches=False)

    def _group_of(self, cohort: Cohort) -> int:
        return min(_MOST, self.width, group_width(cohort))

    def _effort(self, entries: Sequence[_Entry], share: float) -> Effort:
        """Return how hard to compile what trains these, and about as many to their end later."""
        cohort = self._cohort([entries[0].recipe], 0)
        group = self._group_of(cohort)
        lanes = _AGAIN * group * math.ceil(len(entries) / group)
        seconds = lanes * estimated_seconds(cohort)
        # What is tried in part is proven as a whole: the least is for what is short as a whole.
        tried = max(Effort.LITTLE, Effort.for_seconds(share * seconds))
        return min(Effort.for_seconds(seconds), tried)

    def _group(self, entries: Sequence[_Entry]) -> tuple[Cohort, int]:
        """Return a cohort of full groups, and the lanes of a group."""
        group = self._group_of(self._cohort([entries[0].recipe], 0))
        last = entries[-1].recipe
        filled = [entry.recipe for entry in entries]
        spare = -len(entries) % group
        filled += [_seeded(last, last.seed + 7919 * (i + 1)) for i in range(spare)]
        cohort = self._cohort(filled, 0)
        cohort.effort = self._efforts[cohort.blueprint.key]
        return cohort, group

    def _train(
        self,
        structure: Hashable,
        entries: Sequence[_Entry],
        proving: bool,
        share: float,
        end: float,
    ) -> Iterator[tuple[Recipe, float, LaneResult, bool]]:
        found = []
        self._ahead.get(structure, self._planned).wait()
        for first in range(0, len(entries), self.width):
            part = entries[first : first + self.width]
            if time.monotonic() > end:
                break
            cohort, group = self._group(part)
            steps = max(1, math.ceil(share * cohort.total_steps))
            results = train(cohort, Clock(end), until=steps, width=group)
            reached = [result.steps for result in results]
            whole = [
                n >= steps or result.ended in ("early", "diverged")
                for n, result in zip(reached, results, strict=True)
            ]
            if proving:
                cohort = self._cohort(cohort.recipes, 1)
                cohort.effort = self._efforts[cohort.blueprint.key]
                results = _measured(cohort, results, group)
            found += [
                (entry.asked, score(cohort, result, held_out=True), result, complete)
                for entry, result, complete in zip(part, results, whole, strict=False)
            ]
        return iter(found)


def share_in_time(lanes: Lanes, chunks: float, most: float) -> float:
    """Return the share of each training that there is time for.

    Args:
        lanes: what trains.
        chunks: how often as many lanes are trained as are at once.
        most: seconds that all may take.
    """
    whole = max(chunks * lanes.chunk_seconds, 1e-6)
    telling = min(1.0, _LEAST_STEPS / lanes.steps) * whole
    wanted = max(_AT_LEAST, _OF_TRAINING * lanes.lane_seconds, telling)
    return min(1.0, max(_LEAST_SHARE, min(most, wanted) / whole))


def _seeded(recipe: Recipe, seed: int) -> Recipe:
    return recipe.model_copy(update={"seed": seed % 2**32})


def _measured(cohort: Cohort, results: Sequence[LaneResult], width: int) -> list[LaneResult]:
    """Measure kept weights on a cohort's validation rows: training of no step, already compiled."""
    start = [r.last._replace(params=r.params, state=r.state) for r in results]
    measured = train(cohort, start=start, until=0, width=width)
    return [
        replace(old, validation=new.validation) for old, new in zip(results, measured, strict=True)
    ]


def _scores(results: Sequence[tuple[float, LaneResult, bool]]) -> Scores:
    validations = [result.validation or (math.nan, math.nan) for _, result, _ in results]
    return Scores(
        tuple(value for value, _, _ in results),
        tuple(loss for loss, _ in validations),
        tuple(measure for _, measure in validations),
        tuple(result.diverged is not None for _, result, _ in results),
        max(result.steps for _, result, _ in results),
        all(whole for *_, whole in results),
    )
