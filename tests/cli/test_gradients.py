"""`surefoot gradcheck`, `backprop`, `saliency`, `race`, `averages` and `compare`."""

from __future__ import annotations

import json

import numpy as np
import pytest

import surefoot as sf


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    sf.train("iris", net="mlp:4", epochs=2, out=folder / "iris")
    return folder / "iris"


def _json(ended):
    assert (ended.code, ended.err) == (0, "")
    return json.loads(ended.out)


def test_gradcheck(surefoot):
    ended = surefoot("gradcheck", "iris", "--net", "mlp:4", "--entries", "3")
    assert (ended.code, ended.out) == (0, "")
    for words in ("the gradient is right", "reverse", "forward", "differences", "35 passes"):
        assert words in ended.err
    told = _json(surefoot("gradcheck", "iris", "--net", "mlp:4", "--entries", "3", "--json"))
    assert told["agrees"] is True
    assert [own["name"] for own in told["weights"]] == ["bias", "kernel"] * 2
    assert told["cost"]["cheapest"] == "reverse"


def test_a_wrong_gradient_ends_with_1(surefoot, monkeypatch):
    from surefoot.nn import activations

    tanh = activations.ACTIVATIONS["tanh"]
    wrong = activations.Activation(_wrong_tanh, tanh.saturated, tanh.defaults)
    monkeypatch.setattr(
        "surefoot.nn.activation.ACTIVATIONS", {**activations.ACTIVATIONS, "tanh": wrong}
    )
    layers = 'net.layers=[{dense=3}, {activation="tanh"}, {dense=3}, {activation="softmax"}]'
    ended = surefoot("gradcheck", "iris", "--set", layers)
    assert ended.code == 1
    assert "the gradient is wrong in 1 bias, 1 kernel" in " ".join(ended.err.split())


def _wrong_tanh(x, *_):
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def tanh(x):
        return jnp.tanh(x)

    tanh.defvjp(lambda x: (jnp.tanh(x), jnp.tanh(x)), lambda y, g: (g * (1 - y),))
    return tanh(x)


def test_backprop(surefoot, run):
    ended = surefoot("backprop", run, "--example", "2")
    assert (ended.code, ended.out) == (0, "")
    for words in ("∂L/∂z", "∂L/∂kernel", "∂L/∂W = xᵀg", "dynamic programming", "relu"):
        assert words in ended.err
    told = _json(surefoot("backprop", "iris", "--net", "mlp:3", "--json"))
    assert told["agrees"] is True
    first = told["layers"][0]
    x, g = (np.array(first[name]["values"]) for name in ("x", "signal"))
    np.testing.assert_allclose(first["gradients"]["kernel"]["values"], np.outer(x, g))
    assert told["products"]["stored"] < told["products"]["recomputed"]


def test_saliency(surefoot, run, folder):
    ended = surefoot("saliency", run, "iris", "--example", "3", "--method", "integrated")
    assert (ended.code, ended.out) == (0, "")
    assert "the difference of the scores" in ended.err
    told = _json(surefoot("saliency", run, "--out", "s.svg", "--json"))
    assert len(told["values"]) == 4
    assert (folder / told["picture"]).read_text().startswith("<svg")


def test_an_input_is_trained(surefoot, run, folder):
    weights = (run / "model.safetensors").read_bytes()
    told = _json(surefoot("saliency", run, "--train-input", "virginica", "--steps", "20", "--json"))
    assert told["score"] > told["score_before"]
    ended = surefoot("saliency", run, "--train-input", "setosa", "--out", "t.png")
    assert "no weight was changed" in ended.err
    assert (folder / "t.png").read_bytes().startswith(b"\x89PNG")
    assert (run / "model.safetensors").read_bytes() == weights


def test_race(surefoot, folder):
    ended = surefoot("race", "saddle", "--rules", "sgd,adam", "--steps", "60", "--out", "r.svg")
    assert (ended.code, ended.out) == (0, "")
    assert "rates that arrive" in ended.err
    assert "adam" in (folder / "r.svg").read_text()
    told = _json(surefoot("race", "beale", "--rules", "adam", "--lr", "0.4", "--json"))
    assert told["rules"]["adam"]["learning_rate"] == 0.4
    assert np.hypot(*np.subtract(told["rules"]["adam"]["end"], [3, 0.5])) < 0.05


def test_averages(surefoot, run, folder):
    ended = surefoot("averages", "0.5,0.9", "--out", "a.png")
    assert (ended.code, ended.out) == (0, "")
    assert "error, corrected" in ended.err
    assert (folder / "a.png").exists()
    told = _json(surefoot("averages", "0.9", run, "--json"))
    assert told["values"] == pytest.approx(sf.Run(run).history["loss"].tolist())


def test_compare(surefoot, folder):
    quick = ("--net", "mlp:4", "--seeds", "2", "--set", "epochs=2")
    told = _json(surefoot("compare", "loss", "iris", *quick, "--out", "c.svg", "--json"))
    assert [own["name"] for own in told["variants"]] == ["with cross-entropy", "with squared error"]
    assert "squared error" in (folder / told["picture"]).read_text()


BAD = {
    "example": (["backprop", "iris", "--example", "500"], ["training rows 0 to 119"]),
    "function": (["race", "bele"], ["no such test function", "did you mean 'beale'"]),
    "rule": (["race", "beale", "--rules", "sgd,adma"], ["adma", "did you mean 'adam'"]),
    "beta": (["averages", "1"], ["β = 1.0", "below 1"]),
    "betas": (["averages", "much"], ["give numbers with commas"]),
    "no run": (["saliency", "none"], ["none: no such folder"]),
    "ending": (["race", "beale", "--out", "p.gif"], ["--out p.gif", ".png or .svg"]),
    "kind": (["compare", "width", "iris"], ["must be batch_norm or loss"]),
    "source": (["gradcheck", "nothing"], ["nothing"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line(surefoot, folder, arguments, words):
    ended = surefoot(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("surefoot: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err
    assert list(folder.iterdir()) == []


def test_a_run_without_a_model_is_one_line(surefoot, run, folder):
    import shutil

    shutil.copytree(run, folder / "copy")
    (folder / "copy" / "model.safetensors").unlink()
    for command in ("saliency", "backprop", "gradcheck"):
        ended = surefoot(command, folder / "copy")
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert "model.safetensors" in ended.err


def test_a_wrong_class_is_named(surefoot, run):
    for option in ("--target", "--train-input"):
        ended = surefoot("saliency", run, option, "rose")
        assert ended.code == 2
        assert "there are setosa, versicolor, virginica" in ended.err
