"""Initializers: where the weights start.

A dense weight has shape (n_in, n_out), a filter (height, width, c_in, c_out). A unit of a filter
sees height · width · c_in numbers, so n_in = height · width · c_in (k²·d in He et al.) and
n_out = height · width · c_out. Every number of an initializer (`mean`, `stddev`, `gain`, …) may
be a traced value. The `_normal` ones draw from a Gaussian that is not cut off, with exactly the
variance that their formula gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax import Array
from jax.nn import initializers as jax_initializers
from jax.typing import ArrayLike, DTypeLike

from surefoot.errors import InputError, nearest

Shape = tuple[int, ...]
Numbers = Mapping[str, ArrayLike]


@dataclass(frozen=True, eq=False)
class Initializer:
    """One initializer: `function(key, shape, numbers, dtype)` and the numbers it takes.

    `matrix` says that it needs a weight with inputs and outputs, so cannot start a bias.

    >>> dict(INITIALIZERS["he_normal"].defaults), INITIALIZERS["he_normal"].matrix
    ({'gain': 1.0}, True)
    """

    function: Callable[[Array, Shape, Numbers, DTypeLike], Array]
    defaults: Mapping[str, float]
    matrix: bool = False


def initialize(
    name: str, key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike = jnp.float32
) -> Array:
    """Return the starting values of one weight or bias, of the given shape and dtype.

    Numbers left out take their defaults. Raises `InputError` for an unknown name or number, a
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

    >>> key = jax.random.key(0)
    >>> initialize("constant", key, (3,), {"value": 0.5}).tolist()
    [0.5, 0.5, 0.5]
    >>> weight = initialize("he_normal", key, (200, 100), {})
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
    return initializer.function(key, shape, {**initializer.defaults, **numbers}, dtype)


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


def _zeros(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    return jnp.zeros(shape, dtype)


def _ones(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    return jnp.ones(shape, dtype)


def _constant(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    return jnp.full(shape, numbers["value"], dtype)


def _normal(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    mean, stddev = (jnp.asarray(numbers[name], dtype) for name in ("mean", "stddev"))
    return mean + stddev * jax.random.normal(key, shape, dtype)


def _truncated_normal(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    mean, stddev = (jnp.asarray(numbers[name], dtype) for name in ("mean", "stddev"))
    return mean + stddev * jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)


def _uniform(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    low, high = (jnp.asarray(numbers[name], dtype) for name in ("low", "high"))
    return jax.random.uniform(key, shape, dtype, low, high)


def _variance_scaling(scale: float, mode: str, distribution: str) -> Initializer:
    """Return the initializer of mean 0 and variance gain² · scale / n, n by the mode."""
    draw = jax_initializers.variance_scaling(scale, mode, distribution)

    def function(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
        return jnp.asarray(numbers["gain"], dtype) * draw(key, shape, dtype)

    return Initializer(function, _GAIN, matrix=True)


def _orthogonal(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    rows = math.prod(shape[:-1])
    matrix = jax.random.orthogonal(key, rows, (), dtype, m=shape[-1])
    return jnp.asarray(numbers["gain"], dtype) * matrix.reshape(shape)


def _delta_orthogonal(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    if len(shape) > 2 and shape[-2] > shape[-1]:
        raise InputError(
            f"delta_orthogonal needs a convolution with at most as many input channels as output "
            f"channels, not {shape[-2]} to {shape[-1]}; widen it or use orthogonal"
        )
    return _at_centre(_orthogonal(key, shape[-2:], numbers, dtype), shape)


def _identity(key: Array, shape: Shape, numbers: Numbers, dtype: DTypeLike) -> Array:
    gain = jnp.asarray(numbers["gain"], dtype)
    return _at_centre(gain * jnp.eye(*shape[-2:], dtype=dtype), shape)


def _at_centre(matrix: Array, shape: Shape) -> Array:
    """Return a filter that is zero but for this matrix at its centre tap."""
    # With an even size, "same" padding puts the smaller half before: (k - 1) // 2 is in place.
    centre = tuple((size - 1) // 2 for size in shape[:-2])
    return jnp.zeros(shape, matrix.dtype).at[centre].set(matrix)


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
        "lecun_normal": _variance_scaling(1.0, "fan_in", "normal"),
        "lecun_uniform": _variance_scaling(1.0, "fan_in", "uniform"),
        "glorot_normal": _variance_scaling(1.0, "fan_avg", "normal"),
        "glorot_uniform": _variance_scaling(1.0, "fan_avg", "uniform"),
        "he_normal": _variance_scaling(2.0, "fan_in", "normal"),
        "he_uniform": _variance_scaling(2.0, "fan_in", "uniform"),
        "orthogonal": Initializer(_orthogonal, _GAIN, matrix=True),
        "delta_orthogonal": Initializer(_delta_orthogonal, _GAIN, matrix=True),
        "identity": Initializer(_identity, _GAIN, matrix=True),
    }
)
"""Every initializer by its name in a recipe."""
