"""Restricted Boltzmann machines against NumPy and scikit-learn."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM

from surefoot.pretrain.boltzmann import BoltzmannMachine
from surefoot.pretrain.layer import teach
from surefoot.recipe.pretrain import Pretrain

UNITS, EPOCHS, BATCH, RATE = 16, 10, 10, 0.05


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("k", [1, 3])
def test_contrastive_divergence_is_numpys(x64, shares, k):
    """The same draws, the formulas written out once more."""
    rng = np.random.default_rng(0)
    w, b, a = rng.normal(size=(5, 4)), rng.normal(size=4), rng.normal(size=5)
    x = (rng.random((7, 5)) < 0.4).astype(float) if shares else rng.normal(size=(7, 5))
    key = jax.random.key(3)
    params = {"kernel": jnp.asarray(w), "bias": jnp.asarray(b), "visible": jnp.asarray(a)}
    machine = BoltzmannMachine(shares, persistent=False)
    got, _ = machine.gradient(params, jnp.asarray(x), key, {"k": k}, jnp.zeros((7, 4)))

    def uniform(key, shape):
        return np.asarray(jax.random.uniform(key, shape, jnp.float64))

    positive = sigmoid(x @ w + b)
    h = uniform(jax.random.fold_in(key, 0), (7, 4)) < positive
    for i in range(1, k + 1):
        for_v, for_h = jax.random.split(jax.random.fold_in(key, i))
        mean = h @ w.T + a
        if shares:
            v = (uniform(for_v, (7, 5)) < sigmoid(mean)).astype(float)
        else:
            v = mean + np.asarray(jax.random.normal(for_v, (7, 5), jnp.float64))
        negative = sigmoid(v @ w + b)
        h = uniform(for_h, (7, 4)) < negative
    want = {
        "kernel": -(x.T @ positive - v.T @ negative) / 7,
        "bias": -(positive - negative).mean(axis=0),
        "visible": -(x - v).mean(axis=0),
    }
    for name, array in want.items():
        np.testing.assert_allclose(got[name], array, rtol=1e-12, atol=1e-14, err_msg=name)


def test_a_persistent_chain_goes_on_from_the_hidden_units_that_it_left():
    params = {"kernel": jnp.full((2, 3), 0.1), "bias": jnp.zeros(3), "visible": jnp.zeros(2)}
    x, key = jnp.ones((4, 2)), jax.random.key(0)
    memory = jnp.asarray(np.eye(4, 3), jnp.float32)
    chain = BoltzmannMachine(True, persistent=True)
    gradient, left = chain.gradient(params, x, key, {"k": 1}, memory)
    v, h = chain.gibbs(params, memory, jax.random.fold_in(key, 1))
    assert np.array_equal(left, h)
    assert np.allclose(gradient["visible"], np.mean(v - x, axis=0))


def test_digits_are_learned_as_well_as_by_scikit_learn():
    """Same rows, units, epochs, rate and batches; both as scikit-learn measures them."""
    x = (load_digits().data / 16).astype(np.float32)[:600]
    section = Pretrain(
        method="rbm", epochs=EPOCHS, batch_size=BATCH, learning_rate=RATE, momentum=0.0,
        persistent=True,
    )  # fmt: skip
    ours, theirs, errors = [], [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        layer = {
            "kernel": rng.normal(0, 0.01, (64, UNITS)).astype(np.float32),
            "bias": np.zeros(UNITS, np.float32),
        }
        machine = BoltzmannMachine(True, persistent=True)
        taught, error = teach(machine, layer, jnp.asarray(x), section, {}, (seed, 0))
        reference = BernoulliRBM(
            UNITS, learning_rate=RATE, batch_size=BATCH, n_iter=EPOCHS, random_state=seed
        ).fit(x)
        mean = sigmoid(x @ reference.components_.T + reference.intercept_hidden_)
        back = sigmoid(mean @ reference.components_ + reference.intercept_visible_)
        theirs.append(np.mean((back - x) ** 2))
        ours.append(error[-1])
        errors.append(error)
        assert taught["kernel"].shape == (64, UNITS)
    assert all(error[-1] < error[0] / 2 for error in errors)
    spread = np.std([*ours, *theirs])
    assert abs(np.mean(ours) - np.mean(theirs)) < max(2 * spread, 0.03 * np.mean(theirs))
