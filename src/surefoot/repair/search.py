"""The search: changes alone, together, and on top of each other, until one is good enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from surefoot.doctor.finding import Remedy
from surefoot.errors import SurefootError
from surefoot.recipe import Recipe
from surefoot.repair.anchors import clean, plain, restrained
from surefoot.repair.case import Case
from surefoot.repair.lanes import Lanes, Scores, share_in_time
from surefoot.repair.remedies.registry import DECAYS, GENERAL, NUMBERS, RATES, REMEDIES
from surefoot.repair.step import About, Candidate, Step, applied, stated

# Less is no gain, in accuracy or R²; nor is one validation row.
_LEAST_GAIN = 0.01
# What a smaller edit may stay behind by, and be the better answer; so may one and a half rows.
# The best of many scores is too high by about half of it on a hundred rows.
_WORTH, _ROWS_WORTH = 0.02, 1.5
# With these root causes, the rate that fits may be many powers of ten away.
_OF_THE_RATE = frozenset(
    {"learning-rate-too-high", "learning-rate-too-low", "diverged", "exploding-gradients"}
)
# With these, what simple methods reach is no yardstick.
_OF_THE_ROWS = frozenset({"data-problem", "class-imbalance", "overfitting"})
# Remedies of findings that are tried; and changes tried at once on top of the best.
_MOST_STATED, _MOST_ROUNDS = 5, 2
# What a round of the search may take of the budget, with so many recipes; and what must be left
# to prove, less after the first round: where that is not finished, there is nothing to prove.
_ROUND, _TYPICAL, _TO_PROVE, LEAST_TO_PROVE = 0.25, 6, 0.35, 0.15
# Fewer seeds may be luck.
_SEEDS_TO_PROVE = 2
# What a training may still gain of which only a part was tried.
_TO_COME = 0.05
# With the first seeds, nearer to the best than this is worth the others.
_PROMISING = 0.05
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
        anchors: recipes of common sense: what a small edit has to come up to.
        set_aside: recipes that were proven, and are not what is looked for.
        patient: whether what is a little behind simple methods is not enough yet.
    """

    lanes: Lanes
    case: Case
    seeds: Sequence[int]
    share: float
    reserve: float
    scores: dict[Recipe, Scores] = field(default_factory=dict)
    candidates: dict[Recipe, Candidate] = field(default_factory=dict)
    anchors: frozenset[Recipe] = frozenset()
    set_aside: set[Recipe] = field(default_factory=set)
    patient: bool = True

    @property
    def room(self) -> float:
        """What two scores may differ by and still be alike."""
        return max(_LEAST_GAIN, 1 / self.lanes.rows)

    @property
    def worth(self) -> float:
        """What a score has to be higher by to be worth one more change."""
        return max(_WORTH, _ROWS_WORTH / self.lanes.rows)

    @property
    def best_anchor(self) -> Candidate | None:
        """The best of those anchors that were tried."""
        known = [self.candidates[recipe] for recipe in self.anchors if recipe in self.candidates]
        return max(known, key=self.score, default=None)

    @property
    def anchor(self) -> float:
        """The score of the best anchor."""
        best = self.best_anchor
        return -math.inf if best is None else self.score(best)

    @property
    def enough(self) -> float:
        """The score from which on nothing more is sought.

        That of simple methods less a little, and of the anchors; nearly all without any, and where
        simple methods and anchors suffer from the rows as the net does.
        """
        goal = -math.inf if math.isnan(self.case.goal) else self.case.goal
        goal -= 0.0 if self.patient else self.worth
        nearly = 1 - 2 * self.room
        known = math.isfinite(self.anchor) and not self.of_the_rows
        return min(max(goal, self.anchor - self.worth), nearly) if known else nearly

    def good_enough(self, share: float) -> float:
        """Return the score from which on what is proven ends the search: any, without a yardstick.

        What was trained in part has some points to come.
        """
        known = not (self.of_the_rows or math.isnan(self.case.goal_to_prove))
        behind = self.worth if share == 1 else max(self.worth, _TO_COME)
        return self.case.goal_to_prove - behind if known else -math.inf

    @property
    def of_the_rows(self) -> bool:
        """Whether the rows are to blame: then simple methods are no yardstick."""
        return self.case.diagnosis.root_cause in _OF_THE_ROWS

    def score(self, candidate: Candidate) -> float:
        """Return a candidate's mean score; one that diverged or was set aside has none."""
        scores = self.scores.get(candidate.recipe)
        lost = scores is None or scores.diverged or candidate.recipe in self.set_aside
        return -math.inf if lost else scores.mean

    @property
    def before(self) -> float:
        """The mean score of the recipe as it is; divergence costs it nothing more."""
        scores = self.scores.get(self.case.base)
        return scores.mean if scores else -math.inf

    def try_all(self, candidates: Iterable[Candidate]) -> None:
        """Train those that were not trained yet: with few seeds, and the promising with more.

        The first are as many as take no longer than one. Where something is good enough by then,
        nothing needs more: the proof has seeds of its own.
        """
        new = {c.recipe: c for c in candidates if c.recipe not in self.scores}
        first = self.lanes.at_once(new, len(self.seeds))
        self._keep(new, self._train({r: self.seeds[:count] for r, count in first.items()}))
        if self.reached:
            return
        known = [own.mean for own in self.scores.values() if not own.diverged]
        least = max(known, default=-math.inf) - _PROMISING
        promising = [r for r in new if r in self.scores and not self.scores[r].diverged]
        promising = [r for r in promising if self.scores[r].mean >= least]
        more = {r: self.seeds[first[r] :] for r in promising}
        self._keep(new, self._train({r: rest for r, rest in more.items() if rest}))

    def _keep(self, new: Mapping[Recipe, Candidate], found: Mapping[Recipe, Scores]) -> None:
        """Keep what came out, beside what is known of other seeds."""
        for recipe, own in found.items():
            known = self.scores.get(recipe)
            self.scores[recipe] = own if known is None else known.joined(own)
            self.candidates[recipe] = new[recipe]

    def _train(self, wanted: Mapping[Recipe, Sequence[int]]) -> dict[Recipe, Scores]:
        found = self.lanes.train(wanted, share=self.share, reserve=self.reserve)
        return {recipe: scores for recipe, scores in found.items() if scores.whole}

    def top(self) -> Candidate:
        """Return what has the highest score, however many changes it takes."""
        return max(self.candidates.values(), key=self.score)

    def best(self) -> Candidate:
        """Return the smallest edit that is nearly as good as any: few changes, then few keys."""
        least = self.score(self.top()) - self.worth
        near = [c for c in self.candidates.values() if self.score(c) >= least]
        return min(near, key=lambda c: (len(c.steps), self._keys(c), -self.score(c)))

    def _keys(self, candidate: Candidate) -> int:
        """Return how many keys of the recipe a candidate changes; a net counts as one more."""
        before, after = self.case.base.model_dump(), candidate.recipe.model_dump()
        keys = {
            (section, key)
            for section, own in after.items()
            for key, value in (own.items() if isinstance(own, dict) else [("", own)])
            if value != (before[section].get(key) if isinstance(own, dict) else before[section])
        }
        return len(keys) + (("net", "layers") in keys)

    @property
    def best_edit(self) -> tuple[Step, ...]:
        """The changes with the highest score, but for anchors; none where no others were tried."""
        edits = [c for recipe, c in self.candidates.items() if recipe not in self.anchors]
        return max(edits, key=self.score).steps if edits else ()

    @property
    def reached(self) -> bool:
        """Whether something is good enough that is no anchor, with two seeds or more."""
        return any(
            self.score(candidate) >= self.enough
            for recipe, candidate in self.candidates.items()
            if recipe not in self.anchors and len(self.scores[recipe].scores) >= _SEEDS_TO_PROVE
        )

    @property
    def helped(self) -> bool:
        """Whether the best is better than the recipe as it is, as far as both were trained."""
        if self.case.base not in self.candidates:
            return False
        return self.score(self.best()) > self.before + self.room


