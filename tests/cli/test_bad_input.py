"""Whatever is given: one clear line, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

NORMED = 'net.layers=[{dense=4}, {batch_norm={}}, {dense=2}, {activation="softmax"}]'
FIVE = 'net.layers=[{dense=5}, {activation="softmax"}]'


def _hole(value):
    def change(a):
        a["x"][3, 1] = value
        return a

    return change


# How the arrays of a good file are spoiled, and words that the one line must have.
ARRAYS = {
    "NaN": (_hole(np.nan), ["x holds 1 value", "nan at row 3, column 1", "data.impute"]),
    "infinity": (_hole(np.inf), ["x holds 1 value", "inf at row 3, column 1", "data.impute"]),
    "minus infinity": (_hole(-np.inf), ["-inf at row 3"]),
    "NaN in y": (lambda a: {**a, "y": np.where(a["y"], np.nan, 0.5)}, ["y holds", "nan at row"]),
    "one class": (lambda a: {**a, "y": a["y"] * 0}, ["one class only, 0"]),
    "objects": (
        lambda a: {**a, "y": np.array(["a", 1] * 20, dtype=object)},
        ["'y'", "pickled", "as text"],
    ),
    "fewer labels": (lambda a: {**a, "y": a["y"][:-1]}, ["x has 40 rows and y has 39"]),
    "no labels": (lambda a: {"x": a["x"]}, ["no array 'y'", "numpy.savez"]),
    "x_val alone": (lambda a: {**a, "x_val": a["x"]}, ["x_val without y_val"]),
    "narrow x_val": (
        lambda a: {**a, "x_val": a["x"][:, :2], "y_val": a["y"]},
        ["x_val has rows of shape (2,)", "(3,)"],
    ),
    "new label": (
        lambda a: {**a, "x_val": a["x"], "y_val": a["y"] + 1},
        ["y_val holds the label 2", "0, 1"],
    ),
    "no rows": (lambda a: {"x": a["x"][:0], "y": a["y"][:0]}, ["x is empty"]),
    "no columns": (lambda a: {**a, "x": a["x"][:, :0]}, ["no features"]),
    "one dimension": (lambda a: {**a, "x": a["x"][:, 0]}, ["reshape(-1, 1)"]),
    "text": (lambda a: {**a, "x": a["x"].astype(str)}, ["x holds text"]),
    "complex": (lambda a: {**a, "x": a["x"] * 1j}, ["x holds complex numbers"]),
    "too large": (lambda a: {**a, "x": a["x"].astype(float) * 1e300}, ["too large for float32"]),
}

# Arguments after `train`, and words that the one line must have.
ARGUMENTS = {
    "fewer rows than a batch": (
        ["good.npz", "--batch-size", "64"],
        ["train.batch_size = 64", "32 training rows", "32 or less"],
    ),
    "one row and batch norm": (
        ["good.npz", "--batch-size", "1", "--set", NORMED],
        ["layer 2 (batch_norm)", "2 or more"],
    ),
    "zero epochs": (["good.npz", "--epochs", "0"], ["train.epochs = 0", "at least 1"]),
    "minus one epoch": (["good.npz", "--epochs", "-1"], ["train.epochs = -1", "at least 1"]),
    "epochs in words": (["good.npz", "--epochs", "many"], ["--epochs", "integer"]),
    "zero rate": (["good.npz", "--lr", "0"], ["learning_rate = 0", "greater than 0"]),
    "negative rate": (["good.npz", "--lr", "-0.1"], ["learning_rate = -0.1", "greater than 0"]),
    "rate of NaN": (["good.npz", "--lr", "nan"], ["learning_rate = nan", "finite"]),
    "outputs for classes": (
        ["good.npz", "--set", FIVE],
        ["layer 1 (dense)", "5 outputs", "2 classes", '"outputs"'],
    ),
    "outputs for numbers": (
        ["diabetes", "--set", "net.layers=[{dense=5}]"],
        ["layer 1 (dense)", "5 outputs", "1 number"],
    ),
    "fractions as classes": (
        ["fractions.npz", "--set", "loss=cross_entropy"],
        ["no class label", "mean_squared_error"],
    ),
    "a convnet on a table": (["diabetes", "--net", "convnet"], ["flat table", "dense layers"]),
    "a set that is not there": (["digts"], ["'digts'", "did you mean 'digits'"]),
    "a file that is not there": (["none.npz"], ["there is no file 'none.npz'"]),
    "an empty file": (["empty.npz"], ["'empty.npz' is not a .npz file"]),
    "half a file": (["half.npz"], ["'half.npz'", "only a part of one"]),
    "bytes": (["bytes.npz"], ["'bytes.npz' is not a .npz file"]),
    "a folder": (["folder.npz"], ["'folder.npz' is a folder"]),
    "a recipe that is not there": (["none.toml"], ["none.toml: no such file"]),
    "a broken recipe": (["broken.toml"], ["broken.toml: not valid TOML"]),
    "an unknown key": (["key.toml"], ["train.epoch = 3", "did you mean 'epochs'"]),
    "a net that is no table": (["net.toml"], ["net = 3", "must be a table"]),
    "a net that is set to a number": (["iris", "--set", "net=3"], ["net = 3", "must be a table"]),
    "an unknown net": (["iris", "--net", "mpl:3"], ["'mpl:3'", "did you mean 'mlp'"]),
    "an unknown rule": (["iris", "--optimizer", "adma"], ['"adma"', "did you mean 'adam'"]),
    "an unknown schedule": (["iris", "--schedule", "cosin"], ["did you mean 'cosine'"]),
    "an unknown setting": (["iris", "--set", "learning_rat=1"], ["did you mean 'learning_rate'"]),
    "a setting without value": (["iris", "--set", "epochs"], ["must be KEY=VALUE"]),
    "an unknown option": (["iris", "--epoch", "3"], ["--epoch", "surefoot train --help"]),
    "nothing": ([], ["source", "surefoot train --help"]),
    "a folder that exists": (["iris", "--out", "there"], ["there: exists already"]),
    "a file in the way": (["iris", "--out", "good.npz/run"], ["good.npz/run: cannot be made"]),
    "a long name": (["iris", "--out", "a" * 300], ["cannot be made: File name too long"]),
    "a name that is no text": (["iris", "--out", "\udcff"], ["not valid UTF-8"]),
}


@pytest.fixture
def files(folder, arrays) -> Path:
    """What the cases above name."""
    np.savez("good.npz", **arrays)
    np.savez("fractions.npz", x=arrays["x"], y=arrays["x"][:, 0])
    whole = Path("good.npz").read_bytes()
    Path("empty.npz").touch()
    Path("half.npz").write_bytes(whole[:300])
    Path("bytes.npz").write_bytes(bytes(range(256)))
    Path("folder.npz").mkdir()
    Path("there").mkdir()
    Path("broken.toml").write_text("a = [")
    Path("key.toml").write_text(
        '[data]\nsource = "iris"\n[net]\nlayers = [{dense = "classes"}]\n[train]\nepoch = 3\n'
    )
    Path("net.toml").write_text('net = 3\n[data]\nsource = "iris"\n')
    return folder


def _refused(ended, words, before):
    assert ended.code == 2, ended
    assert ended.out == ""
    assert ended.err.startswith("surefoot: ")
    assert ended.err.count("\n") == 1, ended.err
    for word in words:
        assert word in ended.err
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(("change", "words"), ARRAYS.values(), ids=ARRAYS)
def test_arrays(surefoot, arrays, change, words):
    np.savez("bad.npz", **change(arrays))
    before = sorted(os.listdir())
    _refused(surefoot("train", "bad.npz", "--json"), words, before)


@pytest.mark.parametrize(("arguments", "words"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(surefoot, files, arguments, words):
    before = sorted(os.listdir())
    _refused(surefoot("train", *arguments, "--json"), words, before)


def test_an_output_folder_that_cannot_be_written(surefoot, folder, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    # As root, who runs tests in containers, may write anywhere.
    monkeypatch.setattr(Path, "mkdir", refuse)
    _refused(surefoot("train", "iris"), ["runs: cannot be made: Permission denied"], [])


def test_a_full_disk_at_the_start_leaves_no_folder(surefoot, folder, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    ended = surefoot("train", "iris", "--out", "run", "--quiet")
    _refused(ended, ["run/", "No space left on device"], [])


def test_too_little_memory_is_one_line_too(surefoot, folder, monkeypatch):
    def refuse(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr("surefoot.engine.leading.Training", refuse)
    ended = surefoot("train", "iris", "--out", "run", "--quiet")
    assert (ended.code, ended.out) == (1, "")
    assert "not enough memory" in ended.err
    assert os.listdir() == []
