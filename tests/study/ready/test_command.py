"""`sf.ready_study`, whole: its folder, what it leaves behind, and how it goes on."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pytest

import surefoot as sf
from surefoot.study.ready import training

# A linear model of two features: the error surface is a quadratic in six numbers.
TABLES = {
    "data": {"source": "blobs", "rows": 60, "noise": 0.3, "validation": 0.4},
    "net": {"layers": [{"dense": "classes"}]},
    "train": {"loss": "mean_squared_error", "batch_size": "full", "epochs": 40},
}


def ask(out, **options):
    return sf.ready_study("momentum", TABLES, seeds=3, out=out, **options)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def found(told, tmp_path_factory):
    return ask(tmp_path_factory.mktemp("ready") / "whole", tell=told.append)


def test_its_question_and_its_plan_are_said_first(found, told):
    assert told[0].startswith("How much sooner does momentum")
    assert told[1].startswith("choosing: 306 runs in ")
    assert any(line.startswith("comparing: 18 runs in ") for line in told)


def test_its_folder_holds_tables_that_duckdb_reads(found):
    assert sorted(path.name for path in found.path.iterdir()) == [
        "best.toml",
        "checksums.json",
        "losses.parquet",
        "rates.parquet",
        "runs.parquet",
        "settings.parquet",
        "study.toml",
        "summary.json",
    ]
    count = duckdb.sql(
        f"SELECT purpose, count(*) FROM '{found.path}/runs.parquet' GROUP BY purpose ORDER BY 1"
    ).fetchall()
    assert count == [("choosing", 306), ("comparing", 18)]
    losses = duckdb.sql(f"SELECT count(*) FROM '{found.path}/losses.parquet'").fetchall()
    assert losses == [(324 * 40,)]
    rates = duckdb.sql(f"SELECT count(*), sum(chosen::int) FROM '{found.path}/rates.parquet'")
    assert rates.fetchall() == [(6 * 17, 6)]
    chosen, compared = (
        set(found.runs["seed"][found.runs["purpose"] == purpose].tolist())
        for purpose in ("choosing", "comparing")
    )
    assert chosen == {0, 1, 2}
    assert compared == {3, 4, 5} == set(found.summary["seeds"])


def test_the_updates_are_those_of_the_recurrence_worked_in_numpy(found):
    """The loss of each epoch is that of momentum on the same quadratic, from the same weights."""
    from surefoot.engine.cohort import Cohort
    from surefoot.engine.training import train
    from surefoot.job import prepare

    job = prepare(TABLES, keys={"seed": 3, "optimizer": "momentum"})
    (start,) = train(Cohort([job.recipe], job.dataset), until=0)
    (dense,) = [p for p in _leaves(start.params) if "kernel" in p]
    x = np.c_[job.dataset.x_train, np.ones(job.dataset.rows)].astype(float)
    y = np.eye(3)[job.dataset.y_train]
    weights = np.vstack([dense["kernel"], dense["bias"]]).astype(float)
    rows = found.table()
    place = rows["momentum"].tolist().index(0.8)
    rate, velocity, expected = rows["learning_rate"][place], 0, []
    for _ in range(40):
        error = x @ weights - y
        expected.append(np.mean(error**2))
        velocity = 0.8 * velocity + 2 * x.T @ error / error.size
        weights = weights - rate * velocity
    losses = duckdb.sql(
        f"SELECT train_loss FROM '{found.path}/losses.parquet' WHERE purpose = 'comparing' "
        f"AND setting = {place} AND seed = 3 ORDER BY epoch"
    ).fetchnumpy()["train_loss"]
    np.testing.assert_allclose(losses, expected, rtol=2e-3)


def _leaves(tree):
    if isinstance(tree, dict) and "kernel" in tree:
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree
    return [leaf for part in parts for leaf in _leaves(part)] if hasattr(tree, "__len__") else []


def test_its_best_is_a_recipe_with_what_it_reached(found):
    recipe, metrics = found.best
    rows = found.table()
    best = int(np.argmin(rows["mean"]))
    assert metrics["setting"] == best
    assert recipe.optimizer.momentum == rows["momentum"][best] == metrics["keys"]["momentum"]
    assert recipe.optimizer.learning_rate == rows["learning_rate"][best]
    assert metrics["validated"]["mean"] == rows["mean"][best]
    assert json.loads((found.path / "summary.json").read_text())["ready"] == "momentum"


def test_one_that_was_interrupted_goes_on(found, tmp_path, monkeypatch):
    whole = training.train_part
    lanes: list[int] = []

    def interrupted(group, part, *arguments, **options):
        if len(lanes) == 2:
            raise KeyboardInterrupt
        lanes.append(len(part))
        return whole(group, part, *arguments, **options)

    def counted(group, part, *arguments, **options):
        lanes.append(len(part))
        return whole(group, part, *arguments, **options)

    monkeypatch.setattr(training, "train_part", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path / "s")
    monkeypatch.setattr(training, "train_part", counted)
    again = ask(tmp_path / "s")
    assert sum(lanes) == 306 + 18
    for name in ("train_loss", "learning_rate", "seed"):
        assert again.runs[name].tobytes() == found.runs[name].tobytes()
    assert again.summary["best"] == found.summary["best"]
    assert again.conclusions == found.conclusions
    # Once it is finished nothing is trained again, and another study is refused.
    assert ask(tmp_path / "s").summary == again.summary
    assert sum(lanes) == 306 + 18
    with pytest.raises(sf.RunError, match="is not this study"):
        sf.ready_study("momentum", TABLES, seeds=2, out=tmp_path / "s")


def test_runs_that_all_diverge_still_give_a_table(tmp_path):
    tables = {**TABLES, "data": {**TABLES["data"], "noise": 0.3, "standardize": False}}
    tables["net"] = {
        "layers": [{"dense": "classes", "initializer": {"name": "normal", "stddev": 1e30}}]
    }
    lost = sf.ready_study("momentum", tables, seeds=2, epochs=2, out=tmp_path / "s")
    assert lost.table()["diverged"].tolist() == [2] * 6
    assert lost.table()["rates_that_train"].tolist() == [0] * 6
    assert any("12 of 12 runs" in line for line in lost.conclusions)
