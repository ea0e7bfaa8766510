"""The search, the shrinking and the proof, with lanes that need no training."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import pytest
import scipy.stats

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe
from surefoot.repair.case import Case
from surefoot.repair.proof import chance_gain, prove, random_change
from surefoot.repair.remedies.registry import REMEDIES
from surefoot.repair.search import Table, search
from surefoot.repair.shrink import shrunk
from surefoot.repair.step import About, applied

ABOUT = About("classes", True, 1000)


def _silent(line: str) -> None:
    pass


def _first(lanes, case: Case) -> Table:
    return next(search(lanes, case, 60.0, _silent))


def _any(recipe: Recipe) -> bool:
    return True


def test_what_a_finding_proposes_is_enough_where_it_helps(case, pretended):
    lanes = pretended(lambda r: 0.99 if r.optimizer.learning_rate == 0.01 else 0.3)
    table = _first(lanes, case)
    assert table.helped
    assert table.best().texts == ("a hundredth of the rate",)
    assert len(set(lanes.asked)) == 4  # as it is, the one remedy, and a plain net at two rates


@pytest.mark.parametrize(("common_sense", "changes"), [(0.94, 1), (0.98, 2)])
def test_a_small_change_is_enough_where_it_comes_up_to_common_sense(
    case, common_sense, changes, pretended
):
    def score(r):
        if r.optimizer.name == "adam":  # needs another net, too
            return common_sense if r.net != case.base.net else 0.3
        return 0.935 if r.optimizer.learning_rate == 0.01 else 0.3

    table = _first(pretended(score), case)
    best = shrunk(table, table.best())
    assert len(best.steps) == changes
    assert table.score(best) >= common_sense - table.worth


def test_where_nothing_is_proposed_general_remedies_are_tried(make, pretended, case_of):
    case = case_of(make())
    lanes = pretended(lambda r: 0.95 if r.optimizer.learning_rate == 0.1 else 0.3)
    assert _first(lanes, case).best().texts == ("ten times the rate",)


def test_numbers_are_tried_on_top_of_what_helps_by_then(case, pretended):
    def score(r):
        right = r.optimizer.learning_rate == 0.01
        return 0.95 if right and r.train.early_stopping else 0.6 if right else 0.3

    lanes = pretended(score)
    assert _first(lanes, case).best().texts == (
        "a hundredth of the rate",
        "stop when validation gets worse",
    )
    assert not any(r.net.layers != case.base.net.layers for r in lanes.asked[4:])  # after the first


def test_where_the_recipe_itself_is_not_trained_in_time_nothing_is_found(case, pretended):
    lanes = pretended(lambda r: 0.3)
    train = lanes.train
    lanes.train = lambda wanted, **more: {
        r: scores for r, scores in train(wanted, **more).items() if r.optimizer.name == "adam"
    }
    assert not _first(lanes, case).helped


@pytest.mark.parametrize(("reached", "structures"), [(0.91, False), (0.89, True)])
def test_what_waits_for_the_compiler_is_not_tried_for_a_point_or_two(
    case, reached, structures, pretended
):
    lanes = pretended(lambda r: reached if r.optimizer.learning_rate == 0.01 else 0.3)
    assert _first(lanes, case).reached is not structures
    assert any(r.train.loss == "mean_absolute_error" for r in lanes.asked) is structures
    assert any(r.optimizer.weight_decay for r in lanes.asked)  # numbers, in either case


def test_where_two_seeds_are_good_enough_no_third_is_trained(case, pretended):
    lanes = pretended(lambda r: 0.99 if r.optimizer.learning_rate == 0.01 else 0.98)
    lanes.at_once = lambda recipes, seeds: dict.fromkeys(recipes, 2)
    table = _first(lanes, case)
    assert table.reached
    assert [len(seeds) for wanted, _ in lanes.trained for seeds in wanted.values()] == [2] * 4
    lanes.at_once = lambda recipes, seeds: dict.fromkeys(recipes, 1)
    assert {len(scores.scores) for scores in _first(lanes, case).scores.values()} == {3}


def test_changes_that_help_together_alone_are_found_and_what_is_not_needed_is_undone(
    make, pretended, case_of
):
    recipe = make(net={"initializer": "zeros"}, data={"standardize": False})

    def score(r):
        return 0.95 if r.net.initializer.name != "zeros" and r.data.standardize else 0.3

    case = case_of(recipe)
    table = _first(pretended(score), case)
    best = shrunk(table, table.best())
    assert {step.name for step in best.steps} == {"inputs", "weights"}


def test_small_losses_of_undoing_do_not_add_up(make, pretended, case_of):
    recipe = make(net={"initializer": "zeros"}, data={"standardize": False})
    steps = [REMEDIES[name] for name in ("inputs", "weights", "clipped", "stopping")]
    best = applied(recipe, steps, ABOUT)

    def score(r):
        kept = applied(recipe, steps, ABOUT).recipe
        lost = [r.data != kept.data, r.net != kept.net, r.train != kept.train]
        return 0.95 - 0.0075 * sum(lost)

    table = Table(pretended(score), case_of(recipe), range(3), 1.0, 0.0)
    table.try_all([best])
    small = shrunk(table, best)
    assert len(small.steps) < len(best.steps)
    assert table.score(small) >= 0.95 - table.worth


@pytest.mark.parametrize("chunk_seconds", [1e-3, 1e3])
def test_where_the_time_is_over_nothing_is_found(case, chunk_seconds, pretended):
    lanes = pretended(lambda r: 0.3, chunk_seconds=chunk_seconds)
    lanes.train = lambda *given, **more: {}
    assert not _first(lanes, case).helped


def test_where_the_rows_are_to_blame_simple_methods_are_no_yardstick(case, pretended):
    found = replace(case.diagnosis, root_cause="data-problem")
    lanes = pretended(lambda r: 0.96 if r.train.loss == "mean_absolute_error" else 0.93)
    table = _first(lanes, replace(case, diagnosis=found))
    assert table.top().recipe.train.loss == "mean_absolute_error"
    assert _first(pretended(lanes.score), case).reached


def test_where_the_rows_are_to_blame_stronger_decays_are_numbers_to_try(case, pretended):
    found = replace(case.diagnosis, root_cause="overfitting")
    lanes = pretended(lambda r: 0.97 if r.optimizer.weight_decay == 0.03 else 0.93)
    table = _first(lanes, replace(case, diagnosis=found))
    assert table.best().texts == ("a weight decay of 0.03",)


def test_what_diverges_is_no_help(case, pretended):
    def score(r):
        return math.nan if r != case.base else 0.3

    table = _first(pretended(score), case)
    assert not table.helped


def test_nothing_helps_where_all_are_alike(case, pretended):
    table = _first(pretended(lambda r: 0.3), case)
    assert not table.helped
    assert table.best().steps == ()


@pytest.mark.parametrize(("noise", "proven"), [(0.01, True), (0.3, True), (0.7, False)])
def test_a_gain_counts_beside_what_seeds_make_of_it(case, noise, proven, pretended):
    winner = applied(case.base, [REMEDIES["rate-far-down"]], ABOUT)
    lanes = pretended(lambda r: 0.6 if r == winner.recipe else 0.3, noise=noise)
    proof = prove(lanes, case, winner)
    assert proof.proven is proven
    names = [row["lane"] for row in proof.lanes]
    assert names == ["original", "no-op", "random change", "repaired"]
    assert proof.gain == pytest.approx(
        proof.lanes[3]["mean"] - max(row["mean"] for row in proof.lanes[:2])
    )


def test_a_proof_that_is_left_open_adds_seeds_and_trains_them_as_long(case, pretended):
    winner = applied(case.base, [REMEDIES["rate-far-down"]], ABOUT)
    # A gain of 0.1 with such spread: four seeds and eight leave it open.
    lanes = pretended(lambda r: 0.4 if r == winner.recipe else 0.3, noise=0.12)
    lanes.chunk_seconds = 10.0
    proof = prove(lanes, case, winner)
    seeds = [len(wanted[winner.recipe]) for wanted, _ in lanes.trained]
    assert seeds == [4, 4, 4]
    every = [seed for wanted, _ in lanes.trained for seed in wanted[winner.recipe]]
    assert len(set(every)) == 12
    (share,) = {share for _, share in lanes.trained}
    assert 0 < share < 1
    assert [len(row["scores"]) for row in proof.lanes] == [12, 12, 12, 12]


def test_what_chance_makes_is_that_of_welch_and_halves_with_each_proof(case, pretended):
    first, second = (0.8, 0.9, 0.7, 0.95), (0.6, 0.62, 0.7, 0.5, 0.55)
    found = scipy.stats.ttest_ind(first, second, equal_var=False, alternative="greater")
    gain = statistics.fmean(first) - statistics.fmean(second)
    assert chance_gain(first, second, found.pvalue) == pytest.approx(gain)
    winner = applied(case.base, [REMEDIES["rate-far-down"]], ABOUT)
    lanes = pretended(lambda r: 0.5, noise=0.1)
    for earlier in (0, 1):
        proof = prove(lanes, case, winner, earlier)
        repaired, old = proof.lanes[3]["scores"], proof.lanes[0]["scores"] * 2
        level = 0.05 / 2 ** (earlier + 1) / 3
        assert proof.spread == pytest.approx(chance_gain(repaired, old, level))
        assert not proof.proven


@pytest.mark.parametrize(("chance", "proven"), [(0.3, True), (0.59, False)])
def test_what_is_no_more_than_a_guess_is_no_repair(case, chance, proven, pretended):
    about = replace(case.diagnosis.outcome, chance=chance)
    case = replace(case, diagnosis=replace(case.diagnosis, outcome=about))
    winner = applied(case.base, [REMEDIES["rate-far-down"]], ABOUT)
    lanes = pretended(lambda r: 0.6 if r == winner.recipe else 0.3)
    assert prove(lanes, case, winner).proven is proven
    assert len(lanes.trained) == 1


def test_what_a_proof_is_against_is_set_aside_and_the_search_goes_on(case, pretended):
    lanes = pretended(lambda r: 0.99 if r.optimizer.learning_rate in (0.01, 0.1) else 0.3)
    found = search(lanes, case, 60.0, _silent)
    table = next(found)
    assert table.best().texts == ("a hundredth of the rate",)
    while "a hundredth of the rate" in table.best().texts:
        table.set_aside.add(table.best().recipe)
        table = next(found)
    assert table.best().texts == ("a tenth of the rate",)
    assert table.reached


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


def test_of_two_rates_that_findings_propose_the_first_goes_together_with_the_rest(
    make, pretended, case_of
):
    recipe = make(optimizer={"name": "sgd", "learning_rate": 1.0}, data={"standardize": False})
    case = case_of(
        recipe,
        Remedy("a hundredth", {"optimizer.learning_rate": 0.01}),
        Remedy("a thousandth", {"optimizer.learning_rate": 0.001}),
        Remedy("scaled", {"data.standardize": True}),
    )
    lanes = pretended(lambda r: 0.3)
    list(search(lanes, case, 60.0, _silent))
    both = [r for r in lanes.asked if r.data.standardize and r.net == recipe.net]
    rates = {r.optimizer.learning_rate for r in both if r.optimizer.name == "sgd"}
    assert 0.01 in rates
    assert 1e-5 not in rates
