"""Initializers: where the weights start.

A dense weight has shape (n_in, n_out), a filter (height, width, c_in, c_out). A unit of a filter
sees height · width · c_in numbers, so n_in = height · width · c_in (k²·d in He et al.) and
n_out = height · width · c_out. The `_normal` ones draw from a Gaussian that is not cut off, with
exactly the variance that their formula gives.

NumPy draws on the host, before the compiled program: nothing is compiled for it, and the weights
are the same on every backend. Randomness comes from the generator that is passed in and from
nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from surefoot.errors import InputError, nearest

Shape = tuple[int, ...]
Numbers = Mapping[str, float]
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Initializer:
    """One initializer: `function(generator, shape, numbers, dtype)` and the numbers it takes.

    `matrix` says that it needs a weight with inputs and outputs, so cannot start a bias.

    >>> dict(INITIALIZERS["he_normal"].defaults), INITIALIZERS["he_normal"].matrix
    ({'gain': 1.0}, True)
    """

    function: Callable[[Generator, Shape, Numbers, DTypeLike], Array]
    defaults: Mapping[str, float]
    matrix: bool = False


def initialize(
    name: str,
    generator: Generator,
    shape: Shape,
    numbers: Numbers,
    dtype: DTypeLike = np.float32,
) -> Array:
    """Return the starting values of one weight or bias, of the given shape and dtype.

    Drawn and scaled in that dtype, float32 or float64, so the two have different values from one
    seed; beyond its range a value is not finite. Numbers left out take their defaults. Raises `InputError` for an unknown name or number, a
    bias under an initializer that needs inputs and outputs, or a filter that cannot be
    delta-orthogonal.

    | name | values |
    | --- | --- |
    | `zeros`, `ones`, `constant` (`value`) | all the same: as weights they never break symmetry |
    | `normal` (`mean` 0, `stddev` 0.05) | N(mean, stddev²) |
    | `truncated_normal` (`mean` 0, `stddev` 0.05) | N(mean, stddev²), drawn again beyond mean ± 2 stddev: `stddev` is the one before the cut, as in Keras; after it 0.8796 · stddev |
    | `uniform` (`low` −0.05, `high` 0.05) | U(low, high) |
    | `lecun_normal`, `lecun_uniform` | mean 0, variance gain² / n_in (LeCun et al. 1998) |
    | `glorot_normal`, `glorot_uniform` | mean 0, variance gain² · 2 / (n_in + n_out) (Glorot & Bengio 2010) |
    | `he_normal`, `he_uniform` | mean 0, variance gain² · 2 / n_in (He et al. 2015) |
    | `orthogonal` | gain · Q, Q uniform over matrices (n_in, n_out) with orthonormal columns, or rows where n_in < n_out (Saxe et al. 2014) |
    | `delta_orthogonal` | the same at a filter's centre, 0 elsewhere; c_in ≤ c_out (Xiao et al. 2018); a dense weight is a 1×1 filter, and may be of any shape |
    | `identity` | gain · I, at a filter's centre (Le et al. 2015) |

    The defaults of the first six are Keras's.

    >>> generator = np.random.default_rng(0)
    >>> initialize("constant", generator, (3,), {"value": 0.5}).tolist()
    [0.5, 0.5, 0.5]
    >>> weight = initialize("he_normal", generator, (200, 100), {})
    >>> bool(abs(weight.std() - (2 / 200) ** 0.5) < 0.002)
    True
    """  # noqa: E501
    if name not in INITIALIZERS:
        known = ", ".join(INITIALIZERS)
        raise InputError(f"unknown initializer {name!r}{nearest(name, INITIALIZERS)}; use {known}")
    initializer = INITIALIZERS[name]
    for given in numbers:
        if given not in initializer.defaults:
            allowed = ", ".join(initializer.defaults) or "no numbers"
            hint = nearest(given, initializer.defaults)
            raise InputError(f"initializer {name!r} has no {given!r}: it takes {allowed}{hint}")
    if initializer.matrix and len(shape) < 2:
        raise InputError(
            f"initializer {name!r} needs a weight with inputs and outputs, not the shape {shape}; "
            "start a bias with zeros, constant, normal, truncated_normal or uniform"
        )
    # As Python's floats: a NumPy scalar of float64 would widen an array of float32.
    numbers = {key: float(value) for key, value in {**initializer.defaults, **numbers}.items()}
    with np.errstate(over="ignore", invalid="ignore"):  # a scale of 1e300 is a recipe's to ask for
        return initializer.function(generator, shape, numbers, dtype)


def fixup_scale(branches: int, layers_per_branch: int) -> float:
    """Return L^(−1/(2m − 2)): Fixup's factor for the weights inside residual branches.

    L is the number of residual branches of the net, m ≥ 2 the number of weight layers in each.
    In full, Fixup starts the last layer of each branch and the classifier at zero, all others by
    a standard rule (He), those inside a branch times this factor, and adds scalar biases and
    multipliers; then an update changes the output by an amount that does not grow with depth.
    Source: Zhang, Dauphin & Ma (2019), *Fixup initialization: residual learning without
    normalization*.

    >>> fixup_scale(branches=16, layers_per_branch=2)
    0.25
    """
    if branches < 1 or layers_per_branch < 2:
        raise InputError(
            f"Fixup needs at least 1 branch of at least 2 weight layers, not {branches} of "
            f"{layers_per_branch}"
        )
    return branches ** (-1 / (2 * layers_per_branch - 2))


def _zeros(generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    return np.zeros(shape, dtype)


def _ones(generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    return np.ones(shape, dtype)


def _constant(generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    return np.full(shape, numbers["value"], dtype)


def _normal(generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    return numbers["mean"] + numbers["stddev"] * generator.standard_normal(shape, dtype)


def _truncated_normal(
    generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike
) -> Array:
    draws = generator.standard_normal(math.prod(shape), dtype)
    while (outside := np.flatnonzero(np.abs(draws) > 2)).size:
        draws[outside] = generator.standard_normal(outside.size, dtype)
    return numbers["mean"] + numbers["stddev"] * draws.reshape(shape)


def _uniform(generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    low, high = numbers["low"], numbers["high"]
    return low + (high - low) * generator.random(shape, dtype)


def _scaled(fan: Callable[[int, int], float], distribution: str) -> Initializer:
    """Return the initializer of mean 0 and variance gain² · fan(n_in, n_out)."""

    def function(generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
        field = math.prod(shape[:-2])
        stddev = numbers["gain"] * math.sqrt(fan(field * shape[-2], field * shape[-1]))
        if distribution == "normal":
            return stddev * generator.standard_normal(shape, dtype)
        # U(−b, b) has the variance b²/3.
        return math.sqrt(3) * stddev * (2 * generator.random(shape, dtype) - 1)

    return Initializer(function, _GAIN, matrix=True)


def _lecun(n_in: int, n_out: int) -> float:
    return 1 / n_in


def _glorot(n_in: int, n_out: int) -> float:
    return 2 / (n_in + n_out)


def _he(n_in: int, n_out: int) -> float:
    return 2 / n_in


def _orthogonal(generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns)), dtype))
    # QR leaves the signs of its columns open. With R's diagonal positive it is unique, and Q of a
    # Gaussian matrix uniform (Mezzadri 2007, "How to generate random matrices").
    q = q * np.where(np.diagonal(r) < 0, -1, 1).astype(dtype)
    return numbers["gain"] * (q if rows >= columns else q.T).reshape(shape)


def _delta_orthogonal(
    generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike
) -> Array:
    if len(shape) > 2 and shape[-2] > shape[-1]:
        raise InputError(
            f"delta_orthogonal needs a convolution with at most as many input channels as output "
            f"channels, not {shape[-2]} to {shape[-1]}; widen it or use orthogonal"
        )
    return _at_centre(_orthogonal(generator, shape[-2:], numbers, dtype), shape)


def _identity(generator: Generator, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    matrix = np.zeros(shape[-2:], dtype)
    np.fill_diagonal(matrix, numbers["gain"])
    return _at_centre(matrix, shape)


def _at_centre(matrix: Array, shape: Shape) -> Array:
    """Return a filter that is zero but for this matrix at its centre tap."""
    # With an even size, "same" padding puts the smaller half before: (k - 1) // 2 is in place.
    centre = tuple((size - 1) // 2 for size in shape[:-2])
    values = np.zeros(shape, matrix.dtype)
    values[centre] = matrix
    return values


_NOTHING: Mapping[str, float] = MappingProxyType({})
_GAIN: Mapping[str, float] = MappingProxyType({"gain": 1.0})
_GAUSSIAN: Mapping[str, float] = MappingProxyType({"mean": 0.0, "stddev": 0.05})

INITIALIZERS: Mapping[str, Initializer] = MappingProxyType(
    {
        "zeros": Initializer(_zeros, _NOTHING),
        "ones": Initializer(_ones, _NOTHING),
        "constant": Initializer(_constant, MappingProxyType({"value": 0.0})),
        "normal": Initializer(_normal, _GAUSSIAN),
        "truncated_normal": Initializer(_truncated_normal, _GAUSSIAN),
        "uniform": Initializer(_uniform, MappingProxyType({"low": -0.05, "high": 0.05})),
        "lecun_normal": _scaled(_lecun, "normal"),
        "lecun_uniform": _scaled(_lecun, "uniform"),
        "glorot_normal": _scaled(_glorot, "normal"),
        "glorot_uniform": _scaled(_glorot, "uniform"),
        "he_normal": _scaled(_he, "normal"),
        "he_uniform": _scaled(_he, "uniform"),
        "orthogonal": Initializer(_orthogonal, _GAIN, matrix=True),
        "delta_orthogonal": Initializer(_delta_orthogonal, _GAIN, matrix=True),
        "identity": Initializer(_identity, _GAIN, matrix=True),
    }
)
"""Every initializer by its name in a recipe."""
