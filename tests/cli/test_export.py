"""`surefoot export`, as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import surefoot as sf


@pytest.fixture
def run(folder):
    return sf.train("iris", net="mlp:4", epochs=2, out="run")


def test_tables_and_charts_are_written_and_listed(surefoot, run):
    ended = surefoot("export", "run", "--table", "metrics", "--to", "m.csv", "--json")
    assert ended.code == 0
    assert json.loads(ended.out) == {"table": "m.csv", "rows": 8}
    assert len(Path("m.csv").read_text().splitlines()) == 9
    ended = surefoot("export", "run", "--chart", "loss", "--to", "loss.svg")
    assert (ended.code, ended.out) == (0, "")
    assert Path("loss.svg").read_text(encoding="utf-8").startswith("<svg")
    told = json.loads(surefoot("export", "run", "--json").out)
    assert told["tables"] == ["metrics", "vitals"]
    assert {"loss", "layers"} <= set(told["charts"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "no such folder"),
        (["run", "--table", "metrics"], "--to"),
        (["run", "--to", "m.csv"], "--to"),
        (["run", "--table", "metrics", "--chart", "loss", "--to", "m.csv"], "one of them"),
        (["run", "--table", "metric", "--to", "m.csv"], "did you mean 'metrics'?"),
        (["run", "--table", "metrics", "--to", "m.xls"], ".csv or .parquet"),
        (["run", "--table", "metrics", "--to", "no/m.csv"], "there is no folder no"),
        (["run", "--chart", "los", "--to", "m.png"], "did you mean 'loss'?"),
        (["run", "--chart", "loss", "--to", "m.pdf"], ".png or .svg"),
        ([".", "--tensorboard", "logs"], "surefoot"),
        ([".", "--mlflow", "sqlite:///x.db"], "surefoot"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(surefoot, run, arguments, words):
    before = sorted(Path().iterdir())
    ended = surefoot("export", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    assert words in ended.err
    assert sorted(Path().iterdir()) == before
