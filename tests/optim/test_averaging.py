"""Means of weights against a plain loop, PyTorch and Optax."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from surefoot.optim.averaging import begin, take

WEIGHTS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)


def averaged(numbers, weights=WEIGHTS, total=None):
    """Return the mean after each step, under jit."""
    total = len(weights) if total is None else total
    mean = begin(jnp.zeros(weights.shape[1], weights.dtype), {"mean": jnp.zeros(1, weights.dtype)})
    step = jax.jit(lambda mean, w, i: take(mean, w, {"mean": w[:1]}, i, jnp.int32(total), numbers))
    found = []
    for i, w in enumerate(weights):
        mean = step(mean, jnp.asarray(w), i)
        found.append(mean)
    return found


def loop(decay, start, every):
    """The definition: the weights that are taken, each with its share, summed in float64."""
    taken, found = [], []
    for i, w in enumerate(WEIGHTS.astype(np.float64)):
        if i >= start and (i - start) % every == 0:
            taken.append(w)
        shares = decay ** np.arange(len(taken))[::-1]
        found.append(w if not taken else shares @ np.array(taken) / shares.sum())
    return np.array(found)


@pytest.mark.parametrize(("start", "every"), [(0.0, 1), (0.25, 1), (0.5, 3), (1.0, 1)])
@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999, None])
def test_as_a_plain_loop(decay, start, every):
    numbers = {"start": np.float32(start), "every": np.float32(every)}
    if decay is not None:
        numbers["decay"] = np.float32(decay)
    found = np.array([mean.params for mean in averaged(numbers)])
    # The last step is taken at the latest.
    expected = loop(1.0 if decay is None else decay, min(round(start * 40), 39), every)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def test_running_averages_have_the_same_shares():
    for mean in averaged({"start": 0.2, "every": 2, "decay": 0.9}):
        assert mean.state["mean"][0] == mean.params[0]


def test_the_stochastic_mean_is_torchs():
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(3, 1, bias=False)
    theirs = torch.optim.swa_utils.AveragedModel(model)
    for w in WEIGHTS:
        model.weight.data = torch.tensor(w[None])
        theirs.update_parameters(model)
    found = averaged({"start": 0.0, "every": 1})[-1]
    np.testing.assert_allclose(found.params, theirs.module.weight.data.numpy()[0], atol=1e-6)
    assert int(found.taken) == int(theirs.n_averaged) == 40


def test_the_exponential_mean_is_optaxs():
    theirs = optax.ema(0.9, debias=True)
    state = theirs.init(jnp.zeros(3))
    for w, found in zip(WEIGHTS, averaged({"start": 0.0, "every": 1, "decay": 0.9}), strict=True):
        expected, state = theirs.update(jnp.asarray(w), state)
        np.testing.assert_allclose(found.params, expected, rtol=2e-5, atol=2e-6)


def test_before_the_first_it_follows_to_the_bit():
    for w, mean in zip(WEIGHTS[:20], averaged({"start": 0.5, "every": 1}), strict=False):
        np.testing.assert_array_equal(mean.params, w)


def test_double_precision(x64):
    weights = WEIGHTS.astype(np.float64)
    numbers = {"start": 0.0, "every": 1, "decay": np.float64(0.9999)}
    found = averaged(numbers, weights)[-1].params
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, loop(0.9999, 0, 1)[-1], rtol=1e-11)
