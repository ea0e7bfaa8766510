"""`surefoot train`, as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest

import surefoot as sf

SMALL = ("--net", "mlp:8", "--epochs", "2")


def test_json_has_the_documented_shape_and_is_all_there_is_on_standard_output(surefoot, folder):
    ended = surefoot("train", "iris", *SMALL, "--out", "run", "--json")
    assert ended.code == 0
    result = json.loads(ended.out)
    assert ended.out.count("\n") == 1
    assert {"run", "metrics", "epochs", "steps", "seconds", "findings"} <= set(result)
    assert set(result) - {"run", "metrics", "epochs", "steps", "seconds", "findings"} <= {"ended"}
    assert result["run"] == "run"
    assert set(result["metrics"]) == {"train", "validation"}
    for values in result["metrics"].values():
        assert set(values) == {"loss", "accuracy"}
        assert all(np.isfinite(value) for value in values.values())
    assert result["epochs"] == 2
    assert result["steps"] == 2 * 4  # 120 rows in batches of 32
    assert result["seconds"] > 0
    assert {"id", "severity", "since_step", "layers", "evidence"} <= set(result["findings"][0])
    assert "iris: 120 training rows, 30 for validation" in ended.err


def test_a_regression_is_measured_by_its_rmse(surefoot):
    result = json.loads(surefoot("train", "diabetes", *SMALL, "--json", "--quiet").out)
    assert set(result["metrics"]["validation"]) == {"loss", "rmse"}


def test_what_a_person_reads_is_on_standard_error(surefoot):
    ended = surefoot("train", "iris", *SMALL)
    assert ended.code == 0
    assert ended.out == ""
    assert "4-8-3 (56 weights), adam at 0.001, cross_entropy" in ended.err
    assert "validation" in ended.err
    assert "2 epochs, 8 steps" in ended.err
    assert "surefoot predict runs/iris-1 FILE.npz" in ended.err


def test_quiet_says_nothing_when_nothing_is_wrong(surefoot):
    ended = surefoot("train", "iris", *SMALL, "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_runs_are_numbered_and_the_folder_holds_what_the_readme_says(surefoot, folder):
    for _ in range(2):
        surefoot("train", "iris", *SMALL, "--quiet")
    assert sorted(path.name for path in (folder / "runs").iterdir()) == ["iris-1", "iris-2"]
    assert sorted(path.name for path in (folder / "runs" / "iris-1").iterdir()) == [
        "checksums.json",
        "data.json",
        "environment.json",
        "evaluation.json",
        "findings.json",
        "metrics.parquet",
        "model.json",
        "model.safetensors",
        "recipe.toml",
        "report.html",
        "summary.json",
        "vitals.parquet",
    ]


def test_a_runs_recipe_trains_the_same_run_again_to_the_bit(surefoot):
    first = json.loads(surefoot("train", "iris", *SMALL, "--out", "a", "--json").out)
    second = json.loads(surefoot("train", "a/recipe.toml", "--out", "b", "--json").out)
    assert first["metrics"] == second["metrics"]
    a, b = sf.Run("a"), sf.Run("b")
    assert a.recipe == b.recipe
    np.testing.assert_array_equal(a.history["loss"], b.history["loss"])


def test_options_and_set_reach_the_recipe(surefoot):
    options = ("--optimizer", "momentum", "--lr", "0.05", "--schedule", "cosine", "--seed", "7")
    settings = ("--set", "momentum=0.8", "--set", "schedule.warmup=0.1", "--batch-size", "16")
    ended = surefoot("train", "iris", *SMALL, *options, *settings, "--out", "run")
    assert ended.code == 0, ended.err
    recipe = sf.Run("run").recipe
    assert recipe.optimizer.name == "momentum"
    assert recipe.optimizer.learning_rate == 0.05
    assert recipe.optimizer.momentum == 0.8
    assert recipe.schedule.name == "cosine"
    assert recipe.schedule.warmup == 0.1
    assert recipe.seed == 7
    assert recipe.train.batch_size == 16


def test_labels_may_be_text(surefoot, arrays):
    named = np.where(arrays["y"] == 1, "yes", "no")
    np.savez("named.npz", x=arrays["x"], y=named)
    assert surefoot("train", "named.npz", *SMALL, "--out", "run", "--quiet").code == 0
    assert set(sf.Run("run").predict(arrays["x"])) <= {"yes", "no"}


def test_missing_values_are_filled_in_where_that_was_asked_for(surefoot, arrays):
    arrays["x"][3, 1] = np.nan
    np.savez("holes.npz", **arrays)
    ended = surefoot("train", "holes.npz", *SMALL, "--set", "impute=median", "--json", "--quiet")
    assert ended.code == 0
    assert np.isfinite(json.loads(ended.out)["metrics"]["train"]["loss"])


def test_divergence_ends_the_run_and_keeps_the_last_finite_weights(surefoot):
    ended = surefoot(
        "train", "iris", *SMALL, "--lr", "1e30", "--optimizer", "sgd", "--out", "run", "--json"
    )
    assert ended.code == 0
    result = json.loads(ended.out)
    assert result["ended"] == "diverged"
    run = sf.Run("run")
    at = run.summary["diverged_at"]
    assert f"diverged at step {at}" in ended.err
    assert "learning rate" in ended.err
    # The table ends with the step that diverged, and nothing before it was other than finite.
    assert run.history["step"][-1] == at
    assert np.isfinite(run.history["loss"][:-1]).all()
    for array in _leaves(run.model.params):
        assert np.isfinite(array).all()
    assert run.predict(np.zeros((2, 4))).shape == (2,)


def _leaves(tree):
    import jax

    return jax.tree.leaves(tree)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_option(surefoot, option):
    ended = surefoot("train", option)
    assert ended.code == 0
    for name in ("--net", "--optimizer", "--lr", "--epochs", "--out", "--set", "--json"):
        assert name in ended.out
