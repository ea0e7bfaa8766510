"""What a run does at a step that is not finite: stop, leave out the batch, or go back."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot import saving
from surefoot.engine import training
from surefoot.job import prepare
from surefoot.keeper import Keeper
from surefoot.trainer import execute


@pytest.fixture
def rows(tmp_path):
    """Write rows of which one in 96 is so large that its loss overflows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 3)).astype(np.float32)
    y = x.sum(axis=1)
    y[40] = 1e30
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    return tmp_path / "rows.npz"


def _tables(source, on_divergence, rate=0.01, **train):
    return {
        "data": {
            "source": str(source),
            "validation": 0,
            "standardize": False,
            "standardize_targets": False,
        },
        "net": {"layers": [{"dense": 4}, {"activation": "tanh"}, {"dense": "outputs"}]},
        "optimizer": {"name": "adam", "learning_rate": rate},
        "train": {
            "loss": "mean_squared_error",
            "epochs": 3,
            "batch_size": 8,
            "on_divergence": on_divergence,
            **train,
        },
    }


def _train(tables, path):
    path.mkdir()
    return execute(prepare(tables), path)


def test_it_stops_with_the_weights_before_and_says_where(rows, tmp_path):
    run = _train(_tables(rows, "stop"), tmp_path / "run")
    assert run.summary["ended"] == "diverged"
    assert run.summary["nonfinite"] == {
        "step": run.summary["diverged_at"],
        "layer": None,
        "kind": None,
        "direction": "loss",
    }
    assert all(np.isfinite(layer["kernel"]).all() for layer in run.model.params if layer)


def test_a_batch_that_is_not_finite_is_left_out(rows, tmp_path):
    run = _train(_tables(rows, "skip"), tmp_path / "run")
    assert run.summary["ended"] == "finished"
    loss = run.history["loss"]
    assert run.history.rows == 36
    assert (~np.isfinite(loss)).sum() == 3  # once an epoch
    bad = np.flatnonzero(~np.isfinite(loss))
    weights = run.vitals.where(run.vitals["layer"] == "1")
    at = {
        int(step): value for step, value in zip(weights["step"], weights["weight_rms"], strict=True)
    }
    before = [step for step in bad if step in at and step + 1 in at]
    assert before
    assert all(at[step] == at[step + 1] for step in before)
    assert np.isfinite(loss[bad[-1] + 1 :]).all()


def test_the_rules_memory_is_guarded_too(rows, tmp_path):
    """After a batch that was left out the next step is that of a run that never met it."""
    run = _train(_tables(rows, "skip", epochs=1), tmp_path / "run")
    bad = int(np.flatnonzero(~np.isfinite(run.history["loss"]))[0])
    assert bad < 11
    assert np.isfinite(run.history["loss"][bad + 1 :]).all()
    updates = run.vitals.where((run.vitals["layer"] == "1") & (run.vitals["step"] == bad + 1))
    assert np.isfinite(updates["update_rms"]).all()


def test_it_goes_back_with_half_the_rate_until_it_may_not_any_more(rows, tmp_path):
    run = _train(_tables(rows, "rollback"), tmp_path / "run")
    assert run.summary["ended"] == "diverged"  # no rate helps against such a row
    assert len(run.summary["rollbacks"]) == 8
    assert {entry["to"] for entry in run.summary["rollbacks"]} == {0}
    assert "arose in the loss" in run.summary["rollbacks"][0]["origin"]
    np.testing.assert_array_equal(run.history["step"], np.arange(run.history.rows))


HOT = {
    "data": {"source": "diabetes", "standardize_targets": True},
    "net": {"layers": [{"dense": 16}, {"activation": "relu"}, {"dense": "outputs"}]},
    "optimizer": {"name": "sgd", "learning_rate": 2.0},
    "train": {"loss": "mean_squared_error", "epochs": 3, "on_divergence": "rollback"},
    "checkpoints": {"every_seconds": 1e-6},
}


def test_a_rate_that_is_too_high_is_halved_until_it_trains(tmp_path):
    run = _train(HOT, tmp_path / "run")
    assert run.summary["ended"] == "finished"
    taken = run.summary["rollbacks"]
    assert 1 <= len(taken) <= 8
    assert run.history.rows == run.summary["steps"]
    np.testing.assert_array_equal(run.history["step"], np.arange(run.history.rows))
    last = run.history["learning_rate"][np.isfinite(run.history["learning_rate"])][-1]
    assert last == pytest.approx(2.0 * 0.5 ** len(taken))
    again = _train(HOT, tmp_path / "again")
    np.testing.assert_array_equal(again.history["loss"], run.history["loss"])


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("count", [1, 4, 9])
def test_a_run_that_went_back_goes_on_to_the_same_end(tmp_path, monkeypatch, count):
    whole = _train(HOT, tmp_path / "whole")
    left = [count]

    def gone(self, block, real=Keeper.block):
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        real(self, block)

    with monkeypatch.context() as patched:
        patched.setattr(saving, "_MOST_SHARE", 1e9)
        patched.setattr(training, "_DISPATCH_SECONDS", 0.001)
        patched.setattr(training, "_FIRST_STEPS", 3)
        patched.setattr(Keeper, "block", gone)
        with pytest.raises(Killed):
            _train(HOT, tmp_path / "run")
    run = sf.resume(tmp_path / "run")
    np.testing.assert_array_equal(run.history["loss"], whole.history["loss"])
    assert run.summary["rollbacks"] == whole.summary["rollbacks"]
    assert run.summary["metrics"] == whole.summary["metrics"]


def test_weights_that_never_were_finite_are_no_model_and_the_run_is_kept(tmp_path):
    huge = {"name": "constant", "value": 1e300}
    tables = {
        "data": {"source": "iris"},
        "net": {"layers": [{"dense": "outputs", "initializer": huge}, {"activation": "softmax"}]},
        "train": {"epochs": 1},
    }
    run = _train(tables, tmp_path / "run")
    assert run.summary["ended"] == "diverged"
    assert run.history.rows == run.summary["steps"]
    assert not (run.path / "model.safetensors").exists()
    with pytest.raises(sf.RunError, match=r"has no model: params\.0\.kernel holds values that are"):
        run.predict(np.zeros((1, 4)))
