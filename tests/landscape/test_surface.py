"""Losses on lines and planes, where the surface is a bowl that is known by hand."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from surefoot.landscape.directions import random_directions
from surefoot.landscape.surface import Sampled, grid

pytestmark = pytest.mark.usefixtures("x64")

LINEAR = [{"dense": "classes"}]
SQUARED = {"loss": "mean_squared_error"}


class Bowl:
    """The loss Σ(y − Xw)²/(3n) of a linear model with three outputs, in closed form."""

    def __init__(self, cohort):
        data = cohort.dataset
        x = np.asarray(data.x_train, np.float64)
        self.x = np.concatenate([np.ones((len(x), 1)), x], axis=1)
        self.y = np.eye(3)[np.asarray(data.y_train)]
        self.lowest = np.linalg.lstsq(self.x, self.y, rcond=None)[0]
        # Of weights in the net's order: the biases, then the kernel row by row.
        self.hessian = np.kron(2 / self.y.size * self.x.T @ self.x, np.eye(3))

    def loss(self, theta):
        return np.square(self.x @ theta.reshape(-1, 3) - self.y).mean()


@pytest.fixture
def bowl(make_cohort):
    """A linear model at its lowest point, with the bowl around it."""
    cohort, params, state = make_cohort(LINEAR, train=SQUARED)
    own = Bowl(cohort)
    leaves, tree = jax.tree.flatten(params)
    assert [leaf.shape for leaf in leaves] == [(3,), (4, 3)]
    params = jax.tree.unflatten(tree, [own.lowest[0], own.lowest[1:]])
    return own, Sampled(cohort, params, state)


def test_a_slice_along_an_eigenvector_is_its_parabola(bowl):
    own, sampled = bowl
    values, vectors = np.linalg.eigh(own.hessian)
    a = np.linspace(-3, 3, 51)
    floor = own.loss(own.lowest)
    for place in (0, 7, 14):
        losses = sampled.plane(vectors[:, place][None], grid([a]))
        np.testing.assert_allclose(losses.loss, floor + values[place] * a**2 / 2, rtol=1e-10)
        assert np.isnan(losses.validation_loss).all()  # there are no such rows


def test_a_plane_is_lowest_where_it_must_be(make_cohort):
    cohort, params, state = make_cohort(LINEAR, train=SQUARED)
    own, sampled = Bowl(cohort), Sampled(cohort, params, state)
    theta = sampled.start[0]
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(15, 2)))[0].T
    slope = own.hessian @ (theta - own.lowest.ravel())
    bottom = -np.linalg.solve(directions @ own.hessian @ directions.T, directions @ slope)
    axes = [middle + np.linspace(-1, 1, 7) for middle in bottom]
    places = grid(axes)
    losses = sampled.plane(directions, places).loss
    np.testing.assert_allclose(places[np.argmin(losses)], bottom, atol=1e-12)
    expected = [own.loss(theta + place @ directions) for place in places]
    np.testing.assert_allclose(losses, expected, rtol=1e-10)
    path = np.stack([theta, theta + bottom @ directions])
    np.testing.assert_allclose(sampled.path(path).loss, [own.loss(w) for w in path], rtol=1e-10)


def test_what_overflows_is_kept_as_it_is(bowl):
    own, sampled = bowl
    losses = sampled.plane(np.full((1, 15), 1e200), np.array([[0.0], [1.0], [np.nan]])).loss
    assert losses[0] == pytest.approx(own.loss(own.lowest))
    assert not np.isfinite(losses[1:]).any()


def test_validation_rows_are_a_surface_of_their_own(make_cohort):
    """Their class weights and the penalty of a decay do not count."""
    decay = {"name": "sgd", "weight_decay": 0.5}
    cohort, params, state = make_cohort(
        [{"dense": "classes"}, {"activation": "softmax"}],
        data={"validation": 0.25},
        optimizer=decay,
        train={"class_weight": {"0": 5.0}},
    )
    sampled = Sampled(cohort, params, state)
    data, (layer, *_) = cohort.dataset, params
    z = np.asarray(data.x_val) @ layer["kernel"] + layer["bias"]
    losses = np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), data.y_val]
    there = sampled.path(sampled.start)
    assert sampled.validation.rows == len(z) == 10
    assert there.validation_loss[0] == pytest.approx(losses.mean())
    direction = np.ones((1, 15))
    moved = sampled.plane(direction, np.array([[0.0], [0.5]]))
    assert moved.validation_loss[0] == pytest.approx(there.validation_loss[0])
    assert moved.loss[0] == pytest.approx(there.loss[0])
    # One number more for all classes changes nothing but the penalty.
    kernel = layer["kernel"]
    change = 0.25 * (np.square(kernel + 0.5) - np.square(kernel)).sum()
    assert moved.loss[1] - moved.loss[0] == pytest.approx(change)
    assert moved.validation_loss[1] == pytest.approx(moved.validation_loss[0])
    np.testing.assert_allclose(
        sampled.path(sampled.start + 0.5 * direction).loss, moved.loss[1:], rtol=1e-12
    )


def test_layers_scaled_against_each_other_have_the_same_slice(make_cohort):
    """What filter normalization is for: a ReLU net computes the same, and its slice is the same."""
    layers = [{"dense": 6}, {"activation": "relu"}, {"dense": "classes"}, {"activation": "softmax"}]
    cohort, params, state = make_cohort(layers)
    hidden, relu, last = params
    scaled = [
        {name: 100 * array for name, array in hidden.items()},
        relu,
        {**last, "kernel": last["kernel"] / 100},
    ]
    slices = [
        Sampled(cohort, own, state).plane(
            random_directions(cohort.networks[0], own, 1, seed=1), grid([np.linspace(-1, 1, 9)])
        )
        for own in (params, scaled)
    ]
    np.testing.assert_allclose(slices[0].loss, slices[1].loss, rtol=1e-10)
    assert np.ptp(slices[0].loss) > 0.1