def search(lanes: Lanes, case: Case, budget: float, tell: Callable[[str], None]) -> Iterator[Table]:
    """Try what may help; yield all of it when something is as good as simple methods, and at last.

    Who proves it, and finds less than it seemed, puts it into `Table.set_aside` and goes on.

    First what the findings propose, alone and together, beside recipes of common sense, which tell
    what can be reached; then changes of numbers, which need no new program. Where no small change
    comes up to it, it is cleaned-up recipes that will be made smaller. Where these are not good
    enough, either, changes of structure follow, and changes on top of the best so far. Where
    training takes long, trials are shorter, and the best of them are trained longer at the end.
    """
    share = share_of(lanes, budget)
    table = Table(lanes, case, _seeds(lanes), share, LEAST_TO_PROVE * budget)
    last = None
    for name, candidates in _rounds(table):
        made = [c for c in candidates if c.steps and c.recipe not in table.scores]
        if made:
            tell(f"{name}: trying {len({c.recipe for c in made})} recipes…")
            table.try_all([_made(case, []), *made])
            if not table.scores:
                break
            table.reserve = _TO_PROVE * budget
            best = table.best()
            tell(
                f"  {'; '.join(best.texts) or 'as it is'}: {table.score(best):.3f} instead of "
                f"{table.before:.3f}; simple methods less a little: {case.goal:.3f}"
            )
        if table.reached:  # be it after a part of its steps: it is proven as it is
            yield table
        if lanes.left < table.reserve or (name == _ON_TOP and table.best() == last):
            break
        last = table.best()
    if not table.reached:
        yield _longer(table) if share < 1 and table.candidates else table


