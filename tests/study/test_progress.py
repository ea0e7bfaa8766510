"""What is told while a study runs: by a clock that the test turns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from surefoot.engine.events import looks_at_validation, offer_time
from surefoot.study.plan import make_plan
from surefoot.study.progress import Progress
from surefoot.study.space import expand, read_vary

STEPS = 100


class Clock:
    """Seconds that go by when they are told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def plan(job):
    settings = expand(job.recipe, job.dataset, read_vary({"learning_rate": [0.1, 0.2]}))
    return make_plan(settings, [0], lambda recipe: job.dataset, most_lanes=1)


def followed(plan, seconds_a_step, compiled=2.0):
    """Tell a progress of both parts of a plan, ten steps at a time; return what was said."""
    clock, said = Clock(), []
    progress = Progress(plan, said.append, clock)
    for place, group in enumerate([plan.groups[0]] * 2):
        progress.begin(group, group.seconds(1), 0, STEPS)
        clock.now += 0 if place else compiled
        for first in range(0, STEPS, 10):
            clock.now += 10 * seconds_a_step
            progress.block(SimpleNamespace(first=first, loss=np.zeros((10, 1))))
        assert progress.end(0 if place else compiled) == pytest.approx(STEPS * seconds_a_step)
        progress.told(1)
    return said


def test_the_rest_is_told_from_the_first_steps_on_as_measured(plan):
    assert len(plan.groups[0].parts) == 2
    said = followed(plan, 1.0)
    # After 40 of 200 steps; then every ten seconds.
    assert said[0] == "about 3 min to go, as measured so far"
    assert said[5] == "about 2 min to go, as measured so far"
    assert said[7] == "1 of 2 runs after 2 min, about 2 min to go"
    assert said[-1] == "2 of 2 runs after 3 min"


def test_nothing_is_told_in_between_where_it_is_short(plan):
    assert followed(plan, 0.01) == [
        "1 of 2 runs after 3 s, about 1 s to go",
        "2 of 2 runs after 4 s",
    ]


def test_what_turns_out_to_take_hours_says_how_to_shrink_it(plan):
    said = followed(plan, 100.0)
    assert said[0] == (
        "about 4.4 h to go, as measured so far; for less give fewer values, draws, seeds or epochs"
    )
    assert sum("for less" in line for line in said) == 1


def test_tables_are_made_ready_while_programs_are_compiled(plan):
    ready = []
    progress = Progress(plan, ready.append, ready=lambda: ready.append("ready"))
    offer_time(progress)
    assert ready == ["ready"]
    assert not looks_at_validation(progress)
