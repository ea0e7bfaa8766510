"""Slices and planes of runs, written down: the way retraced, and where it must lie."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import InputError, RunError
from surefoot.landscape.points import find, locate
from surefoot.landscape.trajectory import flat, retrace
from surefoot.vitals.surface import SURFACE_COLUMNS, SURFACE_COUNTS, SURFACE_TEXTS
from surefoot.vitals.table import read


@pytest.fixture(scope="module")
def iris(tmp_path_factory) -> Path:
    """A run of twenty steps."""
    folder = tmp_path_factory.mktemp("runs")
    keys = {"net": "mlp:4", "optimizer": "momentum", "learning_rate": 0.05, "epochs": 5}
    return sf.train("iris", **keys, out=folder / "iris").path


@pytest.fixture(scope="module")
def linear(tmp_path_factory) -> Path:
    """A linear net on rows of a plane: no gradient leaves the two directions of its inputs."""
    folder = tmp_path_factory.mktemp("runs")
    generator = np.random.default_rng(0)
    latent, basis = generator.normal(size=(60, 2)), generator.normal(size=(2, 6))
    np.savez(folder / "plane.npz", x=latent @ basis, y=latent @ [1.0, -2.0])
    recipe = {
        "data": {"source": str(folder / "plane.npz"), "standardize": False, "validation": 0.2},
        "net": {"layers": [{"dense": "outputs", "bias": False}]},
        "optimizer": {"name": "sgd", "learning_rate": 0.02},
        "train": {"loss": "mean_squared_error", "epochs": 6, "precision": "float64"},
    }
    return sf.train(sf.Recipe.parse(recipe), out=folder / "linear").path


def test_the_way_is_the_runs_own_to_the_bit(iris):
    run = sf.Run(iris)
    way = retrace(run, locate(run))
    assert way.steps.tolist() == sorted(set(way.steps.tolist()))
    assert (way.steps[0], way.steps[-1]) == (0, 20)
    np.testing.assert_array_equal(way.weights[-1], flat(run.model.params))
    jax.tree.map(np.testing.assert_array_equal, way.params, run.model.params)
    # In the middle of an epoch, by the training that goes there without a halt.
    there = way.steps.tolist().index(7)
    np.testing.assert_array_equal(way.weights[there], flat(find(run, 7).params))


def test_a_linear_nets_path_lies_in_its_inputs_plane(linear):
    there = sf.measure_surface(linear, points=9)
    path, points = there.path, there.points
    length = np.hypot(path["a"][0], path["b"][0])
    assert length > 0.1
    assert np.abs(path["off_plane"]).max() < 1e-9 * length
    assert path["explained_a"][0] + path["explained_b"][0] == pytest.approx(1)
    assert (path["a"][-1], path["b"][-1]) == (0, 0)
    assert path["loss"][-1] == pytest.approx(sf.Run(linear).metrics["train"]["loss"])
    validation = sf.Run(linear).metrics["validation"]["loss"]
    assert path["validation_loss"][-1] == pytest.approx(validation)

    # The bowl through nine by nine points is a quadratic that the path's losses fulfil.
    def terms(a, b):
        return np.stack([np.ones_like(a), a, b, a * a, a * b, b * b], axis=1)

    found = np.linalg.lstsq(terms(points["a"], points["b"]), points["loss"], rcond=None)[0]
    np.testing.assert_allclose(terms(path["a"], path["b"]) @ found, path["loss"], rtol=1e-8)
    # And the path is inside of what is drawn.
    for axis in "ab":
        assert points[axis].min() < path[axis].min() < path[axis].max() < points[axis].max()


def test_the_line_from_the_start_has_both_ends(iris):
    line = sf.measure_surface(iris, kind="slice", plane="path", points=5)
    assert line.points["a"].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert line.path.rows == 0
    first, last = (sf.measure_landscape(iris, at).numbers["loss"] for at in (0, "last"))
    assert line.points["loss"][0] == pytest.approx(first, rel=1e-5)
    assert line.points["loss"][2] == pytest.approx(last, rel=1e-5)


def test_the_table_keeps_the_newest_of_each_sort(iris):
    for at in ("last", 3):
        sf.measure_surface(iris, at, points=3)
        sf.measure_surface(iris, at, kind="slice", points=4)
    sf.measure_surface(iris, 0, points=3, plane="random", seed=2, rows=50)
    table = read(iris, "surface")
    assert set(table) == {*SURFACE_TEXTS, *SURFACE_COUNTS, *SURFACE_COLUMNS}
    sorts = {
        (kind, plane, at): ((table["kind"] == kind) & (table["at"] == at)).sum()
        for kind, plane, at in zip(table["kind"], table["plane"], table["at"], strict=True)
        if (kind, plane) != ("slice", "path")
    }
    assert sorts == {
        ("surface", "path", 3): 9,
        ("path", "path", 3): 4,
        ("slice", "random", 3): 4,
        ("surface", "random", 0): 9,
    }
    assert set(table["rows"][table["at"] == 0]) == {50}


def test_another_training_than_the_runs_is_refused(iris):
    run = sf.Run(iris)
    moved = jax.tree.map(lambda leaf: leaf + 1, run.model.params)
    object.__setattr__(run.model, "params", moved)
    with pytest.raises(RunError, match="ends with other weights"):
        retrace(run, locate(run), np.array([0, 20]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "ball"}, "must be slice or surface"),
        ({"plane": "paht"}, "did you mean 'path'"),
        ({"points": 2}, "from 3 to 101"),
        ({"rows": 0}, "rows = 0"),
        ({"at": 0}, "no path leads"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused(iris, arguments, words):
    before = sorted((path.name, path.stat().st_mtime_ns) for path in iris.iterdir())
    with pytest.raises(InputError, match=words):
        sf.measure_surface(iris, **arguments)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in iris.iterdir()) == before
