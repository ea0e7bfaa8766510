"""The search, the shrinking and the proof, with lanes that need no training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from surefoot.doctor.diagnosis import Diagnosis
from surefoot.doctor.finding import Finding, Remedy
from surefoot.doctor.outcome import Outcome
from surefoot.recipe import Recipe
from surefoot.repair.case import Case
from surefoot.repair.lanes import Scores
from surefoot.repair.proof import prove, random_change
from surefoot.repair.remedies.registry import REMEDIES
from surefoot.repair.search import Table, search
from surefoot.repair.shrink import shrunk
from surefoot.repair.step import About, applied

ABOUT = About("classes", True, 1000)
Score = Callable[[Recipe], float]


@dataclass
class Pretended:
    """Lanes whose scores are made up."""

    score: Score
    noise: float = 0.0
    width: int = 6
    chunk_seconds: float = 1e-3
    rows: int = 100
    left: float = 60.0
    measure: str = "accuracy"
    asked: list[Recipe] = field(default_factory=list)
    trained: list[tuple[dict[Recipe, list[int]], float]] = field(default_factory=list)

    def train(self, wanted, *, proving=False, share=1.0, reserve=0.0):
        self.asked += wanted
        self.trained.append((wanted, share))
        return {recipe: self._scores(recipe, seeds) for recipe, seeds in wanted.items()}

    def compiled(self, recipe):
        return False

    def fills_a_group(self, recipes, seeds):
        return set()

    def _scores(self, recipe, seeds):
        value = self.score(recipe)
        found = tuple(value + self.noise * (-1) ** seed for seed in seeds)
        lost = math.isnan(value)
        return Scores(found, found, found, (lost,) * len(seeds), 10, True)


@pytest.fixture
def case(make) -> Case:
    """A recipe at a rate of 1, whose diagnosis proposes another."""
    recipe = make(optimizer={"name": "sgd", "learning_rate": 1.0})
    return _case(recipe, Remedy("a hundredth", {"optimizer.learning_rate": 0.01}))


def _case(recipe: Recipe, *remedies: Remedy) -> Case:
    finding = Finding("diverged", "error", 0, (), {}, "observed", "", remedies)
    about = Outcome("accuracy", 0.3, 0.3, 0.3, 0.95, 0.3, 0.65, 0.0, "failed")
    found = Diagnosis("unhealthy", "diverged", (finding,), ("diverged",), about, ())
    return Case(recipe, recipe, None, found, ABOUT, 0.92, True, 0.01)


def _silent(line: str) -> None:
    pass


def _any(recipe: Recipe) -> bool:
    return True


def test_what_a_finding_proposes_is_enough_where_it_helps(case):
    lanes = Pretended(lambda r: 0.99 if r.optimizer.learning_rate == 0.01 else 0.3)
    table = search(lanes, case, 60.0, _silent)
    assert table.helped
    assert table.best().texts == ("a hundredth of the rate",)
    assert len(set(lanes.asked)) == 4  # as it is, the one remedy, and a plain net at two rates


@pytest.mark.parametrize(("common_sense", "changes"), [(0.94, 1), (0.98, 2)])
def test_a_small_change_is_enough_where_it_comes_up_to_common_sense(case, common_sense, changes):
    def score(r):
        if r.optimizer.name == "adam":  # needs another net, too
            return common_sense if r.net != case.base.net else 0.3
        return 0.935 if r.optimizer.learning_rate == 0.01 else 0.3

    table = search(Pretended(score), case, 60.0, _silent)
    best = shrunk(table, table.best())
    assert len(best.steps) == changes
    assert table.score(best) >= common_sense - table.worth


def test_where_nothing_is_proposed_general_remedies_are_tried(make):
    case = _case(make())
    lanes = Pretended(lambda r: 0.95 if r.optimizer.learning_rate == 0.1 else 0.3)
    assert search(lanes, case, 60.0, _silent).best().texts == ("ten times the rate",)


def test_changes_that_help_together_alone_are_found_and_what_is_not_needed_is_undone(make):
    recipe = make(net={"initializer": "zeros"}, data={"standardize": False})

    def score(r):
        return 0.95 if r.net.initializer.name != "zeros" and r.data.standardize else 0.3

    case = _case(recipe)
    table = search(Pretended(score), case, 60.0, _silent)
    best = shrunk(table, table.best())
    assert {step.name for step in best.steps} == {"inputs", "weights"}


def test_small_losses_of_undoing_do_not_add_up(make):
    recipe = make(net={"initializer": "zeros"}, data={"standardize": False})
    steps = [REMEDIES[name] for name in ("inputs", "weights", "clipped", "stopping")]
    best = applied(recipe, steps, ABOUT)

    def score(r):
        kept = applied(recipe, steps, ABOUT).recipe
        lost = [r.data != kept.data, r.net != kept.net, r.train != kept.train]
        return 0.95 - 0.0075 * sum(lost)

    table = Table(Pretended(score), _case(recipe), range(3), 1.0, 0.0)
    table.try_all([best])
    small = shrunk(table, best)
    assert len(small.steps) < len(best.steps)
    assert table.score(small) >= 0.95 - table.worth


@pytest.mark.parametrize("chunk_seconds", [1e-3, 1e3])
def test_where_the_time_is_over_nothing_is_found(case, chunk_seconds):
    lanes = Pretended(lambda r: 0.3, chunk_seconds=chunk_seconds)
    lanes.train = lambda *given, **more: {}
    assert not search(lanes, case, 60.0, _silent).helped


def test_where_the_rows_are_to_blame_simple_methods_are_no_yardstick(case):
    found = replace(case.diagnosis, root_cause="data-problem")
    lanes = Pretended(lambda r: 0.96 if r.train.loss == "mean_absolute_error" else 0.93)
    table = search(lanes, replace(case, diagnosis=found), 60.0, _silent)
    assert table.top().recipe.train.loss == "mean_absolute_error"
    assert search(Pretended(lanes.score), case, 60.0, _silent).reached


def test_what_diverges_is_no_help(case):
    def score(r):
        return math.nan if r != case.base else 0.3

    table = search(Pretended(score), case, 60.0, _silent)
    assert not table.helped


def test_nothing_helps_where_all_are_alike(case):
    table = search(Pretended(lambda r: 0.3), case, 60.0, _silent)
    assert not table.helped
    assert table.best().steps == ()


@pytest.mark.parametrize(("noise", "proven"), [(0.01, True), (0.3, True), (0.7, False)])
def test_a_gain_counts_beside_what_seeds_make_of_it(case, noise, proven):
    winner = applied(case.base, [REMEDIES["rate-far-down"]], ABOUT)
    lanes = Pretended(lambda r: 0.6 if r == winner.recipe else 0.3, noise=noise)
    proof = prove(lanes, case, winner)
    assert proof.proven is proven
    names = [row["lane"] for row in proof.lanes]
    assert names == ["original", "no-op", "random change", "repaired"]
    assert proof.gain == pytest.approx(
        proof.lanes[3]["mean"] - max(row["mean"] for row in proof.lanes[:2])
    )


def test_a_proof_that_is_left_open_adds_seeds_and_trains_them_as_long(case):
    winner = applied(case.base, [REMEDIES["rate-far-down"]], ABOUT)
    # A gain of 0.1 with such spread: four seeds and eight leave it open.
    lanes = Pretended(lambda r: 0.4 if r == winner.recipe else 0.3, noise=0.12)
    lanes.chunk_seconds = 10.0
    proof = prove(lanes, case, winner)
    seeds = [len(wanted[winner.recipe]) for wanted, _ in lanes.trained]
    assert seeds == [4, 4, 4]
    every = [seed for wanted, _ in lanes.trained for seed in wanted[winner.recipe]]
    assert len(set(every)) == 12
    (share,) = {share for _, share in lanes.trained}
    assert 0 < share < 1
    assert [len(row["scores"]) for row in proof.lanes] == [12, 12, 12, 12]


def test_two_standard_errors_are_those_of_the_textbook(case):
    winner = applied(case.base, [REMEDIES["rate-far-down"]], ABOUT)
    proof = prove(Pretended(lambda r: 0.5, noise=0.1), case, winner)
    # Four seeds each, two odd and two even: squared deviations of 0.01.
    assert proof.spread == pytest.approx(2 * math.sqrt(0.04 / 3 / 4 + 0.08 / 7 / 8))
    assert not proof.proven


def test_the_random_change_is_not_the_winner(case):
    for seed in range(20):
        other = replace(case, base=case.base.model_copy(update={"seed": seed}))
        first = random_change(other, applied(other.base, [REMEDIES["rate-down"]], ABOUT), _any)
        again = random_change(other, first, _any)
        assert first.recipe != again.recipe
        assert len(first.steps) == len(again.steps) == 1


def test_random_changes_that_need_no_new_program_come_first(case):
    winner = applied(case.base, [REMEDIES["rate-down"]], ABOUT)
    for seed in range(5):
        other = replace(case, base=case.base.model_copy(update={"seed": seed}))
        slower = random_change(other, winner, lambda r: r.train.clip_norm == 1.0)
        assert slower.texts == ("clip the gradient's norm",)


@pytest.mark.parametrize(
    ("finished", "state", "healthy"),
    [
        (True, "fine", True),
        (True, "unknown", True),
        (False, "fine", True),
        (False, "failed", False),
    ],
)
def test_what_was_not_seen_to_its_end_has_to_do_well(make, finished, state, healthy):
    case = _case(make())
    outcome = replace(case.diagnosis.outcome, state=state)
    found = replace(case.diagnosis, verdict="healthy", outcome=outcome)
    assert replace(case, diagnosis=found, finished=finished).healthy is healthy
    assert not replace(case, finished=finished).healthy
