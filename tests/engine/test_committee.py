"""Several nets as one model; what they say together, by hand; and nets that dropout thins."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.data import Target
from surefoot.engine.committee import Committee, load_predictor
from surefoot.engine.disagreement import disagreement
from surefoot.engine.model import Model
from surefoot.errors import InputError, RunError

QUICK = {"vitals__every": 0, "vitals__first": 0}
CLASSES = Target("classes", 3, ("a", "b", "c"))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two nets on iris that differ in their layers; the second has dropout."""
    folder = tmp_path_factory.mktemp("runs")
    plain = sf.train("iris", net="mlp:4", epochs=2, **QUICK, out=folder / "plain")
    net = sf.nets.mlp(6, 5, dropout=0.4)
    thin = sf.train("iris", net=net, epochs=2, **QUICK, out=folder / "thin")
    return plain.model, thin.model


@pytest.fixture(scope="module")
def rows():
    from sklearn.datasets import load_iris

    return load_iris().data


def test_mean_and_disagreement_by_hand():
    outputs = np.array([[[0.8, 0.1, 0.1]], [[0.2, 0.8, 0.0]]])
    found = disagreement(outputs, CLASSES)
    assert found.predictions.tolist() == ["a"]
    np.testing.assert_allclose(found.mean, [[0.5, 0.45, 0.05]])
    np.testing.assert_allclose(found.std, [[0.3, 0.35, 0.05]])
    whole = -(0.5 * np.log(0.5) + 0.45 * np.log(0.45) + 0.05 * np.log(0.05))
    each = [0.8 * np.log(0.8) + 0.2 * np.log(0.1), 0.2 * np.log(0.2) + 0.8 * np.log(0.8)]
    np.testing.assert_allclose(found.entropy, [whole])
    np.testing.assert_allclose(found.mutual_information, [whole + np.mean(each)])


def test_entropies_are_scipys():
    from scipy.stats import entropy

    outputs = np.random.default_rng(0).dirichlet(np.ones(3), size=(5, 20))
    found = disagreement(outputs, CLASSES)
    np.testing.assert_allclose(found.entropy, entropy(outputs.mean(axis=0), axis=-1))
    inner = entropy(outputs, axis=-1).mean(axis=0)
    np.testing.assert_allclose(found.mutual_information, found.entropy - inner)


def test_labels_and_numbers():
    labels = disagreement(np.array([[[0.5, 1.0]], [[0.5, 0.0]]]), Target("labels", 2))
    np.testing.assert_allclose(labels.entropy, [2 * np.log(2)])
    np.testing.assert_allclose(labels.mutual_information, [np.log(2)])
    numbers = disagreement(np.array([[[1.0]], [[3.0]]]), Target("numbers", 1))
    assert numbers.predictions.tolist() == [2.0]
    assert numbers.std.tolist() == [[1.0]]
    assert numbers.entropy is None


def test_members_are_saved_and_read_as_one_model(models, rows, tmp_path):
    both = Committee(models)
    both.save(tmp_path)
    found = load_predictor(tmp_path)
    expected = (models[0].probabilities(rows) + models[1].probabilities(rows)) / 2
    np.testing.assert_allclose(found.probabilities(rows), expected, rtol=1e-6)
    names = np.array(models[0].target.classes)
    assert found.predict(rows).tolist() == names[expected.argmax(axis=1)].tolist()
    with pytest.raises(RunError, match="is an ensemble"):
        Model.load(tmp_path)


def test_a_damaged_member_is_refused(models, tmp_path):
    Committee(models).save(tmp_path)
    path = tmp_path / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"model\.safetensors"):
        load_predictor(tmp_path)


def test_thinned_nets_follow_from_the_seed_and_each_row_stands_alone(models, rows):
    thin = models[1]
    drawn = thin.draws(rows, 4, seed=1)
    assert drawn.shape == (4, 150, 3)
    np.testing.assert_array_equal(drawn, thin.draws(rows, 4, seed=1))
    np.testing.assert_allclose(drawn[:, 7:8], thin.draws(rows[7:8], 4, seed=1), rtol=1e-5)
    assert not np.allclose(drawn[0], drawn[1])
    assert not np.allclose(drawn, thin.draws(rows, 4, seed=2))
    # Each thinned net is one net for all rows: by hand, with its own zeros in the first layer.
    np.testing.assert_allclose(drawn.sum(axis=2), 1, rtol=1e-5)


def test_the_mean_of_thinned_linear_nets_is_the_whole_net(tmp_path):
    """Inverted dropout keeps the expectation, and a linear net passes it on."""
    net = [{"dense": 6}, {"dropout": 0.3}, {"dense": "outputs"}]
    run = sf.train("diabetes", net=net, epochs=1, **QUICK, out=tmp_path / "run")
    x = np.zeros((3, 10)) + 0.01
    drawn = run.model.draws(x, 3000)
    error = drawn.std(axis=0) / np.sqrt(3000)
    assert (np.abs(drawn.mean(axis=0) - run.model.outputs(x)) < 5 * error).all()
    assert run.disagreement(x, dropout=5).std.shape == (3, 1)


def test_a_net_without_dropout_says_so(models, rows):
    with pytest.raises(InputError, match="no dropout layer"):
        models[0].draws(rows, 3)
    with pytest.raises(InputError, match="at least 1"):
        models[1].draws(rows, 0)
