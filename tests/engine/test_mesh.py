"""Lanes and batches over eight simulated devices: what one device gives, to 1e-5."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from surefoot.engine.cohort import Cohort
from surefoot.engine.mesh import layout_for
from surefoot.errors import RecipeError

CASES = {"batch": 8, "lanes": 4, "both": 8}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a process with eight devices found; the number is fixed when JAX starts."""
    path = tmp_path_factory.mktemp("mesh") / "told.json"
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "mesh_worker.py"), str(path)],
        env={**os.environ, "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", CASES)
def test_several_devices_train_as_one(told, name):
    """Weights, update rule, losses, metrics and vital signs, after 100 steps."""
    case = told[name]
    assert case["devices"] == [1, CASES[name]]
    assert case["same"]
    assert max(case["far"].values()) < 1e-5, case["far"]


def _devices(monkeypatch, count):
    monkeypatch.setattr(jax, "devices", lambda: [object()] * count)


def _layout(make_recipe, dataset, runs, *, width=None, batch_size=10, **devices):
    tables = {"devices": devices, "train": {"epochs": 1, "batch_size": batch_size}}
    recipes = [make_recipe(seed=seed, **tables) for seed in range(runs)]
    return layout_for(Cohort(recipes, dataset), width)


@pytest.mark.parametrize(
    ("devices", "count", "says"),
    [
        ({"lanes": 4, "batch": 5}, 8, "with 4 for lanes, there are 8 devices; set it to 2"),
        ({"batch": 2}, 1, "devices.batch = 2: there is 1 device"),
        ({"batch": 3}, 8, "a batch of 10 rows does not divide"),
        ({"lanes": 4}, 2, "devices.lanes = 4: there are 2 devices"),
    ],
)
def test_what_devices_cannot_do_is_refused(monkeypatch, make_recipe, dataset, devices, count, says):
    _devices(monkeypatch, count)
    with pytest.raises(RecipeError, match=says):
        _layout(make_recipe, dataset, 4, **devices)


def test_one_device_has_no_mesh(make_recipe, dataset):
    assert _layout(make_recipe, dataset, 3).mesh is None
    assert _layout(make_recipe, dataset, 1, batch=1).mesh is None


def test_a_recipe_that_says_nothing_of_devices_is_written_as_before(make_recipe):
    assert "devices" not in make_recipe().to_dict()
    assert make_recipe(devices={"batch": 2}).to_dict()["devices"] == {"batch": 2}
