"""`surefoot predict`, on runs trained once for all of these tests."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import surefoot as sf


@pytest.fixture(scope="module")
def flowers(tmp_path_factory) -> Path:
    """A run on iris."""
    path = tmp_path_factory.mktemp("runs") / "flowers"
    sf.train("iris", net="mlp:8", epochs=30, learning_rate=0.01, out=path)
    return path


@pytest.fixture(scope="module")
def disease(tmp_path_factory) -> Path:
    """A run on diabetes: a regression."""
    path = tmp_path_factory.mktemp("runs") / "disease"
    sf.train("diabetes", net="mlp:8", epochs=2, out=path)
    return path


def test_json_has_labels_and_the_chance_of_each_class(surefoot, flowers):
    ended = surefoot("predict", flowers, "iris", "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert set(result) == {"run", "rows", "predictions", "classes", "probabilities"}
    assert result["run"] == str(flowers)
    assert result["rows"] == 150
    assert result["classes"] == ["setosa", "versicolor", "virginica"]
    chances = np.array(result["probabilities"])
    assert chances.shape == (150, 3)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    likeliest = [result["classes"][i] for i in chances.argmax(axis=1)]
    assert result["predictions"] == likeliest


def test_json_of_a_regression_has_numbers_alone(surefoot, disease):
    result = json.loads(surefoot("predict", disease, "diabetes", "--json").out)
    assert set(result) == {"run", "rows", "predictions"}
    assert np.shape(result["predictions"]) == (442,)


def test_a_file_of_rows_is_predicted_as_from_python(surefoot, flowers):
    x = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])
    np.savez("rows.npz", x=x)
    ended = surefoot("predict", flowers, "rows.npz", "--json")
    assert json.loads(ended.out)["predictions"] == sf.Run(flowers).predict(x).tolist()


def test_without_json_it_writes_csv(surefoot, flowers):
    ended = surefoot("predict", flowers, "iris")
    header, *rows = csv.reader(io.StringIO(ended.out))
    assert header == ["prediction", "p(setosa)", "p(versicolor)", "p(virginica)"]
    assert len(rows) == 150
    assert {row[0] for row in rows} <= {"setosa", "versicolor", "virginica"}


BAD = {
    "no run": (["none", "iris"], ["none: no such folder"]),
    "no run's folder": (["empty", "iris"], ["summary.json: no such file"]),
    "other features": (["RUN", "wine"], ["(13,)", "(4,)"]),
    "no file": (["RUN", "none.npz"], ["there is no file 'none.npz'"]),
    "no x": (["RUN", "other.npz"], ["no array 'x'"]),
    "holes": (["RUN", "holes.npz"], ["nan at row 0"]),
    "nothing": ([], ["surefoot predict --help"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line(surefoot, flowers, arguments, words):
    Path("empty").mkdir()
    np.savez("other.npz", z=np.zeros((2, 4)))
    np.savez("holes.npz", x=np.full((1, 4), np.nan))
    given = [flowers if argument == "RUN" else argument for argument in arguments]
    ended = surefoot("predict", *given, "--json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("surefoot: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err


@pytest.mark.parametrize("name", ["summary.json", "model.json", "model.safetensors"])
def test_a_damaged_run_is_one_line_that_names_the_file(surefoot, flowers, folder, name):
    copy = folder / "copy"
    copy.mkdir()
    for file in flowers.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / name).write_bytes(b"\x00 not what it was \xff")
    ended = surefoot("predict", copy, "iris")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert name in ended.err
