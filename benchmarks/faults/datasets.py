"""The data that the corpus is trained on: sixteen sets in two halves of equal mix.

Half of the sets are for tuning, the other half is for reporting; no set is in both. Each has a
fixed validation part. Built-in sets are read by name; the others are made here from a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Half = Literal["tune", "report"]
Task = Literal["classification", "regression"]
Numbers = NDArray[np.float64]


class Arrays(NamedTuple):
    """Rows as they were measured, neither scaled nor shuffled: those to train on, those held out.

    Targets are class numbers (int64) or numbers (float64).
    """

    x: NDArray
    y: NDArray
    x_val: NDArray
    y_val: NDArray


@dataclass(frozen=True)
class DatasetSpec:
    """One set of the corpus.

    Attributes:
        name: of the set, and of its built-in source where `make` is None.
        half: whether thresholds are tuned on it, or figures reported.
        task: classification or regression.
        classes: how many; 0 for numbers.
        unscaled: whether its columns are far from mean 0 and variance 1 as they come.
        pictures: whether rows are [height, width, channels].
        make: draws all rows from a generator; None for a built-in set.
        validation: the share of rows that is held out.
    """

    name: str
    half: Half
    task: Task
    classes: int
    unscaled: bool
    pictures: bool = False
    make: Callable[[np.random.Generator], tuple[NDArray, NDArray]] | None = None
    validation: float = 0.3


def _mixture(rng: np.random.Generator) -> tuple[Numbers, NDArray]:
    """Three classes, two clusters each, in 10 of 40 dimensions: scikit-learn's generator."""
    from sklearn.datasets import make_classification

    seed = int(rng.integers(2**31))
    return make_classification(
        1500,
        40,
        n_informative=10,
        n_redundant=6,
        n_classes=3,
        n_clusters_per_class=2,
        class_sep=2.5,
        flip_y=0.0,
        random_state=seed,
    )


def _gaussians(rng: np.random.Generator) -> tuple[Numbers, NDArray]:
    """Five classes in 24 dimensions, two far clouds each, so that no plane parts a class."""
    y = rng.integers(0, 5, 1300)
    centres = rng.normal(0, 1.0, (5, 2, 24))
    return centres[y, rng.integers(0, 2, 1300)] + rng.normal(0, 0.7, (1300, 24)), y


def _waveform(rng: np.random.Generator) -> tuple[Numbers, NDArray]:
    """Breiman's waves: random mixtures of two of three triangles at 21 points, less noise."""
    points = np.arange(1, 22)
    triangles = np.stack([np.maximum(6 - np.abs(points - c), 0) for c in (11, 15, 7)])
    y = rng.integers(0, 3, 1200)
    share = rng.uniform(0, 1, (1200, 1))
    first, second = np.array([[0, 1], [0, 2], [1, 2]])[y].T
    clean = share * triangles[first] + (1 - share) * triangles[second]
    return clean + rng.normal(0, 0.6, clean.shape), y


def _segments(rng: np.random.Generator) -> tuple[Numbers, NDArray]:
    """Ten digits of seven-segment displays, each segment read by four sensors in volts."""
    lit = "1110111 0010010 1011101 1011011 0111010 1101011 1101111 1010010 1111111 1111011"
    codes = np.array([[int(segment) for segment in code] for code in lit.split()])
    y = rng.integers(0, 10, 1300)
    gain = rng.uniform(20, 80, 28)
    offset = rng.uniform(50, 150, 28)
    reading = np.repeat(codes[y], 4, axis=1) + rng.normal(0, 0.45, (1300, 28))
    return offset + gain * reading, y


def _two_spirals(rng: np.random.Generator) -> tuple[Numbers, NDArray]:
    """Two arms of three quarters of a turn, with noise."""
    y = rng.integers(0, 2, 1200)
    radius = np.sqrt(rng.uniform(0.03, 1, 1200))
    angle = 1.5 * np.pi * radius + np.pi * y
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return 2 * points + rng.normal(0, 0.06, points.shape), y


def _rings(rng: np.random.Generator) -> tuple[Numbers, NDArray]:
    """A ring and a disk within, as the two classes, in the plane."""
    y = rng.integers(0, 2, 1000)
    radius = np.where(y == 0, 1.6, 0.75) + rng.normal(0, 0.15, 1000)
    angle = rng.uniform(0, 2 * np.pi, 1000)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y


def _waves(rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """y = sin 2x₁ + x₂x₃ + ½x₄² − ½ + noise, of four standard normal inputs."""
    x = rng.normal(0, 1, (1500, 4))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3] ** 2 - 0.5
    return x, y + rng.normal(0, 0.1, 1500)


