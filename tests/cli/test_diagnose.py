"""`surefoot diagnose` and what `surefoot train` says of findings, on runs trained once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import surefoot as sf
from surefoot.vitals.table import read, write

NET = '[{dense = 16}, {activation = "tanh"}, {dense = "classes"}, {activation = "softmax"}]'
RECIPE = f"""
[data]
source = "wine"
standardize = false

[net]
layers = {NET}

[train]
epochs = 20
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A healthy run, and one whose inputs are as they were measured."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "raw.toml").write_text(RECIPE)
    sf.train(str(folder / "raw.toml"), out=folder / "raw")
    scaled = RECIPE.replace("standardize = false", "standardize = true")
    (folder / "scaled.toml").write_text(scaled)
    sf.train(str(folder / "scaled.toml"), learning_rate=0.01, out=folder / "good")
    return folder


def test_a_healthy_run_is_called_healthy(surefoot, runs):
    ended = surefoot("diagnose", runs / "good", "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert (found["verdict"], found["root_cause"]) == ("healthy", None)
    assert all(finding["severity"] == "note" for finding in found["findings"])


def test_the_root_cause_stands_first_with_its_chain_and_an_edit_to_paste(surefoot, runs):
    ended = surefoot("diagnose", runs / "raw", "--json", "--no-trials")
    found = json.loads(ended.out)
    assert (found["verdict"], found["root_cause"]) == ("unhealthy", "unscaled-inputs")
    root = found["findings"][0]
    assert set(root) >= {
        "id",
        "severity",
        "since_step",
        "layers",
        "evidence",
        "certainty",
        "explanation",
        "remedies",
    }
    assert root["id"] == "unscaled-inputs"
    assert "standardize = true" in root["remedies"][0]["toml"]
    assert found["chain"][0] == "unscaled-inputs"
    people = surefoot("diagnose", runs / "raw", "--no-trials").out
    assert people.startswith("unhealthy: accuracy")
    assert "standardize = true" in people
    assert "cause and effect: unscaled-inputs" in people


def test_train_keeps_findings_and_says_them(surefoot, runs):
    run = sf.Run(runs / "raw")
    assert run.findings[0]["id"] == "unscaled-inputs"
    kept = json.loads((runs / "raw" / "findings.json").read_text())
    assert kept["findings"] == run.findings
    ended = surefoot("train", runs / "raw.toml", "--epochs", "20", "--json")
    assert json.loads(ended.out)["findings"][0]["id"] == "unscaled-inputs"
    assert "\nunscaled-inputs: The inputs reach the first layer" in ended.err


def test_a_recipe_is_checked_before_it_is_trained(surefoot, runs):
    ended = surefoot("diagnose", runs / "raw.toml", "--no-trials")
    assert ended.code == 0
    assert "✗ input-scale" in ended.err
    assert "unscaled-inputs" in ended.out
    assert not (Path.cwd() / "runs").exists()


def copied(runs: Path, name: str = "raw") -> Path:
    return Path(shutil.copytree(runs / name, Path.cwd() / "copy"))


@pytest.mark.parametrize("table", ["metrics", "vitals"])
def test_a_table_that_is_broken_leaves_a_partial_diagnosis(surefoot, runs, table):
    run = copied(runs)
    path = run / f"{table}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    ended = surefoot("diagnose", run, "--no-trials", "--json")
    assert ended.code == 0
    assert any(f"{table}.parquet" in line for line in json.loads(ended.out)["lacking"])
    assert "partial" in surefoot("diagnose", run, "--no-trials").out


def test_columns_that_are_missing_unknown_or_no_numbers_are_named_or_passed_over(surefoot, runs):
    run = copied(runs)
    vitals = dict(read(run, "vitals"))
    del vitals["signal_rms"]
    vitals["unit_spread"] = np.full(len(vitals["step"]), "?", object)
    vitals["mood"] = np.zeros(len(vitals["step"]))
    write(run, "vitals", vitals)
    found = json.loads(surefoot("diagnose", run, "--no-trials", "--json").out)
    assert {"signal_rms", "unit_spread"} <= set(found["lacking"])
    assert found["root_cause"] == "unscaled-inputs"


def test_a_run_without_facts_of_its_data_is_judged_by_its_tables(surefoot, runs):
    run = copied(runs)
    (run / "data.json").write_text("[1, 2")
    ended = surefoot("diagnose", run, "--no-trials", "--json")
    assert ended.code == 0
    assert any("data.json" in line for line in json.loads(ended.out)["lacking"])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: shutil.rmtree(run), "no such folder"),
        (lambda run: (run / "recipe.toml").unlink(), "not a run's folder"),
        (lambda run: (run / "recipe.toml").write_text("net = 3"), "was written with"),
        (
            lambda run: [(run / f"{t}.parquet").unlink() for t in ("metrics", "vitals")],
            "neither metrics nor vitals",
        ),
    ],
)
def test_what_cannot_be_diagnosed_is_said_in_a_line(surefoot, runs, spoil, said):
    run = copied(runs)
    spoil(run)
    ended = surefoot("diagnose", run)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_a_recipe_that_does_not_fit_its_data_is_said_in_a_line(surefoot):
    Path("bad.toml").write_text(RECIPE.replace('{dense = "classes"}', "{dense = 7}"))
    ended = surefoot("diagnose", "bad.toml")
    assert ended.code == 2
    assert "7 outputs" in ended.err


def test_a_run_that_diverged_is_named_with_the_step(surefoot):
    sf.train("diabetes", net="mlp:4", optimizer="sgd", learning_rate=1e4, epochs=3, out="lost")
    found = json.loads(surefoot("diagnose", "lost", "--json", "--no-trials").out)
    assert found["verdict"] == "unhealthy"
    assert found["root_cause"] == "learning-rate-too-high"
    assert "diverged" in [finding["id"] for finding in found["findings"]]
