"""The rows on the device."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

from surefoot.data import load
from surefoot.engine.cohort import Cohort
from surefoot.engine.placement import place_rows
from surefoot.job import prepare
from surefoot.recipe import Data


@pytest.fixture(scope="module")
def cohort():
    layers, train = [{"dense": "classes"}], {"batch_size": 8}
    return prepare({"data": {"source": "iris"}, "net": {"layers": layers}, "train": train}).cohort


def _joined(dataset):
    return np.concatenate([dataset.x_train, dataset.x_val])


def test_rows_are_taken_over_as_they_lie(cohort):
    dataset = cohort.dataset
    rows, _ = place_rows(cohort)
    np.testing.assert_array_equal(rows.x, _joined(dataset))
    if jax.default_backend() == "cpu":
        assert rows.x.unsafe_buffer_pointer() == dataset.x_train.ctypes.data


@pytest.mark.parametrize("kind", ["apart", "turned", "a part"])
def test_rows_that_lie_elsewhere_are_joined(cohort, kind):
    dataset = cohort.dataset
    x_train, x_val = dataset.x_train, dataset.x_val
    if kind == "apart":
        x_val = x_val.copy()
    elif kind == "turned":
        x_train, x_val = x_val, x_train
    else:
        x_train = x_train[:-1]
    dataset = replace(dataset, x_train=x_train, x_val=x_val)
    dataset = replace(dataset, y_train=np.zeros(len(x_train), int), y_val=np.zeros(len(x_val), int))
    rows, _ = place_rows(Cohort(cohort.recipes, dataset))
    np.testing.assert_array_equal(rows.x, _joined(dataset))


def test_pictures_and_tables_are_in_one_array_too(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", x=rng.random((20, 4, 4, 1), np.float32), y=np.arange(20) % 2)
    rows = "".join(f"{i},{i % 3},{i % 2}\n" for i in range(20))
    (tmp_path / "x.csv").write_text(f"a,b,y\n{rows}")
    pictures = load(Data(source=str(tmp_path / "x.npz")), images=True)
    table = load(Data(source=str(tmp_path / "x.csv"), target="y"))
    for dataset in (pictures, table):
        assert dataset.x_train.base is dataset.x_val.base is not None
