"""Labels by hand-made numbers, and one program trained, stored and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults.bases import BASES
from benchmarks.faults.corpus import facts_of
from benchmarks.faults.outcomes import (
    SEEDS,
    Outcome,
    judge,
    key_of,
    label,
    measure,
    r_squared,
    restores,
    write_data,
)
from benchmarks.faults.programs import FAMILIES, Fault, Program
from surefoot.recipe import Recipe
from surefoot.recipe.toml import read_table
from surefoot.vitals.table import read


def outcome(score):
    return Outcome((score,) * 3, (score,) * 3, (None,) * 3, (10,) * 3, 1)


@pytest.mark.parametrize(
    ("score", "said"),
    [(0.97, "trains"), (0.94, "trains"), (0.9399, "between"), (0.8701, "between"), (0.87, "fails")],
)
def test_labels(score, said):
    assert label(score, 0.97) == said


def test_restoring_means_training_or_most_of_the_gap():
    assert restores(0.10, 0.95, 0.97)
    assert restores(0.10, 0.80, 0.97)  # 0.70 of a gap of 0.87
    assert not restores(0.10, 0.79, 0.97)
    assert not restores(0.50, 0.50, 0.97)


def test_r_squared():
    assert r_squared(2.0, 16.0) == 0.75
    assert r_squared(float("inf"), 16.0) == -1.0


def family(name):
    return next(family for family in FAMILIES if family.name == name)


def recipe(seed):
    return Recipe.parse({"seed": seed, "net": {"layers": [{"dense": 1}]}})


def test_the_root_cause_is_what_restores_the_outcome():
    slow, zero = Fault(family("rate-low"), 1e-4), Fault(family("zero-weights"), "all")
    undo = {str(slow): recipe(1), str(zero): recipe(2)}
    program = Program("p", "moons", "tune", recipe(0), (slow, zero), undo)
    scores = {0: 0.5, 1: 0.55, 2: 0.96}
    judged = judge(program, {recipe(k): outcome(v) for k, v in scores.items()}, 0.97)
    assert judged.label == "fails"
    assert judged.causes == ("zero-weights=all",)
    assert judged.right == zero.right
    well = judge(program, {recipe(k): outcome(0.96) for k in scores}, 0.97)
    assert (well.label, well.causes, well.right) == ("trains", (), frozenset())


def test_a_key_follows_the_recipe_and_the_data_but_not_the_place():
    base = BASES["rings"][0]
    other = base.copy()
    other.optimizer["learning_rate"] *= 2
    assert key_of(base.recipe(Path("a"))) == key_of(base.recipe(Path("b")))
    assert key_of(base.recipe(Path("a"))) != key_of(other.recipe(Path("a")))


def test_a_program_is_trained_stored_and_read_back(tmp_path):
    draft = BASES["rings"][0].copy()
    draft.train["epochs"] = 3
    draft.edit_data("inputs-times=30")
    made = draft.recipe(tmp_path / "data")
    write_data(made)
    folder = tmp_path / "run"
    result = measure(made, folder)
    assert len(result.scores) == len(SEEDS)
    assert sorted(result.scores)[1] == result.score == result.scores[result.shown]
    assert result.steps == (66,) * 3
    stored = Recipe.parse(read_table(folder / "recipe.toml"))
    assert stored.seed == SEEDS[result.shown]
    metrics = read(folder, "metrics")
    assert metrics["step"].tolist() == list(range(66))
    measured = metrics["validation_accuracy"]
    assert measured[~np.isnan(measured)][-1] == pytest.approx(result.score)
    vitals = read(folder, "vitals")
    # The first 16 steps, and every 16th.
    assert sorted(set(vitals["step"].tolist())) == [*range(17), 32, 48, 64]
    assert facts_of(stored)["prepared"]["rows"] == 700
