"""`surefoot study`: a file in, a table and sentences out."""

from __future__ import annotations

import json

import pytest

STUDY = """
seeds = 2
validated = false

[data]
source = "iris"

[net]
layers = [{dense = 4}, {activation = "tanh"}, {dense = "classes"}, {activation = "softmax"}]

[train]
epochs = 2
batch_size = 20

[vary]
optimizer.learning_rate = {low = 1e-3, high = 0.1, count = 3, scale = "log"}
"""


def test_help_names_the_table_that_a_study_needs(surefoot):
    assert "[vary]" in surefoot("study", "--help").out  # brackets are marks of the help's own


def test_a_study_is_shown_and_printed_as_json(surefoot, folder):
    (folder / "study.toml").write_text(STUDY)
    shown = surefoot("study", "study.toml")
    assert shown.code == 0
    assert "6 runs as 1 compiled program of 64 lanes" in shown.err
    assert "optimizer.learning_rate" in shown.out
    assert "- Best of 3: " in shown.out
    assert "study: studies/iris-1" in shown.out
    again = surefoot("study", "study.toml", "--json", "--out", "studies/iris-1")
    summary = json.loads(again.out)
    assert (summary["settings"], summary["runs"], summary["programs"]) == (3, 6, 1)
    assert summary["best"]["keys"].keys() == {"optimizer.learning_rate"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[vary]", "[other]", "has no table [vary]"),
        ("learning_rate = {", "learning_rat = {", "unknown key"),
        ("low = 1e-3", "low = 1", "must be below high"),
        ("seeds = 2", "seeds = -1", "seeds = -1"),
        ("validated = false", "validated = 3", "must be true or false"),
        ("seeds = 2", "seed = [", "not valid TOML"),
        ("batch_size = 20", "batch_size = 999", "is more than the 120 training rows"),
    ],
)
def test_bad_studies_are_one_line_and_leave_nothing(surefoot, folder, old, new, message):
    (folder / "study.toml").write_text(STUDY.replace(old, new))
    ended = surefoot("study", "study.toml")
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("surefoot: study.toml")
    assert [path.name for path in folder.iterdir()] == ["study.toml"]


def test_the_rate_finder_prints_an_interval_and_writes_nothing(surefoot, folder):
    (folder / "recipe.toml").write_text(STUDY[STUDY.index("[data]") : STUDY.index("[vary]")])
    shown = surefoot("find-rate", "recipe.toml", "--steps", "12", "--seeds", "2")
    assert shown.code == 0
    assert "best" in shown.out
    printed = json.loads(
        surefoot("find-rate", "recipe.toml", "--steps", "12", "--seeds", "2", "--json").out
    )
    assert printed["low"] <= printed["rate"] <= printed["high"]
    assert printed["reason"] in shown.out
    assert [path.name for path in folder.iterdir()] == ["recipe.toml"]
    assert surefoot("find-rate", "nothing.toml").code == 2
