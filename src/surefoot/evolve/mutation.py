"""Mutation: small random changes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


def gaussian(key: Array, genome: Array, rate: ArrayLike, scale: ArrayLike) -> Array:
    """Add a normal number of standard deviation ``scale`` to each weight, with chance ``rate``.

    Source: Bäck & Schwefel (1993), *An overview of evolutionary algorithms for parameter
    optimization*.

    >>> gaussian(jax.random.key(0), jnp.ones(3), rate=0.0, scale=1.0).tolist()
    [1.0, 1.0, 1.0]
    >>> changed = gaussian(jax.random.key(0), jnp.zeros(1000), rate=0.5, scale=1.0) != 0
    >>> 400 < changed.sum() < 600
    Array(True, dtype=bool)
    """
    hits, noise = jax.random.split(key)
    dtype = genome.dtype
    hit = jax.random.uniform(hits, genome.shape, dtype) < jnp.asarray(rate, dtype)
    change = jnp.asarray(scale, dtype) * jax.random.normal(noise, genome.shape, dtype)
    return genome + jnp.where(hit, change, 0)
