"""Loss, gradient and products against the run's own objective, `jax.hessian` and PyTorch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from surefoot.engine.placement import place_lanes
from surefoot.landscape.hessian import Surface
from surefoot.nn.layer import Context

pytestmark = pytest.mark.usefixtures("x64")


def _objective(cohort, params, state, weights=None):
    """Return the mean loss over all training rows as one batch, of a flat vector of weights."""
    given = jax.tree.map(lambda array: array[0], place_lanes(cohort, 0))
    data, (start, unravel) = cohort.dataset, ravel_pytree(jax.tree.map(jnp.asarray, params))
    batch = (data.x_train, data.y_train, weights)
    context = Context(True, None, given.numbers["net"])

    def loss(theta):
        value, _ = cohort.blueprint.objective(unravel(theta), state, batch, context, given.scaling)
        return value

    return loss, start


def test_gradient_and_products_are_those_of_the_whole_objective(make_cohort):
    weights = np.linspace(0.5, 2, 41)  # 41 rows: the last part is filled up
    cohort, params, state = make_cohort(rows=41, sample_weight=weights)
    loss, start = _objective(cohort, params, state, weights)
    surface = Surface.of(cohort, params, state)
    value, gradient = surface.gradient(surface.start)
    assert value == pytest.approx(float(loss(start)), rel=1e-12)
    assert surface.loss(surface.start) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(gradient, jax.grad(loss)(start), rtol=1e-9, atol=1e-12)
    vector = np.random.default_rng(0).normal(size=surface.size)
    product = np.asarray(jax.jit(jax.hessian(loss))(start)) @ vector
    np.testing.assert_allclose(surface.product(surface.start, vector), product, atol=1e-11)


def test_products_are_exact_where_softplus_is_at_zero(make_cohort):
    """There JAX's second derivative through a scan is twice the true one; ours is not."""
    layers = [{"dense": "classes"}, {"activation": "softplus"}]
    cohort, params, state = make_cohort(layers, train={"loss": "mean_squared_error"})
    params = jax.tree.map(np.zeros_like, params)
    loss, start = _objective(cohort, params, state)
    surface = Surface.of(cohort, params, state)
    vector = np.random.default_rng(0).normal(size=surface.size)
    product = np.asarray(jax.jit(jax.hessian(loss))(start)) @ vector
    np.testing.assert_allclose(surface.product(surface.start, vector), product, atol=1e-11)


def test_products_equal_pytorchs(make_cohort):
    torch = pytest.importorskip("torch")
    cohort, params, state = make_cohort()
    surface = Surface.of(cohort, params, state)
    vector = np.random.default_rng(0).normal(size=surface.size)
    x, y = (torch.tensor(np.asarray(a)) for a in (cohort.dataset.x_train, cohort.dataset.y_train))

    def loss(first_bias, first, second_bias, second):
        hidden = torch.tanh(x @ first + first_bias)
        return torch.nn.functional.cross_entropy(hidden @ second + second_bias, y.long())

    leaves = [torch.tensor(np.asarray(leaf)) for leaf in jax.tree.leaves(params)]
    cuts = np.cumsum([leaf.numel() for leaf in leaves])[:-1]
    parts = [
        torch.tensor(part).reshape(leaf.shape)
        for part, leaf in zip(np.split(vector, cuts), leaves, strict=True)
    ]
    _, products = torch.autograd.functional.hvp(loss, tuple(leaves), tuple(parts))
    expected = np.concatenate([product.numpy().ravel() for product in products])
    np.testing.assert_allclose(surface.product(surface.start, vector), expected, atol=1e-10)


def test_a_decay_in_the_gradient_is_part_of_the_loss_and_a_decoupled_one_is_not(make_cohort):
    optimizer = {"name": "sgd", "weight_decay": 0.2}
    cohort, params, state = make_cohort(optimizer=optimizer)
    loss, start = _objective(cohort, params, state)
    squares = sum(float((layer["kernel"] ** 2).sum()) for layer in params if "kernel" in layer)
    surface = Surface.of(cohort, params, state)
    assert surface.loss(surface.start) == pytest.approx(float(loss(start)) + 0.1 * squares)
    step = 1e-6 * surface.gradient(surface.start)[1]
    slope = surface.loss(surface.start + step) - surface.loss(surface.start - step)
    assert slope == pytest.approx(2e6 * step @ step, rel=1e-6)
    cohort, params, state = make_cohort(optimizer={"name": "adamw", "weight_decay": 0.2})
    surface = Surface.of(cohort, params, state)
    assert surface.loss(surface.start) == pytest.approx(float(loss(start)))


def test_nothing_is_drawn_and_normalization_sees_batches_of_the_runs_size(make_cohort):
    layers = [
        {"dense": 6},
        {"batch_norm": {}},
        {"activation": "rrelu"},
        {"dropout": 0.5},
        {"dense": "classes"},
        {"activation": "softmax"},
    ]
    cohort, params, state = make_cohort(layers, rows=45)
    surface = Surface.of(cohort, params, state)
    assert surface.rows == 40
    assert surface.fixed.x.shape == (4, 10, 4)
    assert surface.loss(surface.start) == surface.loss(surface.start)
    # The same by hand, batch by batch.
    first, norm, _, _, last = params
    losses = []
    for x, y in zip(np.asarray(surface.fixed.x), np.asarray(surface.fixed.y), strict=True):
        z = x @ first["kernel"] + first["bias"]
        z = (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5) * norm["scale"] + norm["bias"]
        z = np.where(z > 0, z, z * (1 / 8 + 1 / 3) / 2) @ last["kernel"] + last["bias"]
        losses += list(np.log(np.exp(z).sum(1)) - z[np.arange(10), y])
    assert surface.loss(surface.start) == pytest.approx(np.mean(losses), rel=1e-6)


def test_the_sample_follows_from_the_seed_and_its_noise_is_measured(make_cohort):
    cohort, params, state = make_cohort(rows=400)
    whole = Surface.of(cohort, params, state)
    assert whole.noise(whole.start) == 0
    truth = whole.gradient(whole.start)[1]
    samples = [Surface.of(cohort, params, state, rows=80, seed=seed) for seed in range(24)]
    again = Surface.of(cohort, params, state, rows=80, seed=3)
    np.testing.assert_array_equal(again.fixed.x, samples[3].fixed.x)
    errors = [np.linalg.norm(s.gradient(s.start)[1] - truth) for s in samples]
    noises = [s.noise(s.start) for s in samples]
    assert np.mean(np.square(noises)) == pytest.approx(np.mean(np.square(errors)), rel=0.3)
