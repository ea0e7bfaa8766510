"""Disasters made by hand are repaired by the one edit that is right; health is left alone."""

from __future__ import annotations

import json
import tomllib

import pytest

import surefoot as sf
from surefoot.repair.mending import mend

DISASTERS = {
    "all weights zero": (
        {"net": {"initializer": "zeros"}},
        {("net", "initializer"): "he_normal"},
    ),
    "softmax over one unit": (
        {
            "data": {"source": "moons", "rows": 300},
            "net": {
                "layers": [
                    {"dense": 16},
                    {"activation": "relu"},
                    {"dense": 1},
                    {"activation": "softmax"},
                ]
            },
            "train": {"loss": "binary_cross_entropy", "epochs": 40},
        },
        {("train", "loss"): "cross_entropy"},
    ),
    "inputs as they are": (
        {
            "data": {"source": "wine", "standardize": False},
            "optimizer": {"name": "sgd", "learning_rate": 0.05},
        },
        {("data", "standardize"): True},
    ),
}


@pytest.mark.parametrize("name", DISASTERS)
def test_a_disaster_is_repaired_by_its_one_edit(name, make):
    sections, edits = DISASTERS[name]
    recipe = make(**sections)
    done = mend(recipe, 60.0)
    assert done.repaired, done.sentence
    assert len(done.changes) == 1
    assert done.after["accuracy"] > done.before["accuracy"] + 0.2
    tables = done.recipe.to_dict()
    for (section, key), value in edits.items():
        assert tables[section][key] == value
    others = {"data": done.recipe.data, "optimizer": done.recipe.optimizer}
    for section, kept in others.items():
        if not any(section == edited for edited, _ in edits):
            assert kept == getattr(recipe, section)
    rows = {row["lane"]: row for row in done.proof.lanes}
    assert set(rows) == {"original", "no-op", "random change", "repaired"}
    assert rows["repaired"]["mean"] - rows["original"]["mean"] >= done.proof.gain > 0
    assert all(len(row["scores"]) == 4 for row in rows.values())


def test_a_run_is_repaired_into_a_folder_and_is_not_touched(make, tmp_path):
    recipe = make(optimizer={"name": "sgd", "learning_rate": 100.0})
    run = sf.train(recipe, out=tmp_path / "run")
    before = {path: path.read_bytes() for path in sorted(run.path.rglob("*")) if path.is_file()}
    done = sf.repair(run, out=tmp_path / "repair")
    assert done.repaired
    assert {p: p.read_bytes() for p in sorted(run.path.rglob("*")) if p.is_file()} == before
    assert (tmp_path / "repair" / "recipe.toml").is_file()
    assert sf.load_recipe(tmp_path / "repair" / "recipe.toml") == done.recipe
    trained = sf.Run(tmp_path / "repair" / "run")
    assert trained.recipe == done.recipe
    assert trained.metrics["validation"]["accuracy"] > 0.8
    told = json.loads((tmp_path / "repair" / "proof.json").read_text())
    assert told["repaired"] is True
    assert told["changes"] == list(done.changes)
    changed = [line for line in done.diff.splitlines() if line[:1] in "+-"][2:]
    old, new = ([tomllib.loads(line[1:]) for line in changed if line[0] == sign] for sign in "-+")
    assert {"learning_rate": 100.0} in old
    assert all(values.keys() for values in new)


def test_health_is_left_alone(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = make()
    done = sf.repair(recipe)
    assert (done.repaired, done.changes, done.diff, done.trials) == (False, (), "", 0)
    assert done.sentence.startswith("nothing was wrong")
    assert done.recipe.optimizer == recipe.optimizer
    assert done.folder is None
    assert not list(tmp_path.iterdir())
