"""The built-in sets: what is told about them is so."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import datasets

from surefoot.data import describe, load
from surefoot.data.builtin import BUILTIN
from surefoot.data.registry import read
from surefoot.errors import DataError
from surefoot.recipe import Data

GENERATED = [name for name, entry in BUILTIN.items() if entry.generator]


@pytest.mark.parametrize("entry", describe(), ids=lambda entry: entry["name"])
def test_the_description_is_true(entry):
    dataset = load(Data(source=entry["name"], validation=0), images=len(entry["shape"]) == 3)
    assert dataset.x_train.shape == (entry["rows"], *entry["shape"])
    assert dataset.feature_shape == tuple(entry["shape"])
    assert dataset.source == entry["name"]
    if entry["task"] == "classification":
        assert list(dataset.target.classes) == entry["classes"]
    else:
        assert dataset.target.kind == "numbers"
        assert entry["classes"] is None


@pytest.mark.parametrize(
    ("name", "loader"),
    [
        ("digits", datasets.load_digits),
        ("iris", datasets.load_iris),
        ("wine", datasets.load_wine),
        ("breast-cancer", datasets.load_breast_cancer),
        ("diabetes", datasets.load_diabetes),
    ],
)
@pytest.mark.parametrize("files", ["known", "elsewhere"])
def test_embedded_sets_are_scikit_learns(name, loader, files, monkeypatch):
    if files == "elsewhere":
        monkeypatch.setattr("surefoot.data.embedded._path", lambda name: None)
    bunch = loader()
    raw = read(Data(source=name))
    np.testing.assert_array_equal(raw.x.reshape(len(raw.x), -1), bunch.data)
    named = "target_names" in bunch and name != "digits"
    np.testing.assert_array_equal(
        raw.y, bunch.target_names[bunch.target] if named else bunch.target
    )


@pytest.mark.parametrize("name", GENERATED)
def test_generated_sets_follow_their_seed(name):
    first, again, other = (read(Data(source=name, split_seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.y, again.y)
    assert (first.x != other.x).any()
    counts = np.bincount(read(Data(source=name, rows=61)).y)
    assert counts.sum() == 61
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("name", GENERATED)
def test_noise_is_the_standard_deviation(name):
    # The same seed gives the same rows in the same order, with other noise.
    clean, noisy = (read(Data(source=name, rows=20_000, noise=noise)) for noise in (0.0, 0.5))
    np.testing.assert_array_equal(clean.y, noisy.y)
    assert abs(np.std(noisy.x - clean.x) - 0.5) < 0.01


def test_moons_are_scikit_learns():
    raw = read(Data(source="moons", rows=100, noise=0.0))
    x, y = datasets.make_moons(100, shuffle=False)
    for label in (0, 1):
        ours, theirs = raw.x[raw.y == label], x[y == label]
        np.testing.assert_allclose(
            ours[np.argsort(ours[:, 0])], theirs[np.argsort(theirs[:, 0])], atol=1e-12
        )


def test_shapes_without_noise():
    def clean(name):
        raw = read(Data(source=name, rows=60, noise=0.0))
        return raw.x, raw.y, np.hypot(*raw.x.T)

    x, y, radius = clean("circles")
    np.testing.assert_allclose(radius, np.where(y == 0, 1.0, 0.5))
    x, y, radius = clean("blobs")
    assert len(np.unique(x.round(9), axis=0)) == 3
    np.testing.assert_allclose(radius, 3.0)
    x, y, radius = clean("xor")
    assert (y == (x[:, 0] * x[:, 1] < 0)).all()
    assert set(np.unique(x)) == {-1.0, 1.0}
    x, y, radius = clean("spirals")
    turned = np.where(y == 0, 1, -1)[:, None] * x
    np.testing.assert_allclose(turned[:, 0], radius * np.cos(3 * np.pi * radius), atol=1e-12)
    np.testing.assert_allclose(turned[:, 1], radius * np.sin(3 * np.pi * radius), atol=1e-12)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (Data(source="digit"), "did you mean 'digits'"),
        (Data(source="there/is/no.csv"), "there/is/no.csv"),
        (Data(), "names no data"),
        (Data(source="digits", rows=10), "data.rows is for generated sets"),
        (Data(source="iris", noise=0.1), "data.noise is for generated sets"),
        (Data(source="moons", rows=3), "data.rows = 3 for 'moons': from 4"),
        (Data(source="moons", rows=10**9), "10000000 are allowed"),
    ],
)
def test_refused_in_one_line(data, said):
    with pytest.raises(DataError, match=said) as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_folders_and_other_files(tmp_path):
    with pytest.raises(DataError, match="holds no pictures"):
        read(Data(source=str(tmp_path)))
    file = tmp_path / "song.mp3"
    file.write_bytes(b"ID3")
    with pytest.raises(DataError, match="not a kind of file that is read"):
        read(Data(source=str(file)))


def test_heavy_packages_load_when_first_needed():
    program = (
        "import sys; from surefoot.data import describe, load; describe();"
        "print([m for m in ('jax', 'sklearn', 'scipy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
