"""Directions in the space of the weights along which the error surface is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.nn.layer import Layer
from surefoot.nn.network import Network
from surefoot.nn.repeat import Repeat
from surefoot.nn.residual import Residual
from surefoot.optim import is_decayed

Vectors = NDArray[np.float64]

# A path that leaves its line by less than this share of its length has no second direction.
_STRAIGHT = 1e-7


@dataclass(frozen=True)
class Plane:
    """Two directions, and how much of a path they hold.

    Attributes:
        directions: orthonormal, [2, parameters].
        explained: the share of the path's variance along each, [2].
    """

    directions: Vectors
    explained: Vectors


def random_directions(network: Network, params: Any, count: int, seed: int = 0) -> Vectors:
    """Return random directions whose filters are as long as those of the weights.

    d ← d · ‖w‖/‖d‖ for each filter w, which is all that leads to one output of a dense or
    convolutional layer, where d is drawn from N(0, 1); 0 for biases, normalization and learned
    slopes. A rectified net does the same when a layer's weights are doubled and the next one's
    are halved; steps of one length would look ten times as steep in the one as in the other.
    Measured in lengths of their filters they do not.

    Args:
        network: whose weights they are.
        params: the weights w, a tree.
        count: how many directions.
        seed: of all of them.

    Returns:
        [count, parameters], each in the order of `jax.tree.leaves`.

    Source: Li and others 2018, *Visualizing the loss landscape of neural nets*, section 4.

    >>> from surefoot.job import prepare
    >>> network = prepare("iris", net="mlp:4").cohort.networks[0]
    >>> first, _, second = [np.full(shape, 2.0) for shape in ((4, 4), (), (4, 3))]
    >>> params = [{"kernel": first, "bias": np.ones(4)}, {}, {"kernel": second, "bias": np.ones(3)}]
    >>> (direction,) = random_directions(network, params, 1)
    >>> direction[:4].tolist(), round(float(np.linalg.norm(direction[4:20])), 6)
    ([0.0, 0.0, 0.0, 0.0], 8.0)
    """
    generator = np.random.default_rng(seed)
    stacked = _stacked(network.body.layers, params, 0)

    def drawn(weight: Any, filtered: bool, leading: int) -> Vectors:
        weight = np.asarray(weight, np.float64)
        if not filtered:
            return np.zeros(weight.size)
        direction = generator.standard_normal(weight.shape)
        axes = tuple(range(leading, weight.ndim - 1))
        lengths = (np.linalg.norm(_rows(d, axes), axis=-1) for d in (weight, direction))
        ratio = np.expand_dims(np.divide(*lengths), axes)
        return np.ravel(direction * ratio)

    leaves = [jax.tree.leaves(tree) for tree in (params, is_decayed(params), stacked)]
    return np.stack([np.concatenate([*map(drawn, *leaves), np.zeros(0)]) for _ in range(count)])


def principal_plane(path: NDArray[Any], seed: int = 0) -> Plane:
    """Return the plane that holds most of a path's variance.

    The two first principal components of the differences θᵢ − θₙ between the weights on the way
    and the last ones. Each points from the path's start to its end. A path along a line has no
    second one: it is then random, orthogonal to the first, and explains nothing.

    Args:
        path: θ₀ … θₙ, [snapshots, parameters], not all the same.
        seed: of a random second direction.

    Source: Li and others 2018, section 7.

    >>> plane = principal_plane(np.array([[3.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.0, 0.0]]))
    >>> plane.directions.shape, round(float(plane.explained.sum()), 6)
    ((2, 3), 1.0)
    """
    differences = np.asarray(path, np.float64) - np.asarray(path[-1], np.float64)
    centred = differences - differences.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    explained = np.square(lengths) / np.square(lengths).sum()
    directions, explained = directions[:2], explained[:2]
    if len(lengths) < 2 or lengths[1] <= _STRAIGHT * lengths[0]:
        other = np.random.default_rng(seed).standard_normal(path.shape[1])
        other -= (other @ directions[0]) * directions[0]
        directions = np.stack([directions[0], other / np.linalg.norm(other)])
        explained = np.array([1.0, 0.0])
    towards = np.where(directions @ differences[0] > 0, -1.0, 1.0)
    return Plane(directions * towards[:, None], explained)


def _stacked(layers: Sequence[Layer], params: Any, leading: int) -> list[Any]:
    """Return how many first axes of each parameter only count repetitions, as a tree."""
    trees: list[Any] = []
    for layer, own in zip(layers, params, strict=True):
        match layer:
            case Repeat(block=block):
                trees.append(_stacked(block.layers, own, leading + 1))
            case Residual(branch=branch):
                inner = _stacked(branch.layers, own["branch"], leading)
                trees.append({**dict.fromkeys(own, leading), "branch": inner})
            case _:
                trees.append(jax.tree.map(lambda _: leading, own))
    return trees


def _rows(array: Vectors, axes: tuple[int, ...]) -> Vectors:
    """Return the filters of a weight, the numbers of each along the last axis."""
    moved = np.moveaxis(array, axes, range(array.ndim - len(axes), array.ndim))
    return moved.reshape(*moved.shape[: array.ndim - len(axes)], -1)