def _prices(rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """A price in thousands of five columns in their own units: area, rooms, age, distance, tax."""
    rows = 1000
    area = rng.uniform(40, 240, rows)
    rooms = rng.integers(1, 8, rows).astype(float)
    age = rng.uniform(0, 120, rows)
    distance = rng.exponential(6.0, rows)
    tax = rng.normal(4000, 900, rows)
    price = 2.2 * area * np.exp(-distance / 12) + 9 * rooms - 0.8 * np.abs(age - 50)
    price -= 0.02 * tax
    return np.stack([area, rooms, age, distance, tax], 1), 300 + price + rng.normal(0, 12, rows)


def _arm(rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """How far an arm of two links and three joints reaches, from angles and lengths."""
    angles, lengths = rng.uniform(-1.6, 1.6, (1200, 3)), rng.uniform(0.5, 1.5, (1200, 2))
    first, second = angles[:, 0], angles[:, 0] + angles[:, 1]
    reach = lengths[:, 0] * np.sin(first) + lengths[:, 1] * np.sin(second)
    y = reach * np.cos(0.5 * angles[:, 2]) + rng.normal(0, 0.05, 1200)
    return np.concatenate([angles, 2 * (lengths - 1)], 1), y


def _stripes(rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Pictures of 8×8 floats about 0: a bar, lying, standing or on either diagonal, in noise."""
    y = rng.integers(0, 4, 1000)
    x = rng.normal(0, 0.5, (1000, 8, 8, 1))
    row, column = np.mgrid[:8, :8]
    for i, kind in enumerate(y):
        place = int(rng.integers(-2, 3))
        line = (row - 4, column - 4, row - column, row + column - 7)[kind] - place
        x[i, :, :, 0] += 1.5 * (line == 0)
    return x.astype(np.float32), y


def _shapes(rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Pictures of 10×10 bytes: a disk, a ring, a square, a plus or a cross, of any brightness."""
    y = rng.integers(0, 5, 1000)
    x = np.empty((1000, 10, 10, 1), np.uint8)
    for i, kind in enumerate(y):
        down, across = np.mgrid[:10, :10] - rng.uniform(3.6, 5.4, (2, 1, 1))
        size = rng.uniform(2.6, 3.6)
        distance = np.hypot(down, across)
        inside = np.maximum(np.abs(down), np.abs(across)) < size
        drawn = (
            distance < size,
            np.abs(distance - size) < 0.7,
            inside & (np.maximum(np.abs(down), np.abs(across)) > size - 1.3),
            inside & ((np.abs(down) < 0.7) | (np.abs(across) < 0.7)),
            inside & (np.abs(np.abs(down) - np.abs(across)) < 0.8),
        )[kind]
        picture = rng.uniform(20, 60) + rng.uniform(70, 150) * drawn
        x[i, :, :, 0] = np.clip(picture + rng.normal(0, 15, (10, 10)), 0, 255)
    return x, y


_SETS: tuple[DatasetSpec, ...] = (
    DatasetSpec("digits", "tune", "classification", 10, True),
    DatasetSpec("breast-cancer", "tune", "classification", 2, True, validation=0.4),
    DatasetSpec("spirals", "tune", "classification", 2, False, make=_two_spirals),
    DatasetSpec("moons", "tune", "classification", 2, False),
    DatasetSpec("mixture", "tune", "classification", 3, False, make=_mixture),
    DatasetSpec("stripes", "tune", "classification", 4, False, True, _stripes),
    DatasetSpec("diabetes", "tune", "regression", 0, False, validation=0.4),
    DatasetSpec("waves", "tune", "regression", 0, False, make=_waves),
    DatasetSpec("segments", "report", "classification", 10, True, make=_segments),
    DatasetSpec("wine", "report", "classification", 3, True, validation=0.5),
    DatasetSpec("rings", "report", "classification", 2, False, make=_rings),
    DatasetSpec("gaussians", "report", "classification", 5, False, make=_gaussians),
    DatasetSpec("waveform", "report", "classification", 3, False, make=_waveform),
    DatasetSpec("shapes", "report", "classification", 5, True, True, _shapes),
    DatasetSpec("prices", "report", "regression", 0, True, make=_prices),
    DatasetSpec("arm", "report", "regression", 0, False, make=_arm),
)
DATASETS: Mapping[str, DatasetSpec] = MappingProxyType({spec.name: spec for spec in _SETS})


@cache
def arrays(name: str) -> Arrays:
    """Return a set's rows, with the same ones held out every time.

    A built-in set is split as a recipe with ``data.validation = spec.validation`` splits it.
    """
    spec = DATASETS[name]
    if spec.make is None:
        return _builtin(spec)
    rng = np.random.default_rng([20, *name.encode()])
    x, y = spec.make(rng)
    x = x if x.dtype == np.uint8 else x.astype(np.float32)
    held = int(len(x) * spec.validation)
    order = rng.permutation(len(x))
    train, validation = order[held:], order[:held]
    return Arrays(x[train], y[train], x[validation], y[validation])


def _builtin(spec: DatasetSpec) -> Arrays:
    from surefoot.data import gather, load
    from surefoot.recipe import Data

    data = Data(source=spec.name, validation=spec.validation, standardize=False)
    raw, loaded = gather(data), load(data)
    x = np.asarray(raw.x, np.float32)
    y = raw.y
    if spec.task == "classification":
        y = np.unique(y, return_inverse=True)[1].astype(np.int64)
    train, held = loaded.train_rows, loaded.validation_rows
    return Arrays(x[train], y[train], x[held], y[held])
