"""Fitness shaping: from losses to weights of a sum that depend on their order alone."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array


def ranks(losses: Array) -> Array:
    """Return each individual's rank: 0 for the lowest loss.

    >>> ranks(jnp.array([3.0, 1.0, 2.0])).tolist()
    [2, 0, 1]
    """
    return jnp.argsort(jnp.argsort(losses))


def centered_ranks(losses: Array) -> Array:
    """Return ½ for the best, −½ for the worst, evenly spaced between: [individuals].

    Source: Salimans et al. (2017), *Evolution strategies as a scalable alternative to
    reinforcement learning*.

    >>> centered_ranks(jnp.array([30.0, 1.0, 2.0])).tolist()
    [-0.5, 0.5, 0.0]
    """
    return 0.5 - ranks(losses).astype(losses.dtype) / max(losses.shape[0] - 1, 1)


def utilities(losses: Array) -> Array:
    """Return uₖ = max(0, ln(n/2 + 1) − ln k) / Σ − 1/n for the k-th best: [individuals].

    Source: Wierstra et al. (2014), *Natural evolution strategies*, section 3.1.

    >>> utilities(jnp.array([30.0, 1.0])).tolist()
    [-0.5, 0.5]
    """
    count = losses.shape[0]
    place = ranks(losses).astype(losses.dtype) + 1
    raw = jnp.maximum(0, jnp.log(count / 2 + 1) - jnp.log(place))
    return raw / jnp.sum(raw) - 1 / count
