"""`surefoot landscape`, on runs trained once for all of these tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import surefoot as sf
from surefoot.vitals.landscape import LANDSCAPE_COLUMNS
from surefoot.vitals.table import read


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A finished run, one that stopped early, one that diverged, and one on arrays."""
    folder = tmp_path_factory.mktemp("runs")
    own = {"net": "mlp:4", "optimizer": "sgd"}
    sf.train("iris", **own, epochs=5, learning_rate=0.05, out=folder / "good")
    stopping = {"train__early_stopping": {"patience": 2}}
    sf.train("iris", **own, epochs=30, learning_rate=0.9, **stopping, out=folder / "early")
    sf.train("diabetes", **own, epochs=3, learning_rate=1e4, out=folder / "diverged")
    x = np.random.default_rng(0).normal(size=(40, 3))
    sf.train(x, (x[:, 0] > 0).astype(int), **own, epochs=1, out=folder / "arrays")
    return folder


def test_json_has_verdict_evidence_and_spectrum(surefoot, runs):
    ended = surefoot("landscape", runs / "good", "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert (result["which"], result["step"]) == ("last", 20)
    assert (result["verdict"], result["cause"]) == ("not-critical", "descending")
    assert result["point"]["rows"] == 120
    assert set(result["point"]) == set(LANDSCAPE_COLUMNS)
    assert sum(result["spectrum"]["shares"]) == pytest.approx(1)
    # The sample is the whole training set: its loss is the one that the run reported.
    loss = sf.Run(runs / "good").metrics["train"]["loss"]
    assert result["point"]["loss"] == pytest.approx(loss, rel=1e-5)
    assert result["point"]["rate"] == pytest.approx(0.05)


def test_people_read_the_verdict_and_the_table_keeps_a_row_a_point(surefoot, runs):
    for at in ("last", "7", "7"):
        ended = surefoot("landscape", runs / "good", "--at", at)
        assert (ended.code, ended.out) == (0, "")
    for words in ("step 7", "not-critical", "no critical point", "eigenvalues from", "█"):
        assert words in ended.err
    table = read(runs / "good", "landscape")
    assert sorted(zip(table["which"], table["step"].tolist(), strict=True)) == [
        ("last", 20),
        ("step", 7),
    ]
    assert set(table["run"]) == {"good"}


def test_a_step_has_the_weights_that_the_run_had_there(runs):
    """The loss of a batch of all rows is recorded; here the run's own numbers are compared."""
    first = sf.measure_landscape(runs / "good", 0)
    drawn = sf.Run(runs / "good").history["loss"][:4].mean()
    assert first.step == 0
    assert first.numbers["loss"] == pytest.approx(drawn, rel=0.2)
    last = sf.measure_landscape(runs / "good", 20)
    assert last.which == "step"
    assert last.numbers["loss"] == sf.measure_landscape(runs / "good").numbers["loss"]


def test_best_and_last_differ_where_training_stopped_early(runs):
    run = sf.Run(runs / "early")
    best, last = (sf.measure_landscape(run, at) for at in ("best", "last"))
    assert run.summary["ended"] == "early"
    assert best.step == 4 * run.summary["best_epoch"] < last.step == run.summary["steps"]
    loss = run.metrics["train"]["loss"]
    assert best.numbers["loss"] == pytest.approx(loss, rel=1e-5)
    assert last.numbers["loss"] != pytest.approx(loss, rel=1e-5)


BAD = {
    "no run": (["none"], ["none: no such folder"]),
    "beyond the run": (["good", "--at", "21"], ["21", "steps 0 to 20"]),
    "before it": (["good", "--at", "-1"], ["-1", "steps 0 to 20"]),
    "no step": (["good", "--at", "worst"], ["worst", "best, last, or a step"]),
    "no rows": (["good", "--rows", "0"], ["rows = 0"]),
    "diverged": (["diverged"], ["diverged at step", "--at a step below"]),
    "arrays": (["arrays"], ["arrays from Python"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line(surefoot, runs, arguments, words):
    ended = surefoot("landscape", runs / arguments[0], *arguments[1:], "--json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("surefoot: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err


@pytest.mark.parametrize(
    "name", ["summary.json", "recipe.toml", "model.safetensors", "landscape.parquet"]
)
def test_an_altered_file_is_one_line_that_names_it(surefoot, runs, folder, name):
    copy = folder / "copy"
    shutil.copytree(runs / "good", copy)
    (copy / name).write_bytes(b"\x00 not what it was")
    ended = surefoot("landscape", copy)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert name.removesuffix(".safetensors") in ended.err


def test_a_recipe_that_is_not_the_models_is_refused(surefoot, runs, folder):
    copy = folder / "copy"
    shutil.copytree(runs / "good", copy)
    text = (copy / "recipe.toml").read_text().replace("dense = 4", "dense = 5")
    (copy / "recipe.toml").write_text(text)
    ended = surefoot("landscape", copy)
    assert ended.code == 2
    assert "recipe.toml: was altered" in ended.err
    (copy / "checksums.json").unlink()
    ended = surefoot("landscape", copy)
    assert ended.code == 2
    assert "do not fit each other" in ended.err
    again = surefoot("landscape", copy, "--at", "3")
    assert again.code == 2
    assert "the data have changed since" in again.err
