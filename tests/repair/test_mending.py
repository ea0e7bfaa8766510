"""What a repair makes of search and proof, with lanes that need no training."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest

from surefoot.doctor.finding import Remedy
from surefoot.repair.search import Table

# The package's `repair` is the function of that name.
mending = importlib.import_module("surefoot.repair.mending")


@pytest.mark.parametrize("helps", [True, False])
def test_a_failed_proof_is_not_the_end(case, monkeypatch, helps, pretended):
    def chosen(r):
        return 0.99 if r.optimizer.learning_rate in (0.01, 0.1) else 0.3

    def proven(r):
        return 0.98 if helps and r.optimizer.learning_rate == 0.1 else 0.3

    lanes = pretended(chosen, proven)
    monkeypatch.setattr(mending, "open_case", lambda *given: case)
    monkeypatch.setattr(mending, "Lanes", lambda *given: lanes)
    done = mending.mend(case.recipe, 60.0)
    assert done.repaired is helps
    assert done.proof.proven is helps
    if helps:
        assert done.changes == ("a tenth of the rate",)
    else:
        assert "proofs failed: a gain of 0.000" in done.sentence
        assert done.recipe == done.original


def test_where_fresh_seeds_do_well_without_a_change_another_seed_is_enough(
    case, monkeypatch, pretended
):
    lanes = pretended(lambda r: 0.99 if r.optimizer.learning_rate == 0.01 else 0.3, lambda r: 0.97)
    monkeypatch.setattr(mending, "open_case", lambda *given: case)
    monkeypatch.setattr(mending, "Lanes", lambda *given: lanes)
    done = mending.mend(case.recipe, 60.0)
    assert not done.repaired
    assert done.sentence.startswith("nothing to repair: on fresh seeds the recipe as it is does")
    assert "(accuracy 0.970); another seed is enough" in done.sentence
    assert len([1 for _, share in lanes.trained if share == 1]) <= 3  # one proof ends it


def test_what_is_proven_and_still_behind_is_kept_while_better_is_sought(
    case, monkeypatch, pretended
):
    reached = {0.01: 0.6, 0.1: 0.95}

    def proven(r):
        return reached.get(r.optimizer.learning_rate, 0.3) if r.net == case.base.net else 0.3

    lanes = pretended(lambda r: 0.99 if proven(r) > 0.3 else 0.3, proven)
    monkeypatch.setattr(mending, "open_case", lambda *given: case)
    monkeypatch.setattr(mending, "Lanes", lambda *given: lanes)
    done = mending.mend(case.recipe, 60.0)
    assert done.changes == ("a tenth of the rate",)
    assert done.sentence.startswith("repaired: accuracy 0.950")
    reached[0.1] = 0.3
    lanes.left = 60.0
    done = mending.mend(case.recipe, 60.0)
    assert done.changes == ("a hundredth of the rate",)
    assert done.sentence.startswith("improved: accuracy 0.600")


@pytest.mark.parametrize(("both", "changes"), [(0.715, 1), (0.75, 2)])
def test_of_what_is_proven_each_change_more_has_to_be_worth_something(
    make, monkeypatch, both, changes, pretended, case_of
):
    rate, scaled = {"optimizer.learning_rate": 0.01}, {"data.standardize": True}
    recipe = make(optimizer={"name": "sgd", "learning_rate": 1.0}, data={"standardize": False})
    case = case_of(recipe, Remedy("a hundredth", rate), Remedy("scaled", scaled))

    def proven(r):
        right = r.optimizer.learning_rate == 0.01 and r.net == case.base.net
        return both if right and r.data.standardize else 0.7 if right else 0.3

    lanes = pretended(lambda r: 0.99 if proven(r) > 0.3 else 0.3, proven)
    monkeypatch.setattr(mending, "open_case", lambda *given: case)
    monkeypatch.setattr(mending, "Lanes", lambda *given: lanes)
    done = mending.mend(case.recipe, 60.0)
    assert "a hundredth of the rate" in done.changes
    assert len(done.changes) == changes


@pytest.mark.parametrize(("steps", "share"), [(1_000_000, 1 / 6), (1000, 0.3)])
def test_of_what_takes_long_a_part_is_tried_and_proven_that_tells_something(
    case, monkeypatch, steps, share, pretended
):
    lanes = pretended(
        lambda r: 0.95 if r.optimizer.learning_rate == 0.01 else 0.3,
        lambda r: 0.88 if r.optimizer.learning_rate == 0.01 else 0.3,
        steps=steps,
        chunk_seconds=20.0,
    )
    monkeypatch.setattr(mending, "open_case", lambda *given: replace(case, lane_seconds=20.0))
    monkeypatch.setattr(mending, "Lanes", lambda *given: lanes)
    done = mending.mend(case.recipe)
    (_, searched), (_, proven) = lanes.trained[0], lanes.trained[-1]
    assert searched == pytest.approx(share)
    assert done.changes == ("a hundredth of the rate",)  # points to come: the search ends
    assert done.proof.share == proven < 1
    assert done.sentence.endswith(
        f"choosing, after {proven:.0%} of the training; simple methods reach more, 0.920 and above"
    )


def test_a_budget_is_what_is_asked_for_or_grows_with_the_training(case, monkeypatch, pretended):
    ends = []

    def noted(lanes, case, budget, tell):
        ends.append(budget)
        yield Table(lanes, case, (0,), share=1.0, reserve=0.0)

    monkeypatch.setattr(mending, "Lanes", lambda *given: pretended(lambda r: 0.3))
    monkeypatch.setattr(mending, "search", noted)
    for seconds, asked in ((1.0, None), (50.0, None), (50.0, 10.0)):
        opened = replace(case, lane_seconds=seconds)
        monkeypatch.setattr(mending, "open_case", lambda *given, opened=opened: opened)
        assert not mending.mend(case.recipe, asked).repaired
    assert ends == [60.0, 300.0, 10.0]


@pytest.mark.parametrize(
    ("finished", "state", "healthy"),
    [
        (True, "fine", True),
        (True, "unknown", True),
        (False, "fine", True),
        (False, "failed", False),
    ],
)
def test_what_was_not_seen_to_its_end_has_to_do_well(make, finished, state, healthy, case_of):
    case = case_of(make())
    outcome = replace(case.diagnosis.outcome, state=state)
    found = replace(case.diagnosis, verdict="healthy", outcome=outcome)
    assert replace(case, diagnosis=found, finished=finished).healthy is healthy
    assert not replace(case, finished=finished).healthy
