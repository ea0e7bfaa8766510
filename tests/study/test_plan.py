"""Which runs become lanes of which program."""

from __future__ import annotations

import pytest

from surefoot.errors import DataError, RecipeError
from surefoot.study import plan as planning
from surefoot.study.plan import lanes_for, make_plan
from surefoot.study.space import expand, read_vary


def planned(job, vary, seeds=(0, 1), **options):
    settings = expand(job.recipe, job.dataset, read_vary(vary))
    return make_plan(settings, seeds, lambda recipe: job.dataset, **options)


def test_numbers_and_initializers_are_lanes_of_one_program(job):
    plan = planned(job, {"learning_rate": [0.1, 0.2, 0.3], "initializer": ["zeros", "he_normal"]})
    assert (plan.runs, plan.programs, len(plan.groups)) == (12, 1, 1)
    assert plan.measure == "accuracy"
    assert plan.text.startswith("12 runs as 1 compiled program of 64 lanes; about")


def test_structure_epochs_and_class_weights_are_groups_of_their_own(job):
    plan = planned(job, {"optimizer": ["sgd", "adam"]})
    assert (plan.programs, len(plan.groups)) == (2, 2)
    plan = planned(job, {"epochs": [1, 2]})
    assert (plan.programs, len(plan.groups)) == (1, 2)
    plan = planned(job, {"class_weight": ["balanced", {"setosa": 2.0}]})
    assert len(plan.groups) == 2


def test_what_is_finished_is_left_out(job):
    plan = planned(job, {"learning_rate": [0.1, 0.2]}, done={(0, 0), (0, 1), (1, 0)})
    assert [(lane.setting, lane.seed) for lane in plan.groups[0].lanes] == [(1, 1)]
    done = {(i, seed) for i in (0, 1) for seed in (0, 1)}
    assert planned(job, {"learning_rate": [0.1, 0.2]}, done=done).text == "all runs are finished"


def test_lanes_are_as_many_as_memory_holds(job):
    each = planned(job, {"learning_rate": [0.1]}).groups[0].lane_bytes
    plan = planned(job, {"learning_rate": [0.1, 0.2, 0.3]}, memory=int(2.5 * each))
    assert [len(part) for part in plan.groups[0].parts] == [2, 2, 2]
    assert plan.bytes <= 2.5 * each
    with pytest.raises(RecipeError, match=r"a single run needs about .* smaller"):
        planned(job, {"learning_rate": [0.1]}, memory=each - 1)


@pytest.mark.parametrize("width", [1, 8, 64])
def test_parts_cover_all_runs_in_equal_numbers_of_whole_programs(width):
    for runs in range(1, 300):
        size = lanes_for(runs, 32, width)
        parts = -(-runs // size)
        assert size <= 32
        assert parts == -(-runs // 32)
        if 1 < width <= 32 and parts > 1:
            assert size % width == 0
            assert parts * size - runs < parts * width


def test_programs_are_the_same_when_a_study_goes_on_with_what_is_left(job):
    vary = {"learning_rate": [0.1, 0.2, 0.3]}
    whole = planned(job, vary).groups[0]
    rest = planned(job, vary, done={(i, 0) for i in range(3)}).groups[0]
    assert (rest.width, rest.shared) == (whole.width, whole.shared) == (64, False)
    assert planned(job, vary, seeds=(1,)).groups[0].shared


def test_a_long_study_says_how_to_shrink_it(job):
    assert "give fewer" in planned(job, {"train.epochs": [100_000_000]}).text
    assert "give fewer" not in planned(job, {"train.epochs": [1]}).text


def test_settings_that_cannot_run_are_named(job):
    with pytest.raises(DataError, match=r"batch_size = 500: train\.batch_size = 500 is more"):
        planned(job, {"batch_size": [20, 500]})
    with pytest.raises(RecipeError, match="dense = 7: layer 3"):
        planned(job, {"net.layers.2.dense": [7]})


def test_parts_of_long_runs_are_small_so_that_little_is_lost(job, monkeypatch):
    monkeypatch.setattr(planning, "available_cores", lambda: 2)
    vary = {"learning_rate": {"low": 0.1, "high": 0.2, "count": 300}}
    short = planned(job, vary, seeds=(0,)).groups[0]
    wide = {"net.layers.0.dense": [512], "train.epochs": [10_000]}
    long = planned(job, {**vary, **wide}, seeds=(0,)).groups[0]
    assert len(short.parts) == 3
    assert len(long.parts) > len(short.parts)
    assert all(len(part) % (2 * long.width) == 0 for part in long.parts[:-1])
