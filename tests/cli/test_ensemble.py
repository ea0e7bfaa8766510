"""`surefoot ensemble`, and `surefoot predict` of what it made."""

from __future__ import annotations

import csv
import io
import json


def test_from_seeds_to_predictions(surefoot, folder):
    made = surefoot(
        *("ensemble", "iris", "--members", "2", "--net", "mlp:4"),
        *("--set", "epochs=2", "--out", "many", "--json"),
    )
    assert made.code == 0
    told = json.loads(made.out)
    assert told["ensemble"]["members"] == 2
    assert told["metrics"].keys() == {"train", "validation"}
    rows = list(csv.DictReader(io.StringIO(surefoot("predict", "many", "iris").out)))
    assert list(rows[0])[4:] == [
        *("std(setosa)", "std(versicolor)", "std(virginica)"),
        *("entropy", "mutual_information"),
    ]
    whole = json.loads(surefoot("predict", "many", "iris", "--json").out)
    assert whole["members"] == 2
    assert float(rows[3]["entropy"]) == round(whole["entropy"][3], 6)
    assert len(whole["std"]) == len(whole["mutual_information"]) == whole["rows"] == 150


def test_dropout_in_prediction(surefoot):
    layers = "[{dense=5}, {dropout=0.5}, {dense='outputs'}]"
    surefoot(
        "train", "diabetes", "-q", "--epochs", "1", "--set", f"net.layers={layers}", "--out", "r"
    )
    plain = surefoot("predict", "r", "diabetes")
    assert plain.out.splitlines()[0] == "prediction"
    first, again, other = (
        surefoot("predict", "r", "diabetes", "--dropout", "3", "--seed", seed)
        for seed in ("1", "1", "2")
    )
    assert first.out.splitlines()[0] == "prediction,std"
    assert first.out == again.out != other.out


def test_bad_input_is_one_line_and_leaves_nothing(surefoot, folder):
    surefoot("train", "iris", "-q", "--net", "mlp:4", "--epochs", "1", "--out", "one")
    before = sorted(path.name for path in folder.iterdir())
    for arguments, line in (
        (("ensemble", "iris", "--members", "0"), "members = 0: must be a whole number from 2"),
        (("ensemble", "one"), "one: is one run; give two or more"),
        (("ensemble", "one", "gone"), "gone: no such folder"),
        (("ensemble", "one", "--checkpoints"), "keeps no snapshots"),
        (("ensemble", "irsi"), "did you mean 'iris'?"),
        (("ensemble", "iris", "--seeds", "3"), "--seeds: goes with --compare"),
        (("ensemble", "iris", "--compare", "--out", "x"), "writes no folder"),
        (("predict", "one", "iris", "--dropout", "5"), "no dropout layer"),
        (("train", "iris", "--set", "average=swa"), "must be one of exponential, stochastic"),
    ):
        ended = surefoot(*arguments)
        assert ended.code == 2, arguments
        assert line in ended.err
        assert len(ended.err.splitlines()) == 1
        assert not ended.out
    assert sorted(path.name for path in folder.iterdir()) == before
