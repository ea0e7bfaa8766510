"""The search: changes alone, together, and on top of each other, until one is good enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from surefoot.doctor.finding import Remedy
from surefoot.errors import SurefootError
from surefoot.recipe import Recipe
from surefoot.repair.case import Case
from surefoot.repair.lanes import Lanes, Scores
from surefoot.repair.remedies.registry import GENERAL, REMEDIES, THOROUGH
from surefoot.repair.step import Candidate, Step, applied, stated

# Less is no gain, in accuracy or R²; nor is one validation row.
_LEAST_GAIN = 0.02
# Remedies of findings that are tried; and changes tried at once on top of the best.
_MOST_STATED, _MOST_ROUNDS = 5, 2
# Changes of numbers alone: they are lanes of the program that the recipe has already.
_NUMBERS = (
    "rate-down",
    "rate-up",
    "weights",
    "inputs",
    "targets",
    "rate-far-down",
    "rate-far-up",
    "epochs",
    "stopping",
)
# What a round of the search may take of the budget, with so many recipes; and what must be left
# to prove.
_ROUND, _TYPICAL, _TO_PROVE = 0.25, 6, 0.35
_ON_TOP = "on top of the best"
# From so many times shorter trials the best go on.
_LONGER, _FEW_LEFT = 3.0, 3


@dataclass
class Table:
    """What was tried, and what came out.

    Attributes:
        lanes: what trains.
        case: what is repaired.
        seeds: of all trials.
        share: of each recipe's epochs.
        reserve: seconds that are kept for the proof.
        scores: of each recipe that was tried.
        candidates: of each, how it was made.
    """

    lanes: Lanes
    case: Case
    seeds: Sequence[int]
    share: float
    reserve: float
    scores: dict[Recipe, Scores] = field(default_factory=dict)
    candidates: dict[Recipe, Candidate] = field(default_factory=dict)

    @property
    def room(self) -> float:
        """What two scores may differ by and still be alike."""
        return max(_LEAST_GAIN, 1 / self.lanes.rows)

    @property
    def enough(self) -> float:
        """The score from which on nothing more is sought."""
        goal = self.case.goal
        return math.inf if math.isnan(goal) else min(goal, 1 - self.room / 2)

    def score(self, candidate: Candidate) -> float:
        """Return a candidate's mean score; one of which a seed diverged has none."""
        scores = self.scores.get(candidate.recipe)
        return -math.inf if scores is None or scores.diverged else scores.mean

    @property
    def before(self) -> float:
        """The mean score of the recipe as it is; divergence costs it nothing more."""
        scores = self.scores.get(self.case.base)
        return scores.mean if scores else -math.inf

    def try_all(self, candidates: Iterable[Candidate]) -> None:
        """Train those that were not trained yet."""
        new = {c.recipe: c for c in candidates if c.recipe not in self.scores}
        wanted = dict.fromkeys(new, self.seeds)
        found = self.lanes.train(wanted, share=self.share, reserve=self.reserve)
        self.scores |= {recipe: scores for recipe, scores in found.items() if scores.whole}
        self.candidates |= {recipe: new[recipe] for recipe in self.scores if recipe in new}

    def best(self) -> Candidate:
        """Return the fewest changes that are as good as any, or good enough."""
        tried = list(self.candidates.values())
        top = max(self.score(c) for c in tried)
        near = [c for c in tried if self.score(c) >= min(top - self.room, self.enough)]
        near = [c for c in near if self.score(c) >= top - 2 * self.room]
        return min(near, key=lambda c: (len(c.steps), -self.score(c)))

    @property
    def reached(self) -> bool:
        """Whether something is good enough."""
        return any(self.score(c) >= self.enough for c in self.candidates.values())

    @property
    def helped(self) -> bool:
        """Whether the best is better than the recipe as it is, as far as both were trained."""
        if self.case.base not in self.scores:
            return False
        return self.score(self.best()) > self.before + self.room