def share_of(lanes: Lanes, budget: float) -> float:
    """Return the share of each recipe's epochs that trials have time for."""
    chunks = _TYPICAL * len(_seeds(lanes)) / lanes.width
    return share_in_time(lanes, chunks, _ROUND * budget)


def _seeds(lanes: Lanes) -> range:
    return range(3) if lanes.width > 2 else range(2)


def always_tried(base: Recipe, about: About) -> list[Recipe]:
    """Return the recipes that are trained whatever the findings are: as it is, and plain nets."""
    return [base, *(applied(base, steps, about).recipe for steps in plain())]


def _rounds(table: Table) -> Iterator[tuple[str, list[Candidate]]]:
    case = table.case
    own = _stated(case)
    agreeing = _agreeing(case, own)
    together = [_made(case, agreeing)] if len(agreeing) > 1 else []
    # Few structures at first, since each waits for the compiler.
    root_alone = [_made(case, [s]) for s in own[:1]]
    yield "the root cause's remedy, and a plain net", [*root_alone, *_anchored(table, plain())]
    root = case.diagnosis.root_cause
    if table.of_the_rows:
        yield "a plain net, held back", _held_back(table)
    yield "what else the findings propose", [*together, *(_made(case, [s]) for s in own[1:])]
    more = RATES if root in _OF_THE_RATE else DECAYS if table.of_the_rows else ()
    numbers = [REMEDIES[name] for name in (*NUMBERS, *more)]
    # Where something helps by now, more may on top of it: with the right rate a net may overfit.
    so_far = dict.fromkeys([(), table.best_edit])
    yield (
        "other numbers",
        [_made(case, [*steps, own]) for steps in so_far for own in numbers if own not in steps],
    )
    # What follows waits for the compiler, for a point or two.
    table.patient = False
    yield "what there is by now", []
    yield "everything cleaned up", [*_anchored(table, clean()), *_held_back(table)]
    if table.anchor >= table.enough:
        return
    yield (
        "other structures",
        [_made(case, [REMEDIES[name]]) for name in GENERAL if name not in NUMBERS],
    )
    for _ in range(_MOST_ROUNDS):
        base = table.best()
        more = [*own, *(REMEDIES[name] for name in GENERAL)]
        yield (
            _ON_TOP,
            [_made(case, [*base.steps, step]) for step in more if step not in base.steps],
        )


def _held_back(table: Table) -> list[Candidate]:
    """Return the best anchor with what is added where rows are few, or labels wrong."""
    best = table.best_anchor
    return [] if best is None else _anchored(table, [[*best.steps, *s] for s in restrained()])


def _anchored(table: Table, changes: Iterable[Sequence[Step]]) -> list[Candidate]:
    """Return candidates that small changes are compared with."""
    made = [_made(table.case, steps) for steps in changes]
    made = [candidate for candidate in made if len(candidate.steps) > 1]
    table.anchors |= {candidate.recipe for candidate in made}
    return made


def _longer(table: Table) -> Table:
    """Train the best of short trials longer, beside the recipe as it is."""
    share = min(1.0, table.share * _LONGER)
    longer = replace(table, share=share, scores={}, candidates={})
    ordered = sorted(table.candidates.values(), key=table.score, reverse=True)
    asis = _made(table.case, [])
    chosen = [table.best(), *ordered]
    longer.try_all([asis, *(c for c in chosen if c.steps)][: _FEW_LEFT + 1])
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


def _agreeing(case: Case, steps: Sequence[Step]) -> list[Step]:
    """Return the steps that go together: of two rates only the first; layers may change twice."""
    kept: list[Step] = []
    changed: set[str] = set()
    for step in steps:
        remedy = step.propose(case.base, case.about)
        keys = set(remedy.edits) if remedy else set()
        if keys - changed or "net.layers" in keys:
            kept.append(step)
        changed |= keys
    return kept


def _known(remedy: Remedy, recipe: Recipe, case: Case) -> Step:
    """Return the registry's step that does the same, which fits changed layers too.

    A whole net comes last: where weights alone are changed, it is weights that are told of.
    """
    for step in sorted(REMEDIES.values(), key=lambda step: step.name == "net"):
        if _made(case, [step]).recipe == recipe:
            return step
    return stated(remedy, case.base)
