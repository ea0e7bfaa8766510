"""What is timed: nets, data and the ratios to reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Work:
    """One training task, the same for Surefoot and for its peers: float32, Adam, cross-entropy.

    Data are random: time does not depend on what they say. The rows fill every batch, since a
    peer would take a shorter last one.

    Attributes:
        name: for ``--only``.
        title: for the table.
        input_shape: of one row.
        hidden: units of the dense layers, or filters of the convolutions, without the output.
        outputs: classes.
        batch: rows a step.
        rows: of the training data; there are none for validation.
        activation: after each hidden layer.
        lanes: how many runs Surefoot trains at once; the peer trains one.
        targets: how many times a peer's time a step is to be Surefoot's, a lane and step.
    """

    name: str
    title: str
    input_shape: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: int
    batch: int
    rows: int
    targets: Mapping[str, float] = field(compare=False)
    activation: str = "relu"
    lanes: int = 1

    @property
    def convolutional(self) -> bool:
        """Whether the hidden layers are blocks of conv3×3, batch norm, ReLU, max-pooling 2×2."""
        return len(self.input_shape) == 3

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return self.rows // self.batch

    @cached_property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and class numbers."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.rows, *self.input_shape), dtype=np.float32)
        return x, rng.integers(0, self.outputs, self.rows).astype(np.int32)

    @property
    def layers(self) -> list[dict[str, Any]]:
        """The layers as a recipe has them."""
        layers: list[dict[str, Any]] = []
        for size in self.hidden:
            if self.convolutional:
                layers += [{"conv": size}, {"batch_norm": {}}]
            else:
                layers.append({"dense": size})
            layers.append({"activation": self.activation})
            if self.convolutional:
                layers.append({"max_pool": 2})
        if self.convolutional:
            layers.append({"global_average_pool": {}})
        return [*layers, {"dense": self.outputs}, {"activation": "softmax"}]

    @property
    def megabytes(self) -> float:
        """Size of the inputs."""
        return self.rows * prod(self.input_shape) * 4 / 2**20


def _dense(
    name: str,
    sizes: tuple[int, ...],
    batch: int,
    rows: int,
    targets: Mapping[str, float],
    **more: Any,
) -> Work:
    title = f"{more.pop('title', '-'.join(map(str, sizes)))}, batch {batch}"
    return Work(name, title, sizes[:1], sizes[1:-1], sizes[-1], batch, rows, targets, **more)


_SMALL, _DEEP = (64, 64, 64, 10), (2, *[5] * 7, 2)
WORKS = (
    # As many rows as the training share of scikit-learn's digits, rounded to whole batches.
    _dense("small", _SMALL, 32, 1_440, {"PyTorch": 8, "scikit-learn": 6}),
    _dense("medium", (784, 256, 128, 10), 64, 10_240, {"PyTorch": 1.6, "scikit-learn": 4}),
    _dense("large", (784, 1024, 1024, 10), 256, 10_240, {"PyTorch": 1.1}),
    Work(
        "conv",
        "conv 32-64-128 with batch norm on 32×32×3, batch 64",
        (32, 32, 3),
        (32, 64, 128),
        10,
        64,
        1_024,
        {"PyTorch": 1.0},
    ),
    _dense(
        "lanes",
        _SMALL,
        32,
        1_440,
        {"PyTorch": 20},
        lanes=128,
        title="128 lanes of 64-64-64-10",
    ),
    _dense(
        "deep-lanes",
        _DEEP,
        32,
        960,
        {"PyTorch": 50},
        lanes=128,
        activation="tanh",
        title="128 lanes of 7 layers of 5 units on 2 inputs",
    ),
)
