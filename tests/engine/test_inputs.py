"""Pictures as bytes: scaled within the step, changed at random in training alone."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.data import Preprocessing, load
from surefoot.engine.cohort import Cohort
from surefoot.engine.inputs import Inputs, InputScaling
from surefoot.engine.training import train
from surefoot.recipe import Recipe
from surefoot.recipe.data import Augment

KEY = jax.random.key(0)


def changed(x, **augment):
    scaling = InputScaling(jnp.zeros(x.shape[-1]), jnp.ones(x.shape[-1]))
    return np.asarray(Inputs(True, Augment(**augment), x.shape[1:])(jnp.asarray(x), scaling, KEY))


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (32, 6, 8, 3)).astype(np.uint8)


def test_scaled_as_the_host_would(pictures):
    mean, scale = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    scaling = InputScaling(jnp.asarray(mean, jnp.float32), jnp.asarray(scale, jnp.float32))
    inputs = Inputs(True, Augment(flip=True), (6 * 8 * 3,))
    x = inputs(jnp.asarray(pictures), scaling, None)
    np.testing.assert_allclose(x, ((pictures - mean) / scale).reshape(32, -1), rtol=1e-6)


def test_flips_half_of_the_pictures(pictures):
    x = changed(pictures, flip=True)
    flipped = [np.array_equal(new, old[:, ::-1]) for new, old in zip(x, pictures, strict=True)]
    kept = [np.array_equal(new, old) for new, old in zip(x, pictures, strict=True)]
    assert all(f != k for f, k in zip(flipped, kept, strict=True))
    assert 6 <= sum(flipped) <= 26
    upside = changed(pictures, flip_vertical=True)
    assert any(np.array_equal(new, old[::-1]) for new, old in zip(upside, pictures, strict=True))


def test_shifts_move_and_fill_with_zero(pictures):
    x = changed(pictures + 1, shift=2)  # no zero of its own (255 wraps to 0 somewhere)
    seen = set()
    for new, old in zip(x, (pictures + 1).astype(np.float32), strict=True):
        padded = np.pad(old, ((2, 2), (2, 2), (0, 0)))
        found = [
            (i, j)
            for i in range(5)
            for j in range(5)
            if np.array_equal(padded[i : i + 6, j : j + 8], new)
        ]
        assert len(found) == 1
        seen.add(found[0])
    assert len(seen) > 8


def test_cuts_stay_within_the_picture():
    across = np.broadcast_to(np.arange(16.0)[None, None, :, None] * 10, (64, 4, 16, 1))
    x = changed(across.astype(np.uint8), crop=0.5)
    assert x.min() >= 0
    assert x.max() <= 150
    slopes = np.diff(x[:, 0, 4:12, 0], axis=1).mean(axis=1)  # a ramp stays a ramp, less steep
    assert (slopes > 4.9).all()
    assert (slopes < 10.1).all()
    assert slopes.std() > 0.5
    assert np.array_equal(changed(across.astype(np.uint8), crop=1.0), across)


@pytest.mark.parametrize(
    "layers", [[{"conv": 4}, {"flatten": {}}, {"dense": "classes"}], [{"dense": "classes"}]]
)
def test_bytes_train_like_numbers(layers, pictures):
    y = np.arange(32) % 2
    images = "conv" in layers[0]
    recipe = Recipe.parse(
        {
            "data": {"validation": 0.0, "standardize": False},
            "net": {"layers": [*layers, {"activation": "softmax"}]},
            "train": {"epochs": 2, "batch_size": 8},
        }
    )
    mean, scale = np.full(3, 120.0), np.full(3, 60.0)
    numbers = load(recipe.data, arrays=((pictures - mean) / scale, y), images=images)
    as_bytes = replace(
        numbers, x_train=pictures, preprocessing=Preprocessing(mean, scale), scaled_in_step=True
    )
    one, other = (train(Cohort([recipe], dataset))[0] for dataset in (numbers, as_bytes))
    np.testing.assert_allclose(one.train, other.train, rtol=1e-4)


def test_random_changes_are_for_training_alone(pictures):
    y = np.arange(32) % 2
    tables = {
        "data": {"validation": 0.0, "augment": {"flip": True, "shift": 1}},
        "net": {"layers": [{"conv": 4}, {"flatten": {}}, {"dense": 1}, {"activation": "sigmoid"}]},
        "train": {"epochs": 1, "batch_size": "full", "loss": "binary_cross_entropy"},
        "optimizer": {"name": "sgd", "learning_rate": 1e-9},
    }
    plain = Recipe.parse({**tables, "data": {"validation": 0.0}})
    numbers = load(plain.data, arrays=(pictures, y), images=True)
    as_bytes = replace(
        numbers,
        x_train=pictures,
        preprocessing=Preprocessing(np.full(3, 120.0), np.full(3, 60.0)),
        scaled_in_step=True,
    )
    losses = [train(Cohort([r], as_bytes))[0].train[0] for r in (plain, Recipe.parse(tables))]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
