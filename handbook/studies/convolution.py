"""Convolution as a dense layer whose weights are restricted and shared."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.engine.cohort import Cohort
from surefoot.engine.result import LaneResult
from surefoot.job import dataset_of
from surefoot.nn.layer import Context
from surefoot.nn.lowering import conv2d
from surefoot.recipe import numbers as numbers_of
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "same": lambda n: n["differs"] < 1e-5,
    "shared": lambda n: n["kinds"] == n["filter_weights"] and n["links"] < n["dense_weights"] / 7,
    "shift": lambda n: n["conv_shifted"] > n["dense_shifted"] + 0.05,
}
_SIDE, _SIZE = 8, 3


def _as_dense() -> tuple[dict[str, Any], np.ndarray]:
    """Return the matrix of a convolution: what it makes of each picture with a single one."""
    kernel = jax.random.normal(jax.random.key(0), (_SIZE, _SIZE, 1, 1))
    pixels = _SIDE * _SIDE
    ones = jnp.eye(pixels).reshape(pixels, _SIDE, _SIDE, 1)
    matrix = np.asarray(conv2d(ones, kernel, (1, 1), "same").reshape(pixels, pixels))
    x = jax.random.normal(jax.random.key(1), (32, _SIDE, _SIDE, 1))
    by_filter = conv2d(x, kernel, (1, 1), "same").reshape(32, -1)
    by_matrix = x.reshape(32, -1) @ matrix
    numbers = {
        "pixels": pixels,
        "differs": float(jnp.abs(by_filter - by_matrix).max()),
        "dense_weights": pixels * pixels,
        "links": int((matrix != 0).sum()),
        "kinds": len(np.unique(matrix[matrix != 0])),
        "filter_weights": _SIZE * _SIZE,
    }
    return numbers, matrix


def _training(full: bool) -> dict[str, Any]:
    """Train a dense and a convolutional net, and move the validation pictures to the side."""
    output = [{"dense": "classes"}, {"activation": "softmax"}]
    nets = {
        "dense": [{"dense": 64}, {"activation": "relu"}, *output],
        "conv": [
            {"conv": 16},
            {"activation": "relu"},
            {"conv": 16},
            {"activation": "relu"},
            {"global_average_pool": {}},
            *output,
        ],
    }
    trained = train_lanes(
        "digits",
        {name: {"net.layers": net} for name, net in nets.items()},
        net=nets["conv"],
        seeds=5 if full else 1,
        keys={"epochs": 40 if full else 6, "learning_rate": 0.01, "data.standardize": False},
    )
    found: dict[str, Any] = {}
    for name, own in trained.items():
        still, one, two = np.mean([_shifted(result) for result in own.results], axis=0)
        found |= {f"{name}_still": still, f"{name}_shifted": one, f"{name}_shifted_two": two}
        kernels = jax.tree.leaves(own.results[0].params)
        found[f"{name}_size"] = int(sum(np.size(leaf) for leaf in kernels))
    return found


def _shifted(result: LaneResult) -> list[float]:
    """Return the accuracy on validation pictures that are moved by 0, 1 and 2 pixels."""
    data = dataset_of(result.recipe)
    network = Cohort([result.recipe], data).blueprint.network
    own = numbers_of(result.recipe)["net"]
    x, y = np.asarray(data.x_val, np.float32), np.asarray(data.y_val)
    accuracies = []
    for pixels in (0, 1, 2):
        moved = np.roll(x.reshape(-1, _SIDE, _SIDE, 1), pixels, axis=2).reshape(x.shape)
        outputs, _, _ = network.apply(result.params, result.state, moved, Context(False, None, own))
        accuracies.append(float((np.asarray(outputs).argmax(axis=1) == y).mean()))
    return accuracies


def measure(full: bool) -> Found:
    """Write a convolution as a matrix, and move pictures under both kinds of nets."""
    numbers, matrix = _as_dense()
    into, out = np.nonzero(matrix)
    strong = np.abs(matrix[into, out])
    lines = [
        series(name, out[own], into[own], mark="points", role=role)
        for role, (name, own) in enumerate(
            {
                "large weights": strong >= np.median(strong),
                "small weights": strong < np.median(strong),
            }.items()
        )
    ]
    title = f"A {_SIZE} × {_SIZE} filter as a dense layer: its weights that are not 0"
    chart = plot("matrix", title, axis("output pixel"), axis("input pixel"), lines)
    return Found({**numbers, **_training(full)}, {"": chart})
