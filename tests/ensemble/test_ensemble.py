"""`sf.ensemble`: seeds as lanes, runs put together, snapshots, and what each is worth."""

from __future__ import annotations

import shutil

import jax
import numpy as np
import pytest
from sklearn.datasets import load_iris

import surefoot as sf
from surefoot.engine.cohort import Cohort
from surefoot.engine.training import train
from surefoot.ensemble.seeds import with_seed
from surefoot.errors import InputError, RecipeError, RunError
from surefoot.job import prepare
from surefoot.vitals.table import read

# Half the compilation, and nothing here looks at vital signs.
QUICK = {"vitals__every": 0, "vitals__first": 0}
IRIS = {"net": "mlp:6", "epochs": 4, "learning_rate": 0.02, **QUICK}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with two runs on iris, one on wine, and one with snapshots."""
    path = tmp_path_factory.mktemp("runs")
    sf.train("iris", **IRIS, out=path / "one")
    sf.train("iris", net="mlp:5", epochs=3, seed=4, **QUICK, out=path / "two")
    sf.train("wine", net="mlp:4", epochs=1, **QUICK, out=path / "wine")
    schedule = {"name": "cyclic_cosine", "cycles": 3}
    keys = {"schedule": schedule, "checkpoints__snapshots": 3}
    sf.train("iris", **{**IRIS, "epochs": 30, **keys}, out=path / "cycles")
    return path


@pytest.fixture(scope="module")
def seeds(folder):
    return sf.ensemble("iris", members=3, **IRIS, out=folder / "seeds")


def test_the_members_are_the_nets_of_their_seeds(seeds):
    """Each has its own weights and its own batches: it is the run of that seed."""
    job = prepare("iris", net="mlp:6", keys={"epochs": 4, "learning_rate": 0.02}, facts=False)
    recipes = [with_seed(job.recipe, seed, job.dataset) for seed in range(3)]
    assert not Cohort(recipes, job.dataset).shared
    found = seeds.predictor.members
    for recipe, member in zip(recipes, found, strict=True):
        (alone,) = train(Cohort([recipe], job.dataset))
        for a, b in zip(jax.tree.leaves(alone.params), jax.tree.leaves(member.params), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-5)


def test_metrics_are_those_of_the_mean(seeds):
    x, y = load_iris(return_X_y=True)
    rows = seeds.dataset.validation_rows
    chances = np.mean([own.probabilities(x[rows]) for own in seeds.predictor.members], axis=0)
    told = seeds.metrics["validation"]
    assert told["accuracy"] == pytest.approx(np.mean(chances.argmax(axis=1) == y[rows]))
    picked = chances[np.arange(len(rows)), y[rows]]
    assert told["loss"] == pytest.approx(-np.log(picked).mean(), rel=1e-5)
    table = read(seeds.path, "members")
    assert table["member"].tolist() == ["seed 0", "seed 1", "seed 2"]
    assert told["loss"] <= table["validation_loss"].mean()  # Jensen: −ln is convex


def test_opened_again_it_predicts_the_same(seeds):
    x = load_iris().data[:9]
    again = sf.Run(seeds.path)
    np.testing.assert_array_equal(again.predict(x), seeds.predict(x))
    found = again.disagreement(x)
    assert found.members == 3
    np.testing.assert_allclose(found.mean, again.predict_proba(x), rtol=1e-6)
    assert again.recipe.train.epochs == 4


def test_runs_with_different_nets(folder):
    found = sf.ensemble(folder / "one", folder / "two", out=folder / "both")
    x = load_iris().data
    expected = [sf.Run(folder / name).predict_proba(x) for name in ("one", "two")]
    np.testing.assert_allclose(found.predict_proba(x), np.mean(expected, axis=0), rtol=1e-6)
    # Both were split alike, so that the validation rows are held out for both.
    assert found.metrics["validation"].keys() == {"loss", "accuracy"}
    nested = sf.ensemble(folder / "both", folder / "one", out=folder / "three")
    assert nested.summary["ensemble"]["members"] == 3


def test_runs_that_were_split_differently_have_no_metrics(folder):
    sf.train("iris", net="mlp:5", epochs=1, split_seed=3, **QUICK, out=folder / "other")
    found = sf.ensemble(folder / "one", folder / "other", out=folder / "unlike")
    assert found.metrics == {}


def test_snapshots_at_the_ends_of_cycles_are_validated_first(folder):
    said = []
    kept = sorted(path.name for path in (folder / "cycles" / "snapshots").iterdir())
    assert kept == [f"step-{step:012}" for step in (40, 80, 120)]
    found = sf.ensemble(
        folder / "cycles", checkpoints=True, out=folder / "snapshots", tell=said.append
    )
    about = found.summary["ensemble"]
    assert about["members"] + len(about["left_out"]) == 3
    assert len(said) == len(about["left_out"])
    assert about["names"][-1] == "step 120"
    # The last snapshot is the net that the run left behind.
    last, own = found.predictor.members[-1], sf.Run(folder / "cycles").model
    for a, b in zip(jax.tree.leaves(last.params), jax.tree.leaves(own.params), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("names", "keys", "line"),
    [
        (["one", "wine"], {}, "predicts the classes 'class_0'"),
        (["one", "gone"], {}, "no such folder"),
        (["one"], {}, "is one run; give two or more"),
        (["one"], {"checkpoints": True}, "keeps no snapshots"),
        (["one", "two"], {"checkpoints": True}, "give one folder"),
        (["one", "two"], {"members": 3}, "members: goes with a source"),
    ],
)
def test_what_cannot_be_put_together_is_refused(folder, names, keys, line):
    out = folder / "never"
    with pytest.raises((RunError, InputError), match=line):
        sf.ensemble(*(folder / name for name in names), out=out, **keys)
    assert not out.exists()


@pytest.mark.parametrize("count", [0, 1, -3, 2.5])
def test_too_few_members(count, tmp_path):
    with pytest.raises(InputError, match="must be a whole number from 2"):
        sf.ensemble("iris", members=count, out=tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_a_damaged_or_missing_model_is_named(folder):
    broken = folder / "broken"
    shutil.copytree(folder / "two", broken)
    path = broken / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(RunError, match=r"broken/model\.safetensors"):
        sf.ensemble(folder / "one", broken, out=folder / "never")
    path.unlink()
    with pytest.raises(RunError, match=r"broken/model\.safetensors"):
        sf.ensemble(folder / "one", broken, out=folder / "never")


def test_a_damaged_snapshot_is_named(folder):
    broken = folder / "damaged"
    shutil.copytree(folder / "cycles", broken)
    path = broken / "snapshots" / "step-000000000040" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(RunError, match="step-000000000040"):
        sf.ensemble(broken, checkpoints=True, out=folder / "never")


def test_more_snapshots_than_epochs(tmp_path):
    with pytest.raises(RecipeError, match=r"checkpoints\.snapshots = 5"):
        sf.train("iris", **IRIS, checkpoints__snapshots=5, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_with_a_mean_of_weights_tells_both_metrics(folder):
    run = sf.train("iris", **IRIS, average="stochastic", out=folder / "mean")
    assert run.summary["unaveraged_metrics"].keys() == run.metrics.keys()
    assert run.summary["unaveraged_metrics"] != run.metrics
    assert "unaveraged_metrics" not in sf.Run(folder / "one").summary


def test_what_is_of_single_runs_says_so(seeds):
    for ask in (lambda: seeds.model, seeds.report, lambda: sf.diagnose(seeds)):
        with pytest.raises(RunError, match="is an ensemble of 3 nets"):
            ask()
    assert sf.resume(seeds).summary["ended"] == "finished"


def test_kinds_are_compared_with_a_single_net():
    found = sf.compare_ensembles("iris", members=2, seeds=3, net="mlp:4", epochs=8)
    names = ["single", "2 seeds", "snapshots", "exponential mean", "stochastic mean"]
    assert list(found.kinds) == names  # the net has no dropout
    accuracy, loss = found.kinds["2 seeds"]
    assert loss.difference == pytest.approx(loss.mean - found.kinds["single"][1].mean)
    assert accuracy.p <= 1
    assert found.compared_on == 38
    with pytest.raises(InputError, match="seeds = 1"):
        sf.compare_ensembles("iris", seeds=1)
