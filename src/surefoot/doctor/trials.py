"""Counterfactual trials: the same seeds, with one candidate for the root cause undone at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from optax import GradientTransformation

from surefoot.data import Dataset
from surefoot.doctor.causes import root_scores
from surefoot.doctor.diagnosis import SAID, Diagnosis, suspect
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Suspicion
from surefoot.doctor.lanes import Clock, score, without_vitals
from surefoot.engine.cohort import Cohort
from surefoot.engine.cost import estimated_seconds
from surefoot.engine.effort import Effort
from surefoot.engine.training import train
from surefoot.errors import SurefootError
from surefoot.job import Job, dataset_of, reading
from surefoot.recipe import Recipe

# A candidate is tried where the rules think it at least this likely beside the likeliest.
_NEAR, _MOST = 0.4, 4
# What a trial lasts at least, in steps, and as a share of the run.
_FEWEST_STEPS, _SHARE = 200, 0.3
# What these bring about shows at the end of a run alone.
_SHOW_LATE = frozenset({"overfitting", "too-few-epochs"})
# Less is no help, in accuracy or R²; nor is what two validation rows make of it.
_LEAST_GAIN, _ROWS = 0.02, 2
# Of a group's share of the budget, what the recipe as it is may take; the others follow it.
_FIRST_SHARE = 0.7

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Trials:
    """What was tried, and what it showed.

    Attributes:
        rows: one for each candidate, plain data, in the order of the rules: `id`; `remedy`, what
            was changed; `tried`; `measure`, "accuracy" or "R²"; `with` and `without` the change,
            over validation rows where there are any, and `train_with`, `train_without` over
            training rows: means over seeds; `gain`, of the mean; `spread`, its standard error;
            `seeds`; `steps` and `steps_without`; `diverged`; `confirmed`; `sentence`. One that was
            not tried has no numbers.
        confirmed: the finding whose removal helps most, if it clearly helps.
        sentence: what was tried and found, in one line; empty where nothing was to be decided.
    """

    rows: tuple[Row, ...]
    confirmed: str | None
    sentence: str


def candidates(diagnosis: Diagnosis, suspicions: Sequence[Suspicion]) -> tuple[Suspicion, ...]:
    """Return what may be the root cause, the likeliest first; nothing where the rules are clear.

    Those whose score as a root is at least 0.4 of the largest, at most four. Where a run does
    poorly and no rule says why, all that was faintly suspected.
    """
    if diagnosis.root_cause is None:
        return ()
    scores = root_scores(suspicions)
    ordered = sorted(suspicions, key=lambda s: -scores[s.id])
    if not any(s.strength >= SAID for s in suspicions):
        return tuple(s for s in ordered if s.remedies)[:_MOST]
    near = [s for s in ordered if scores[s.id] >= _NEAR * scores[ordered[0].id]]
    return tuple(near[:_MOST]) if len(near) > 1 else ()


def confirm(
    job: Job | Recipe,
    diagnosis: Diagnosis,
    evidence: Evidence,
    *,
    suspicions: Sequence[Suspicion] | None = None,
    load: Callable[[Recipe], Dataset] = dataset_of,
    seeds: int = 2,
    steps: int | None = None,
    budget_seconds: float = 60.0,
) -> Trials:
    """Try each candidate for the root cause: train with it undone, and as it is, for some steps.

    All seeds of the recipe as it is, and of each candidate's first remedy, are lanes; those of one
    structure are one cohort. A seed has the same first weights and batches in both. A trial lasts
    200 steps or 30 % of the run, whichever is more, in whole epochs, or the whole run where a
    candidate shows at its end alone; where that takes longer than the budget allows, as far as
    the recipe as it is gets. Accuracy, or R², is compared, since losses change with the loss.

    The candidate with the largest gain is confirmed where that exceeds its standard error over
    seeds, 0.02, and two validation rows. Of those that help as much as the best within these,
    the likeliest by the rules. A trial that diverges is no help.

    Args:
        job: what was diagnosed; of a recipe alone the rows are loaded again.
        diagnosis: what the rules make of it.
        evidence: what they read.
        suspicions: what detectors said; asked for again where nothing is given.
        load: from a recipe to its rows, for remedies that treat the data otherwise.
        seeds: how many, from the recipe's own on.
        steps: how long the recipe as it is is trained.
        budget_seconds: when to stop; what was not tried by then is told as such.
    """
    tried = candidates(diagnosis, suspect(evidence)[0] if suspicions is None else suspicions)
    if not tried:
        return Trials((), None, "")
    try:
        trial = _Trial(job, load, seeds, time.monotonic() + budget_seconds)
        rows = trial.rows(tried, steps)
    except SurefootError as error:
        return Trials((), None, f"Nothing was tried: {error}")
    chosen = _choose(rows, trial.floor)
    rows = [{**row, "confirmed": row["id"] == chosen} for row in rows]
    return Trials(tuple(rows), chosen, _sentence(rows, chosen))


def _choose(rows: Sequence[Row], floor: float) -> str | None:
    """Return the finding whose removal clearly helps most; by the rules' order where alike."""
    clear = [
        row
        for row in rows
        if row["tried"] and not row["diverged"] and row["gain"] > max(floor, row["spread"])
    ]
    if not clear:
        return None
    best = max(clear, key=lambda row: row["gain"])
    room = max(floor, best["spread"])
    return next(row["id"] for row in clear if row["gain"] >= best["gain"] - room)