def search(lanes: Lanes, case: Case, budget: float, tell: Callable[[str], None]) -> Table:
    """Try what may help; stop as soon as something is as good as simple methods.

    First what the findings propose, alone and together; then changes of numbers, which need no
    new program, and a thorough clean-up; then changes of structure; then changes on top of the
    best so far. Where training takes long, trials are shorter, and the best of them are trained
    longer at the end.
    """
    seeds = range(3) if lanes.width > 2 else range(2)
    round_seconds = lanes.chunk_seconds * _TYPICAL * len(seeds) / lanes.width
    share = min(1.0, max(0.02, _ROUND * budget / max(round_seconds, 1e-6)))
    table = Table(lanes, case, seeds, share, _TO_PROVE * budget)
    last = None
    for name, candidates in _rounds(table):
        made = [c for c in candidates if c.steps and c.recipe not in table.scores]
        if not made:
            continue
        tell(f"{name}: trying {len({c.recipe for c in made})} recipes…")
        table.try_all([_made(case, []), *made])
        if not table.scores:
            break
        best = table.best()
        tell(
            f"  {'; '.join(best.texts) or 'as it is'}: {table.score(best):.3f} instead of "
            f"{table.before:.3f}; simple methods less a little: {case.goal:.3f}"
        )
        if table.reached or lanes.left < table.reserve or (name == _ON_TOP and best == last):
            break
        last = best
    return _longer(table) if share < 1 else table


def _rounds(table: Table) -> Iterator[tuple[str, list[Candidate]]]:
    case = table.case
    own = _stated(case)
    thorough = [REMEDIES[name] for name in THOROUGH]
    if own:
        together = [_made(case, own)] if len(own) > 1 else []
        yield "what the findings propose", [*(_made(case, [s]) for s in own), *together]
    numbers = [_made(case, [REMEDIES[name]]) for name in _NUMBERS]
    yield "other numbers, and a clean-up", [*numbers, _made(case, thorough)]
    others = [_made(case, [REMEDIES[name]]) for name in GENERAL if name not in _NUMBERS]
    more = [_made(case, [*thorough, REMEDIES[name]]) for name in ("normalization", "net")]
    yield "other structures", [*others, *more]
    for _ in range(_MOST_ROUNDS):
        base = table.best()
        more = [*own, *(REMEDIES[name] for name in GENERAL)]
        yield (
            _ON_TOP,
            [_made(case, [*base.steps, step]) for step in more if step not in base.steps],
        )


def _longer(table: Table) -> Table:
    """Train the best of short trials longer, beside the recipe as it is."""
    share = min(1.0, table.share * _LONGER)
    longer = replace(table, share=share, scores={}, candidates={})
    ordered = sorted(table.candidates.values(), key=table.score, reverse=True)
    asis = _made(table.case, [])
    longer.try_all([asis, *(c for c in ordered if c.steps)][: _FEW_LEFT + 1])
    return longer if table.case.base in longer.scores and len(longer.scores) > 1 else table


def _made(case: Case, steps: Sequence[Step]) -> Candidate:
    """Apply changes; one that does not fit is left out."""
    try:
        return applied(case.base, steps, case.about)
    except SurefootError:
        kept: list[Step] = []
        for step in steps:
            try:
                applied(case.base, [*kept, step], case.about)
            except SurefootError:
                continue
            kept.append(step)
        return applied(case.base, kept, case.about)


def _stated(case: Case) -> list[Step]:
    """Return what the findings propose: the root's first, then the others' first ones."""
    everything = case.diagnosis.findings  # all notes, where training was not seen to its end
    findings = [f for f in everything if f.severity != "note"] or list(everything)
    first = [f.remedies[0] for f in findings if f.remedies]
    more = [remedy for f in findings[:1] for remedy in f.remedies[1:3]]
    steps: dict[Recipe, Step] = {}
    for remedy in [*first[:1], *more, *first[1:]]:
        if set(remedy.edits) <= {"seed"}:  # seeds are varied in any case
            continue
        try:
            recipe = remedy.apply(case.base)
        except SurefootError:
            continue
        if recipe != case.base:
            steps.setdefault(recipe, _known(remedy, recipe, case))
    return list(steps.values())[:_MOST_STATED]


def _known(remedy: Remedy, recipe: Recipe, case: Case) -> Step:
    """Return the registry's step that does the same, which fits changed layers too."""
    for step in REMEDIES.values():
        if _made(case, [step]).recipe == recipe:
            return step
    return stated(remedy, case.base)
