"""Figures of repairs on hand-made ones, what rows allow, and PyTorch's side of the timing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.faults import random_changes
from benchmarks.faults.ceiling import ceiling
from benchmarks.faults.mended import Mended, Scores, kept, measured
from benchmarks.faults.outcomes import Judged, Outcome
from benchmarks.faults.programs import Program
from benchmarks.faults.random_changes import at_random
from benchmarks.faults.repair import Entry, table
from benchmarks.faults.torch_programs import Inexpressible, TorchProgram
from surefoot.files import write_json
from surefoot.job import prepare
from surefoot.recipe import Recipe
from surefoot.repair.remedies.registry import REMEDIES

LAYERS = [{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}, {"activation": "softmax"}]
IRIS = {
    "data": {"source": "iris"},
    "net": {"layers": LAYERS},
    "optimizer": {"name": "adam", "learning_rate": 0.01},
    "train": {"epochs": 30},
}


def entry(before, after, changes=1, seconds=4.0, random=None, allowed=1.0):
    recipe = Recipe.parse(IRIS)
    program = Program("moons/a/fault=1", "moons", "tune", recipe, (), {})
    outcome = Outcome((before,) * 3, (before,) * 3, (None,) * 3, (100,) * 3, 1)
    judged = Judged(program, outcome, 0.97, "fails", {}, (), frozenset())
    mended = Mended(
        changes > 0,
        "",
        None,
        ("a change",) * changes,
        seconds,
        2 * seconds,
        9,
        Scores(after, after),
        {},
        (),
        None if random is None else Scores(random, random),
    )
    return Entry(judged, Scores(0.97, 0.97), mended, allowed)


def test_figures_are_those_worked_out_by_hand():
    failing = [
        entry(0.5, 0.96, changes=1, random=0.5),
        entry(0.5, 0.94, changes=3, random=0.95),  # 3 points below, no more
        entry(0.6, 0.90, changes=2, seconds=10.0),
        entry(0.5, 0.5, changes=0, allowed=0.8),
    ]
    healthy = [entry(0.97, 0.97, changes=0), entry(0.97, 0.93)]
    told = [" ".join(line.split()) for line in table(failing, healthy).splitlines()]
    for wanted in (
        "validation rows 50.0% (2/4)",
        "whose rows allow it 66.7% (2/3)",
        "programs 30.0 points",  # (46 + 44 + 30 + 0) / 4
        "median (mean) 2 (2.00)",
        "proof, median (mean) 4.0 (5.5)",
        "within 3 points 50.0% (1/2)",
        "same programs 100.0% (2/2)",
        "for the worse 50.0% (1/2)",
    ):
        assert any(wanted in line for line in told), wanted


def test_of_changes_drawn_at_random_the_best_is_taken(monkeypatch):
    names = ("rate-down", "rate-far-up", "decay")  # lanes of one program
    monkeypatch.setattr(random_changes, "REMEDIES", {name: REMEDIES[name] for name in names})
    slow = prepare({**IRIS, "optimizer": {"name": "adam", "learning_rate": 1e-5}}).recipe
    found = at_random(slow, 18)
    assert found.optimizer.learning_rate == pytest.approx(1e-3)
    assert at_random(slow, 18) == found


def test_what_other_code_repaired_is_not_taken_for_this(tmp_path):
    found = entry(0.5, 0.9).mended
    found = replace(found, tried=[])
    values = {**vars(found), "after": vars(found.after)}
    write_json(tmp_path / "key.json", {"name": "a", "code": "another", "mended": values})
    assert kept("a", "key", tmp_path, stale=False, random=False) is None
    assert kept("a", "key", tmp_path, stale=True, random=False) == found
    assert kept("a", "key", tmp_path, stale=True, random=True) is None
    assert kept("b", "key", tmp_path, stale=True, random=False) is None


def test_rows_that_say_nothing_allow_nothing(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    np.savez(tmp_path / "noise.npz", x=x, y=y)
    np.savez(tmp_path / "clear.npz", x=x, y=(x[:, 0] > 0).astype(int))
    noise, clear = (
        Recipe.parse({**IRIS, "data": {"source": str(tmp_path / f"{name}.npz")}})
        for name in ("noise", "clear")
    )
    assert ceiling(noise, (), tmp_path / "kept") < 0.85
    assert ceiling(clear, (), tmp_path / "kept") > 0.9


def test_both_parts_of_the_validation_rows_are_scored():
    reached = measured(Recipe.parse(IRIS))
    assert reached.whole > 0.8
    assert reached.proving * 15 == pytest.approx(round(reached.proving * 15), abs=1e-4)


def test_pytorch_trains_what_the_recipe_says():
    program = TorchProgram(Recipe.parse(IRIS))
    assert program.steps == 30 * 4
    assert program.train(5) > 0
    step = {**IRIS, "net": {"layers": [{"dense": 8}, {"activation": "step"}, *LAYERS[2:]]}}
    with pytest.raises(Inexpressible, match="step"):
        TorchProgram(Recipe.parse(step))
