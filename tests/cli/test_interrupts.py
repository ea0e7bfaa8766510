"""Ctrl-C and a kill, in the middle of training."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

import surefoot as sf
from surefoot.vitals.table import read

# Long enough that no machine is done before it is told to stop.
ENDLESS = ("train", "iris", "--net", "mlp:8", "--epochs", "10000000", "--out", "run")


def _training(process) -> None:
    """Wait until steps are on disk."""
    while not list(Path("run").glob("vitals/part-*.parquet")):
        if process.poll() is not None:
            pytest.fail(f"ended too early: {process.communicate()[1]}")
        time.sleep(0.05)


def _ends_cleanly(process, number: int, code: int) -> None:
    """Send a signal; look for a usable run and a checkpoint."""
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert "`surefoot resume run` goes on" in err
    # A bar is drawn for a terminal alone.
    assert not {"\x1b", "━"} & set(err)
    (checkpoint,) = Path("run/checkpoints").iterdir()
    result = json.loads(out)
    assert checkpoint.name == f"step-{result['steps']:012d}"
    assert result["ended"] == "interrupted"
    run = sf.Run("run")
    assert run.summary["steps"] == result["steps"] == run.history.rows
    np.testing.assert_array_equal(run.history["step"], np.arange(result["steps"]))
    # What it predicts is as good as the run says that it is.
    flowers = load_iris()
    right = run.predict(flowers.data) == flowers.target_names[flowers.target]
    share = {part: values["accuracy"] for part, values in result["metrics"].items()}
    assert right.mean() == pytest.approx(0.8 * share["train"] + 0.2 * share["validation"])
    assert not list(Path("run").glob("**/*.tmp"))


def test_ctrl_c_ends_cleanly(start):
    process = start(*ENDLESS, "--json")
    _training(process)
    _ends_cleanly(process, signal.SIGINT, 130)


def test_a_run_that_was_stopped_goes_on_and_a_second_writer_is_refused(surefoot, start):
    process = start(*ENDLESS, "--json")
    _training(process)
    second = surefoot("resume", "run")
    assert (second.code, second.out) == (2, "")
    assert f"run: is being written by process {process.pid}" in second.err
    assert second.err.count("\n") == 1
    _ends_cleanly(process, signal.SIGTERM, 143)
    before = sf.Run("run").summary["steps"]
    process = start("resume", "run", "--json")
    time.sleep(0.5)
    while not Path("run/running.json").exists() and process.poll() is None:
        time.sleep(0.05)
    while Path("run/summary.json").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    run = sf.Run("run")
    assert run.summary["steps"] >= before
    np.testing.assert_array_equal(run.history["step"], np.arange(run.summary["steps"]))


def test_a_second_ctrl_c_ends_at_once(start):
    process = start(*ENDLESS, "--quiet", "--set", "vitals.every=1")
    _training(process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_killed_process_leaves_tables_that_can_be_read(start):
    process = start(*ENDLESS, "--quiet")
    _training(process)
    process.kill()
    process.communicate()
    metrics, vitals = read(Path("run"), "metrics"), read(Path("run"), "vitals")
    np.testing.assert_array_equal(metrics["step"], np.arange(metrics.rows))
    assert metrics.rows > 0
    assert np.isfinite(metrics["loss"]).all()
    assert set(vitals["step"]) <= set(metrics["step"])
    with pytest.raises(sf.RunError, match=r"summary\.json: no such file"):
        sf.Run("run")


def test_a_signal_while_the_results_are_written_ends_nothing(surefoot, monkeypatch):
    from surefoot.engine.model import Model

    def save(self, folder, real=Model.save):
        signal.raise_signal(signal.SIGTERM)
        real(self, folder)

    monkeypatch.setattr(Model, "save", save)
    ended = surefoot("train", "iris", "--net", "mlp:4", "--epochs", "1", "--out", "run", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["ended"] == "finished"