def _sentence(rows: Sequence[Row], chosen: str | None) -> str:
    count = sum(row["tried"] for row in rows)
    if count == 0:
        return "No candidate for the root cause could be tried."
    names = ", ".join(row["id"] for row in rows)
    head = f"{count} of {len(rows)} candidates for the root cause were tried ({names}): "
    if chosen is None:
        return head + "none helped clearly more than the seeds differ."
    (told,) = (row["sentence"] for row in rows if row["id"] == chosen)
    return f"{head}{chosen} is confirmed. {told}"


@dataclass(frozen=True)
class _Lane:
    """A recipe to be trained over all seeds, and how long."""

    recipe: Recipe
    cohort: Cohort
    epochs: int

    @property
    def steps(self) -> int:
        return self.epochs * self.cohort.steps_per_epoch

    @property
    def key(self) -> Hashable:
        """What recipes have in common that are lanes of one cohort."""
        train_ = self.recipe.train
        shared = self.cohort.blueprint.key, train_.epochs, train_.class_weight
        return (*shared, id(self.cohort.dataset), self.epochs)


@dataclass(frozen=True)
class _Measured:
    """What a recipe reached, for each seed."""

    scores: list[float]
    train_scores: list[float]
    steps: int
    diverged: bool


class _Trial:
    """The recipe as it is, and with one thing changed, over the same seeds."""

    def __init__(
        self, job: Job | Recipe, load: Callable[[Recipe], Dataset], seeds: int, end: float
    ) -> None:
        recipe = job.recipe if isinstance(job, Job) else job
        self._base = without_vitals(recipe)
        dataset = job.dataset if isinstance(job, Job) else load(recipe)
        self._datasets: dict[Hashable, Dataset] = {reading(self._base): dataset}
        self._transformation: GradientTransformation | None = (
            job.cohort.blueprint.transformation if isinstance(job, Job) else None
        )
        self._load, self._seeds, self._end = load, seeds, end
        self._cohort = self._cohort_of([self._base])
        held_out = dataset.y_train if dataset.y_val is None else dataset.y_val
        self.floor = max(_LEAST_GAIN, _ROWS / len(held_out))

    def rows(self, tried: Sequence[Suspicion], steps: int | None) -> list[Row]:
        """Train all that can be, and return what came out for each candidate."""
        base = _Lane(self._base, self._cohort, self._length(tried, steps))
        lanes: dict[str, _Lane | str] = {s.id: self._changed(s, base.epochs) for s in tried}
        measured = self._train(base, [lane for lane in lanes.values() if isinstance(lane, _Lane)])
        rows = []
        for suspicion in tried:
            lane = lanes[suspicion.id]
            text = suspicion.remedies[0].text if suspicion.remedies else ""
            if isinstance(lane, _Lane):
                lane = self._row(measured.get(base.recipe), measured.get(lane.recipe), text)
            if isinstance(lane, str):
                lane = {"tried": False, "sentence": f"Not tried: {lane}."}
            rows.append({"id": suspicion.id, "remedy": text, **lane})
        return rows

    def _length(self, tried: Sequence[Suspicion], steps: int | None) -> int:
        """Return how many epochs the recipe as it is is trained."""
        total = self._cohort.total_steps
        if steps is None:
            late = any(s.id in _SHOW_LATE for s in tried)
            steps = total if late else max(_FEWEST_STEPS, math.ceil(_SHARE * total))
        return min(self._base.train.epochs, math.ceil(steps / self._cohort.steps_per_epoch))

    def _changed(self, suspicion: Suspicion, epochs: int) -> _Lane | str:
        """Return the recipe with a finding's first remedy applied, or why that cannot be tried."""
        remedy = suspicion.remedies[0] if suspicion.remedies else None
        if remedy is None or not remedy.edits:
            return "no edit of the recipe undoes it"
        try:
            recipe = remedy.apply(self._base)
            cohort = self._cohort_of([recipe])
        except SurefootError as error:
            return str(error)
        if cohort.measure != self._cohort.measure:
            return f"it is measured by {cohort.measure}, which cannot be compared"
        # As many passes over the rows; as many times more where the remedy is more of them.
        own = math.ceil(epochs * recipe.train.epochs / self._base.train.epochs)
        return _Lane(recipe, cohort, own)

    def _cohort_of(self, recipes: Sequence[Recipe]) -> Cohort:
        first = recipes[0]
        key = reading(first)
        if key not in self._datasets:
            self._datasets[key] = self._load(first)
        custom = first.optimizer.name == "custom"
        return Cohort(recipes, self._datasets[key], self._transformation if custom else None)

    def _train(self, base: _Lane, others: Sequence[_Lane]) -> dict[Recipe, _Measured]:
        """Train groups of one structure, the recipe as it is first, until the time is over."""
        groups: dict[Hashable, list[_Lane]] = {base.key: [base]}
        for lane in others:
            group = groups.setdefault(lane.key, [])
            if lane.recipe not in [other.recipe for other in group]:
                group.append(lane)
        measured: dict[Recipe, _Measured] = {}
        share, wanted = 1.0, base.steps
        now = time.monotonic()
        end = now + (self._end - now) * (_FIRST_SHARE if len(groups) > 1 else 1) / len(groups)
        for group in groups.values():
            steps = math.ceil(group[0].steps * share)
            found = self._train_group(group, steps, end)
            reached = max(one.steps for one in found.values())
            whole = reached >= steps or any(one.diverged for one in found.values())
            if reached == 0:
                break
            if not measured:  # the others go as far as this one got
                share = 1.0 if whole else reached / wanted
                end = self._end
            elif not whole:
                continue
            measured |= found
        return measured

    def _train_group(
        self, group: Sequence[_Lane], steps: int, end: float
    ) -> dict[Recipe, _Measured]:
        recipes = [
            lane.recipe.model_copy(update={"seed": lane.recipe.seed + i})
            for lane in group
            for i in range(self._seeds)
        ]
        cohort = self._cohort_of(recipes)
        seconds = len(recipes) * estimated_seconds(cohort) * steps / cohort.total_steps
        cohort.effort = Effort.for_seconds(seconds)
        results = train(cohort, Clock(end), until=steps)
        found = {}
        for place, lane in enumerate(group):
            own = results[place * self._seeds : (place + 1) * self._seeds]
            found[lane.recipe] = _Measured(
                [score(cohort, result, held_out=True) for result in own],
                [score(cohort, result, held_out=False) for result in own],
                max(result.steps for result in own),
                any(result.diverged is not None for result in own),
            )
        return found

    def _row(
        self, before: _Measured | None, after: _Measured | None, text: str
    ) -> dict[str, Any] | str:
        if before is None or after is None:
            return "the time was over"
        gains = [a - b for a, b in zip(after.scores, before.scores, strict=True)]
        gain = min(fmean(gains), 0.0) if after.diverged else fmean(gains)
        spread = stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else 0.0
        row = {
            "tried": True,
            "measure": "R²" if self._cohort.measure == "rmse" else "accuracy",
            "with": round(fmean(after.scores), 6),
            "without": round(fmean(before.scores), 6),
            "train_with": round(fmean(after.train_scores), 6),
            "train_without": round(fmean(before.train_scores), 6),
            "gain": round(gain, 6),
            "spread": round(spread, 6),
            "seeds": self._seeds,
            "steps": after.steps,
            "steps_without": before.steps,
            "diverged": after.diverged,
        }
        return {**row, "sentence": _told(row, text)}


def _told(row: Row, text: str) -> str:
    percent = row["measure"] == "accuracy"
    after, before = (f"{row[k]:.1%}" if percent else f"{row[k]:.3f}" for k in ("with", "without"))
    longer = "" if row["steps"] == row["steps_without"] else f" after {row['steps_without']:,}"
    seeds = f"{row['seeds']} seed{'s' if row['seeds'] > 1 else ''}"
    told = (
        f"Tried: with this one thing changed ({text}), {row['measure']} after {row['steps']:,} "
        f"steps is {after} instead of {before}{longer}, over {seeds}."
    )
    return told + (" It diverged, so it counts as no help." if row["diverged"] else "")
