"""Crossover: a child of two parents. Genomes are ``[weights]`` or ``[children, weights]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

Cross = Callable[[Array, Array, Array], Array]


def uniform(key: Array, first: Array, second: Array) -> Array:
    """Take each weight from either parent, by the toss of a coin.

    Source: Syswerda (1989), *Uniform crossover in genetic algorithms*.

    >>> child = uniform(jax.random.key(0), jnp.zeros(100), jnp.ones(100))
    >>> 30 < child.sum() < 70
    Array(True, dtype=bool)
    """
    return jnp.where(jax.random.bits(key, first.shape, jnp.uint8) < 128, first, second)


def one_point(key: Array, first: Array, second: Array) -> Array:
    """Take the weights before a random place from one parent, those after it from the other.

    The cut lies within: each parent gives one weight at least, where there are two or more.
    Source: Holland (1975), *Adaptation in natural and artificial systems*.

    >>> one_point(jax.random.key(0), jnp.zeros(2), jnp.ones(2)).tolist()
    [0.0, 1.0]
    """
    size = first.shape[-1]
    place = jax.random.randint(key, (*first.shape[:-1], 1), 1, max(size, 2))
    return jnp.where(jnp.arange(size) < place, first, second)


def blend(key: Array, first: Array, second: Array, alpha: ArrayLike = 0.5) -> Array:
    """Draw each weight evenly from the interval of both, widened by α on either side: BLX-α.

    A population's variance is multiplied by ½ + (1 + 2α)²/6 thereby: 7/6 with α = ½, its usual
    value. Source: Eshelman & Schaffer (1993), *Real-coded genetic algorithms and
    interval-schemata*.

    >>> child = blend(jax.random.key(0), jnp.zeros(100), jnp.ones(100))
    >>> -0.5 <= child.min() < 0 and 1 < child.max() <= 1.5
    Array(True, dtype=bool)
    """
    at = jax.random.uniform(key, first.shape, first.dtype, -alpha, 1 + jnp.asarray(alpha))
    return first + at * (second - first)


CROSSOVERS: Mapping[str, Cross] = MappingProxyType(
    {"uniform": uniform, "one_point": one_point, "blend": blend}
)
"""Every crossover by its name in a recipe."""
