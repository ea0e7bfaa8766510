"""`surefoot landscape --slice` and `--surface`, on runs trained once for all of these tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import surefoot as sf
from surefoot.vitals.table import read


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A finished run, one that diverged, one on arrays, and one whose weights are all 0."""
    folder = tmp_path_factory.mktemp("runs")
    own = {"net": "mlp:4", "optimizer": "sgd"}
    sf.train("iris", **own, epochs=3, learning_rate=0.05, out=folder / "good")
    sf.train("diabetes", **own, epochs=3, learning_rate=1e4, out=folder / "diverged")
    x = np.random.default_rng(0).normal(size=(40, 3))
    sf.train(x, (x[:, 0] > 0).astype(int), **own, epochs=1, out=folder / "arrays")
    still = {"net__initializer": "zeros", "learning_rate": 1e-60}  # 0 in float32
    sf.train("iris", **own, epochs=1, out=folder / "still", **still)
    return folder


def test_json_has_the_points_and_the_path(surefoot, runs):
    asked = ("--slice", "--surface", "--points", "5", "--json")
    ended = surefoot("landscape", runs / "good", *asked)
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert (result["which"], result["step"]) == ("last", 12)
    line, plane = result["slice"], result["surface"]
    assert (line["plane"], plane["plane"]) == ("random", "path")
    assert line["points"]["a"] == [-1, -0.5, 0, 0.5, 1]
    assert {len(column) for column in plane["points"].values()} == {25}
    assert (plane["rows"], plane["validation_rows"]) == (120, 30)
    loss = sf.Run(runs / "good").metrics["train"]["loss"]
    assert line["points"]["loss"][2] == pytest.approx(loss, rel=1e-5)
    path = plane["path"]
    assert (path["step"][0], path["step"][-1], path["a"][-1]) == (0, 12, 0)
    assert path["loss"][-1] == pytest.approx(loss, rel=1e-5)
    assert 0.5 < sum(plane["explained"]) <= 1 + 1e-9
    kept = read(runs / "good", "surface")
    kinds, counts = np.unique(kept["kind"].astype(str), return_counts=True)
    assert dict(zip(kinds, counts.tolist(), strict=True)) == {
        "path": len(path["step"]),
        "slice": 5,
        "surface": 25,
    }


def test_people_read_where_it_is_lowest_and_what_the_plane_holds(surefoot, runs):
    ended = surefoot("landscape", runs / "good", "--surface", "--points", "5", "--at", "8")
    assert (ended.code, ended.out) == (0, "")
    for words in (
        "step 8",
        "25 points",
        "lowest",
        "a, b =",
        "% of its variance",
        "surface.parquet",
    ):
        assert words in ended.err


BAD = {
    "nothing to draw": (["good", "--plane", "path"], ["Add --slice or --surface"]),
    "no plane": (["good", "--surface", "--plane", "flat"], ["plane = 'flat'", "path or random"]),
    "too many points": (["good", "--surface", "--points", "999"], ["points = 999", "3 to 101"]),
    "no step": (["good", "--slice", "--at", "worst"], ["worst", "best, last, or a step"]),
    "no way there": (["good", "--surface", "--at", "0"], ["at = 0", "random plane"]),
    "diverged": (["diverged", "--surface"], ["diverged at step", "--at a step below"]),
    "arrays": (["arrays", "--slice"], ["arrays from Python"]),
    "weights of 0": (["still", "--slice"], ["weight matrices are 0"]),
    "no way at all": (["still", "--surface"], ["never moved"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line(surefoot, runs, arguments, words):
    ended = surefoot("landscape", runs / arguments[0], *arguments[1:], "--json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("surefoot: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err


def test_a_table_that_is_not_one_is_refused(surefoot, runs, folder):
    copy = folder / "copy"
    shutil.copytree(runs / "good", copy)
    shutil.copy(copy / "metrics.parquet", copy / "surface.parquet")
    (copy / "checksums.json").unlink()
    ended = surefoot("landscape", copy, "--slice")
    assert (ended.code, ended.out) == (2, "")
    assert "not a surface table of this version; remove it" in ended.err
