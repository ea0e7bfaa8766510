"""Pre-training and transfer from the command line: what is said, and what is refused."""

from __future__ import annotations

import json

import pytest

import surefoot as sf


def test_layers_are_taught_and_then_taken_by_another_run(surefoot, folder):
    ended = surefoot(
        "train", "iris", "--net", "mlp:5", "--epochs", "1", "--set", "pretrain.method=rbm",
        "--set", "pretrain.epochs=2", "--out", "first",
    )  # fmt: skip
    assert ended.code == 0
    assert "pre-training layer 1 (4 to 5): reconstruction error" in ended.err
    assert sf.Run("first").pretraining.rows == 3
    assert "reconstruction error, layer 1" in (folder / "first" / "report.html").read_text("utf-8")
    ended = surefoot(
        "train", "iris", "--net", "mlp:5", "--epochs", "1", "--set", "transfer.from=first",
        "--set", 'transfer.freeze=["hidden"]', "--out", "second", "--json",
    )  # fmt: skip
    assert ended.code == 0
    assert "begins with layer 1 of first; drawn anew: 3 (dense)" in ended.err
    assert json.loads(ended.out)["run"] == "second"
    (folder / "first").rename(folder / "gone")  # the trained model needs it no more
    assert sf.Run("second").predict([[5.0, 3.0, 1.4, 0.2]]).shape == (1,)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--net", "convnet:2", "--set", "pretrain=rbm"], ["(conv)", "dense layers in a row"]),
        (["--set", "transfer.from=nowhere"], ["nowhere: no such folder"]),
        (["--set", 'transfer.freeze=["dense"]'], ["every layer with weights is frozen"]),
        (["--set", "transfer.form=first"], ["did you mean 'from'?"]),
        (["--set", "pretrain.method=gan"], ["autoencoder, denoising_autoencoder, rbm"]),
    ],
)
def test_bad_input_is_one_line(surefoot, folder, arguments, words):
    ended = surefoot("train", "digits", *arguments, "--out", "run")
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 1
    assert all(word in ended.err for word in words), ended.err
    assert not list(folder.iterdir())
