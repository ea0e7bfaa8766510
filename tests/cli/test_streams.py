"""A stream from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

import surefoot as sf
from surefoot.data import stream_limits as limits

FEW = ("--epochs", "2", "--net", "mlp:4", "--set", "data.stream=true")


@pytest.fixture(autouse=True)
def cache(folder, monkeypatch):
    """Keep copies out of the user's cache, and blocks small."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setattr(limits, "BLOCK_ROWS", 16)
    monkeypatch.setattr(limits, "WINDOW_ROWS", 64)


def write(path, rows=200):
    query = f"SELECT i AS id, sin(i) AS a, ['x', 'y'][1 + i % 2] AS b, i % 3 AS c FROM range({rows}) t(i)"  # noqa: E501
    duckdb.execute(f"COPY ({query}) TO '{path}'")
    return path


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_train_and_predict(surefoot, name):
    write(name)
    ended = surefoot("train", name, "--target", "b", *FEW, "--out", "run", "--json")
    assert ended.code == 0, ended.err
    assert "160 training rows, 40 for validation" in ended.err
    assert "read in a stream: 160 training rows" in ended.err
    assert set(json.loads(ended.out)["metrics"]) == {"train", "validation"}
    assert sf.Run("run").recipe.data.stream is True
    assert json.loads(Path("run/data.json").read_text())["rows"] == 200
    write("new.csv", rows=5)
    ended = surefoot("predict", "run", "new.csv")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[0] == "prediction,p(x),p(y)"
    assert len(ended.out.splitlines()) == 6
    again = surefoot("train", "run/recipe.toml", "--out", "again", "--json")
    assert again.code == 0, again.err
    assert (Path("run") / "model.safetensors").read_bytes() == (
        Path("again") / "model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target", "d"), "there is no such column"),
        (("--target", "b", "--batch-size", "161"), "more than the 160 training rows"),
        (("--target", "b", "--set", "data.split=time", "--set", "data.split_column=a"), "stream"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(surefoot, arguments, words):
    write("t.parquet")
    ended = surefoot("train", "t.parquet", *FEW, *arguments, "--out", "run")
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not Path("run").exists()


def test_a_file_that_vanishes_in_mid_run_is_one_line(surefoot, monkeypatch):
    from surefoot.engine.feed import Streamed

    write("t.parquet")
    taken = Streamed.take

    def take(self, epoch, done, count):
        Path("t.parquet").unlink(missing_ok=True)
        return taken(self, epoch, done, count)

    monkeypatch.setattr(Streamed, "take", take)
    ended = surefoot("train", "t.parquet", "--target", "b", *FEW, "--out", "run")
    assert ended.code == 2
    assert ended.err.strip().splitlines()[-1].endswith("No such file or directory")
    assert "Traceback" not in ended.err


def test_what_was_chosen_by_free_memory_is_in_the_recipe(surefoot, monkeypatch):
    monkeypatch.setattr("surefoot.data.streams.free_bytes", lambda: 1000)
    write("t.parquet")
    ended = surefoot("train", "t.parquet", "--target", "b", *FEW[:4], "--out", "run")
    assert ended.code == 0, ended.err
    assert sf.Run("run").recipe.data.stream is True


def test_data_looks_at_a_stream(surefoot, monkeypatch):
    monkeypatch.setattr("surefoot.data.streams.free_bytes", lambda: 1000)
    write("t.parquet")
    ended = surefoot("data", "t.parquet", "--target", "b", "--json")
    facts = json.loads(ended.out)
    assert facts["rows"] == 200
    assert facts["target"]["classes"] == {"x": 100, "y": 100}
    assert any("more than half" in note for note in facts["notes"])
