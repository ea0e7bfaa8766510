"""Every recipe trains, or is refused with one line."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from benchmarks.soak import recipes

# Drawn by the same numbers each time: no test is red by chance. The soak draws anew.
few = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@few
@given(recipes.tables())
def test_every_recipe_trains_or_is_refused(values):
    assert recipes.step(values)


def test_what_is_fine_trains_and_what_is_not_is_refused():
    for structure in recipes.STRUCTURES:
        fine = {"data": {"source": "iris"}, **structure}
        assert recipes.step(fine) == "trained"
        wild = {**fine.get("optimizer", {}), "learning_rate": -1.0}
        assert "greater than 0" in recipes.step({**fine, "optimizer": wild})


def test_more_steps_than_can_be_counted_are_refused():
    endless = {"data": {"source": "iris"}, **recipes.STRUCTURES[0], "train": {"epochs": 10**9}}
    assert "train.epochs = 1000000000: are 4,000,000,000 steps" in recipes.step(endless)
