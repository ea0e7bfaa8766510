"""How hard the compiler tries changes speed and the last bits, and nothing else."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from surefoot.data import load
from surefoot.engine import effort
from surefoot.engine.cohort import Cohort
from surefoot.engine.effort import Effort
from surefoot.engine.program import Program
from surefoot.engine.programs import programs_for
from surefoot.engine.training import train
from surefoot.recipe import Recipe


@pytest.fixture
def recipe() -> Recipe:
    layers = [{"dense": 6}, {"activation": "tanh"}, {"dense": "classes"}, {"activation": "softmax"}]
    return Recipe.parse(
        {"data": {"source": "iris"}, "net": {"layers": layers}, "train": {"epochs": 3}}
    )


def test_each_effort_has_its_program_and_all_train_alike(recipe):
    dataset = load(recipe.data)
    losses = []
    for tried in Effort:
        cohort = Cohort([recipe], dataset)
        cohort.effort = tried
        before = programs_for(cohort.blueprint).train.count
        (result,) = train(cohort)
        assert programs_for(cohort.blueprint).train.count == before + 1
        losses.append(result.train[0])
    np.testing.assert_allclose(losses, losses[-1], rtol=1e-5)


def test_the_longer_a_program_runs_the_more_effort_it_is_worth():
    tried = [Effort.for_seconds(seconds) for seconds in (0.0, 0.29, 0.31, 4.9, 5.1, 1e9)]
    assert tried == sorted(tried)
    assert set(tried) == set(Effort) - {Effort.MUCH}


def test_much_is_less_than_all_and_evaluates_with_little():
    assert 0 < len(Effort.MUCH.compiler_options) < len(Effort.LITTLE.compiler_options)
    evaluating = [effort.for_evaluation for effort in Effort]
    assert evaluating == [Effort.LEAST, Effort.LITTLE, Effort.LITTLE, Effort.FULL]


def test_other_devices_have_their_own_compiler(monkeypatch):
    assert Effort.LEAST.compiler_options
    assert not Effort.FULL.compiler_options
    monkeypatch.setattr(effort, "on_cpu", lambda: False)
    assert not Effort.LEAST.compiler_options
    assert Effort.LEAST.slowdown == 1


def test_a_compiler_that_lacks_an_option_does_without(monkeypatch):
    unknown = property(lambda self: {"xla_cpu_no_such_option": True})
    monkeypatch.setattr(Effort, "compiler_options", unknown)
    double = Program(lambda x: 2 * x).prepare(jax.numpy.ones(2)).compiled(Effort.LEAST)
    assert double(jax.numpy.ones(2)).tolist() == [2, 2]
