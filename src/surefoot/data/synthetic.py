"""Generated sets: points in the plane, made from a seed.

Each generator takes a random generator, the number of rows n and the standard deviation of the
Gaussian noise on both coordinates, and returns points ``[n, 2]`` and labels ``[n]``. Classes
share the rows evenly; the first ones take what is left over.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Points = tuple[NDArray[np.float64], NDArray[np.int64]]
Generator = Callable[[np.random.Generator, int, float], Points]


def _labels(rows: int, classes: int) -> NDArray[np.int64]:
    return np.sort(np.arange(rows) % classes)


def _noisy(
    rng: np.random.Generator, points: NDArray[np.float64], labels: NDArray[np.int64], noise: float
) -> Points:
    order = rng.permutation(len(labels))
    return points[order] + noise * rng.standard_normal(points.shape), labels[order]


def _evenly(labels: NDArray[np.int64], label: int) -> NDArray[np.float64]:
    """Numbers from 0 to 1, evenly spaced over the rows of one class."""
    return np.linspace(0.0, 1.0, int(np.sum(labels == label)))


def moons(rng: np.random.Generator, rows: int, noise: float) -> Points:
    """Two half circles of radius 1 that interlock: (cos t, sin t) and (1 − cos t, ½ − sin t).

    >>> x, y = moons(np.random.default_rng(0), 10, 0.0)
    >>> bool(np.allclose(np.hypot(*x[y == 0].T), 1.0))
    True
    """
    labels = _labels(rows, 2)
    upper, lower = (np.pi * _evenly(labels, label) for label in (0, 1))
    points = np.concatenate(
        [
            np.stack([np.cos(upper), np.sin(upper)], axis=1),
            np.stack([1 - np.cos(lower), 0.5 - np.sin(lower)], axis=1),
        ]
    )
    return _noisy(rng, points, labels, noise)


def circles(rng: np.random.Generator, rows: int, noise: float) -> Points:
    """A circle of radius 1 (class 0) around one of radius ½ (class 1)."""
    labels = _labels(rows, 2)
    angle = rng.uniform(0.0, 2 * np.pi, rows)
    radius = np.where(labels == 0, 1.0, 0.5)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _noisy(rng, points, labels, noise)


def blobs(rng: np.random.Generator, rows: int, noise: float) -> Points:
    """Three Gaussian clouds, their centres on a circle of radius 3."""
    labels = _labels(rows, 3)
    angle = np.pi / 2 + 2 * np.pi * labels / 3
    return _noisy(rng, 3.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1), labels, noise)


def spirals(rng: np.random.Generator, rows: int, noise: float) -> Points:
    """Two arms of one and a half turns: radius r in [0, 1], angle 3πr, the second turned by π."""
    labels = _labels(rows, 2)
    # The root spreads the rows over an arm's length instead of crowding them at the centre.
    radius = np.sqrt(np.concatenate([_evenly(labels, 0), _evenly(labels, 1)]))
    angle = 3 * np.pi * radius + np.pi * labels
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _noisy(rng, points, labels, noise)


def xor(rng: np.random.Generator, rows: int, noise: float) -> Points:
    """The corners (±1, ±1): class 1 where the signs differ, class 0 where they agree."""
    corner = np.arange(rows) % 4
    first, second = corner // 2, corner % 2
    points = 2.0 * np.stack([first, second], axis=1) - 1.0
    return _noisy(rng, points, (first ^ second).astype(np.int64), noise)
