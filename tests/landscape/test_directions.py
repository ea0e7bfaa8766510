"""Filter normalization against loops by hand, and the principal plane against scikit-learn."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from sklearn.decomposition import PCA

from surefoot.landscape.directions import principal_plane, random_directions
from surefoot.nn.network import build
from surefoot.recipe import Recipe, numbers

LAYERS = [
    {"conv": 3, "size": 3},
    {"batch_norm": {}},
    {"activation": "prelu"},
    {"residual": [{"conv": 4, "size": 3}]},
    {"flatten": {}},
    {"dense": 5},
    {"repeat": 3, "layers": [{"dense": 5}, {"activation": "tanh"}]},
    {"dense": "classes"},
]


def _filters(leaf, stacked):
    """Return the weights that lead to each output, one array each."""
    if stacked:
        return [filter_ for one in leaf for filter_ in _filters(one, False)]
    return [leaf[..., i].ravel() for i in range(leaf.shape[-1])]


def test_each_filter_is_as_long_as_the_weights_and_all_else_is_zero():
    net = Recipe.parse({"net": {"layers": LAYERS}}).net
    network = build(net, (4, 4, 2), 2)
    params, _ = network.init(3, numbers(net), np.float64)
    params = jax.tree.map(lambda leaf: leaf + 0.1, params)
    (direction,) = random_directions(network, params, 1, seed=5)
    places = jax.tree_util.tree_leaves_with_path(params)
    cuts = np.cumsum([leaf.size for _, leaf in places])[:-1]
    checked = 0
    for (path, leaf), part in zip(places, np.split(direction, cuts), strict=True):
        if path[-1].key not in ("kernel", "projection"):
            assert not part.any()
            continue
        own = part.reshape(leaf.shape)
        assert np.unique(own).size == own.size
        stacked = path[0].idx == 6
        for weight, moved in zip(_filters(leaf, stacked), _filters(own, stacked), strict=True):
            assert np.linalg.norm(moved) == pytest.approx(np.linalg.norm(weight))
            checked += 1
    # Two convolutions, a projection, and five dense layers.
    assert checked == 3 + 4 + 4 + 5 + 3 * 5 + 2


def test_what_is_drawn_is_gaussian_and_scaled_once():
    net = Recipe.parse({"net": {"layers": [{"dense": 2, "bias": False}]}}).net
    network = build(net, (3,), 2)
    kernel = np.array([[3.0, 0.0], [0.0, 0.0], [4.0, 0.0]])
    drawn = np.random.default_rng(7).standard_normal((3, 2))
    (direction,) = random_directions(network, [{"kernel": kernel}], 1, seed=7)
    expected = drawn * np.array([5 / np.linalg.norm(drawn[:, 0]), 0])
    np.testing.assert_allclose(direction.reshape(3, 2), expected, rtol=1e-12)


def test_the_principal_plane_is_scikit_learns():
    path = np.random.default_rng(0).normal(size=(12, 40)).cumsum(axis=0)
    plane = principal_plane(path)
    fitted = PCA(2, svd_solver="full").fit(path - path[-1])
    np.testing.assert_allclose(plane.explained, fitted.explained_variance_ratio_, rtol=1e-9)
    overlap = plane.directions @ fitted.components_.T
    np.testing.assert_allclose(np.abs(overlap), np.eye(2), atol=1e-9)
    # From the start to the end.
    assert (plane.directions @ (path[-1] - path[0]) > 0).all()


def test_a_straight_path_has_a_second_direction_all_the_same():
    line = np.linspace(1, 0, 5)[:, None] * np.array([[3.0, 4.0, 0.0]])
    plane = principal_plane(line)
    np.testing.assert_allclose(plane.directions[0], [-0.6, -0.8, 0], atol=1e-12)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(plane.explained, [1, 0])
