"""What helps is confirmed, and what does not is not."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pytest

from surefoot.doctor.diagnosis import Diagnosis, weigh
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import Remedy, Suspicion
from surefoot.doctor.outcome import Outcome
from surefoot.doctor.trials import candidates, confirm
from surefoot.job import Job, dataset_of, prepare
from surefoot.recipe import Recipe
from surefoot.vitals.table import Table

MLP = [{"dense": 8}, {"activation": "tanh"}, {"dense": "classes"}, {"activation": "softmax"}]


def recipe_of(rate, source="iris", **data):
    return Recipe.parse(
        {
            "data": {"source": source, **data},
            "net": {"layers": MLP},
            "optimizer": {"name": "adam", "learning_rate": rate},
            "train": {"batch_size": 20, "epochs": 40},
        }
    )


@cache
def too_fast() -> Job:
    """Iris at a rate 300 times too high."""
    return prepare(recipe_of(3.0))


def suspicion(name, strength, text="change it", **edits):
    keys = {key.replace("__", "."): value for key, value in edits.items()}
    return Suspicion(name, strength, "It is so.", {"seen": 1}, remedies=(Remedy(text, keys),))


LOWER = suspicion("learning-rate-too-high", 0.9, "slower", optimizer__learning_rate=0.01)
SCALED = suspicion("unscaled-inputs", 0.5, "standardize", data__standardize=True)
TRAIL = suspicion("wrong-loss", 0.7, "Glorot", net__initializer="glorot_uniform")


def evidence_of(recipe):
    return Evidence(recipe, Table({}), Table({}), {})


def poor(root="learning-rate-too-high"):
    outcome = Outcome("accuracy", 0.3, 0.3, 0.33, 0.97, 0.3, 0.67, 0.0, "failed")
    return Diagnosis("unhealthy", root, (), (root,), outcome, ())


def tried(job, suspicions, steps=100, **options):
    recipe = job.recipe if isinstance(job, Job) else job
    evidence = evidence_of(recipe)
    return confirm(job, poor(), evidence, suspicions=suspicions, steps=steps, **options)


def test_of_a_rate_too_high_and_a_false_trail_the_rate_is_confirmed():
    found = tried(too_fast(), [TRAIL, LOWER])
    assert found.confirmed == "learning-rate-too-high"
    rows = {row["id"]: row for row in found.rows}
    right, wrong = rows["learning-rate-too-high"], rows["wrong-loss"]
    assert (right["confirmed"], wrong["confirmed"]) == (True, False)
    assert right["with"] > 0.85 > right["without"] == wrong["without"]
    assert right["train_with"] > 0.92 > right["train_without"]
    assert right["gain"] == pytest.approx(right["with"] - right["without"], abs=2e-6)
    assert (right["measure"], right["seeds"], right["steps"]) == ("accuracy", 2, 102)
    assert f"(slower), accuracy after 102 steps is {right['with']:.1%} instead" in found.sentence


def test_of_unscaled_inputs_and_a_rate_the_inputs_are_confirmed_where_rows_come_as_arrays():
    generator = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = 1e4 + 100 * generator.normal(size=(300, 4)) + 400 * np.eye(4)[y]
    keys = {"batch_size": 20, "epochs": 20, "learning_rate": 0.01, "data.standardize": False}
    job = prepare(x, y, net=MLP, keys={"optimizer": "adam", **keys})
    slower = suspicion("learning-rate-too-high", 0.9, optimizer__learning_rate=1e-3)
    found = tried(job, [slower, SCALED], load=partial(dataset_of, arrays=(x, y)))
    assert found.confirmed == "unscaled-inputs"
    scores = {row["id"]: (row["with"], row["without"]) for row in found.rows}
    assert scores["unscaled-inputs"][0] > 0.85 > scores["unscaled-inputs"][1]
    assert scores["learning-rate-too-high"][0] < 0.6
    # Where the rows are not at hand, that is said, and the others are tried.
    found = tried(job, [slower, SCALED], steps=15)
    assert [row["tried"] for row in found.rows] == [False, True]
    assert "data.source" in found.rows[0]["sentence"]


def test_nothing_is_confirmed_where_nothing_helps():
    fine = prepare(recipe_of(0.02))
    other = suspicion("batch-too-small", 0.8, optimizer__learning_rate=0.021)
    found = tried(fine, [other, TRAIL], steps=60)
    assert found.confirmed is None
    assert len(found.rows) == 2
    assert "none helped" in found.sentence


def test_a_trial_that_diverges_is_no_help():
    worse = suspicion("batch-too-small", 0.8, "huge", optimizer__learning_rate=1e38)
    found = tried(too_fast(), [worse, TRAIL], steps=15)
    row = next(row for row in found.rows if row["remedy"] == "huge")
    assert row["diverged"]
    assert row["gain"] <= 0
    assert "no help" in row["sentence"]


def test_what_cannot_be_tried_is_said():
    rows_are_bad = suspicion("data-problem", 0.9, "look at the rows")
    impossible = suspicion("wrong-output", 0.9, net__layers=[{"dense": 7}])
    found = tried(too_fast(), [rows_are_bad, impossible], steps=15)
    said = {row["id"]: row["sentence"] for row in found.rows}
    assert not any(row["tried"] for row in found.rows)
    assert said["data-problem"] == "Not tried: no edit of the recipe undoes it."
    assert "7 outputs" in said["wrong-output"]
    assert found.confirmed is None


def test_the_time_ends_a_trial_and_what_was_left_out_is_said():
    found = tried(too_fast(), [LOWER, TRAIL], budget_seconds=0.0)
    assert [row["sentence"] for row in found.rows] == ["Not tried: the time was over."] * 2
    assert found.confirmed is None


def test_a_recipe_whose_rows_cannot_be_had_is_no_error():
    recipe = recipe_of(0.01)
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"source": None})})
    found = tried(recipe, [LOWER, TRAIL])
    assert found.rows == ()
    assert found.sentence.startswith("Nothing was tried: ")


@pytest.mark.parametrize(
    ("suspicions", "expected"),
    [
        ([LOWER], ()),
        ([LOWER, suspicion("batch-too-small", 0.3)], ()),
        # The inputs explain most of the rate's strength, or half of it.
        ([LOWER, suspicion("unscaled-inputs", 0.8)], ()),
        ([LOWER, SCALED], ("unscaled-inputs", "learning-rate-too-high")),
        ([suspicion("ravine", 0.1, seed=1)], ("ravine",)),  # no rule says why
    ],
)
def test_candidates_are_those_that_the_rules_leave(suspicions, expected):
    assert tuple(s.id for s in candidates(poor(), suspicions)) == expected


def test_there_are_no_candidates_in_a_healthy_run():
    healthy = Diagnosis("healthy", None, (), (), poor().outcome, ())
    assert candidates(healthy, [TRAIL, LOWER]) == ()


def test_what_is_confirmed_stands_first_and_quotes_its_numbers():
    evidence = evidence_of(recipe_of(3.0))
    row = {"id": "ravine", "tried": True, "with": 0.9, "without": 0.4, "seeds": 2, "steps": 9}
    rows = [{**row, "sentence": "Tried."}]
    found = weigh(evidence, [TRAIL, suspicion("ravine", 0.5)], (), "ravine", rows)
    first = found.findings[0]
    assert (found.root_cause, first.id, first.certainty) == ("ravine", "ravine", "confirmed")
    assert first.evidence["trial_with"] == 0.9
    assert first.evidence["trial_without"] == 0.4
    assert first.explanation.endswith("Tried.")
    assert found.to_dict()["trials"] == rows
    assert [f.certainty for f in found.findings[1:]] == ["observed"]
