"""`surefoot repair`: what people and programs read, and what bad input gets."""

from __future__ import annotations

import json

import numpy as np
import pytest

import surefoot as sf

FAILING = """
[data]
source = "iris"

[net]
layers = [{dense = 16}, {activation = "relu"}, {dense = "classes"}, {activation = "softmax"}]
initializer = "zeros"

[optimizer]
name = "adam"
learning_rate = 0.01

[train]
epochs = 30
"""


def test_a_recipe_is_repaired_and_the_proof_is_printed(surefoot, folder):
    (folder / "bad.toml").write_text(FAILING)
    ended = surefoot("repair", "bad.toml", "--json")
    assert ended.code == 0
    told = json.loads(ended.out)
    assert told["repaired"] is True
    assert told["recipe"] == "repairs/iris-1/recipe.toml"
    assert told["root_cause"] == "symmetric-units"
    assert told["after"]["accuracy"] > told["before"]["accuracy"]
    assert told["changes"]
    assert told["trials"] >= 12
    assert told["seconds"] > 0
    assert {row["lane"] for row in told["proof"]["lanes"]} >= {"original", "no-op", "repaired"}
    assert sf.Run(folder / told["run"]).metrics["validation"]["accuracy"] > 0.8
    assert (folder / "bad.toml").read_text() == FAILING


def test_people_are_told_that_nothing_was_wrong(surefoot, folder):
    (folder / "good.toml").write_text(FAILING.replace('initializer = "zeros"', ""))
    ended = surefoot("repair", "good.toml")
    assert ended.code == 0
    assert ended.out.startswith("nothing was wrong: accuracy")
    assert not (folder / "repairs").exists()


BROKEN = {
    "no such file": ("none.toml", "none.toml"),
    "no run": ("nowhere", "nowhere"),
    "an unknown rule": (FAILING.replace("adam", "adma"), "adma"),
    "a net that does not fit": (FAILING.replace('dense = "classes"', "dense = 7"), "7 outputs"),
    "no data": (FAILING.replace('"iris"', '"irsi"'), "irsi"),
    "arrays": (FAILING.replace('source = "iris"', ""), "data.source"),
    "few rows": (FAILING.replace('"iris"', '"iris"\nvalidation = 0.04'), "validation rows"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_run_is_one_line(name, surefoot, folder):
    given, word = BROKEN[name]
    if "\n" in given:
        (folder / "bad.toml").write_text(given)
        given = "bad.toml"
    ended = surefoot("repair", given)
    lines = [line for line in ended.err.splitlines() if line.startswith("surefoot: ")]
    assert (ended.code, ended.out, len(lines)) == (2, "", 1)
    assert word in lines[0]
    assert not (folder / "repairs").exists()


def test_a_folder_that_exists_is_refused_before_any_work(surefoot, folder):
    (folder / "bad.toml").write_text(FAILING)
    (folder / "there").mkdir()
    ended = surefoot("repair", "bad.toml", "--out", "there")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("surefoot: there: exists already")
    assert len(ended.err.splitlines()) == 1


def test_stopped_in_its_search_it_says_that_it_begins_anew(surefoot, folder, monkeypatch):
    def stopped(*given):
        raise KeyboardInterrupt

    (folder / "bad.toml").write_text(FAILING)
    monkeypatch.setattr("surefoot.repairer.mend", stopped)
    ended = surefoot("repair", "bad.toml")
    assert ended.code == 130
    assert "nothing was written; the same command begins anew" in ended.err
    assert [path.name for path in folder.iterdir()] == ["bad.toml"]


def test_a_run_on_arrays_cannot_be_repaired(surefoot, folder):
    x = np.random.default_rng(0).normal(size=(60, 3))
    sf.train(x, (x[:, 0] > 0).astype(int), net="mlp:4", epochs=1, out=folder / "arrays")
    ended = surefoot("repair", "arrays")
    assert (ended.code, ended.out) == (2, "")
    assert ".npz" in ended.err
