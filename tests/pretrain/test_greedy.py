"""Layers taught one after the other: which, on what, with what is left behind."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_iris

import surefoot as sf
from surefoot.data.labelled import PartlyLabelled
from surefoot.engine.training import train
from surefoot.errors import DataError, RecipeError, TrainingError
from surefoot.job import prepare
from surefoot.pretrain import start
from surefoot.pretrain.start import first_weights

LAYERS = [
    {"dense": 6}, {"dropout": 0.2}, {"activation": "sigmoid"}, {"dense": 5},
    {"activation": "tanh"}, {"dense": "classes"}, {"activation": "softmax"},
]  # fmt: skip
BASE = {
    "data": {"source": "iris"},
    "net": {"layers": LAYERS},
    "train": {"epochs": 1},
    "vitals": {"every": 0, "first": 0},
}


def begun(**sections):
    """Return what a run begins with, taught anew."""
    start._known.clear()
    return first_weights(prepare({**BASE, **sections}).cohort, 0)


def leaves(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


@pytest.mark.parametrize("method", ["autoencoder", "denoising_autoencoder", "rbm"])
def test_hidden_layers_are_taught_the_output_layer_is_not(method):
    section = {"method": method, "epochs": 3}
    found, drawn = begun(pretrain=section), begun()
    table = found.table
    assert table["layer"].tolist() == ["1"] * 4 + ["4"] * 4
    assert table["epoch"].tolist() == [0, 1, 2, 3] * 2
    errors = table["reconstruction_error"].reshape(2, 4)
    assert (errors[:, -1] < errors[:, 0]).all()
    (params, _), (other, _) = found.weights, drawn.weights
    assert not np.array_equal(params[0]["kernel"], other[0]["kernel"])
    assert not np.array_equal(params[3]["kernel"], other[3]["kernel"])
    assert all(map(np.array_equal, leaves(params[5:]), leaves(other[5:])))
    assert set(params[0]) == {"kernel", "bias"}
    again = begun(pretrain=section)
    assert all(map(np.array_equal, leaves(found.weights), leaves(again.weights)))
    another = begun(pretrain=section, seed=1)
    assert not np.array_equal(params[0]["kernel"], another.weights[0][0]["kernel"])


def test_labels_are_not_looked_at():
    x, y = load_iris(return_X_y=True)
    own = [
        first_weights(prepare(x, labels, keys={**BASE, "data": {"split": "random"},
                                               "pretrain": "rbm"}).cohort, 0).weights
        for labels in (y, y[::-1])
    ]  # fmt: skip
    assert all(map(np.array_equal, leaves(own[0]), leaves(own[1])))


def test_what_begins_alike_is_taught_once_on_the_inputs_as_they_are_prepared():
    layers = [{"dense": 4}, {"activation": "sigmoid"}, {"dense": "classes"}]
    rng = np.random.default_rng(0)
    x = (rng.random((40, 6)) < 0.5).astype(np.float32)
    keys = {
        "net": {"layers": layers}, "data": {"standardize": False, "validation": 0.0},
        "pretrain": {"method": "rbm", "epochs": 2},
    }  # fmt: skip
    machines = []
    real = start.pretrain

    def seen(*args):
        machines.append(args)
        return real(*args)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(start, "pretrain", seen)
        job = prepare(x, rng.integers(0, 2, 40), keys=keys)
        found = first_weights(job.cohort, 0)
        assert first_weights(job.cohort, 0) is found
    assert len(machines) == 1
    np.testing.assert_array_equal(machines[0][2], x)


def test_rows_without_labels_serve_all_the_same():
    few = {"data": {"source": "iris", "labelled": 9}}
    train_ = {"epochs": 1, "batch_size": 9}
    job = prepare({**BASE, **few, "train": train_, "pretrain": {"epochs": 1}})
    data = job.dataset
    assert isinstance(data, PartlyLabelled)
    assert (data.rows, len(data.x_unlabelled), len(data.x_val)) == (9, 111, 30)
    assert np.bincount(data.y_train).tolist() == [3, 3, 3]
    whole = prepare(BASE).dataset
    assert np.array_equal(data.x_val, whole.x_val)
    both = np.concatenate([data.x_train, data.x_unlabelled])
    assert np.array_equal(np.sort(both, axis=0), np.sort(whole.x_train, axis=0))
    assert start._inputs(job.cohort).shape == (120, 4)
    (result,) = train(job.cohort)
    assert result.steps == 1


def test_a_run_keeps_the_table_and_says_each_layer(tmp_path, capsys):
    run = sf.train(BASE | {"pretrain": {"epochs": 2, "method": "autoencoder"}}, out=tmp_path / "a")
    assert run.pretraining["layer"].tolist() == ["1"] * 3 + ["4"] * 3
    assert sf.Run(run.path).recipe.pretrain.method == "autoencoder"
    assert run.predict(np.zeros((2, 4))).shape == (2,)
    bare = sf.train("iris", net=sf.nets.mlp(4), epochs=1, pretrain="rbm", out=tmp_path / "b")
    assert bare.recipe.pretrain.method == "rbm"


def test_divergence_before_training_leaves_nothing_behind(tmp_path):
    wild = {"method": "autoencoder", "optimizer": "momentum", "learning_rate": 1e30}
    with pytest.raises(TrainingError, match="pre-training layer 1 diverged in epoch"):
        sf.train(BASE | {"pretrain": wild}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_estimators_take_it():
    x, y = load_iris(return_X_y=True)
    net = sf.SurefootClassifier(hidden=(5,), epochs=1, random_state=0, pretrain={"epochs": 1})
    assert net.fit(x, y).recipe_.pretrain.epochs == 1


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (
            {"data": {"source": "digits"}, "net": {"layers": [{"conv": 2, "size": 3},
             {"flatten": {}}, {"dense": 4}, {"dense": "classes"}]}},
            ["layer 1 (conv)", "defined for dense layers", "transfer.from"],
        ),
        (
            {"net": {"layers": [{"residual": [{"dense": 4}]}, {"dense": "classes"}]}},
            ["layer 1 (residual)"],
        ),
        ({"net": {"layers": [{"dense": "classes"}]}}, ["no dense layer below its output layer"]),
        ({"transfer": {"from": "runs/a"}}, ["pretrain and transfer.from are both given"]),
    ],
)  # fmt: skip
def test_what_cannot_be_taught_is_refused_before_anything_is_done(sections, words):
    with pytest.raises(RecipeError) as refused:
        prepare({**BASE, "pretrain": "rbm", **sections})
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_inputs_that_are_no_shares_are_not_taken_for_such():
    job = prepare({**BASE, "pretrain": {"method": "rbm", "inputs": "bernoulli"}})
    with pytest.raises(RecipeError, match=r"lie from -.* have to lie from 0 to 1"):
        first_weights(job.cohort, 0)


def test_more_labels_than_rows_are_refused():
    with pytest.raises(DataError, match=r"data\.labelled = 120: there are 120 training rows"):
        prepare({**BASE, "data": {"source": "iris", "labelled": 120}})


def test_double_precision_is_that_of_every_weight_and_of_nothing_else():
    net = {"layers": [{"dense": 3}, {"activation": "tanh"}, {"dense": "classes"}]}
    section = {"method": "rbm", "epochs": 1}
    found = begun(pretrain=section, train={"precision": "float64"}, net=net)
    assert {leaf.dtype for leaf in leaves(found.weights)} == {np.dtype(np.float64)}
    assert jnp.zeros(1).dtype == np.float32
