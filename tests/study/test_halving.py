"""Settings that are dropped on the way: the same winner, fewer steps, and a study that goes on."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.study import command
from surefoot.study.halving import Halving
from surefoot.study.plan import make_plan
from surefoot.study.progress import Progress
from surefoot.study.space import expand, read_vary

VARY = {
    "learning_rate": [1e-6, 1e-5, 1e-4, 1e-3, 0.05],
    "optimizer": ["adam", "sgd"],
}
SETTINGS, EPOCHS = 10, 9


@pytest.fixture(scope="module")
def recipe(job):
    return job.recipe.model_copy(
        update={"train": job.recipe.train.model_copy(update={"epochs": EPOCHS})}
    )


def studied(recipe, out, **options):
    options = {"vary": VARY, "seeds": 2, "validated": False, **options}
    return sf.study(recipe, out=out, **options)


@pytest.fixture(scope="module")
def halved(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("halved") / "study"
    return studied(recipe, out, halving={"eta": 3, "share": 0.1})


def test_the_winner_is_that_of_the_whole_study_for_fewer_steps(recipe, halved, tmp_path):
    whole = studied(recipe, tmp_path / "whole")
    assert halved.best.metrics["keys"] == whole.best.metrics["keys"]
    assert halved.runs["steps"].sum() < 0.5 * whole.runs["steps"].sum()
    finished = halved.runs["dropped"] < 0
    for name in ("train_loss", "validation_loss", "validation_accuracy", "steps", "ended"):
        # Runs that go on have the bits that they have without halving.
        assert (halved.runs[name][finished] == whole.runs[name][finished]).all(), name


def test_rows_say_after_which_epoch_a_run_was_dropped(halved):
    runs = halved.runs
    rungs = Halving().rungs(EPOCHS, SETTINGS)
    assert rungs == [(1, 4), (3, 2)]
    dropped = runs["dropped"].reshape(SETTINGS, 2)
    assert (dropped[:, 0] == dropped[:, 1]).all()
    assert {e: int((dropped[:, 0] == e).sum()) for e in (1, 3, -1)} == {1: 6, 3: 2, -1: 2}
    gone = runs["dropped"] > 0
    assert set(runs["ended"][gone]) == {"dropped"}
    assert set(runs["ended"][~gone]) == {"finished"}
    each = runs["steps"][~gone][0] // EPOCHS
    assert (runs["steps"][gone] == each * runs["dropped"][gone]).all()


def test_conclusions_are_about_settings_that_were_trained_to_the_end(halved):
    verdicts = halved.table()["verdict"].tolist()
    assert verdicts.count("dropped") == 8
    assert np.isnan(halved.table()["difference"]).sum() == 8
    assert np.isfinite(halved.table()["mean"]).all()
    (told,) = [line for line in halved.conclusions if "dropped" in line]
    assert told.startswith("8 of 10 settings were dropped on the way, after 1 or 3 epochs")


def test_a_baseline_is_never_dropped(recipe, tmp_path):
    baseline = {"learning_rate": 1e-6, "optimizer": "sgd"}
    found = studied(recipe, tmp_path / "s", halving=True, baseline=baseline)
    own = (found.runs["learning_rate"] == 1e-6) & (found.runs["optimizer"] == "sgd")
    assert (found.runs["dropped"][own] == -1).all()
    assert found.table()["verdict"].tolist().count("dropped") == 7


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_an_interrupted_study_goes_on_with_those_that_were_left(
    halved, recipe, tmp_path, monkeypatch, parts
):
    whole = command.run_halved

    def interrupted(*args, **options):
        for number, part in enumerate(whole(*args, **options), 1):
            yield part
            if number == parts:
                raise KeyboardInterrupt

    begun = []

    def counted(plan, *args, **options):
        begun.append((plan.runs, options["passed"]))
        return whole(plan, *args, **options)

    out = tmp_path / "study"
    monkeypatch.setattr(command, "run_halved", interrupted)
    with pytest.raises(KeyboardInterrupt):
        studied(recipe, out, halving=True)
    monkeypatch.setattr(command, "run_halved", counted)
    again = studied(recipe, out, halving=True)
    assert begun == [[(8, 1)], [(4, 3)], [(2, 3)]][parts - 1]
    for name, column in halved.runs.items():
        if name != "seconds":
            assert np.array_equal(again.runs[name], column), name


@pytest.mark.parametrize("dispatch", [4, 14])
def test_one_that_was_killed_at_any_dispatch_ends_with_the_same_bits(
    recipe, tmp_path, monkeypatch, dispatch
):
    """Also what is concluded, and what the best and a baseline reach with fresh seeds."""
    options = {"halving": True, "validated": True}
    options["baseline"] = {"learning_rate": 1e-6, "optimizer": "sgd"}
    whole = studied(recipe, tmp_path / "whole", **options)
    real, seen = Progress.block, []

    def gone(self, block):
        seen.append(block)
        if len(seen) > dispatch:
            raise KeyboardInterrupt
        return real(self, block)

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "block", gone)
        with pytest.raises(KeyboardInterrupt):
            studied(recipe, tmp_path / "study", **options)
    again = studied(recipe, tmp_path / "study", **options)
    for own, expected in ((again.runs, whole.runs), (again.table(), whole.table())):
        assert list(own) == list(expected)
        for name, column in expected.items():
            same = (
                own[name].tolist() == column.tolist()
                if column.dtype == object
                else (own[name].tobytes() == column.tobytes())
            )
            assert same or name == "seconds", name
    assert again.summary["best"] == whole.summary["best"]
    assert again.conclusions == whole.conclusions


@pytest.mark.parametrize(
    ("halving", "line"),
    [
        ({"eta": 4}, "eta = 4: must be 2 or 3"),
        ({"eta": True}, "eta = True: must be 2 or 3"),
        ({"share": 0}, "share = 0: must be between 0 and 1"),
        ({"rate": 1}, "unknown key 'rate'"),
        ("yes", "must be true, or a table"),
    ],
)
def test_what_is_wrong_with_halving_is_said(recipe, tmp_path, halving, line):
    with pytest.raises(sf.RecipeError, match=line):
        studied(recipe, tmp_path / "study", halving=halving)
    assert not (tmp_path / "study").exists()


def test_settings_of_different_epochs_are_not_compared_on_the_way(recipe, tmp_path):
    with pytest.raises(sf.RecipeError, match=r"leave train\.epochs out of vary"):
        studied(recipe, tmp_path / "study", vary={"train.epochs": [3, 9]}, halving=True)


def test_all_runs_have_to_fit_into_memory_side_by_side(job):
    settings = expand(job.recipe, job.dataset, read_vary(VARY))
    each = make_plan(settings, [0], lambda recipe: job.dataset).groups[0].lane_bytes
    with pytest.raises(sf.RecipeError, match="halving: all runs are trained side by side"):
        make_plan(settings, [0], lambda recipe: job.dataset, memory=3 * each, share=0.3)
